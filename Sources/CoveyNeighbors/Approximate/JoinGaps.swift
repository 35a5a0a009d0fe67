import CCoveyKernels
import CoveyRuntime

/// Finds edges between components that are far from each other. Most pairs of a row and a cell cannot hold such an
/// edge. Let s be the distance from a row to a cell's centroid, and m the median squared distance of the cell's rows to
/// their centroid. In many dimensions the distances from the row to the cell's rows are near sqrt(s^2 + m). The nearest
/// of them is a few standard deviations below, and these deviations shrink as the number of dimensions grows.
extension JoinSearch {
    /// How much is compared for each cell.
    struct Effort {
        /// The number of cells that its rows may be compared with, as a share of the number of rows that a cell should
        /// have.
        let cells: Double
        /// The number of pairs of one of its rows and another cell, as a share of the same number.
        let pairs: Double

        var isMuch: Bool { pairs >= 1 }

        static let little = Effort(cells: 1 / 32, pairs: 1 / 8)
        static let much = Effort(cells: 1 / 4, pairs: 4)
    }

    private static let grain = 32
    /// The standard deviations by which the nearest row of a cell may be nearer to a row than usual, and those for the
    /// nearest rows of two cells. Both are larger than Gaussian clusters need, because the cells of real rows differ in
    /// their deviations.
    private static let rowChance = 9.0
    private static let cellChance = 11.0
    private static let mostOrderChance = 5.0

    /// One thread's scratch memory.
    private final class Room {
        /// The best edges that this thread has found.
        let links: AlignedBuffer<BestLink>
        let products: AlignedBuffer<Float>
        let line: AlignedBuffer<Float>
        let tile: AlignedBuffer<Float>
        let width: Int
        let batch: Int
        let gathered: AlignedBuffer<Float>
        let hits: AlignedBuffer<UInt16>
        let nearDistances: AlignedBuffer<Double>
        let nearCells: AlignedBuffer<Int32>
        let pairDistances: AlignedBuffer<Double>
        let pairs: AlignedBuffer<Int32>

        init(_ index: CellIndex, _ effort: Effort, _ links: AlignedBuffer<BestLink>, _ execution: Execution) throws {
            let cells = max(1, Int(Double(index.cellSize) * effort.cells))
            let most = max(1, Int(Double(index.cellSize) * effort.pairs))
            self.links = links
            width = index.sizes.tileColumns
            batch = index.sizes.tileRows / 2
            products = try AlignedBuffer(grain * index.count, for: "distances of centroids", execution)
            line = try AlignedBuffer(CellIndex.lineWidth, for: "a tile", execution)
            tile = try AlignedBuffer(batch * width, for: "a tile", execution)
            gathered = try AlignedBuffer(batch * index.packed.stride, for: "a tile's rows", execution)
            hits = try AlignedBuffer(width, for: "a tile", execution)
            nearDistances = try AlignedBuffer(cells, for: "near cells", execution)
            nearCells = try AlignedBuffer(cells, for: "near cells", execution)
            pairDistances = try AlignedBuffer(most, for: "near rows", execution)
            pairs = try AlignedBuffer(most, for: "near rows", execution)
        }

        /// The heap of near cells, and that of pairs, empty.
        var heaps: (cells: NearestHeap, pairs: NearestHeap) {
            for slot in 0..<nearCells.count { (nearDistances[slot], nearCells[slot]) = (.infinity, .max) }
            for slot in 0..<pairs.count { (pairDistances[slot], pairs[slot]) = (.infinity, .max) }
            return (
                NearestHeap(distances: nearDistances.pointer, indices: nearCells.pointer, k: nearCells.count),
                NearestHeap(distances: pairDistances.pointer, indices: pairs.pointer, k: pairs.count)
            )
        }
    }

    func lookAcross(_ effort: Effort) throws {
        try execution.parallel(index.count, grain: JoinSearch.grain, stage: "spanning tree") { [self] chunk, thread in
            let room = try Room(index, effort, found[thread], execution)
            ck_sgemm_nt(
                Int64(chunk.count), Int64(index.count), Int64(packed.stride), -2,
                index.centroids.pointer + chunk.lowerBound * packed.stride, Int64(packed.stride),
                index.centroids.pointer,
                Int64(packed.stride), 0, room.products.pointer, Int64(index.count))
            SearchWork.add(chunk.count * index.count)
            for cell in chunk where !index.places(cell).isEmpty {
                try look(from: cell, room.products.pointer + (cell - chunk.lowerBound) * index.count, room)
            }
        }
    }

