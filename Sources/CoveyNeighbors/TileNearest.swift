import CCoveyKernels
import CoveyRuntime

extension TileSearch {
    public func nearest(_ k: Int, execution: Execution) throws -> NeighborGraph {
        try nearest(k, nearOnly: false, execution: execution)
    }

    /// - Parameter nearOnly: looks at near blocks alone, so that neighbours may be missed.
    func nearest(_ k: Int, nearOnly: Bool, execution: Execution) throws -> NeighborGraph {
        let n = rows.count
        let places = try checkedProduct(n, k, "neighbours")
        try execution.hold(places, of: 12, for: "\(n) x \(k) neighbours")
        // The graph's arrays are the heaps.
        var graph = NeighborGraph(
            count: n, k: k, indices: Array(repeating: .max, count: places),
            distances: Array(repeating: .infinity, count: places))
        try graph.distances.withUnsafeMutableBufferPointer { distances in
            try graph.indices.withUnsafeMutableBufferPointer { indices in
                let pass = try NearestPass(self, k, distances.baseAddress!, indices.baseAddress!, execution)
                try pass.run(nearOnly: nearOnly)
            }
        }
        return graph
    }
}

/// One pass over the pairs of blocks that fills the heaps of all rows.
private final class NearestPass: @unchecked Sendable {
    let search: TileSearch
    let packed: TileRows
    let rows: Rows
    let k: Int
    let distances: UnsafeMutablePointer<Double>
    let indices: UnsafeMutablePointer<Int32>
    let execution: Execution
    /// The k-th distance so far, by place: the root of the row's heap.
    let worst: AlignedBuffer<Double>
    /// One lock a block, for its rows' heaps.
    let locks: Locks
    let scratch: [TileScratch]

    init(
        _ search: TileSearch, _ k: Int, _ distances: UnsafeMutablePointer<Double>,
        _ indices: UnsafeMutablePointer<Int32>, _ execution: Execution
    ) throws {
        self.search = search
        self.k = k
        self.distances = distances
        self.indices = indices
        self.execution = execution
        packed = search.packed
        rows = search.rows
        worst = try AlignedBuffer(rows.count, repeating: .infinity, for: "core distances", execution)
        locks = Locks(search.blocks.count)
        let packed = packed
        scratch = try (0..<execution.threads).map { _ in try TileScratch(packed, execution) }
    }

    func run(nearOnly: Bool) throws {
        let blocks = search.blocks
        try execution.parallel(blocks.count) { [self] chunk, thread in
            for a in chunk { start(blocks[a], scratch[thread]) }
        }
        try search.forEachPair(stage: "neighbours", nearOnly: nearOnly, execution: execution) { a, b, thread in
            pair(a, b, scratch[thread])
        }
        let metric = rows.metric
        try execution.parallel(rows.count, grain: 1024) { [self] chunk, _ in
            for i in chunk {
                heap(i).sort()
                for slot in i * k..<(i + 1) * k { distances[slot] = metric.distance(reduced: distances[slot]) }
            }
        }
    }

    @inline(__always)
    private func heap(_ row: Int) -> NearestHeap {
        NearestHeap(distances: distances + row &* k, indices: indices + row &* k, k: k)
    }

    @inline(__always)
    private func offer(_ place: Int, _ row: Int32, _ reduced: Double, _ other: Int32) {
        let heap = heap(Int(row))
        if heap.push(reduced, other) { worst[place] = heap.distances[0] }
    }

    /// A block against itself. The k-th smallest upper bound of a row's tile line is a first threshold.
    private func start(_ block: Cells.Block, _ scratch: TileScratch) {
        scratch.fill(packed, start: block.start, places: nil, count: block.count, columns: block.count, at: block.start)
        let bias = packed.bias.pointer + block.start
        let norms = packed.norms.pointer + block.start
        let side = TileScratch.side
        let line = scratch.gaps.pointer
        for i in 0..<block.count {
            let tile = scratch.tile.pointer + i * side
            var threshold = Double.infinity
            if k < block.count / 2, packed.reducedScale != 0 {
                let smallest = NearestHeap(distances: line, indices: scratch.secondPlaces.pointer, k: k)
                for slot in 0..<k {
                    smallest.distances[slot] = .infinity
                    smallest.indices[slot] = .max
                }
                for j in 0..<block.count where j != i {
                    let upper: Double
                    if packed.isManhattan {
                        upper = packed.bounds(tile[j], norms[i], norms[j]).high * (1 + 4 * packed.error)
                    } else {
                        upper = norms[i] + norms[j] + Double(tile[j]) + packed.error * (norms[i] + norms[j])
                    }
                    if upper < smallest.distances[0] { _ = smallest.push(upper, Int32(j)) }
                }
                threshold = smallest.distances[0] * (1 + 1e-6)
            }
            let row = packed.order[block.start + i]
            let count = ck_scan_row(
                tile, Int64(block.count), Float(threshold - Double(bias[i])), bias[i], scratch.never.pointer, bias,
                scratch.hits.pointer)
            for hit in 0..<Int(count) {
                let j = Int(scratch.hits[hit])
                if j == i { continue }
                let other = packed.order[block.start + j]
                offer(block.start + i, row, rows.reduced(Int(row), Int(other)), other)
            }
        }
    }

