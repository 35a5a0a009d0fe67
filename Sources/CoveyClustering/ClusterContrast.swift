import CoveyRuntime
import CoveyTables

/// Fisher's linear discriminant (1936) of a cluster against all other rows: w = (S + r I)^-1 (c - o), with the means c
/// and o, the covariance S within the two groups and r a hundredth of its mean variance. It is moved and scaled so that
/// the mean of the others has 0 and that of the cluster 1.
public struct ClusterContrast: RowFunction {
    public let cluster: Int
    public let row = -1
    let weights: [Double]
    let start: Double

    public func value(of row: UnsafeBufferPointer<Float>) -> Double {
        var sum = -start
        for column in weights.indices { sum += weights[column] * Double(row[column]) }
        return sum
    }

    public func gradient(at row: UnsafeBufferPointer<Float>) -> [Double] { weights }
}

extension Clustering {
    private static let contrastRows = 20_000
    private static let ridge = 0.01
    private static let mostSteps = 200
    private static let precision = 1e-10

    /// The contrast of a cluster. nil without prediction data, and if the rows of the cluster or the others are missing
    /// or have the same mean. Of more than 20,000 rows on a side an even sample is read. O(rows x columns) for each of
    /// at most 200 steps of conjugate gradients in each block.
    /// - Parameter blocks: columns that are taken as independent of those of other blocks, so that a feature that alone
    ///   says which rows are in the cluster leaves the weights of the embedding as they are.
    public func contrast(of cluster: Int, blocks: [Range<Int>], execution: Execution) throws -> ClusterContrast? {
        guard let predictor else { return nil }
        var places: (own: [Int], others: [Int]) = ([], [])
        for place in 0..<predictor.reference.rows {
            if place & 0xFFFF == 0 { try execution.report() }
            if Int(labels[rowNumber(place)]) == cluster {
                places.own.append(place)
            } else {
                places.others.append(place)
            }
        }
        guard !places.own.isEmpty, !places.others.isEmpty else { return nil }
        let groups = [places.own, places.others].map { places in
            let count = min(places.count, Clustering.contrastRows)
            return (0..<count).map { places[$0 * places.count / count] }
        }
        let centred = try CentredRows(predictor.reference, groups, columns: columnCount, execution)
        var weights = [Double](repeating: 0, count: columnCount)
        for block in blocks where !block.isEmpty {
            let found = try centred.discriminant(
                block, ridge: Clustering.ridge, most: Clustering.mostSteps, precision: Clustering.precision, execution)
            weights.replaceSubrange(block, with: found)
        }
        let (own, others) = (centred.means[0], centred.means[1])
        let step = weights.indices.reduce(0) { $0 + weights[$1] * (own[$1] - others[$1]) }
        guard step > 0, step.isFinite else { return nil }
        weights = weights.map { $0 / step }
        return ClusterContrast(
            cluster: cluster, weights: weights, start: weights.indices.reduce(0) { $0 + weights[$1] * others[$1] })
    }
}

/// Rows of two groups, each less the mean of its group.
private struct CentredRows {
    let columns: Int
    let means: [[Double]]
    let values: [Double]

    var rows: Int { values.count / columns }

    init(_ reference: ReferenceRows, _ groups: [[Int]], columns: Int, _ execution: Execution) throws {
        let total = groups.reduce(0) { $0 + $1.count }
        try execution.reserve(checkedProduct(total, columns, "rows of a contrast"), of: 8, for: "rows of a contrast")
        var (means, values): ([[Double]], [Double]) = ([], [])
        values.reserveCapacity(total * columns)
        try reference.withView { view in
            for group in groups {
                let first = values.count
                var mean = [Double](repeating: 0, count: columns)
                for (index, place) in group.enumerated() {
                    if index & 0xFFF == 0 { try execution.report() }
                    for column in 0..<columns {
                        let value = view[place, column]
                        values.append(value)
                        mean[column] += value / Double(group.count)
                    }
                }
                for index in first..<values.count { values[index] -= mean[(index - first) % columns] }
                means.append(mean)
            }
        }
        (self.columns, self.means, self.values) = (columns, means, values)
    }

    /// (S + r I)^-1 (c - o) in some columns, by conjugate gradients (Hestenes and Stiefel 1952).
    func discriminant(
        _ block: Range<Int>, ridge: Double, most: Int, precision: Double, _ execution: Execution
    ) throws -> [Double] {
        var trace = 0.0
        for row in 0..<rows {
            if row & 0xFFF == 0 { try execution.report() }
            for column in block { trace += values[row * columns + column] * values[row * columns + column] }
        }
        // A group that lies in one point has no variance: then the weights are the difference of the means.
        let mean = trace / Double(rows) / Double(block.count)
        let added = mean > 0 ? ridge * mean : 1
        var weights = [Double](repeating: 0, count: block.count)
        var residual = block.map { means[0][$0] - means[1][$0] }
        var direction = residual
        var square = residual.reduce(0) { $0 + $1 * $1 }
        let enough = square * precision * precision
        for _ in 0..<most where square > enough {
            let product = try covariance(block, direction, execution).enumerated().map { $1 + added * direction[$0] }
            let length = square / zip(direction, product).reduce(0) { $0 + $1.0 * $1.1 }
            for index in weights.indices {
                weights[index] += length * direction[index]
                residual[index] -= length * product[index]
            }
            let before = square
            square = residual.reduce(0) { $0 + $1 * $1 }
            for index in direction.indices { direction[index] = residual[index] + square / before * direction[index] }
        }
        return weights
    }

    /// The covariance of some columns, times a vector.
    private func covariance(_ block: Range<Int>, _ vector: [Double], _ execution: Execution) throws -> [Double] {
        var result = [Double](repeating: 0, count: block.count)
        for row in 0..<rows {
            if row & 0xFFF == 0 { try execution.report() }
            let first = row * columns + block.lowerBound
            var product = 0.0
            for index in vector.indices { product += values[first + index] * vector[index] }
            product /= Double(rows)
            for index in vector.indices { result[index] += product * values[first + index] }
        }
        return result
    }
}
