import Glibc

/// A power of two that brings numbers of at most this size to 2 or less, exactly where they do not underflow.
package func powerOfTwo(below largest: Double) -> Double {
    largest == 0 ? 1 : scalbn(1.0, -max(-1000, Int32(clamping: Int(largest.exponent))))
}
