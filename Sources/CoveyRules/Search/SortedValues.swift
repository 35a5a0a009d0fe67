import CoveyRuntime
import CoveyTables

/// The values of some rows that are not missing, ascending, with what lies below each.
struct SortedValues {
    let values: [Double]
    /// Sums of weights up to and with each value; empty where all weigh the same.
    private let sums: [Double]

    init(_ column: Strided<Double>, _ rows: ArraySlice<Int32>, _ weights: Strided<Double>?) {
        guard let weights else {
            var keys: [UInt64] = []
            keys.reserveCapacity(rows.count)
            for row in rows {
                let value = column[Int(row)]
                if !value.isNaN { keys.append(SortedValues.key(value)) }
            }
            values = SortedValues.sorted(keys).map { SortedValues.value($0) }
            sums = []
            return
        }
        let pairs = rows.map { (value: column[Int($0)], weight: weights[Int($0)]) }
            .filter { !$0.value.isNaN && $0.weight > 0 }.sorted { $0.value < $1.value }
        values = pairs.map(\.value)
        var sum = 0.0
        sums = pairs.map { pair in
            sum += pair.weight
            return sum
        }
    }

    /// `wanted` values that cut the rows into parts of equal weight; an integral weight counts as that many equal rows.
    func quantiles(_ wanted: Int) -> [Double] {
        guard !values.isEmpty else { return [] }
        guard let all = sums.last else {
            return (0..<wanted).map { values[($0 + 1) * values.count / (wanted + 1)] }
        }
        var place = 0
        return (0..<wanted).map { index in
            let below = (Double(index + 1) * all / Double(wanted + 1)).rounded(.down)
            // Weights of less than a row in all have no whole part to speak of.
            let bound = all < Double(wanted + 1) ? Double(index + 1) * all / Double(wanted + 1) : below
            while place + 1 < sums.count, sums[place] <= bound { place += 1 }
            return values[place]
        }
    }

    /// Bits whose unsigned order is the order of the numbers; -0 is 0.
    private static func key(_ value: Double) -> UInt64 {
        let bits = (value + 0).bitPattern
        return bits &>> 63 == 1 ? ~bits : bits | 1 << 63
    }

    private static func value(_ key: UInt64) -> Double {
        Double(bitPattern: key &>> 63 == 1 ? key & ~(1 << 63) : ~key)
    }

    /// Radix sort by 11 bits a pass, passes over equal digits left out.
    private static func sorted(_ keys: [UInt64]) -> [UInt64] {
        var (from, to) = (keys, keys)
        var starts = [Int](repeating: 0, count: 1 << 11)
        for shift in stride(from: UInt64(0), to: 64, by: 11) {
            for digit in starts.indices { starts[digit] = 0 }
            from.withUnsafeBufferPointer { from in
                for key in from { starts[Int(truncatingIfNeeded: key &>> shift) & 0x7FF] &+= 1 }
            }
            if starts.contains(keys.count) { continue }
            var sum = 0
            for digit in starts.indices { (starts[digit], sum) = (sum, sum &+ starts[digit]) }
            from.withUnsafeBufferPointer { from in
                to.withUnsafeMutableBufferPointer { to in
                    starts.withUnsafeMutableBufferPointer { starts in
                        for key in from {
                            let digit = Int(truncatingIfNeeded: key &>> shift) & 0x7FF
                            to[starts[digit]] = key
                            starts[digit] &+= 1
                        }
                    }
                }
            }
            swap(&from, &to)
        }
        return from
    }
}
