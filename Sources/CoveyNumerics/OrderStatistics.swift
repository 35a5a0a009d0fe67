import CoveyRuntime
import CoveyTables

/// Order statistics without sorting or copying.
public enum OrderStatistics {
    /// Returns the values at the given ranks; the smallest value has rank 0, and NaN is left out. Ranks must ascend and
    /// be below the number of values that are not NaN. The method is radix selection on the bits of a double, in an
    /// order-preserving form: six passes, O(values), exact.
    public static func select(_ values: Strided<Double>, ranks: [Int], execution: Execution) throws -> [Double] {
        let width = 11
        var found = ranks.map { (prefix: UInt64(0), rank: $0) }
        for shift in [53, 42, 31, 20, 9, 0] {
            // The last pass has only 9 bits.
            let bits = shift == 0 ? 9 : width
            let mask = (UInt64(1) << UInt64(bits)) - 1
            var prefixes: [UInt64] = []
            for search in found where search.prefix != prefixes.last { prefixes.append(search.prefix) }
            var histogram = [Int](repeating: 0, count: prefixes.count << width)
            try histogram.withUnsafeMutableBufferPointer { histogram in
                try prefixes.withUnsafeBufferPointer { prefixes in
                    for start in stride(from: 0, to: values.count, by: 1 << 16) {
                        try execution.check()
                        for row in start..<min(values.count, start + 1 << 16) {
                            let value = values[row]
                            if value.isNaN { continue }
                            let key = ordered(value)
                            let high = key >> UInt64(shift + bits)
                            for index in 0..<prefixes.count where prefixes[index] == high {
                                histogram[index << width | Int((key &>> UInt64(shift)) & mask)] &+= 1
                            }
                        }
                    }
                }
            }
            var index = 0
            for number in found.indices {
                while prefixes[index] != found[number].prefix { index += 1 }
                var digit = 0
                // The index is bounded, even if the caller changes its memory during the call.
                while digit < Int(mask), found[number].rank >= histogram[index << width | digit] {
                    found[number].rank -= histogram[index << width | digit]
                    digit += 1
                }
                found[number].prefix = found[number].prefix << UInt64(bits) | UInt64(digit)
            }
        }
        return found.map { value(of: $0.prefix) }
    }

    /// Maps the bits of a double so that their unsigned order is the order of the numbers.
    @inline(__always)
    private static func ordered(_ value: Double) -> UInt64 {
        let bits = value.bitPattern
        return bits &>> 63 == 1 ? ~bits : bits | 1 << 63
    }

    private static func value(of key: UInt64) -> Double {
        Double(bitPattern: key &>> 63 == 1 ? key & ~(1 << 63) : ~key)
    }
}
