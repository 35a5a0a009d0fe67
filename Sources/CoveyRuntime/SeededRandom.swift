/// The generator SplitMix64 (Steele, Lea, Flood 2014). A seed gives the same numbers on every machine.
public struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z &>> 31)
    }

    /// A uniform number in [0, 1).
    public mutating func uniform() -> Double {
        Double(next() &>> 11) * 0x1p-53
    }

    /// Returns `count` distinct numbers of 0..<limit, in ascending order (Floyd's method). O(count log count) for few
    /// numbers, O(limit / 64 + count) for many.
    public mutating func sample(_ count: Int, of limit: Int) -> [Int] {
        if count > limit / 512 { return sampleOfMany(count, of: limit) }
        var chosen = Set<Int>()
        for last in max(0, limit - count)..<limit {
            let candidate = Int.random(in: 0...last, using: &self)
            if !chosen.insert(candidate).inserted { chosen.insert(last) }
        }
        return chosen.sorted()
    }

    /// The same numbers, with a bit for each of 0..<limit in the place of a set and a sort.
    private mutating func sampleOfMany(_ count: Int, of limit: Int) -> [Int] {
        var chosen = [UInt64](repeating: 0, count: (max(0, limit) + 63) / 64)
        for last in max(0, limit - count)..<max(0, limit) {
            let candidate = Int.random(in: 0...last, using: &self)
            let isTaken = chosen[candidate >> 6] &>> UInt64(candidate & 63) & 1 == 1
            let number = isTaken ? last : candidate
            chosen[number >> 6] |= 1 &<< UInt64(number & 63)
        }
        var numbers: [Int] = []
        numbers.reserveCapacity(max(0, min(count, limit)))
        for word in chosen.indices {
            var bits = chosen[word]
            while bits != 0 {
                numbers.append(word << 6 | bits.trailingZeroBitCount)
                bits &= bits &- 1
            }
        }
        return numbers
    }
}
