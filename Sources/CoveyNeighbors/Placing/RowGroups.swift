import CCoveyKernels
import CoveyRuntime
import CoveyTables

/// Rows in groups of at most 64 that lie close together, by columns, as `ck_group_near` reads them. The rows of a
/// cluster come before those of the next, the rows without a cluster come last, and no group has rows of two. Each
/// group has a centre and a radius, so that the triangle inequality excludes most groups of a search.
final class RowGroups: @unchecked Sendable {
    static let size = 64

    /// How rows become float32, with the bounds of its errors. It is made of a sample; its own rows are not read.
    let frame: TileRows
    let dimension: Int
    let count: Int
    /// The groups whose rows are in a cluster come first.
    let clustered: Int
    /// count x size: the row at each position; -1 = none.
    let rows: [Int32]
    /// count x dimension x size numbers, and count x size biases, infinite if there is no row.
    let columns: AlignedBuffer<Float>
    let biases: AlignedBuffer<Float>
    /// The biases of the first `prefix` columns, whose part of a squared distance may already be too much.
    let prefixBiases: AlignedBuffer<Float>
    let prefix: Int
    /// The centres in groups of 64, likewise.
    let centres: AlignedBuffer<Float>
    let centreBiases: AlignedBuffer<Float>
    /// The same less the square of radius + reach: at most -|query|^2 if a row of the group may take the query.
    let takingBiases: AlignedBuffer<Float>
    /// Upper bounds of the distances from a group's centre to its rows, in the scale of the frame.
    let radii: AlignedBuffer<Float>
    /// By group: the distance up to which its rows take a new row; -1 = none.
    let reaches: [Double]

    static func blocks(_ count: Int) -> Int { (count + size - 1) / size }

    /// nil if the error of float32 has no bound.
    /// - Parameters:
    ///   - clusters: of each row; -1 = none.
    ///   - reach: by cluster: the distance up to which its rows take a new row.
    init?(_ view: MatrixView, clusters: [Int32], reach: [Double], execution: Execution) throws {
        let (n, d) = (view.rows, view.columns)
        let sampled = min(n, RowGroups.sampled)
        let sample = (0..<sampled).map { Int32($0 * n / sampled) }
        frame = try TileRows(
            Rows(view, used: sample, metric: .euclidean, execution: execution), rotated: true, execution: execution)
        guard frame.reducedScale > 0 else { return nil }
        dimension = d
        prefix = frame.prefix > 0 && frame.prefix < d ? frame.prefix : 0
        let packed = try PackedRows(view, frame, execution)
        var split = try RowSplit(packed, clusters: clusters, count: reach.count, execution)
        try split.run(execution)
        count = split.ranges.count
        clustered = split.ranges.firstIndex { clusters[Int(split.order[$0.lowerBound])] < 0 } ?? count
        let (count, size, blocks) = (self.count, RowGroups.size, RowGroups.blocks(count))
        columns = try AlignedBuffer(
            checkedProduct(count * size, d, "the rows in float32"), for: "the rows in float32", execution)
        biases = try AlignedBuffer(count * size, repeating: .infinity, for: "the rows' norms", execution)
        prefixBiases = try AlignedBuffer(
            prefix > 0 ? count * size : 0, repeating: .infinity, for: "the rows' norms", execution)
        centres = try AlignedBuffer(blocks * size * d, repeating: 0, for: "the centres of groups", execution)
        centreBiases = try AlignedBuffer(blocks * size, repeating: .infinity, for: "the centres of groups", execution)
        takingBiases = try AlignedBuffer(blocks * size, repeating: .infinity, for: "the centres of groups", execution)
        radii = try AlignedBuffer(blocks * size, repeating: 0, for: "the radii of groups", execution)
        let ranges = split.ranges
        let order = split.order
        reaches = ranges.map { range in
            let cluster = Int(clusters[Int(order[range.lowerBound])])
            return cluster < 0 ? -1 : reach[cluster]
        }
        rows = ranges.flatMap { range in
            (0..<size).map { $0 < range.count ? order[range.lowerBound + $0] : -1 }
        }
        try execution.parallel(count, grain: 64) { chunk, _ in
            let centre = try AlignedBuffer<Float>(frame.stride, for: "a row", execution)
            for group in chunk { fill(group, order[ranges[group]], packed, centre.pointer) }
        }
    }

