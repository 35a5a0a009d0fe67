import Glibc

/// Returns a power of two. Multiplied by it, numbers of at most this size become 2 or less. The product is exact unless
/// it underflows.
package func powerOfTwo(below largest: Double) -> Double {
    largest == 0 ? 1 : scalbn(1.0, -max(-1000, Int32(clamping: Int(largest.exponent))))
}
