import CoveyRuntime
import Glibc

extension SeededRandom {
    /// Creates a separate generator for each purpose and number. Its numbers do not depend on what was drawn before.
    init(seed: UInt64, _ purpose: UInt64, _ numbers: UInt64...) {
        var state = SeededRandom(seed: seed).mixed(purpose)
        for number in numbers { state = SeededRandom(seed: state).mixed(number) }
        self.init(seed: state)
    }

    private func mixed(_ number: UInt64) -> UInt64 {
        var copy = self
        var other = SeededRandom(seed: number ^ copy.next())
        return other.next()
    }

    /// Draws a number from N(0, 1) (Box and Muller 1958).
    mutating func normal() -> Double {
        let radius = (-2 * log(1 - uniform())).squareRoot()
        return radius * cos(2 * .pi * uniform())
    }
}