    private static let sampled = 4096
    /// The square of a length above which float32 products could overflow.
    static let longest = 1e30

    private func fill(
        _ group: Int, _ members: ArraySlice<Int32>, _ packed: PackedRows, _ centre: UnsafeMutablePointer<Float>
    ) {
        let (size, d) = (RowGroups.size, dimension)
        let target = columns.pointer + group * d * size
        target.update(repeating: 0, count: d * size)
        centre.update(repeating: 0, count: frame.stride)
        var (line, isFar) = (0, false)
        for row in members {
            defer { line += 1 }
            let place = group * size + line
            let (numbers, norm) = (packed.row(Int(row)), packed.norms[Int(row)])
            guard norm < RowGroups.longest else {
                // This row is never excluded, nor is its group.
                biases[place] = -.infinity
                if prefix > 0 { prefixBiases[place] = -.infinity }
                isFar = true
                continue
            }
            for c in 0..<d {
                target[c * size + line] = numbers[c]
                centre[c] += numbers[c]
            }
            biases[place] = Float(frame.bias(norm)).nextDown
            if prefix > 0 { prefixBiases[place] = Float(prefixBias(numbers, norm)).nextDown }
        }
        for c in 0..<d { centre[c] /= Float(members.count) }
        let norm = frame.norm(centre)
        var radius = 0.0
        for row in members where packed.norms[Int(row)] < RowGroups.longest {
            let numbers = packed.row(Int(row))
            var product = 0.0
            for c in 0..<d { product += Double(numbers[c]) * Double(centre[c]) }
            radius = max(radius, frame.bounds(Float(-2 * product), packed.norms[Int(row)], norm).high)
        }
        let (block, lane) = (group / size, group % size)
        for c in 0..<d { centres[(block * d + c) * size + lane] = centre[c] }
        centreBiases[group] = Float(frame.bias(norm)).nextDown
        if isFar { radius = .infinity }
        radii[group] = Float(radius * (1 + 0x1p-20)).nextUp
        if reaches[group] >= 0 {
            let far = radius * (1 + 0x1p-20) + reaches[group] * frame.reducedScale.squareRoot() * (1 + 1e-6)
            takingBiases[group] = Float(frame.bias(norm) - far * far * (1 + 0x1p-20)).nextDown
        }
    }

    /// The part of `TileRows.bias` that the first columns have, less the error of all.
    func prefixBias(_ row: UnsafePointer<Float>, _ norm: Double) -> Double {
        var square = 0.0
        for c in 0..<prefix { square += Double(row[c]) * Double(row[c]) }
        return square - norm * frame.error - 0x1p-100
    }
}

/// The rows as the frame converts them, while the groups are made.
private final class PackedRows {
    let stride: Int
    let dimension: Int
    let count: Int
    let norms: AlignedBuffer<Double>
    private let numbers: AlignedBuffer<Float>

    init(_ view: MatrixView, _ frame: TileRows, _ execution: Execution) throws {
        (stride, dimension, count) = (frame.stride, frame.rows.dimension, view.rows)
        numbers = try AlignedBuffer(
            checkedProduct(view.rows, frame.stride, "the rows in float32"), for: "the rows in float32", execution)
        norms = try AlignedBuffer(view.rows, for: "the rows' norms", execution)
        let (numbers, norms, stride) = (numbers, norms, stride)
        try execution.parallel(view.rows, grain: 4096) { chunk, _ in
            let batch = try RowBatch(frame, execution)
            for start in Swift.stride(from: chunk.lowerBound, to: chunk.upperBound, by: batch.size) {
                let count = min(batch.size, chunk.upperBound - start)
                for line in 0..<count { view.copyRow(start + line, to: batch.row(line)) }
                frame.convert(
                    batch, count: count, to: numbers.pointer + start * stride, norms: norms.pointer + start)
            }
        }
    }