    /// Compares the rows of a cell with the nearest cells of other components.
    private func look(from cell: Int, _ products: UnsafePointer<Float>, _ room: Room) throws {
        try execution.report()
        let (near, pairs) = room.heaps
        findNearCells(cell, products, near)
        let order = orderChance
        let places = index.places(cell).prefix(Int(Int32.max) / near.k)
        for slot in 0..<near.k where near.indices[slot] != .max {
            let other = Int(near.indices[slot])
            try execution.report()
            let radius = Double(index.radii[other])
            let middle = Double(index.medians[other])
            index.forEachSquare(places, to: other, room.line) { p, square in
                let component = query.components[p]
                if component == uniform[other] { return }
                if query.cores[p] < dense[other] && before[Int(component)].distance < .infinity { return }
                let bound = max(before[Int(component)].distance, longest[other])
                if query.cores[p] > bound || Double(square).squareRoot() * (1 - 1e-4) - radius > reach(bound) { return }
                if least(Double(square), middle, JoinSearch.rowChance) > reach(bound) * reach(bound) { return }
                _ = pairs.push(least(Double(square), middle, order), Int32(slot * places.count + p - places.lowerBound))
            }
        }
        // By cell.
        let chosen = (0..<pairs.k).map { pairs.indices[$0] }.filter { $0 != .max }.sorted()
        var next = 0
        while next < chosen.count {
            let slot = Int(chosen[next]) / places.count
            var rows: [Int32] = []
            while next < chosen.count, rows.count < room.batch, Int(chosen[next]) / places.count == slot {
                rows.append(Int32(places.lowerBound + Int(chosen[next]) % places.count))
                next += 1
            }
            let columns = index.places(Int(near.indices[slot]))
            try rows.withUnsafeBufferPointer { rows in
                packed.gather(rows.baseAddress!, rows.count, into: room.gathered.pointer)
                for start in Swift.stride(from: columns.lowerBound, to: columns.upperBound, by: room.width) {
                    try execution.report()
                    compare(
                        rows.baseAddress!, rows.count, start..<min(start + room.width, columns.upperBound), room)
                }
            }
        }
    }

    /// A likely lower bound of the squared distance to the nearest of many rows. The rows lie around a point at the
    /// squared distance `square`, and their median squared distance to that point is `middle`.
    @inline(__always)
    private func least(_ square: Double, _ middle: Double, _ deviations: Double) -> Double {
        square + middle - deviations * index.spread * (middle * (middle + 2 * max(0, square))).squareRoot()
    }

    /// The number of deviations in the bound that orders the pairs. It is limited so that the bound still grows with
    /// the distance to the centroid.
    private var orderChance: Double { min(JoinSearch.mostOrderChance, 1 / index.spread) }

    /// The cells whose rows are likely to be near a cell's rows, nearest first. Of two cells, the search goes from the
    /// rows of the wider cell to the denser cell, because the estimate of the distances is more accurate in that
    /// direction.
    private func findNearCells(_ cell: Int, _ products: UnsafePointer<Float>, _ near: NearestHeap) {
        let own = uniform[cell]
        let linked = longest[cell] < .infinity
        let order = orderChance
        for other in 0..<index.count {
            if own >= 0 && uniform[other] == own || index.starts[other] == index.starts[other + 1] { continue }
            if other == cell {
                // The cell itself has rows of several components. It comes first.
                _ = near.push(-.infinity, Int32(other))
                continue
            }
            if linked && (sparse[cell] < dense[other] || index.medians[cell] < index.medians[other]) { continue }
            let square = Double(products[other] + index.norms[other] + index.norms[cell])
            let reach = reach(max(longest[cell], longest[other]))
            let slack = error * Double(index.norms[other] + index.norms[cell])
            let gap = max(0, square - slack).squareRoot() - Double(index.radii[other]) - Double(index.radii[cell])
            let middle = Double(index.medians[cell]) + Double(index.medians[other])
            if gap > reach || least(square, middle, JoinSearch.cellChance) > reach * reach { continue }
            _ = near.push(least(square, middle, order), Int32(other))
        }
        near.sort()
    }

    private func compare(_ rows: UnsafePointer<Int32>, _ count: Int, _ columns: Range<Int>, _ room: Room) {
        let stride = packed.stride
        let width = room.width
        SearchWork.add(count * columns.count)
        ck_sgemm_nt(
            Int64(count), Int64(columns.count), Int64(stride), -2, room.gathered.pointer, Int64(stride),
            packed.numbers.pointer + columns.lowerBound * stride, Int64(stride), 0, room.tile.pointer, Int64(width))
        let links = room.links
        var norm: Float = 0
        var longestOther = -Double.infinity
        for q in columns {
            norm = max(norm, packed.norms[q])
            longestOther = max(longestOther, links[Int(query.components[q])].distance)
        }
        for line in 0..<count {
            let p = Int(rows[line])
            let own = query.components[p]
            let slack = error * Double(norm + packed.norms[p])
            // The longest of the links that these pairs may shorten.
            let longest = max(links[Int(own)].distance, longestOther)
            if query.cores[p] > longest { continue }
            let limit = reach(longest) * reach(longest) + slack - Double(packed.norms[p])
            let hits = ck_near_columns(
                room.tile.pointer + line * width, packed.norms.pointer + columns.lowerBound, Int64(columns.count),
                Float(limit).nextUp, room.hits.pointer)
            for hit in 0..<Int(hits) {
                let column = Int(room.hits[hit])
                let q = columns.lowerBound + column
                if query.components[q] == own { continue }
                let square = Double(room.tile[line * width + column] + packed.norms[q] + packed.norms[p]) - slack
                consider(p, q, links, atLeast: square)
            }
        }
    }
}
