import CCoveyKernels
import CoveyRuntime

extension TileSearch {
    public func nearest(_ k: Int, execution: Execution) throws -> NeighborGraph {
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
                try pass.run()
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
    /// For each place the k-th smallest distance so far, which is the root of the row's heap.
    let worst: AlignedBuffer<Double>
    /// For each block an upper bound of the largest of these distances.
    let worstOfBlock: AlignedBuffer<Double>
    /// One lock for each block protects its rows' heaps.
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
        worstOfBlock = try AlignedBuffer(search.blocks.count, repeating: .infinity, for: "core distances", execution)
        locks = Locks(search.blocks.count)
        let packed = packed
        scratch = try (0..<execution.threads).map { _ in try TileScratch(packed, execution) }
    }

    func run() throws {
        let blocks = search.blocks
        try execution.report("neighbours", 0)
        try execution.parallel(blocks.count) { [self] chunk, thread in
            for a in chunk { start(blocks[a], scratch[thread]) }
        }
        try search.forEachPair(stage: "neighbours", execution: execution) { a, b, thread in
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

    /// Compares a block with itself. The k-th smallest upper bound in a row's line of the tile is a first threshold.
    private func start(_ block: Cells.Block, _ scratch: TileScratch) {
        scratch.fill(
            packed, rows: packed.numbers.pointer + block.start * packed.stride, count: block.count,
            columns: block.count,
            at: block.start)
        let bias = packed.bias.pointer + block.start
        let norms = packed.norms.pointer + block.start
        let side = TileScratch.side
        let line = scratch.reduced.pointer
        for i in 0..<block.count {
            let tile = scratch.tile.pointer + i * side
            var threshold = Double.infinity
            if k < block.count / 2, packed.reducedScale != 0 {
                let smallest = NearestHeap(distances: line, indices: scratch.second.places.pointer, k: k)
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

    /// Copies the distances within which a block's rows still search. Returns the largest.
    private func look(_ block: Int, _ side: TileScratch.Side) -> Double {
        let own = search.blocks[block]
        var most = 0.0
        locks.lock(block)
        for i in 0..<own.count {
            let value = worst[own.start + i]
            side.reaches[i] = value
            most = max(most, value)
        }
        worstOfBlock[block] = most
        locks.unlock(block)
        for i in 0..<own.count {
            let scaled = packed.scaled(side.reaches[i])
            side.thresholds[i] = Float(scaled - Double(packed.bias[own.start + i]))
            side.reaches[i] = packed.reach(scaled)
        }
        return packed.reach(packed.scaled(most))
    }

    private func longestReach(_ block: Int) -> Double {
        locks.lock(block)
        defer { locks.unlock(block) }
        return packed.reach(packed.scaled(worstOfBlock[block]))
    }

    /// A block of a pair: its number, its rows, the distances within which they search, and their distances to the
    /// centroid of the other block's cell.
    private struct Half {
        let number: Int
        let block: Cells.Block
        let side: TileScratch.Side
        let low: UnsafePointer<Float>
        let high: UnsafePointer<Float>
        /// The rows in `side.places` and `side.wanted`.
        var own = 0
        var wanted = 0
    }

    private func half(_ number: Int, against other: Int, _ side: TileScratch.Side, _ scratch: TileScratch) -> Half {
        let cells = search.cells
        let block = search.blocks[number]
        let cell = search.blocks[other].cell
        if block.cell == cell && cells.count > 1 {
            return Half(
                number: number, block: block, side: side, low: UnsafePointer(cells.ownLow.pointer + block.start),
                high: UnsafePointer(cells.ownHigh.pointer + block.start))
        }
        // The blocks of a cell come one after another, so that the first block's bounds are often those of the pair
        // before.
        if side.measured != (number, cell) {
            cells.centroidBounds(
                packed.numbers.pointer + block.start * packed.stride, packed.norms.pointer + block.start,
                count: block.count, to: cell, low: side.low.pointer, high: side.high.pointer,
                products: scratch.products.pointer)
            side.measured = (number, cell)
        }
        return Half(
            number: number, block: block, side: side, low: UnsafePointer(side.low.pointer),
            high: UnsafePointer(side.high.pointer))
    }

    /// The rows whose own search distance, or `least`, reaches the other block.
    private func choose(
        _ half: Half, against other: Half, orWithin least: Double, _ places: UnsafeMutablePointer<Int32>
    ) -> Int {
        Int(
            ck_rows_in_reach(
                Int64(half.block.count), half.low, half.high, other.block.low, other.block.high,
                half.side.reaches.pointer, least, places))
    }

    /// The largest search distance of the rows that the other block may improve.
    private func reachOfOwn(_ half: Half) -> Double {
        var most = -Double.infinity
        for index in 0..<half.own { most = max(most, half.side.reaches[Int(half.side.places[index])]) }
        return most
    }

    /// A pair can improve a row only if the row's search distance reaches the other block, and only if the other row is
    /// within that distance of the first row's block.
    private func pair(_ a: Int, _ b: Int, _ scratch: TileScratch) {
        let gap = search.cells.gap(search.blocks[a], search.blocks[b])
        if gap > max(longestReach(a), longestReach(b)) { return }
        if gap > max(look(a, scratch.first), look(b, scratch.second)) { return }
        var first = half(a, against: b, scratch.first, scratch)
        var second = half(b, against: a, scratch.second, scratch)
        first.own = choose(first, against: second, orWithin: -.infinity, first.side.places.pointer)
        second.own = choose(second, against: first, orWithin: -.infinity, second.side.places.pointer)
        if first.own == 0 && second.own == 0 { return }
        first.wanted = choose(first, against: second, orWithin: reachOfOwn(second), first.side.wanted.pointer)
        second.wanted = choose(second, against: first, orWithin: reachOfOwn(first), second.side.wanted.pointer)
        if first.wanted * second.wanted <= first.own * second.wanted + first.wanted * second.own {
            // One tile serves both blocks.
            scan(
                first, first.side.wanted.pointer, first.wanted, second, second.side.wanted.pointer, second.wanted,
                forFirst: true, forSecond: true, scratch)
        } else {
            scan(
                first, first.side.places.pointer, first.own, second, second.side.wanted.pointer, second.wanted,
                forFirst: true, forSecond: false, scratch)
            scan(
                first, first.side.wanted.pointer, first.wanted, second, second.side.places.pointer, second.own,
                forFirst: false, forSecond: true, scratch)
        }
    }

    /// Compares rows of the first block, as columns of the tile, with rows of the second, for the heaps of one or both.
    private func scan(
        _ first: Half, _ columnPlaces: UnsafeMutablePointer<Int32>, _ columnCount: Int, _ second: Half,
        _ rowPlaces: UnsafeMutablePointer<Int32>, _ rowCount: Int, forFirst: Bool, forSecond: Bool,
        _ scratch: TileScratch
    ) {
        guard columnCount > 0, rowCount > 0 else { return }
        // A panel of the whole block is packed once and used for many other blocks.
        let whole = first.block.count * rowCount <= columnCount * (rowCount + 16)
        let listed = whole ? nil : UnsafePointer(columnPlaces)
        let found = scratch.near(
            packed, start: second.block.start, places: rowCount == second.block.count ? nil : UnsafePointer(rowPlaces),
            count: rowCount, thresholds: (forSecond ? second.side.thresholds : scratch.never).pointer,
            columns: scratch.columns(
                packed, start: first.block.start, places: listed, count: whole ? first.block.count : columnCount,
                forFirst ? first.side.thresholds : scratch.never),
            owner: whole ? first.number : -1)
        guard found > 0 else { return }
        for hit in 0..<found {
            let pair = scratch.pairs[hit]
            let row = second.block.start + Int(pair >> 16)
            let column = first.block.start + (listed.map { Int($0[Int(pair & 0xffff)]) } ?? Int(pair & 0xffff))
            scratch.places[hit] = (Int32(column), Int32(row))
            scratch.reduced[hit] = rows.reduced(Int(packed.order[row]), Int(packed.order[column]))
        }
        if forFirst {
            locks.lock(first.number)
            for hit in 0..<found { offer(scratch.places[hit].0, scratch.reduced[hit], scratch.places[hit].1) }
            locks.unlock(first.number)
        }
        if forSecond {
            locks.lock(second.number)
            for hit in 0..<found { offer(scratch.places[hit].1, scratch.reduced[hit], scratch.places[hit].0) }
            locks.unlock(second.number)
        }
    }

    /// Offers a place to the heap of another.
    @inline(__always)
    private func offer(_ place: Int32, _ reduced: Double, _ other: Int32) {
        if reduced <= worst[Int(place)] {
            offer(Int(place), packed.order[Int(place)], reduced, packed.order[Int(other)])
        }
    }
}