    @inline(__always)
    func row(_ row: Int) -> UnsafePointer<Float> { UnsafePointer(numbers.pointer + row * stride) }
}

/// Divides the rows of each cluster into groups, along the column in which they spread most.
private struct RowSplit {
    private let packed: PackedRows
    private let starts: [Int]
    var order: [Int32]
    /// The positions of each group's rows in `order`.
    var ranges: [Range<Int>] = []
    private var values: [Float]

    private static let sampled = 32

    init(_ packed: PackedRows, clusters: [Int32], count: Int, _ execution: Execution) throws {
        self.packed = packed
        // Rows without a cluster come last.
        var starts = [Int](repeating: 0, count: count + 2)
        func key(_ row: Int) -> Int { clusters[row] < 0 ? count : Int(clusters[row]) }
        for row in 0..<packed.count { starts[key(row) + 1] += 1 }
        for cluster in 0...count { starts[cluster + 1] += starts[cluster] }
        var next = starts
        var order = try execution.array(packed.count) { _ in Int32(0) }
        for row in 0..<packed.count {
            if row & 0xFFFFF == 0 { try execution.report() }
            order[next[key(row)]] = Int32(row)
            next[key(row)] += 1
        }
        self.starts = starts
        self.order = order
        values = try execution.array(packed.count) { _ in Float(0) }
    }

    mutating func run(_ execution: Execution) throws {
        for cluster in 0..<starts.count - 1 {
            // Depth first, the lower half first.
            var open = [starts[cluster]..<starts[cluster + 1]]
            while let range = open.popLast() {
                if range.isEmpty { continue }
                if range.count <= RowGroups.size {
                    ranges.append(range)
                    continue
                }
                try execution.report()
                let groups = (range.count + RowGroups.size - 1) / RowGroups.size
                let middle = range.lowerBound + groups / 2 * RowGroups.size
                try divide(range, at: middle, column: widest(range), execution)
                open.append(middle..<range.upperBound)
                open.append(range.lowerBound..<middle)
            }
        }
    }

    /// The column with the largest variance of some of the rows.
    private func widest(_ range: Range<Int>) -> Int {
        let count = min(range.count, RowSplit.sampled)
        let first = packed.row(Int(order[range.lowerBound]))
        var (best, widest) = (0, -1.0)
        for column in 0..<packed.dimension {
            var (sum, squares) = (0.0, 0.0)
            for index in 0..<count {
                let row = Int(order[range.lowerBound + index * range.count / count])
                let value = Double(packed.row(row)[column]) - Double(first[column])
                sum += value
                squares += value * value
            }
            let spread = squares - sum * sum / Double(count)
            if spread > widest { (best, widest) = (column, spread) }
        }
        return best
    }

    /// Puts the rows with the smallest values of a column before `middle`.
    private mutating func divide(
        _ range: Range<Int>, at middle: Int, column: Int, _ execution: Execution
    ) throws {
        let packed = packed
        try order.withUnsafeMutableBufferPointer { order in
            try values.withUnsafeMutableBufferPointer { values in
                for place in range {
                    // Numbers that float32 cannot hold are put anywhere, but in one order.
                    let value = packed.row(Int(order[place]))[column]
                    values[place] = value.isNaN ? 0 : value
                }
                var (low, high) = (range.lowerBound, range.upperBound - 1)
                var random = SeededRandom(seed: UInt64(range.count))
                while low < high {
                    try execution.check()
                    // Hoare's selection; a random pivot, so that no order of the rows is slow.
                    let pivot = values[low + Int(random.uniform() * Double(high - low))]
                    var (left, right) = (low, high)
                    while left <= right {
                        while values[left] < pivot { left += 1 }
                        while values[right] > pivot { right -= 1 }
                        if left <= right {
                            values.swapAt(left, right)
                            order.swapAt(left, right)
                            left += 1
                            right -= 1
                        }
                    }
                    if middle <= right {
                        high = right
                    } else if middle >= left {
                        low = left
                    } else {
                        break
                    }
                }
            }
        }
    }
}
