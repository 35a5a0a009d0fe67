import CCoveyKernels
import CoveyRuntime

/// The rows in k-means cells, and the cells that are nearest to each row. Centroids come in groups of about as many as
/// there are groups, and a row looks into its nearest groups alone: O(sqrt(n)) products a row instead of O(n).
final class CellIndex: @unchecked Sendable {
    /// Rows of a cell lie together, in their own order.
    let packed: CompactRows
    /// The row at each place.
    let order: AlignedBuffer<Int32>
    let count: Int
    /// Each cell's first place; one more at the end.
    let starts: [Int]
    let centroids: AlignedBuffer<Float>
    let norms: AlignedBuffer<Float>
    /// For each place its `probeCount` nearest cells, nearest first. The first is the row's own cell.
    let probes: AlignedBuffer<Int32>
    let probeCount: Int
    /// An upper bound of each cell's largest distance from a row to the centroid.
    let radii: AlignedBuffer<Float>
    /// The median of the squared distances of a cell's rows to its centroid.
    let medians: AlignedBuffer<Float>
    /// The standard deviation of those squared distances as a share of their median. It is the median over all cells,
    /// so that a few unusual rows in one cell do not change it.
    private(set) var spread = 0.0

    /// The number of rows that a cell should have.
    let cellSize: Int
    let sizes: SearchSizes

    /// More cells are probed when there are more rows. Otherwise a row would be compared with an ever smaller share of
    /// the rows that may be near it.
    static func cellSize(_ rows: Int) -> Int { max(SearchSizes.current.leastCell, Int(Double(rows).squareRoot())) }
    private static let sampledPerCell = 32

    init(_ rows: Rows, seed: UInt64, probeCount wanted: Int, cellSize: Int, execution: Execution) throws {
        let unordered = try CompactRows(rows, execution: execution)
        let n = rows.count
        self.cellSize = cellSize
        let sizes = SearchSizes.current
        self.sizes = sizes
        let groups = try CellIndex.train(unordered, max(1, n / cellSize), seed, sizes, execution)
        count = groups.starts[groups.count]
        centroids = groups.centroids
        norms = groups.norms
        let probeCount = min(wanted, count)
        self.probeCount = probeCount
        let found = try AlignedBuffer<Int32>(checkedProduct(n, probeCount, "near cells"), for: "near cells", execution)
        try groups.nearest(of: unordered, probeCount, sizes, into: found, execution)

        var starts = [Int](repeating: 0, count: count + 1)
        for i in 0..<n {
            if i & 0xFFFFF == 0 { try execution.report() }
            starts[Int(found[i * probeCount]) + 1] += 1
        }
        for cell in 0..<count { starts[cell + 1] += starts[cell] }
        let order = try AlignedBuffer<Int32>(n, for: "the order of rows", execution)
        var next = starts
        for i in 0..<n {
            if i & 0xFFFFF == 0 { try execution.report() }
            let cell = Int(found[i * probeCount])
            order[next[cell]] = Int32(i)
            next[cell] += 1
        }
        self.starts = starts
        self.order = order
        packed = try CompactRows(unordered, order: order, execution: execution)
        let probes = try AlignedBuffer<Int32>(n * probeCount, for: "near cells", execution)
        self.probes = probes
        try execution.parallel(n, grain: 65_536) { chunk, _ in
            for p in chunk {
                (probes.pointer + p * probeCount).update(
                    from: found.pointer + Int(order[p]) * probeCount, count: probeCount)
            }
        }
        radii = try AlignedBuffer(count, for: "cells", execution)
        medians = try AlignedBuffer(count, repeating: 0, for: "cells", execution)
        let spreads = try AlignedBuffer<Float>(count, repeating: 0, for: "cells", execution)
        try execution.parallel(count, grain: 16) { [self] chunk, _ in
            let line = try AlignedBuffer<Float>(CellIndex.lineWidth, for: "a cell", execution)
            for cell in chunk {
                try execution.report()
                var squares: [Float] = []
                squares.reserveCapacity(places(cell).count)
                forEachSquare(places(cell), to: cell, line) { _, square in squares.append(square) }
                squares.sort()
                radii[cell] = Float(Double(squares.last ?? 0).squareRoot() * (1 + 1e-5)).nextUp
                guard let middle = squares.isEmpty ? nil : squares[squares.count / 2], middle > 0 else { continue }
                medians[cell] = middle
                // The sixth part is below the mean less one deviation, of the normal distribution.
                spreads[cell] = 1 - squares[squares.count / 6] / middle
            }
        }
        spread = Double((0..<count).map { spreads[$0] }.sorted()[count / 2])
    }

