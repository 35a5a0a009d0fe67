import CCoveyKernels
import CoveyRuntime

/// Estimates the share of the true nearest neighbours that a graph holds. The sample's rows are evenly spread over the
/// cells, and each is compared with all rows that may be as near. The sample grows until the standard error of the
/// share is 0.004, from 512 to 12,288 rows; for k = 1 the error is then 0.0045. Rows of one cell are more alike than
/// rows of several. The error is therefore that of a systematic sample, from the differences of successive rows (Wolter
/// 1985, estimator v2).
struct RecallEstimate {
    let share: Double
    let standardError: Double

    private static let mostBatches = 24
    private static let wantedError = 0.004

    init(_ graph: NeighborGraph, _ k: Int, _ index: CellIndex, seed: UInt64, execution: Execution) throws {
        var random = SeededRandom(seed: seed)
        var (sum, squares, rows, pairs) = (0.0, 0.0, 0.0, 0.0)
        var (share, standardError) = (1.0, 0.0)
        let size = min(index.sizes.recallBatch, graph.count)
        for _ in 0..<RecallEstimate.mostBatches {
            let shift = random.uniform()
            let batch = (0..<size).map { line in
                min(graph.count - 1, Int((Double(line) + shift) * Double(graph.count) / Double(size)))
            }
            let hits = try RecallEstimate.hits(graph, k, index, batch, execution)
            sum += hits.reduce(0, +)
            for (one, next) in zip(hits, hits.dropFirst()) { squares += (next - one) * (next - one) / 2 }
            rows += Double(size)
            pairs += Double(size - 1)
            share = sum / rows
            standardError = (squares / max(1, pairs) / rows).squareRoot()
            if standardError <= RecallEstimate.wantedError { break }
        }
        self.share = share
        self.standardError = standardError
    }

    /// For each place of the batch, the share of its true k nearest among the first k of its list; rows as near as the
    /// true k-th count as true.
    private static func hits(
        _ graph: NeighborGraph, _ k: Int, _ index: CellIndex, _ batch: [Int], _ execution: Execution
    ) throws -> [Double] {
        let packed = index.packed
        let rows = packed.rows
        let (stride, width, grain) = (packed.stride, index.sizes.tileRows, 16)
        func listed(_ p: Int) -> Range<Int> { p * graph.k..<p * graph.k + k }
        let error = (1.2 * Double(stride) + 24) * 0x1p-24
        let gathered = try AlignedBuffer<Float>(batch.count * stride, for: "a sample", execution)
        batch.map { Int32($0) }.withUnsafeBufferPointer {
            packed.gather($0.baseAddress!, batch.count, into: gathered.pointer)
        }
        // The graph's own neighbours are the first candidates, so that only nearer rows are measured.
        let distances = try AlignedBuffer<Double>(batch.count * k, for: "neighbours of a sample", execution)
        let indices = try AlignedBuffer<Int32>(batch.count * k, for: "neighbours of a sample", execution)
        func heap(_ line: Int) -> NearestHeap {
            NearestHeap(distances: distances.pointer + line * k, indices: indices.pointer + line * k, k: k)
        }
        func reduced(_ p: Int, _ q: Int) -> Double { rows.reduced(Int(index.order[p]), Int(index.order[q])) }
        /// The largest squared distance of a true neighbour found so far, in the packed rows' scale.
        func reach(_ line: Int) -> Double { distances[line * k] * packed.scale * packed.scale * (1 + 1e-6) }
        for (line, p) in batch.enumerated() {
            for slot in 0..<k {
                distances[line * k + slot] = .infinity
                indices[line * k + slot] = .max
            }
            for slot in listed(p) { _ = heap(line).push(reduced(p, Int(graph.indices[slot])), graph.indices[slot]) }
        }
        let farthest = batch.indices.map { reach($0).squareRoot() }
        let locks = Locks(batch.count)
        try execution.parallel(index.count, grain: grain, stage: "recall") { chunk, _ in
            let products = try AlignedBuffer<Float>(batch.count * grain, for: "distances of centroids", execution)
            let near = try AlignedBuffer<Float>(batch.count * stride, for: "a tile's rows", execution)
            let tile = try AlignedBuffer<Float>(batch.count * width, for: "a tile", execution)
            let hits = try AlignedBuffer<UInt16>(width, for: "a tile", execution)
            ck_sgemm_nt(
                Int64(batch.count), Int64(chunk.count), Int64(stride), -2, gathered.pointer, Int64(stride),
                index.centroids.pointer + chunk.lowerBound * stride, Int64(stride), 0, products.pointer, Int64(grain))
            for cell in chunk {
                // By the triangle inequality the other rows are too far from all rows of the cell.
                var lines: [Int] = []
                for (line, p) in batch.enumerated() {
                    let norms = Double(packed.norms[p] + index.norms[cell])
                    let square = Double(products[line * grain + cell - chunk.lowerBound]) + norms * (1 - error)
                    if max(0, square).squareRoot() - Double(index.radii[cell]) > farthest[line] { continue }
                    (near.pointer + lines.count * stride).update(from: gathered.pointer + line * stride, count: stride)
                    lines.append(line)
                }
                let places = lines.isEmpty ? 0..<0 : index.places(cell)
                for start in Swift.stride(from: places.lowerBound, to: places.upperBound, by: width) {
                    try execution.report()
                    let columns = min(width, places.upperBound - start)
                    ck_sgemm_nt(
                        Int64(lines.count), Int64(columns), Int64(stride), -2, near.pointer, Int64(stride),
                        packed.numbers.pointer + start * stride, Int64(stride), 0, tile.pointer, Int64(width))
                    var norm: Float = 0
                    for q in start..<start + columns { norm = max(norm, packed.norms[q]) }
                    for (place, line) in lines.enumerated() {
                        let p = batch[line]
                        locks.lock(line)
                        let worst = reach(line)
                        locks.unlock(line)
                        let limit = worst + error * Double(norm + packed.norms[p]) - Double(packed.norms[p])
                        let count = ck_near_columns(
                            tile.pointer + place * width, packed.norms.pointer + start, Int64(columns),
                            Float(limit).nextUp,
                            hits.pointer)
                        for hit in 0..<Int(count) {
                            let q = start + Int(hits[hit])
                            if q == p || graph.indices[listed(p)].contains(Int32(q)) { continue }
                            let distance = reduced(p, q)
                            locks.lock(line)
                            _ = heap(line).push(distance, Int32(q))
                            locks.unlock(line)
                        }
                    }
                }
            }
        }
        return batch.enumerated().map { line, p in
            let truth = rows.metric.distance(reduced: distances[line * k])
            return Double(graph.distances[listed(p)].count { $0 <= truth }) / Double(k)
        }
    }
}
