import CoveyRuntime
import CoveyTables

/// How a feature's values become bins: bins 0..<count, and `count` for missing values.
struct FeatureBins: Sendable {
    enum Kind: Sendable {
        /// Bin i holds edges[i - 1] <= x < edges[i].
        case numeric(edges: [Double])
        /// The codes that have a bin of their own, in the order of bins; the last bin pools all others.
        case categorical(codes: [Int32], bins: [Int32: UInt8])
        case boolean
    }

    let kind: Kind
    let count: Int

    var missing: UInt8 { UInt8(count) }

    /// Bins of a feature, from the rows of a sample: the first `positives` of them are in the target.
    init(_ column: FeatureColumn, sample: [Int32], positives: Int, weights: Strided<Double>?, maxBins: Int) {
        switch column.values {
        case .numeric(let values), .date(let values):
            let edges = FeatureBins.edges(values, sample, positives, weights, maxBins)
            kind = .numeric(edges: edges)
            count = edges.count + 1
        case .categorical(let values, _):
            let codes = FeatureBins.frequent(values, sample, positives, weights)
            let bins = Dictionary(uniqueKeysWithValues: zip(codes, (0..<codes.count).map { UInt8($0) }))
            kind = .categorical(codes: codes, bins: bins)
            count = codes.count + 1
        case .boolean:
            kind = .boolean
            count = 2
        }
    }

    /// Quantiles of the target's rows and of the others, half of the edges each: a rare target often sits in a small
    /// part of the range, which the others' quantiles would not resolve.
    private static func edges(
        _ values: Strided<Double>, _ sample: [Int32], _ positives: Int, _ weights: Strided<Double>?, _ maxBins: Int
    ) -> [Double] {
        let parts = [sample[positives...], sample[..<positives]].map { SortedValues(values, $0, weights) }
        var distinct: [Double] = []
        for part in parts {
            for value in part.values where value != distinct.last {
                distinct.append(value)
                // Beyond this many there is no need to know them all.
                if distinct.count > 4 * maxBins { break }
            }
        }
        distinct.sort()
        distinct = unique(distinct)
        if distinct.count <= maxBins { return Array(distinct.dropFirst()) }
        var edges: [Double] = []
        for (part, wanted) in zip(parts, [maxBins / 2, maxBins - 1 - maxBins / 2]) { edges += part.quantiles(wanted) }
        edges.sort()
        // Nothing lies below the smallest value.
        let smallest = min(parts[0].values.first ?? .infinity, parts[1].values.first ?? .infinity)
        return unique(edges).filter { $0 > smallest }
    }

    private static func unique(_ sorted: [Double]) -> [Double] {
        var result: [Double] = []
        for value in sorted where value != result.last { result.append(value) }
        return result
    }

    /// The categories that weigh most in the target, then elsewhere; those seen once say nothing.
    private static func frequent(
        _ values: Strided<Int32>, _ sample: [Int32], _ positives: Int, _ weights: Strided<Double>?
    ) -> [Int32] {
        var counts: [Int32: (positive: Double, all: Double)] = [:]
        for (index, row) in sample.enumerated() {
            let code = values[Int(row)]
            if code < 0 { continue }
            let weight = weights?[Int(row)] ?? 1
            counts[code, default: (0, 0)].all += weight
            if index < positives { counts[code, default: (0, 0)].positive += weight }
        }
        return counts.filter { $0.value.all > 1 }
            .sorted { ($1.value.positive, $1.value.all, $0.key) < ($0.value.positive, $0.value.all, $1.key) }
            .prefix(253).map(\.key)
    }

    /// Calls `body` with the bin of each row, in order.
    @inline(__always)
    func bins(of column: FeatureColumn, rows: some Sequence<Int>, _ body: (_ index: Int, _ bin: UInt8) -> Void) {
        var index = 0
        switch (kind, column.values) {
        case (.numeric(let edges), .numeric(let values)):
            edges.withUnsafeBufferPointer { edges in
                for row in rows {
                    let value = values[row]
                    body(index, value.isNaN ? missing : FeatureBins.find(value, edges))
                    index &+= 1
                }
            }
        case (.categorical(let codes, let bins), .categorical(let values, _)):
            let pooled = UInt8(codes.count)
            for row in rows {
                let code = values[row]
                body(index, code < 0 ? missing : bins[code] ?? pooled)
                index &+= 1
            }
        case (.boolean, .boolean(let values)):
            for row in rows {
                let value = values[row]
                body(index, value < 0 ? missing : UInt8(truncatingIfNeeded: value & 1))
                index &+= 1
            }
        default: break
        }
    }

    /// How many edges are at most `value`. Without branches that depend on the values: they could not be foreseen.
    @inline(__always)
    static func find(_ value: Double, _ edges: UnsafeBufferPointer<Double>) -> UInt8 {
        var low = 0
        var length = edges.count
        while length > 0 {
            let half = (length &+ 1) &>> 1
            low &+= (edges[low &+ half &- 1] <= value ? 1 : 0) &* half
            length &-= half
        }
        return UInt8(truncatingIfNeeded: low)
    }
}
