import CCoveyKernels
import CoveyRuntime

extension TileSearch {
    public func nearestOutside(_ query: OutsideQuery, links: inout [BestLink], execution: Execution) throws {
        try links.withUnsafeMutableBufferPointer { links in
            try OutsidePass(self, query, links.baseAddress!, execution).run()
        }
    }
}

/// One pass that shortens the components' links. The searched rows are taken in groups of adjacent places. A group is
/// compared with the cells in the order of their distance, until no cell can hold a nearer row, and within a cell with
/// the blocks and rows that can.
private final class OutsidePass: @unchecked Sendable {
    let search: TileSearch
    let packed: TileRows
    let cells: Cells
    let rows: Rows
    let query: OutsideQuery
    let links: UnsafeMutablePointer<BestLink>
    let execution: Execution
    let lock = Locks(1)
    /// One entry for each place.
    let components: AlignedBuffer<Int32>
    let cores: AlignedBuffer<Double>
    /// The places of the searched rows.
    let searched: AlignedBuffer<Int32>
    /// For each block: the component of all its rows or -1, and the smallest core distance.
    let uniform: AlignedBuffer<Int32>
    let leastCore: AlignedBuffer<Double>
    let groupSize: Int

    init(_ search: TileSearch, _ query: OutsideQuery, _ links: UnsafeMutablePointer<BestLink>, _ execution: Execution)
        throws
    {
        self.search = search
        self.query = query
        self.links = links
        self.execution = execution
        packed = search.packed
        cells = search.cells
        rows = search.rows
        let n = rows.count
        components = try AlignedBuffer(n, for: "components", execution)
        cores = try AlignedBuffer(n, for: "core distances", execution)
        searched = try AlignedBuffer(query.searched.count { $0 }, for: "searched rows", execution)
        var count = 0
        for p in 0..<n {
            if p & 0xFFFFF == 0 { try execution.report() }
            let row = Int(packed.order[p])
            components[p] = query.components[row]
            cores[p] = query.cores[row]
            if query.searched[row] {
                searched[count] = Int32(p)
                count += 1
            }
        }
        // Enough groups for all threads to end at about the same time.
        groupSize = max(32, min(TileScratch.side, count / (8 * execution.threads)))
        let blocks = search.blocks
        uniform = try AlignedBuffer(blocks.count, for: "blocks", execution)
        leastCore = try AlignedBuffer(blocks.count, for: "blocks", execution)
        for (number, block) in blocks.enumerated() {
            var component = components[block.start]
            var least = Double.infinity
            for p in block.start..<block.start + block.count {
                if components[p] != component { component = -1 }
                least = min(least, cores[p])
            }
            uniform[number] = component
            leastCore[number] = least
        }
    }

    func run() throws {
        let scratch = try (0..<execution.threads).map { _ in
            try GroupScratch(cells, groupSize, coded: search.coded, execution)
        }
        let starts = Array(stride(from: 0, to: searched.count, by: groupSize))
        try execution.parallel(starts.count, stage: "spanning tree") { [self] chunk, thread in
            for group in chunk {
                let count = min(groupSize, searched.count - starts[group])
                try visit(searched.pointer + starts[group], count, scratch[thread])
            }
        }
    }

    private func visit(_ places: UnsafePointer<Int32>, _ count: Int, _ group: GroupScratch) throws {
        group.gather(places, count, packed)
        var component = components[Int(places[0])]
        for i in 1..<max(1, count) where components[Int(places[i])] != component { component = -1 }
        measureCells(count, group)
        var longest = look(places, count, group)
        for place in 0..<cells.count {
            let cell = Int(group.order[place])
            if group.gaps[cell] > longest { break }
            for block in cells.blockStarts[cell]..<cells.blockStarts[cell + 1] {
                try execution.report()
                if component >= 0 && uniform[block] == component { continue }
                if scan(places, count, component, block, group) { longest = look(places, count, group) }
            }
            // Other threads may have found shorter edges.
            if place & 7 == 7 { longest = look(places, count, group) }
        }
    }

    /// Bounds of the group's distances to all cells, and the cells by the least of them.
    private func measureCells(_ count: Int, _ group: GroupScratch) {
        let stride = Int64(packed.stride)
        let side = group.size
        if cells.count > 1 && !packed.isManhattan {
            ck_sgemm_nt(
                Int64(cells.count), Int64(count), stride, 1, cells.centroids.pointer, stride, group.numbers.pointer,
                stride,
                0, group.products.pointer, Int64(side))
        }
        for cell in 0..<cells.count {
            let low = group.low.pointer + cell * side
            let high = group.high.pointer + cell * side
            if cells.count > 1 && !packed.isManhattan {
                cells.bounds(
                    group.products.pointer + cell * side, group.norms.pointer, count: count, to: cell, low: low,
                    high: high)
            } else {
                cells.centroidBounds(
                    group.numbers.pointer, group.norms.pointer, count: count, to: cell, low: low, high: high,
                    products: group.products.pointer)
            }
            var least = Float.infinity
            for i in 0..<count { least = min(least, low[i]) }
            let blocks = cells.blockStarts[cell]..<cells.blockStarts[cell + 1]
            var outer = -Double.infinity
            for block in blocks { outer = max(outer, search.blocks[block].high) }
            group.gaps[cell] = max(0, Double(least) - outer)
            group.order[cell] = Int32(cell)
        }
        let gaps = group.gaps.pointer
        var order = UnsafeMutableBufferPointer(start: group.order.pointer, count: cells.count)
        order.sort { (gaps[Int($0)], $0) < (gaps[Int($1)], $1) }
    }

