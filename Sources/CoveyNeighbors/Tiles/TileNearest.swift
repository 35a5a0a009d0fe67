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
    /// For each place the k-th smallest distance so far, which is the root of the row's heap: reduced; as the distance
    /// in the tiles' scale within which the row searches; and as the threshold of a tile's number.
    let worst: AlignedBuffer<Double>
    let reaches: AlignedBuffer<Double>
    let thresholds: AlignedBuffer<Float>
    /// For each block the largest of its reaches, and whether one has changed since.
    let reachOfBlock: AlignedBuffer<Double>
    let changed: AlignedBuffer<Bool>
    /// One lock for each block protects all of that, and its rows' heaps.
    let locks: Locks
    let scratch: [PairScratch]

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
        let (count, blocks) = (rows.count, search.blocks.count)
        worst = try AlignedBuffer(count, repeating: .infinity, for: "core distances", execution)
        reaches = try AlignedBuffer(count, repeating: .infinity, for: "core distances", execution)
        thresholds = try AlignedBuffer(count, repeating: .infinity, for: "core distances", execution)
        reachOfBlock = try AlignedBuffer(blocks, repeating: .infinity, for: "core distances", execution)
        changed = try AlignedBuffer(blocks, repeating: false, for: "core distances", execution)
        locks = Locks(blocks)
        scratch = try (0..<execution.threads).map { _ in try PairScratch(search, execution) }
    }

    func run() throws {
        let blocks = search.blocks
        try execution.report("neighbours", 0)
        try execution.parallel(blocks.count) { [self] chunk, thread in
            for a in chunk { start(a, scratch[thread].tile) }
        }
        try search.forEachNearPair(execution: execution) { a, b, thread in
            pair(a, b, scratch[thread])
        }
        // The number of pairs that take a few milliseconds together.
        let pause = max(1, 2048 / packed.stride)
        try search.forEachRange(stage: "neighbours", execution: execution) { first, second, thread in
            let scratch = scratch[thread]
            try execution.report()
            let open = openPairs(first, second)
            guard open > 0 else { return }
            // Below that, bounds of single blocks are cheaper than those of all.
            scratch.measure(first, second, all: open * 4 >= first.count * second.count)
            defer { scratch.forget() }
            var count = 0
            for a in first {
                for b in second where b > a && !search.isNear(a, b) {
                    count += 1
                    if count % pause == 0 { try execution.report() }
                    pair(a, b, scratch)
                }
            }
        }
        let metric = rows.metric
        try execution.parallel(rows.count, grain: 1024) { [self] chunk, _ in
            for i in chunk {
                heap(i).sort()
                for slot in i * k..<(i + 1) * k { distances[slot] = metric.distance(reduced: distances[slot]) }
            }
        }
    }

    /// The number of pairs of blocks that may hold near rows.
    private func openPairs(_ first: Range<Int>, _ second: Range<Int>) -> Int {
        let others = second.map { reach(of: $0) }
        var open = 0
        for a in first {
            let own = reach(of: a)
            for (index, b) in second.enumerated() where b > a {
                if search.cells.gap(search.blocks[a], search.blocks[b]) <= max(own, others[index]) { open += 1 }
            }
        }
        return open
    }

    @inline(__always)
    private func heap(_ row: Int) -> NearestHeap {
        NearestHeap(distances: distances + row &* k, indices: indices + row &* k, k: k)
    }

    /// Offers a row to the heap of the row at a place of a block, which is locked or used by one thread.
    @inline(__always)
    private func offer(_ place: Int, in block: Int, _ row: Int32, _ reduced: Double, _ other: Int32) {
        let heap = heap(Int(row))
        guard heap.push(reduced, other) else { return }
        let now = heap.distances[0]
        guard now < worst[place] else { return }
        worst[place] = now
        let scaled = packed.scaled(now)
        thresholds[place] = Float(scaled - Double(packed.bias[place]))
        reaches[place] = packed.reach(scaled)
        changed[block] = true
    }

    /// Compares a block with itself. The k-th smallest upper bound in a row's line of the tile is a first threshold.
    private func start(_ number: Int, _ scratch: TileScratch) {
        let block = search.blocks[number]
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
                let smallest = NearestHeap(distances: line, indices: scratch.list.pointer, k: k)
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
                offer(block.start + i, in: number, row, rows.reduced(Int(row), Int(other)), other)
            }
        }
    }

    /// The distance within which a block's rows search.
    private func reach(of block: Int) -> Double {
        locks.lock(block)
        defer { locks.unlock(block) }
        return largestReach(block)
    }

    private func largestReach(_ block: Int) -> Double {
        guard changed[block] else { return reachOfBlock[block] }
        let own = search.blocks[block]
        let most = ck_largest(Int64(own.count), reaches.pointer + own.start)
        reachOfBlock[block] = most
        changed[block] = false
        return most
    }

    /// Copies the distances within which a block's rows search. Returns the largest.
    private func look(_ block: Int, _ side: PairScratch.Side) -> Double {
        let own = search.blocks[block]
        locks.lock(block)
        defer { locks.unlock(block) }
        side.reaches.pointer.update(from: reaches.pointer + own.start, count: own.count)
        side.thresholds.pointer.update(from: thresholds.pointer + own.start, count: own.count)
        return largestReach(block)
    }

    /// A pair can improve a row only if the row's search distance reaches the other block, and only if the other row is
    /// within that distance of the first row's block.
    private func pair(_ a: Int, _ b: Int, _ scratch: PairScratch) {
        let gap = search.cells.gap(search.blocks[a], search.blocks[b])
        if gap > max(reach(of: a), reach(of: b)) { return }
        if gap > max(look(a, scratch.first), look(b, scratch.second)) { return }
        let (first, second) = scratch.halves(a, b)
        let ownFirst = scratch.choose(first, against: second, orWithin: -.infinity, first.side.places)
        let ownSecond = scratch.choose(second, against: first, orWithin: -.infinity, second.side.places)
        if ownFirst == 0 && ownSecond == 0 { return }
        let blocks = (search.blocks[a], search.blocks[b])
        var coded = false
        if let codes = search.coded, scratch.tile.usesCodes {
            coded = true
            codes.limits(first.coded, second.coded, search.cells)
        }
        if coded && ownFirst + ownSecond >= PairScratch.mostListed {
            // A tile of integers costs less than to find out which rows it does not need.
            scan(first, nil, blocks.0.count, second, nil, blocks.1.count, (true, true), coded, scratch)
            return
        }
        let wantedFirst = scratch.choose(
            first, against: second, orWithin: scratch.reach(second, ownSecond), first.side.wanted)
        let wantedSecond = scratch.choose(
            second, against: first, orWithin: scratch.reach(first, ownFirst), second.side.wanted)
        if wantedFirst * wantedSecond <= ownFirst * wantedSecond + wantedFirst * ownSecond {
            // One tile serves both blocks.
            scan(
                first, first.side.wanted.pointer, wantedFirst, second, second.side.wanted.pointer, wantedSecond,
                (true, true), coded, scratch)
        } else {
            scan(
                first, first.side.places.pointer, ownFirst, second, second.side.wanted.pointer, wantedSecond,
                (true, false), coded, scratch)
            scan(
                first, first.side.wanted.pointer, wantedFirst, second, second.side.places.pointer, ownSecond,
                (false, true), coded, scratch)
        }
    }

    /// Compares rows of the first block, as columns of the tile, with rows of the second, for the heaps of one or both.
    /// The lists are places in the blocks; nil = all.
    private func scan(
        _ first: PairScratch.Half, _ columnPlaces: UnsafeMutablePointer<Int32>?, _ columnCount: Int,
        _ second: PairScratch.Half, _ rowPlaces: UnsafeMutablePointer<Int32>?, _ rowCount: Int,
        _ wanted: (first: Bool, second: Bool), _ coded: Bool, _ scratch: PairScratch
    ) {
        guard columnCount > 0, rowCount > 0 else { return }
        let tile = scratch.tile
        let (columns, lines) = (search.blocks[first.number], search.blocks[second.number])
        // A panel of the whole block is packed once and used for many other blocks.
        let whole = columnPlaces == nil || columns.count * rowCount <= columnCount * (rowCount + 16)
        let listed = whole ? nil : columnPlaces.map { UnsafePointer($0) }
        let selected = tile.columns(
            packed, start: columns.start, places: listed, count: whole ? columns.count : columnCount,
            wanted.first ? first.side.thresholds : tile.never)
        let rowsListed = rowCount == lines.count ? nil : rowPlaces.map { UnsafePointer($0) }
        let thresholds = (wanted.second ? second.side.thresholds : tile.never).pointer
        let owner = whole ? first.number : -1
        let found: Int
        if coded, let codes = search.coded {
            found = tile.nearCodes(
                codes, packed, start: lines.start,
                rows: codes.lines(
                    lines, rowCount, rowsListed, bases: second.side.bases,
                    limits: wanted.second ? second.side.limits : tile.neverCodes),
                columns: codes.lines(
                    columns, selected.count, listed, bases: first.side.bases,
                    limits: wanted.first ? first.side.limits : tile.neverCodes),
                thresholds: thresholds, selected, owner: owner)
        } else {
            found = tile.near(
                packed, start: lines.start, places: rowsListed, count: rowCount, thresholds: thresholds,
                columns: selected, owner: owner)
        }
        guard found > 0 else { return }
        for hit in 0..<found {
            let pair = tile.pairs[hit]
            let row = lines.start + Int(pair >> 16)
            let column = columns.start + (listed.map { Int($0[Int(pair & 0xffff)]) } ?? Int(pair & 0xffff))
            tile.places[hit] = (Int32(column), Int32(row))
            tile.reduced[hit] = rows.reduced(Int(packed.order[row]), Int(packed.order[column]))
        }
        if wanted.first {
            locks.lock(first.number)
            for hit in 0..<found { offer(tile.places[hit].0, in: first.number, tile.reduced[hit], tile.places[hit].1) }
            locks.unlock(first.number)
        }
        if wanted.second {
            locks.lock(second.number)
            for hit in 0..<found { offer(tile.places[hit].1, in: second.number, tile.reduced[hit], tile.places[hit].0) }
            locks.unlock(second.number)
        }
    }

    /// Offers a place to the heap of another.
    @inline(__always)
    private func offer(_ place: Int32, in block: Int, _ reduced: Double, _ other: Int32) {
        if reduced <= worst[Int(place)] {
            offer(Int(place), in: block, packed.order[Int(place)], reduced, packed.order[Int(other)])
        }
    }
}
