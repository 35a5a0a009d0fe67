import CCoveyKernels
import CoveyRuntime

/// Lloyd's k-means of a sample of rows in float32, for cells that need to be good but not the best. Unlike FAISS's
/// k-means it runs on the call's threads and can be cancelled every few milliseconds. Its result is the same for any
/// number of threads.
struct KMeans {
    /// count x stride, and their |x|^2.
    let count: Int
    let stride: Int
    let centroids: AlignedBuffer<Float>
    let norms: AlignedBuffer<Float>

    private static let iterations = 5
    private static let blockSize = 128

    /// - Parameters:
    ///   - points: `pointCount` rows, `stride` numbers apart, in random order: the first ones are the initial
    ///     centroids.
    ///   - spread: whether to use all of the call's threads; false if the caller already runs on one of many.
    init(
        _ points: UnsafePointer<Float>, pointCount: Int, stride: Int, count: Int, spread: Bool, execution: Execution
    ) throws {
        let count = min(count, pointCount)
        self.count = count
        self.stride = stride
        centroids = try AlignedBuffer(count * stride, for: "the centroids", execution)
        norms = try AlignedBuffer(count, for: "the centroids", execution)
        try execution.check()
        centroids.pointer.update(from: points, count: count * stride)
        measure()
        guard count > 1 else { return }
        let (centroids, norms) = (centroids, norms)
        let cells = try AlignedBuffer<Int32>(pointCount, for: "the sample of k-means", execution)
        let sums = try AlignedBuffer<Double>(count * stride, for: "the centroids", execution)
        let block = KMeans.blockSize
        for _ in 0..<KMeans.iterations {
            let assign = { (chunk: Range<Int>, tile: AlignedBuffer<Float>) in
                ck_sgemm_nt(
                    Int64(chunk.count), Int64(count), Int64(stride), -2, points + chunk.lowerBound * stride,
                    Int64(stride),
                    centroids.pointer, Int64(stride), 0, tile.pointer, Int64(count))
                for (line, i) in chunk.enumerated() {
                    cells[i] = Int32(ck_nearest_column(tile.pointer + line * count, norms.pointer, Int64(count)))
                }
            }
            if spread {
                let tiles = try (0..<execution.threads).map { _ in
                    try AlignedBuffer<Float>(block * count, for: "a tile", execution)
                }
                nonisolated(unsafe) let assign = assign
                try execution.parallel(pointCount, grain: block) { chunk, thread in assign(chunk, tiles[thread]) }
            } else {
                let tile = try AlignedBuffer<Float>(block * count, for: "a tile", execution)
                for start in Swift.stride(from: 0, to: pointCount, by: block) {
                    try execution.check()
                    assign(start..<min(start + block, pointCount), tile)
                }
            }
            sums.pointer.update(repeating: 0, count: count * stride)
            var sizes = [Int](repeating: 0, count: count)
            for i in 0..<pointCount {
                if i & 1023 == 0 { try execution.check() }
                let sum = sums.pointer + Int(cells[i]) * stride
                let point = points + i * stride
                for c in 0..<stride { sum[c] += Double(point[c]) }
                sizes[Int(cells[i])] += 1
            }
            // A centroid without points stays where it is.
            for cell in 0..<count where sizes[cell] > 0 {
                if cell & 1023 == 0 { try execution.check() }
                for c in 0..<stride {
                    centroids[cell * stride + c] = Float(sums[cell * stride + c] / Double(sizes[cell]))
                }
            }
            measure()
        }
    }

    private func measure() {
        for cell in 0..<count {
            var norm: Float = 0
            for c in 0..<stride { norm += centroids[cell * stride + c] * centroids[cell * stride + c] }
            norms[cell] = norm
        }
    }
}
