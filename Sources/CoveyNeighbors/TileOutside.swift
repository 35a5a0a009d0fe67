import CCoveyKernels
import CoveyRuntime

extension TileSearch {
    public func nearestOutside(_ query: OutsideQuery, links: inout [Link], execution: Execution) throws {
        try nearestOutside(query, links: &links, nearOnly: false, execution: execution)
    }

    /// - Parameter nearOnly: looks at near blocks alone.
    func nearestOutside(_ query: OutsideQuery, links: inout [Link], nearOnly: Bool, execution: Execution) throws {
        try links.withUnsafeMutableBufferPointer { links in
            let pass = try OutsidePass(self, query, links.baseAddress!, execution)
            try forEachPair(stage: "spanning tree", nearOnly: nearOnly, execution: execution) { a, b, thread in
                pass.pair(a, b, pass.scratch[thread])
            }
        }
    }
}

/// One pass over the pairs of blocks that lowers the components' links.
private final class OutsidePass: @unchecked Sendable {
    let search: TileSearch
    let packed: TileRows
    let rows: Rows
    let query: OutsideQuery
    let links: UnsafeMutablePointer<Link>
    let lock = Locks(1)
    /// By place.
    let components: AlignedBuffer<Int32>
    let cores: AlignedBuffer<Double>
    let searched: AlignedBuffer<Bool>
    /// By block: the component of all its rows or -1, the least core distance, whether any row is searched.
    let uniform: AlignedBuffer<Int32>
    let leastCore: AlignedBuffer<Double>
    let anySearched: AlignedBuffer<Bool>
    let scratch: [TileScratch]

    init(_ search: TileSearch, _ query: OutsideQuery, _ links: UnsafeMutablePointer<Link>, _ execution: Execution) throws {
        self.search = search
        self.query = query
        self.links = links
        packed = search.packed
        rows = search.rows
        let n = rows.count
        components = try AlignedBuffer(n, for: "components", execution)
        cores = try AlignedBuffer(n, for: "core distances", execution)
        searched = try AlignedBuffer(n, for: "searched rows", execution)
        for p in 0..<n {
            let row = Int(packed.order[p])
            components[p] = query.components[row]
            cores[p] = query.cores[row]
            searched[p] = query.searched[row]
        }
        let blocks = search.blocks
        uniform = try AlignedBuffer(blocks.count, for: "blocks", execution)
        leastCore = try AlignedBuffer(blocks.count, for: "blocks", execution)
        anySearched = try AlignedBuffer(blocks.count, for: "blocks", execution)
        for (number, block) in blocks.enumerated() {
            var component = components[block.start]
            var least = Double.infinity
            var any = false
            for p in block.start..<block.start + block.count {
                if components[p] != component { component = -1 }
                least = min(least, cores[p])
                any = any || searched[p]
            }
            uniform[number] = component
            leastCore[number] = least
            anySearched[number] = any
        }
        let packed = packed
        scratch = try (0..<execution.threads).map { _ in try TileScratch(packed, execution) }
        // A block against itself, where a component without any edge finds its first bound.
        try execution.parallel(blocks.count) { [self] chunk, thread in
            for a in chunk where uniform[a] < 0 { pair(a, a, scratch[thread]) }
        }
    }

    /// The bounds and thresholds of a block's searched rows; returns the largest scaled reduced distance looked for.
    private func bounds(
        _ number: Int, against other: Int, _ bounds: UnsafeMutablePointer<Double>,
        _ thresholds: UnsafeMutablePointer<Float>
    ) -> Double {
        let block = search.blocks[number]
        guard anySearched[number] else {
            for i in 0..<block.count {
                bounds[i] = -.infinity
                thresholds[i] = -.infinity
            }
            return -.infinity
        }
        let least = leastCore[other]
        lock.lock(0)
        for i in 0..<block.count {
            let p = block.start + i
            let bound = searched[p] ? links[Int(components[p])].distance : -.infinity
            bounds[i] = bound >= least && bound >= cores[p] ? bound : -.infinity
        }
        lock.unlock(0)
        var most = -Double.infinity
        for i in 0..<block.count {
            if bounds[i] == -.infinity {
                thresholds[i] = -.infinity
                continue
            }
            let scaled = packed.scaled(query.reducedBound(bounds[i], rows.metric))
            most = max(most, scaled)
            thresholds[i] = Float(scaled - Double(packed.bias[block.start + i]))
        }
        return most
    }

