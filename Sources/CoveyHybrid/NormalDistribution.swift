import Glibc

/// The standard normal distribution.
enum NormalDistribution {
    /// P(Z <= z).
    static func share(below z: Double) -> Double { erfc(-z / 2.0.squareRoot()) / 2 }
}