    /// The rows of a cell.
    func places(_ cell: Int) -> Range<Int> { starts[cell]..<starts[cell + 1] }

    /// The number of floats that `forEachSquare` needs as scratch memory.
    static let lineWidth = 512

    /// Squared distances of rows to the centroid of a cell.
    func forEachSquare(
        _ places: Range<Int>, to cell: Int, _ line: AlignedBuffer<Float>,
        _ body: (_ place: Int, _ square: Float) -> Void
    ) {
        let stride = packed.stride
        for start in Swift.stride(from: places.lowerBound, to: places.upperBound, by: CellIndex.lineWidth) {
            let count = min(CellIndex.lineWidth, places.upperBound - start)
            ck_query_products(
                packed.numbers.pointer + start * stride, Int64(stride), Int64(count), centroids.pointer + cell * stride,
                Int64(stride), line.pointer)
            for i in 0..<count {
                body(start + i, max(0, packed.norms.pointer[start + i] + norms.pointer[cell] - 2 * line.pointer[i]))
            }
        }
    }

    private struct Groups: @unchecked Sendable {
        /// The groups' own centroids.
        let means: KMeans
        /// Each group's first cell; one more at the end.
        let starts: [Int]
        let centroids: AlignedBuffer<Float>
        let norms: AlignedBuffer<Float>
        var count: Int { means.count }

        /// Each row's nearest cells among those of its nearest groups.
        func nearest(
            of rows: CompactRows, _ wanted: Int, _ sizes: SearchSizes, into found: AlignedBuffer<Int32>,
            _ execution: Execution
        ) throws {
            let stride = rows.stride
            let looked = min(sizes.nearGroups, count)
            let widest = (0..<count).reduce(0) { max($0, starts[$1 + 1] - starts[$1]) }
            let (grain, block) = (2048, 128)
            try execution.parallel(rows.count, grain: grain, stage: "cells") { chunk, _ in
                let tile = try AlignedBuffer<Float>(block * max(count, widest), for: "a tile", execution)
                let gathered = try AlignedBuffer<Float>(block * stride, for: "a tile's rows", execution)
                let near = try AlignedBuffer<Int32>(grain * looked, repeating: 0, for: "near groups", execution)
                let distances = try AlignedBuffer<Float>(
                    grain * max(looked, wanted), repeating: .infinity, for: "near groups", execution)
                for start in Swift.stride(from: chunk.lowerBound, to: chunk.upperBound, by: block) {
                    try execution.report()
                    let lines = min(block, chunk.upperBound - start)
                    ck_sgemm_nt(
                        Int64(lines), Int64(count), Int64(stride), -2, rows.numbers.pointer + start * stride,
                        Int64(stride), means.centroids.pointer, Int64(stride), 0, tile.pointer, Int64(count))
                    for line in 0..<lines {
                        let slot = (start + line - chunk.lowerBound) * looked
                        ck_list_scan(
                            tile.pointer + line * count, means.norms.pointer, Int64(count), 0, -1, 0, Int64(looked),
                            distances.pointer + slot, near.pointer + slot)
                    }
                }
                // Rows are taken by group, so that one product compares a group's centroids with many rows.
                var members = [[Int32]](repeating: [], count: count)
                for i in chunk {
                    for slot in 0..<looked {
                        members[Int(near[(i - chunk.lowerBound) * looked + slot])].append(Int32(i))
                    }
                }
                for slot in 0..<chunk.count * wanted { distances[slot] = .infinity }
                for group in 0..<count {
                    let cells = starts[group + 1] - starts[group]
                    for start in Swift.stride(from: 0, to: members[group].count, by: block) {
                        try execution.report()
                        let lines = min(block, members[group].count - start)
                        members[group].withUnsafeBufferPointer {
                            rows.gather($0.baseAddress! + start, lines, into: gathered.pointer)
                        }
                        ck_sgemm_nt(
                            Int64(lines), Int64(cells), Int64(stride), -2, gathered.pointer, Int64(stride),
                            centroids.pointer + starts[group] * stride, Int64(stride), 0, tile.pointer, Int64(cells))
                        for line in 0..<lines {
                            let i = Int(members[group][start + line])
                            ck_list_scan(
                                tile.pointer + line * cells, norms.pointer + starts[group], Int64(cells),
                                Int32(starts[group]), -1, 0, Int64(wanted),
                                distances.pointer + (i - chunk.lowerBound) * wanted, found.pointer + i * wanted)
                        }
                    }
                }
                // The near groups have fewer cells than are needed: repeat the nearest one.
                for i in chunk {
                    let slot = (i - chunk.lowerBound) * wanted
                    for probe in 1..<max(1, wanted) where distances[slot + probe] == .infinity {
                        found[i * wanted + probe] = found[i * wanted]
                    }
                }
            }
        }
    }

