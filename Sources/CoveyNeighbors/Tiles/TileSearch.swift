import CCoveyKernels
import CoveyRuntime
import Glibc

/// Exact search by tiles. A tile is a product of two blocks of rows in float32, or of their 8-bit codes if the
/// processor is fast at those. Only the pairs that a proven margin cannot exclude are measured in float64. In clustered
/// data, k-means cells and the triangle inequality exclude most tiles.
///
/// Cost: in the worst case n^2 / 2 pairs for the neighbours. Memory: 4 bytes for each number (the rows in float32)
/// and one for its code, about 90 bytes for each row, 12 bytes for each neighbour, and for each thread 3 MB, 2 KB for
/// each column and 3 KB for each cell.
public final class TileSearch: NeighborSearch, @unchecked Sendable {
    public let rows: Rows
    let cells: Cells
    /// The filter by integer products; nil if that by floats is as fast.
    let coded: CodedRows?
    /// For each block, in ascending order, the blocks that are compared first.
    let near: [[Int32]]

    var packed: TileRows { cells.packed }
    var blocks: [Cells.Block] { cells.blocks }

    /// `seed` is for the k-means cells. Results do not depend on it.
    public convenience init(_ rows: Rows, seed: UInt64 = 0, execution: Execution) throws {
        try self.init(rows, seed: seed, cellCount: nil, execution: execution)
    }

    init(
        _ rows: Rows, seed: UInt64, cellCount: Int?, nearBlocks: Int = 4, codes: Int32? = nil, execution: Execution
    ) throws {
        self.rows = rows
        cells = try Cells(rows, seed: seed, cellCount: cellCount, rotated: true, execution: execution)
        coded = try CodedRows(cells, way: codes, execution)
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

    /// The number of blocks in a range of `forEachRange`.
    static let rangeBlocks = 16

    /// Runs `body` for each pair of blocks a < b of which one is near the other, once, on one of the call's threads.
    func forEachNearPair(
        execution: Execution, _ body: (_ a: Int, _ b: Int, _ thread: Int) throws -> Void
    ) throws {
        try execution.parallel(blocks.count) { chunk, thread in
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
    }

    func isNear(_ a: Int, _ b: Int) -> Bool { near[a].contains(Int32(b)) || near[b].contains(Int32(a)) }

    /// Runs `body` for each pair of ranges of blocks, the second not before the first, on one of the call's threads.
    func forEachRange(
        stage: StaticString, execution: Execution,
        _ body: (_ first: Range<Int>, _ second: Range<Int>, _ thread: Int) throws -> Void
    ) throws {
        let ranges = stride(from: 0, to: blocks.count, by: TileSearch.rangeBlocks).map {
            $0..<min($0 + TileSearch.rangeBlocks, blocks.count)
        }
        try execution.parallel(ranges.count, stage: stage) { chunk, thread in
            for index in chunk {
                // The longest tasks come first.
                let second = ranges.count - 1 - index
                for first in 0...second { try body(ranges[first], ranges[second], thread) }
            }
        }
    }
}
