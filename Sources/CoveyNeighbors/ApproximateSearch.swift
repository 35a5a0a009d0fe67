import CCoveyKernels
import CoveyRuntime

/// Neighbours from near k-means cells alone, as an inverted file finds them (FAISS's IVF): each block of rows is compared with the
/// blocks of its own and the nearest cells, by the same exact tiles. Some neighbours are missed; `recall` measures how many.
/// The same for the same rows and seed, whatever the number of threads.
///
/// Cost: O(n d) products for the neighbours, O(n^2 d / 512) for the cells.
public final class ApproximateSearch: NeighborSearch, Sendable {
    public let rows: Rows
    let tiles: TileSearch

    /// Blocks of 256 rows that each block is compared with.
    static let nearBlocks = 48

    /// Fewer rows than this are searched exactly as fast.
    public static let leastRows = 8192

    public convenience init(_ rows: Rows, seed: UInt64, execution: Execution) throws {
        try self.init(rows, seed: seed, nearBlocks: ApproximateSearch.nearBlocks, cellCount: nil, execution: execution)
    }

    init(_ rows: Rows, seed: UInt64, nearBlocks: Int, cellCount: Int?, execution: Execution) throws {
        self.rows = rows
        tiles = try TileSearch(rows, seed: seed, cellCount: cellCount, nearBlocks: nearBlocks, execution: execution)
    }

    public func nearest(_ k: Int, execution: Execution) throws -> NeighborGraph {
        // Rows with fewer than k neighbours nearby would have no core distance.
        let all = tiles.cells.count == 1
            || tiles.blocks.indices.contains { a in
                tiles.blocks[a].count + tiles.near[a].reduce(0) { $0 + tiles.blocks[Int($1)].count } <= k
            }
        return try tiles.nearest(k, nearOnly: !all, execution: execution)
    }

    /// Near blocks first. Their edges bound a search of all blocks, where that is cheap; else it serves those components
    /// alone that have no edge yet.
    public func nearestOutside(_ query: OutsideQuery, links: inout [Link], execution: Execution) throws {
        try tiles.nearestOutside(query, links: &links, nearOnly: true, execution: execution)
        let searched = query.searched.count { $0 }
        let (work, overflow) = searched.multipliedReportingOverflow(by: rows.count * max(1, rows.dimension))
        if !overflow && work <= 1 << 40 {
            try tiles.nearestOutside(query, links: &links, execution: execution)
            return
        }
        let found = links
        let without = query.components.indices.map {
            query.searched[$0] && found[Int(query.components[$0])] == .none
        }
        guard without.contains(true) else { return }
        try tiles.nearestOutside(
            OutsideQuery(components: query.components, cores: query.cores, alpha: query.alpha, searched: without),
            links: &links, execution: execution)
    }

    /// The share of the true k nearest that the graph holds, over a seeded sample of rows; neighbours as near as the true
    /// k-th count as true.
    public func recall(of graph: NeighborGraph, seed: UInt64, execution: Execution) throws -> Double {
        var random = SeededRandom(seed: seed)
        let sample = random.sample(min(Cells.blockSize, rows.count), of: rows.count)
        let truth = try tiles.farthest(of: sample, graph.k, execution: execution)
        var hits = 0
        for (place, row) in sample.enumerated() {
            for slot in row * graph.k..<(row + 1) * graph.k where graph.distances[slot] <= truth[place] { hits += 1 }
        }
        return Double(hits) / Double(sample.count * graph.k)
    }
}

extension TileSearch {
    /// The exact distance of each of at most 256 rows to its k-th nearest other row.
    func farthest(of sample: [Int], _ k: Int, execution: Execution) throws -> [Double] {
        let packed = packed
        let stride = packed.stride
        let side = TileScratch.side
        let numbers = try AlignedBuffer<Float>(side * stride, for: "a sample", execution)
        let norms = try AlignedBuffer<Double>(side, for: "a sample", execution)
        let row = try AlignedBuffer<Double>(stride, for: "a row", execution)
        for (place, i) in sample.enumerated() {
            rows.copy(i, to: row.pointer)
            norms[place] = packed.convert(row.pointer, to: numbers.pointer + place * stride)
        }
        let room = try checkedProduct(sample.count, k, "neighbours of a sample")
        let distances = try AlignedBuffer<Double>(room, repeating: .infinity, for: "neighbours of a sample", execution)
        let indices = try AlignedBuffer<Int32>(room, repeating: .max, for: "neighbours of a sample", execution)
        let lock = Locks(1)
        let scratch = try (0..<execution.threads).map { _ in try TileScratch(packed, execution) }
        try execution.parallel(blocks.count) { [self] chunk, thread in
            let room = scratch[thread]
            for block in chunk.map({ blocks[$0] }) {
                room.fill(packed, rows: numbers.pointer, count: sample.count, columns: block.count, at: block.start)
                for (place, i) in sample.enumerated() {
                    let heap = NearestHeap(distances: distances.pointer + place * k, indices: indices.pointer + place * k, k: k)
                    lock.lock(0)
                    let worst = heap.distances[0]
                    lock.unlock(0)
                    let bias = packed.bias(norms[place])
                    let hits = ck_scan_row(
                        room.tile.pointer + place * side, Int64(block.count), Float(packed.scaled(worst) - bias), Float(bias),
                        room.never.pointer, packed.bias.pointer + block.start, room.hits.pointer)
                    for hit in 0..<Int(hits) {
                        let other = packed.order[block.start + Int(room.hits[hit])]
                        if Int(other) == i { continue }
                        let reduced = rows.reduced(i, Int(other))
                        lock.lock(0)
                        _ = heap.push(reduced, other)
                        lock.unlock(0)
                    }
                }
            }
        }
        return sample.indices.map { rows.metric.distance(reduced: distances[$0 * k]) }
    }
}