    /// Copies the links' bounds and the distances within which the group's rows search. Returns the largest.
    private func look(_ places: UnsafePointer<Int32>, _ count: Int, _ group: GroupScratch) -> Double {
        lock.lock(0)
        for i in 0..<count { group.bounds[i] = links[Int(components[Int(places[i])])].distance }
        lock.unlock(0)
        var longest = -Double.infinity
        for i in 0..<count {
            guard group.bounds[i] >= cores[Int(places[i])] else {
                group.bounds[i] = -.infinity
                group.reaches[i] = -.infinity
                continue
            }
            let scaled = packed.scaled(query.reducedBound(group.bounds[i], rows.metric))
            group.thresholds[i] = Float(scaled - Double(group.biases[i]))
            group.reaches[i] = packed.reach(scaled)
            longest = max(longest, group.reaches[i])
        }
        return longest
    }

    /// Compares with a block. Returns true if a link became shorter.
    private func scan(
        _ places: UnsafePointer<Int32>, _ count: Int, _ component: Int32, _ number: Int, _ group: GroupScratch
    ) -> Bool {
        let block = search.blocks[number]
        let scratch = group.tile
        let side = group.size
        let inReach = Int(
            ck_rows_in_reach(
                Int64(count), group.low.pointer + block.cell * side, group.high.pointer + block.cell * side, block.low,
                block.high, group.reaches.pointer, -.infinity, group.chosen.pointer))
        var columns = 0
        var bound = -Double.infinity
        for index in 0..<inReach {
            let i = Int(group.chosen[index])
            let own = components[Int(places[i])]
            guard group.bounds[i] >= leastCore[number], uniform[number] < 0 || own != uniform[number] else { continue }
            group.chosen[columns] = Int32(i)
            scratch.chosenThresholds[columns] = group.thresholds[i]
            scratch.chosenBiases[columns] = group.biases[i]
            if packed.prefix > 0 { scratch.chosenTails[columns] = group.tails[i] }
            bound = max(bound, group.bounds[i])
            columns += 1
        }
        guard columns > 0 else { return false }
        var rowCount = 0
        for i in 0..<block.count {
            let p = block.start + i
            group.rows[rowCount] = Int32(i)
            if cores[p] <= bound && (component < 0 || components[p] != component) { rowCount += 1 }
        }
        guard rowCount > 0 else { return false }
        let listed = rowCount == block.count ? nil : UnsafePointer(group.rows.pointer)
        let selected = TileScratch.Columns(
            numbers: group.numbers.pointer, count: columns, places: group.chosen.pointer,
            thresholds: scratch.chosenThresholds.pointer, biases: scratch.chosenBiases.pointer,
            tails: scratch.chosenTails.pointer)
        let found: Int
        if let coded = search.coded, let codes = group.codes, scratch.usesCodes {
            let (low, high) = (group.low.pointer + block.cell * side, group.high.pointer + block.cell * side)
            codes.encode(
                group.numbers.pointer, count: count, low: low, high: high, reaches: group.reaches.pointer,
                about: block.cell, cells, depth: coded.depth)
            coded.limits(
                codes, count: count, low: low, norms: group.norms.pointer, reaches: group.reaches.pointer,
                against: number, cells)
            found = scratch.nearCodes(
                coded, packed, start: block.start,
                rows: coded.lines(block, rowCount, listed, bases: codes.blockBases, limits: scratch.neverCodes),
                columns: TileScratch.CodedLines(
                    codes: codes.codes.pointer, sums: codes.sums.pointer, count: columns, places: selected.places,
                    bases: codes.bases.pointer, limits: codes.limits.pointer),
                thresholds: scratch.never.pointer, selected, owner: -1)
        } else {
            found = scratch.near(
                packed, start: block.start, places: listed, count: rowCount, thresholds: scratch.never.pointer,
                columns: selected, owner: -1)
        }
        var lowered = false
        for hit in 0..<found {
            let p = block.start + Int(scratch.pairs[hit] >> 16)
            let i = Int(group.chosen[Int(scratch.pairs[hit] & 0xffff)])
            let q = Int(places[i])
            let own = components[q]
            if components[p] == own { continue }
            let floor = max(cores[p], cores[q])
            if floor > group.bounds[i] { continue }
            let row = Int(packed.order[q])
            let other = Int(packed.order[p])
            let distance = rows.metric.distance(reduced: rows.reduced(min(row, other), max(row, other)))
            let reach = max(floor, distance / query.alpha)
            if reach > group.bounds[i] { continue }
            if offer(BestLink(distance: reach, from: Int32(row), to: Int32(other)), own, &group.bounds[i]) {
                lowered = true
            }
        }
        return lowered
    }

    /// Offers an edge to a component. Returns true if its link became shorter.
    private func offer(_ link: BestLink, _ component: Int32, _ bound: inout Double) -> Bool {
        lock.lock(0)
        defer { lock.unlock(0) }
        let previous = links[Int(component)]
        if link < previous { links[Int(component)] = link }
        bound = links[Int(component)].distance
        return link.distance < previous.distance
    }
}
