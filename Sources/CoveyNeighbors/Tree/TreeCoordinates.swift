import CoveyRuntime

/// The coordinates that a k-d tree stores. In few dimensions they are the rows' own numbers. Otherwise they are the
/// rows along their principal axes (Pearson 1901), in which the boxes of rows near a subspace are small. Distances
/// between rotated coordinates differ from the rows' distances by at most what `margin` states.
struct TreeCoordinates {
    /// count x dimension, by rows.
    let values: AlignedBuffer<Double>
    let dimension: Int
    /// The number of leading coordinates along which rows differ noticeably.
    let telling: Int
    let margin: Margin

    /// From this many dimensions on, rows may be rotated.
    static let rotated = 5
    /// Cost: O(n d) for few dimensions, otherwise O(n d^2 + d^3); 8 d bytes a row.
    /// - Parameter axes: the axes to which rows are rotated; nil = no rotation.
    init(_ rows: Rows, _ axes: TreeAxes?, execution: Execution) throws {
        let n = rows.count
        let d = rows.dimension
        dimension = d
        let values = try AlignedBuffer<Double>(checkedProduct(n, d, "the k-d tree"), for: "the k-d tree", execution)
        self.values = values
        let grain = max(1, 65_536 / d)
        var largest = [Double](repeating: 0, count: max(1, (n - 1) / grain + 1))
        try largest.withUnsafeMutableBufferPointer { largest in
            nonisolated(unsafe) let largest = largest
            try execution.parallel(n, grain: grain) { chunk, _ in
                var found = 0.0
                for i in chunk {
                    let row = values.pointer + i * d
                    rows.copy(i, to: row)
                    for c in 0..<d { found = max(found, abs(row[c])) }
                }
                largest[chunk.lowerBound / grain] = found
            }
        }
        // Rows much farther out than the sample's rows could overflow.
        guard let axes, largest.reduce(0, max) * axes.unit < 1e100 else {
            telling = d
            // With cosine the reduced distances of coordinates may be below the metric's floor. From 8 columns on a
            // leaf adds in another order than other searches do, whose last bits are wanted.
            margin = Margin(
                exact: rows.metric != .cosine && d < 8, unit: 1, error: rows.floor.squareRoot(),
                stretch: 1 + Double(d) * 0x1p-50)
            return
        }
        telling = axes.telling
        // A coordinate is a sum of d products, each of a factor of at most 1 and a number no larger than that returned.
        margin = Margin(
            exact: false, unit: axes.unit,
            error: try axes.rotate(values, count: n, grain, execution) * Double(d * d) * 0x1p-50
                + axes.unit * rows.floor.squareRoot(),
            stretch: 1 + Double(d) * axes.skew + 0x1p-40)
    }

    /// How much distances between coordinates may differ from the rows' distances.
    struct Margin {
        /// The coordinates are the rows' own numbers, to the last bit.
        let exact: Bool
        /// Coordinates are the rows times this power of two.
        fileprivate let unit: Double
        /// The error that rotation may add to a distance: absolute, in that unit, and relative.
        fileprivate let error: Double
        fileprivate let stretch: Double

        /// An upper bound of the reduced distance between coordinates of rows whose reduced distance is at most
        /// `bound`.
        @inline(__always)
        func reach(_ bound: Double) -> Double {
            if exact { return bound }
            let length = bound.squareRoot() * unit * stretch + 2 * error
            return length * length * (1 + 0x1p-48)
        }

        /// A lower bound of the reduced distance of rows whose coordinates are at least the reduced distance `gap`
        /// apart.
        @inline(__always)
        func shortest(_ gap: Double) -> Double {
            if exact { return gap }
            let length = max(0, gap.squareRoot() * (1 - 0x1p-48) - 2 * error) / (unit * stretch)
            return length * length * (1 - 0x1p-48)
        }
    }
}