    /// Snapshot of a block's thresholds; returns the largest, as a scaled reduced distance.
    private func thresholds(_ block: Int, _ target: UnsafeMutablePointer<Float>) -> Double {
        let own = search.blocks[block]
        var most = 0.0
        locks.lock(block)
        for i in 0..<own.count {
            let scaled = packed.scaled(worst[own.start + i])
            most = max(most, scaled)
            target[i] = Float(scaled - Double(packed.bias[own.start + i]))
        }
        locks.unlock(block)
        return most
    }

    /// The rows of a block that another block may improve; those it cannot get a threshold of -infinity.
    private func choose(
        _ block: Cells.Block, against other: Cells.Block, _ thresholds: UnsafeMutablePointer<Float>,
        _ places: UnsafeMutablePointer<Int32>, _ scratch: TileScratch
    ) -> Int {
        search.cells.gaps(block, to: other, into: scratch.gaps.pointer, scratch: scratch.products.pointer)
        var count = 0
        for i in 0..<block.count {
            // The threshold with its bias is the scaled reduced distance, up to a rounding.
            let limit = Double(thresholds[i]) + Double(packed.bias[block.start + i])
            let slack = 1e-6 * Double(packed.norms[block.start + i]) + 0x1p-90
            if scratch.gaps[i] <= packed.reach(max(0, limit) + slack) {
                places[count] = Int32(i)
                count += 1
            } else {
                thresholds[i] = -.infinity
            }
        }
        return count
    }

    private func pair(_ a: Int, _ b: Int, _ scratch: TileScratch) {
        let first = search.blocks[a]
        let second = search.blocks[b]
        let most = max(
            thresholds(a, scratch.firstThresholds.pointer), thresholds(b, scratch.secondThresholds.pointer))
        if search.cells.gap(first, second) > packed.reach(most) { return }
        let rowCount = choose(
            first, against: second, scratch.firstThresholds.pointer, scratch.firstPlaces.pointer, scratch)
        let columnCount = choose(
            second, against: first, scratch.secondThresholds.pointer, scratch.secondPlaces.pointer, scratch)
        if rowCount == 0 && columnCount == 0 { return }
        let whole = first.count * second.count
        if rowCount * second.count + columnCount * first.count >= whole {
            // One tile serves both blocks.
            scan(
                a, nil, first.count, scratch.firstThresholds.pointer, b, scratch.secondThresholds.pointer, scratch)
        } else {
            if rowCount > 0 {
                scan(
                    a, scratch.firstPlaces.pointer, rowCount, scratch.firstThresholds.pointer, b,
                    scratch.never.pointer, scratch)
            }
            if columnCount > 0 {
                scan(
                    b, scratch.secondPlaces.pointer, columnCount, scratch.secondThresholds.pointer, a,
                    scratch.never.pointer, scratch)
            }
        }
    }

    private func scan(
        _ a: Int, _ places: UnsafePointer<Int32>?, _ count: Int, _ thresholds: UnsafePointer<Float>, _ b: Int,
        _ columnThresholds: UnsafePointer<Float>, _ scratch: TileScratch
    ) {
        let first = search.blocks[a]
        let second = search.blocks[b]
        scratch.fill(
            packed, start: first.start, places: places, count: count, columns: second.count, at: second.start)
        let columnBias = packed.bias.pointer + second.start
        var found = 0
        for line in 0..<count {
            let i = places.map { Int($0[line]) } ?? line
            let hits = ck_scan_row(
                scratch.tile.pointer + line * TileScratch.side, Int64(second.count), thresholds[i],
                packed.bias[first.start + i], columnThresholds, columnBias, scratch.hits.pointer)
            let row = Int(packed.order[first.start + i])
            for hit in 0..<Int(hits) {
                let j = Int(scratch.hits[hit])
                let reduced = rows.reduced(row, Int(packed.order[second.start + j]))
                scratch.found[found] = TileScratch.Hit(row: Int32(i), column: Int32(j), reduced: reduced)
                found += 1
            }
        }
        guard found > 0 else { return }
        locks.lock(a)
        for hit in 0..<found {
            let pair = scratch.found[hit]
            let place = first.start + Int(pair.row)
            if pair.reduced <= worst[place] {
                offer(place, packed.order[place], pair.reduced, packed.order[second.start + Int(pair.column)])
            }
        }
        locks.unlock(a)
        if columnThresholds == UnsafePointer(scratch.never.pointer) { return }
        locks.lock(b)
        for hit in 0..<found {
            let pair = scratch.found[hit]
            let place = second.start + Int(pair.column)
            if pair.reduced <= worst[place] {
                offer(place, packed.order[place], pair.reduced, packed.order[first.start + Int(pair.row)])
            }
        }
        locks.unlock(b)
    }
}
