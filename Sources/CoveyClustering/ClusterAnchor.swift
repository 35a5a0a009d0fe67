import CoveyNeighbors
import CoveyRuntime
import CoveyTables

/// The distance to a point that stands for a cluster: one of its exemplars, or its centre.
public struct ClusterAnchor: RowFunction {
    public let cluster: Int
    /// The exemplar, by the caller's row number; -1 = the centre.
    public let row: Int
    public let values: [Double]
    let metric: Metric

    /// By the clustering's metric.
    public func value(of row: UnsafeBufferPointer<Float>) -> Double {
        values.withUnsafeBufferPointer { values in metric.distance(row) { values[$0] } }
    }

    public func gradient(at row: UnsafeBufferPointer<Float>) -> [Double] {
        switch metric {
        case .euclidean:
            let distance = value(of: row)
            guard distance > 0 else { return [Double](repeating: 0, count: values.count) }
            return values.indices.map { (Double(row[$0]) - values[$0]) / distance }
        case .manhattan:
            return values.indices.map {
                let difference = Double(row[$0]) - values[$0]
                return difference > 0 ? 1 : difference < 0 ? -1 : 0
            }
        case .cosine:
            var (product, square, own) = (0.0, 0.0, 0.0)
            for (place, value) in values.enumerated() {
                product += Double(row[place]) * value
                square += Double(row[place]) * Double(row[place])
                own += value * value
            }
            guard square > 0, own > 0 else { return [Double](repeating: 0, count: values.count) }
            let lengths = (square * own).squareRoot()
            return values.indices.map { (product * Double(row[$0]) / square - values[$0]) / lengths }
        }
    }
}

extension Metric {
    /// The distance of a row to another one, whose numbers `other` gives.
    @inline(__always)
    fileprivate func distance(_ row: UnsafeBufferPointer<Float>, _ other: (_ column: Int) -> Double) -> Double {
        switch self {
        case .euclidean:
            var sum = 0.0
            for column in row.indices {
                let difference = Double(row[column]) - other(column)
                sum += difference * difference
            }
            return sum.squareRoot()
        case .manhattan:
            var sum = 0.0
            for column in row.indices { sum += abs(Double(row[column]) - other(column)) }
            return sum
        case .cosine:
            var (product, square, own) = (0.0, 0.0, 0.0)
            for column in row.indices {
                let value = other(column)
                product += Double(row[column]) * value
                square += Double(row[column]) * Double(row[column])
                own += value * value
            }
            let lengths = square.squareRoot() * own.squareRoot()
            return lengths > 0 ? min(2, max(0, 1 - product / lengths)) : 1
        }
    }
}

extension Clustering {
    /// The exemplar nearest to a row, of equal ones the first: of one cluster, or of all with nil. nil if there is no
    /// exemplar, or if the clustering has no prediction data. O(exemplars x columns).
    public func nearestExemplar(to row: UnsafeBufferPointer<Float>, of cluster: Int?) -> ClusterAnchor? {
        guard let predictor, clusterCount > 0 else { return nil }
        let metric = options.metric
        var best: (distance: Double, cluster: Int, row: Int32, place: Int)?
        predictor.reference.withView { view in
            for candidate in cluster.map({ $0..<$0 + 1 }) ?? 0..<clusterCount {
                for number in exemplars[candidate] {
                    guard let place = place(ofRow: number) else { continue }
                    let distance = metric.distance(row) { view[place, $0] }
                    if best.map({ distance < $0.distance }) ?? true { best = (distance, candidate, number, place) }
                }
            }
        }
        return best.map { best in
            predictor.reference.withView { view in
                ClusterAnchor(
                    cluster: best.cluster, row: Int(best.row),
                    values: (0..<columnCount).map { view[best.place, $0] }, metric: metric)
            }
        }
    }

    /// The mean of a cluster's rows; for cosine, of its rows scaled to length 1. nil without prediction data or rows.
    /// O(rows x columns).
    public func centre(of cluster: Int, execution: Execution) throws -> ClusterAnchor? {
        guard let predictor else { return nil }
        var sums = [Double](repeating: 0, count: columnCount)
        var count = 0
        try predictor.reference.withView { view in
            var values = [Double](repeating: 0, count: columnCount)
            for place in 0..<view.rows {
                if place & 0xFFF == 0 { try execution.report() }
                guard Int(labels[rowNumber(place)]) == cluster else { continue }
                values.withUnsafeMutableBufferPointer { view.copyRow(place, to: $0.baseAddress!) }
                let length = options.metric == .cosine ? values.reduce(0) { $0 + $1 * $1 }.squareRoot() : 1
                guard length > 0 else { continue }
                for column in sums.indices { sums[column] += values[column] / length }
                count += 1
            }
        }
        guard count > 0 else { return nil }
        return ClusterAnchor(
            cluster: cluster, row: -1, values: sums.map { $0 / Double(count) }, metric: options.metric)
    }

    /// The place of a caller's row among those used; nil if it was not used.
    private func place(ofRow row: Int32) -> Int? {
        guard let usedRows else { return Int(row) }
        var (low, high) = (0, usedRows.count)
        while low < high {
            let middle = (low + high) / 2
            if usedRows[middle] < row { low = middle + 1 } else { high = middle }
        }
        return low < usedRows.count && usedRows[low] == row ? low : nil
    }
}
