import CCoveyKernels
import CoveyRuntime
import Glibc

/// Exact search by tiles. A tile is a product of two blocks of rows in float32. Only the pairs that a proven margin
/// cannot exclude are measured in float64. In clustered data, k-means cells and the triangle inequality exclude most
/// tiles.
///
/// Cost: in the worst case n^2 / 2 pairs for the neighbours. Memory: 4 bytes for each number (the rows in float32),
/// about 60 bytes for each row, 12 bytes for each neighbour, and for each thread 1.5 MB, 1 KB for each column and 3 KB
/// for each cell.
public final class TileSearch: NeighborSearch, @unchecked Sendable {
    public let rows: Rows
    let cells: Cells
    /// For each block, in ascending order, the blocks that are compared first.
    let near: [[Int32]]

    var packed: TileRows { cells.packed }
    var blocks: [Cells.Block] { cells.blocks }

    /// `seed` is for the k-means cells. Results do not depend on it.
    public convenience init(_ rows: Rows, seed: UInt64 = 0, execution: Execution) throws {
        try self.init(rows, seed: seed, cellCount: nil, execution: execution)
    }

    init(_ rows: Rows, seed: UInt64, cellCount: Int?, nearBlocks: Int = 4, execution: Execution) throws {
        self.rows = rows
        cells = try Cells(rows, seed: seed, cellCount: cellCount, rotated: true, execution: execution)
        near = try TileSearch.nearBlocks(cells, nearBlocks, execution)
    }

    static func nearBlocks(_ cells: Cells, _ wanted: Int, _ execution: Execution) throws -> [[Int32]] {
        let blocks = cells.blocks
        guard cells.count > 1 else { return Array(repeating: [], count: blocks.count) }
        let lists = try AlignedBuffer<Int32>(blocks.count * wanted, repeating: -1, for: "near blocks", execution)
        try execution.parallel(blocks.count, grain: 16) { chunk, _ in
            let distances = try AlignedBuffer<Double>(wanted, for: "near blocks", execution)
            for a in chunk {
                let heap = NearestHeap(distances: distances.pointer, indices: lists.pointer + a * wanted, k: wanted)
                for slot in 0..<wanted {
                    heap.distances[slot] = .infinity
                    heap.indices[slot] = .max
                }
                let own = blocks[a]
                for b in 0..<blocks.count where b != a {
                    let other = blocks[b]
                    // Blocks of the same cell come first, then those of the nearest centroids.
                    let distance =
                        other.cell == own.cell
                        ? -1 / (1 + cells.gap(own, other)) : Double(cells.between[own.cell * cells.count + other.cell])
                    _ = heap.push(distance, Int32(b))
                }
            }
        }
        return (0..<blocks.count).map { a in
            (0..<wanted).map { lists[a * wanted + $0] }.filter { $0 != .max }.sorted()
        }
    }

    /// Runs `body` for each pair of blocks a < b once on one of the call's threads: near pairs first, then the rest.
    func forEachPair(
        stage: StaticString, execution: Execution,
        _ body: (_ a: Int, _ b: Int, _ thread: Int) throws -> Void
    ) throws {
        let count = blocks.count
        try execution.parallel(count) { chunk, thread in
            for a in chunk {
                for b in near[a] {
                    let other = Int(b)
                    // If each block is in the other's list, the pair belongs to the block with the lower number.
                    if other < a, near[other].contains(Int32(a)) { continue }
                    try execution.check()
                    try body(min(a, other), max(a, other), thread)
                }
            }
        }
        // The number of pairs that take a few milliseconds together.
        let pause = max(1, 2048 / packed.stride)
        try execution.parallel(count, stage: stage) { chunk, thread in
            for a in chunk {
                var b = a + 1
                while b < count {
                    if b % pause == 0 { try execution.report() }
                    if !near[a].contains(Int32(b)), !near[b].contains(Int32(a)) { try body(a, b, thread) }
                    b += 1
                }
            }
        }
    }
}