    /// Groups of a sample of the rows, and cells of each group.
    private static func train(
        _ rows: CompactRows, _ cells: Int, _ seed: UInt64, _ sizes: SearchSizes, _ execution: Execution
    ) throws -> Groups {
        let stride = rows.stride
        var random = SeededRandom(seed: seed)
        var sample = random.sample(min(rows.count, cells * sampledPerCell), of: rows.count)
        sample.shuffle(using: &random)
        let points = try AlignedBuffer<Float>(
            checkedProduct(sample.count, stride, "the sample of k-means"), for: "the sample of k-means", execution)
        for (place, i) in sample.enumerated() {
            if place & 1023 == 0 { try execution.report() }
            (points.pointer + place * stride).update(from: rows.numbers.pointer + i * stride, count: stride)
        }
        let groups = cells <= sizes.ungroupedCells ? 1 : Int(Double(cells).squareRoot())
        let means = try KMeans(
            points.pointer, pointCount: min(sample.count, groups * 256), stride: stride, count: groups, spread: true,
            execution: execution)
        let tile = try AlignedBuffer<Float>(128 * means.count, for: "a tile", execution)
        var members = [[Int32]](repeating: [], count: means.count)
        for start in Swift.stride(from: 0, to: sample.count, by: 128) {
            try execution.report()
            let lines = min(128, sample.count - start)
            ck_sgemm_nt(
                Int64(lines), Int64(means.count), Int64(stride), -2, points.pointer + start * stride, Int64(stride),
                means.centroids.pointer, Int64(stride), 0, tile.pointer, Int64(means.count))
            for line in 0..<lines {
                let group = ck_nearest_column(
                    tile.pointer + line * means.count, means.norms.pointer, Int64(means.count))
                members[Int(group)].append(Int32(start + line))
            }
        }
        var starts = [0]
        for group in members { starts.append(starts.last! + max(1, group.count * cells / max(1, sample.count))) }
        let total = starts.last!
        let centroids = try AlignedBuffer<Float>(total * stride, repeating: 0, for: "the centroids", execution)
        let norms = try AlignedBuffer<Float>(total, repeating: 0, for: "the centroids", execution)
        let (groupMembers, groupStarts) = (members, starts)
        let alone = means.count == 1
        let split = { (group: Int) in
            let own = groupMembers[group]
            let wanted = groupStarts[group + 1] - groupStarts[group]
            let first = groupStarts[group]
            if own.isEmpty {
                (centroids.pointer + first * stride).update(
                    from: means.centroids.pointer + group * stride, count: stride)
                norms[first] = means.norms[group]
                return
            }
            let numbers = try AlignedBuffer<Float>(own.count * stride, for: "the sample of k-means", execution)
            for (line, i) in own.enumerated() {
                (numbers.pointer + line * stride).update(from: points.pointer + Int(i) * stride, count: stride)
            }
            let cells = try KMeans(
                numbers.pointer, pointCount: own.count, stride: stride, count: wanted, spread: alone,
                execution: execution)
            for cell in 0..<wanted {
                // Never more cells than points, as `total` is at most a 32th of them.
                let source = min(cell, cells.count - 1)
                (centroids.pointer + (first + cell) * stride).update(
                    from: cells.centroids.pointer + source * stride, count: stride)
                norms[first + cell] = cells.norms[source]
            }
        }
        if alone {
            try split(0)
        } else {
            nonisolated(unsafe) let split = split
            try execution.parallel(means.count) { chunk, _ in for group in chunk { try split(group) } }
        }
        return Groups(means: means, starts: starts, centroids: centroids, norms: norms)
    }
}