    private func choose(
        _ block: Cells.Block, against other: Cells.Block, _ thresholds: UnsafeMutablePointer<Float>,
        _ places: UnsafeMutablePointer<Int32>, _ scratch: TileScratch
    ) -> Int {
        search.cells.gaps(block, to: other, into: scratch.gaps.pointer, scratch: scratch.products.pointer)
        var count = 0
        for i in 0..<block.count where thresholds[i] != -.infinity {
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

    func pair(_ a: Int, _ b: Int, _ scratch: TileScratch) {
        if uniform[a] >= 0 && uniform[a] == uniform[b] { return }
        guard anySearched[a] || anySearched[b] else { return }
        let first = search.blocks[a]
        let second = search.blocks[b]
        let most = max(
            bounds(a, against: b, scratch.firstBounds.pointer, scratch.firstThresholds.pointer),
            bounds(b, against: a, scratch.secondBounds.pointer, scratch.secondThresholds.pointer))
        if most < 0 || search.cells.gap(first, second) > packed.reach(most) { return }
        let rowCount = choose(
            first, against: second, scratch.firstThresholds.pointer, scratch.firstPlaces.pointer, scratch)
        let columnCount = choose(
            second, against: first, scratch.secondThresholds.pointer, scratch.secondPlaces.pointer, scratch)
        if rowCount == 0 && columnCount == 0 { return }
        if rowCount * second.count + columnCount * first.count >= first.count * second.count {
            scan(a, nil, first.count, b, swapped: false, scratch)
        } else {
            if rowCount > 0 { scan(a, scratch.firstPlaces.pointer, rowCount, b, swapped: false, scratch) }
            if columnCount > 0 && a != b {
                scan(b, scratch.secondPlaces.pointer, columnCount, a, swapped: true, scratch)
            }
        }
    }

    /// Scans rows of block a against block b. `swapped`: a is the second block of the scratch's pair.
    private func scan(
        _ a: Int, _ places: UnsafePointer<Int32>?, _ count: Int, _ b: Int, swapped: Bool, _ scratch: TileScratch
    ) {
        let first = search.blocks[a]
        let second = search.blocks[b]
        scratch.fill(
            packed, start: first.start, places: places, count: count, columns: second.count, at: second.start)
        let rowThresholds = (swapped ? scratch.secondThresholds : scratch.firstThresholds).pointer
        let columnThresholds = (swapped ? scratch.firstThresholds : scratch.secondThresholds).pointer
        let rowBounds = (swapped ? scratch.secondBounds : scratch.firstBounds).pointer
        let columnBounds = (swapped ? scratch.firstBounds : scratch.secondBounds).pointer
        let columnBias = packed.bias.pointer + second.start
        let columnComponents = components.pointer + second.start
        for line in 0..<count {
            let i = places.map { Int($0[line]) } ?? line
            let p = first.start + i
            let hits = ck_scan_row_outside(
                scratch.tile.pointer + line * TileScratch.side, Int64(second.count), rowThresholds[i], packed.bias[p],
                components[p], columnThresholds, columnBias, columnComponents, scratch.hits.pointer)
            var lowered = false
            for hit in 0..<Int(hits) {
                let j = Int(scratch.hits[hit])
                let q = second.start + j
                let floor = max(cores[p], cores[q])
                let bound = max(rowBounds[i], columnBounds[j])
                if floor > bound { continue }
                let row = Int(packed.order[p])
                let column = Int(packed.order[q])
                let distance = rows.metric.distance(reduced: rows.reduced(row, column))
                let reach = max(floor, distance / query.alpha)
                if reach > bound { continue }
                let link = Link(distance: reach, from: Int32(row), to: Int32(column))
                if offer(link, p, &rowBounds[i]) { lowered = true }
                if offer(link, q, &columnBounds[j]) { lowered = true }
            }
            if lowered {
                _ = bounds(a, against: b, rowBounds, rowThresholds)
                _ = bounds(b, against: a, columnBounds, columnThresholds)
            }
        }
    }

    /// Offers an edge to the component of the row at place p; true if the component's distance fell.
    private func offer(_ link: Link, _ p: Int, _ bound: inout Double) -> Bool {
        guard searched[p], link.distance <= bound else { return false }
        let component = Int(components[p])
        lock.lock(0)
        defer { lock.unlock(0) }
        let previous = links[component]
        if link < previous { links[component] = link }
        bound = links[component].distance
        return link.distance < previous.distance
    }
}
