import CCoveyKernels
import CoveyRuntime

/// Measures how many of the true nearest neighbours a graph holds, on rows evenly spread over the cells that are compared
/// with all others. There are as many of them as bring the standard error of the share to 0.0035 (by the variance between
/// rows, whose neighbours are not independent), 512 at least and 8192 at most: where k is 1, that leaves 0.0055.
struct RecallEstimate {
    let share: Double
    let standardError: Double

    private static let batch = 256
    private static let batches = 2...32
    private static let wantedError = 0.0035

    init(_ graph: NeighborGraph, _ k: Int, _ index: CellIndex, seed: UInt64, execution: Execution) throws {
        var random = SeededRandom(seed: seed)
        var (sum, squares, rows) = (0.0, 0.0, 0.0)
        var (share, standardError) = (1.0, 0.0)
        let size = min(RecallEstimate.batch, graph.count)
        for number in 1...RecallEstimate.batches.upperBound {
            let shift = random.uniform()
            let batch = (0..<size).map { line in
                min(graph.count - 1, Int((Double(line) + shift) * Double(graph.count) / Double(size)))
            }
            for hits in try RecallEstimate.hits(graph, k, index, batch, execution) {
                sum += hits
                squares += hits * hits
            }
            rows += Double(size)
            share = sum / rows
            standardError = (max(0, squares / rows - share * share) / rows).squareRoot()
            if number >= RecallEstimate.batches.lowerBound && standardError <= RecallEstimate.wantedError { break }
        }
        self.share = share
        self.standardError = standardError
    }

    /// For each place of the batch, the share of its true k nearest among the first k of its list; rows as near as the true
    /// k-th count as true.
    private static func hits(
        _ graph: NeighborGraph, _ k: Int, _ index: CellIndex, _ batch: [Int], _ execution: Execution
    ) throws -> [Double] {
        let packed = index.packed
        let rows = packed.rows
        let (stride, width) = (packed.stride, 2 * RecallEstimate.batch)
        func listed(_ p: Int) -> Range<Int> { p * graph.k..<p * graph.k + k }
        let error = (1.2 * Double(stride) + 24) * 0x1p-24
        let places = batch.map { Int32($0) }
        let gathered = try AlignedBuffer<Float>(batch.count * stride, for: "a sample", execution)
        places.withUnsafeBufferPointer { packed.gather($0.baseAddress!, batch.count, into: gathered.pointer) }
        // The graph's own neighbours are the first candidates, so that only nearer ones are looked at.
        let distances = try AlignedBuffer<Double>(batch.count * k, for: "neighbours of a sample", execution)
        let indices = try AlignedBuffer<Int32>(batch.count * k, for: "neighbours of a sample", execution)
        func reduced(_ p: Int, _ q: Int) -> Double { rows.reduced(Int(index.order[p]), Int(index.order[q])) }
        for (line, p) in batch.enumerated() {
            let heap = NearestHeap(distances: distances.pointer + line * k, indices: indices.pointer + line * k, k: k)
            for slot in 0..<k {
                heap.distances[slot] = .infinity
                heap.indices[slot] = .max
            }
            for slot in listed(p) {
                _ = heap.push(reduced(p, Int(graph.indices[slot])), graph.indices[slot])
            }
        }
        let lock = Locks(1)
        try execution.parallel(index.packed.count, grain: 32 * width, stage: "recall") { chunk, _ in
            let tile = try AlignedBuffer<Float>(batch.count * width, for: "a tile", execution)
            let hits = try AlignedBuffer<UInt16>(width, for: "a tile", execution)
            for start in Swift.stride(from: chunk.lowerBound, to: chunk.upperBound, by: width) {
                try execution.report()
                let columns = min(width, chunk.upperBound - start)
                ck_sgemm_nt(
                    Int64(batch.count), Int64(columns), Int64(stride), -2, gathered.pointer, Int64(stride),
                    packed.numbers.pointer + start * stride, Int64(stride), 0, tile.pointer, Int64(width))
                var norm: Float = 0
                for q in start..<start + columns { norm = max(norm, packed.norms[q]) }
                for (line, p) in batch.enumerated() {
                    let own = k * line
                    lock.lock(0)
                    let worst = distances[own]
                    lock.unlock(0)
                    let scaled = worst * packed.scale * packed.scale * (1 + 1e-6)
                    let limit = scaled + error * Double(norm + packed.norms[p]) - Double(packed.norms[p])
                    let count = ck_near_columns(
                        tile.pointer + line * width, packed.norms.pointer + start, Int64(columns), Float(limit).nextUp,
                        hits.pointer)
                    for hit in 0..<Int(count) {
                        let q = start + Int(hits[hit])
                        if q == p || graph.indices[listed(p)].contains(Int32(q)) { continue }
                        let distance = reduced(p, q)
                        lock.lock(0)
                        _ = NearestHeap(distances: distances.pointer + own, indices: indices.pointer + own, k: k)
                            .push(distance, Int32(q))
                        lock.unlock(0)
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
