import CCoveyKernels
import CoveyRuntime

/// Components of rows that are to be joined. Rows are numbered by their places in an `ApproximateSearch`.
public struct JoinQuery: Sendable {
    /// Each place's component, 0..<number of links.
    public let components: [Int32]
    /// Each place's core distance.
    public let cores: [Double]
    /// Mutual reachability is max(core, core, distance / alpha).
    public let alpha: Double
    /// The graph of near rows: k places each.
    public let neighbours: [Int32]
    public let k: Int

    public init(components: [Int32], cores: [Double], alpha: Double, neighbours: [Int32], k: Int) {
        self.components = components
        self.cores = cores
        self.alpha = alpha
        self.neighbours = neighbours
        self.k = k
    }
}

/// One search for short edges between components: by neighbours of neighbours, which finds those that cross a border, and by
/// the rows that are nearest to another component's cells, which finds those that cross a gap.
/// Edges are the best of a fixed set, whatever the order in which threads come across them.
final class JoinSearch: @unchecked Sendable {
    private let index: CellIndex
    private let packed: CompactRows
    private let query: JoinQuery
    private let execution: Execution
    private let links: UnsafeMutableBufferPointer<Link>
    /// The links as the search began: what must be beaten.
    private let before: [Link]
    /// What each thread found so far.
    private let found: [AlignedBuffer<Link>]
    /// What float32 products may err by, as a share of the rows' |x|^2.
    private let error: Double
    /// By cell: the component of all its rows or -1, the longest link of its rows.
    private let uniform: AlignedBuffer<Int32>
    private let longest: AlignedBuffer<Double>
    /// By cell: the core distance that a tenth of its rows are below, and the largest. A short edge is found from its end in
    /// the sparser place, which keeps the many dense rows from being searched for.
    private let dense: AlignedBuffer<Double>
    private let sparsest: AlignedBuffer<Double>

    /// The cells that a cell's rows may be compared with, and how many pairs of its rows and a cell are.
    private let nearCells: Int
    private let mostPairs: Int
    private static let width = 512
    private static let batch = 128
    private static let grain = 32

    init(_ index: CellIndex, _ query: JoinQuery, _ links: UnsafeMutableBufferPointer<Link>, _ execution: Execution) throws {
        self.index = index
        self.query = query
        self.execution = execution
        self.links = links
        packed = index.packed
        mostPairs = 2 * index.cellSize
        nearCells = max(1, index.cellSize / 16)
        before = Array(links)
        found = try (0..<execution.threads).map { _ in try AlignedBuffer(links.count, for: "links", execution) }
        error = (1.2 * Double(packed.stride) + 24) * 0x1p-24
        uniform = try AlignedBuffer(index.count, for: "cells", execution)
        longest = try AlignedBuffer(index.count, for: "cells", execution)
        dense = try AlignedBuffer(index.count, for: "cells", execution)
        sparsest = try AlignedBuffer(index.count, for: "cells", execution)
        try execution.parallel(index.count, grain: 16) { [self] chunk, _ in
            for cell in chunk {
                let places = index.places(cell)
                var component: Int32 = places.isEmpty ? 0 : query.components[places.lowerBound]
                var most = -Double.infinity
                for p in places {
                    if query.components[p] != component { component = -1 }
                    most = max(most, before[Int(query.components[p])].distance)
                }
                uniform[cell] = component
                longest[cell] = most
                let cores = places.map { query.cores[$0] }.sorted()
                dense[cell] = cores.isEmpty ? 0 : cores[cores.count / 10]
                sparsest[cell] = cores.last ?? 0
            }
        }
    }

    func run() throws {
        for own in found { own.pointer.update(from: before, count: before.count) }
        try lookAtNeighbours()
        gather()
        let grain = JoinSearch.grain
        try execution.parallel(index.count, grain: grain, stage: "spanning tree") { [self] chunk, thread in
            let room = try Room(self, found[thread], execution)
            ck_sgemm_nt(
                Int64(chunk.count), Int64(index.count), Int64(packed.stride), -2,
                index.centroids.pointer + chunk.lowerBound * packed.stride, Int64(packed.stride), index.centroids.pointer,
                Int64(packed.stride), 0, room.products.pointer, Int64(index.count))
            for cell in chunk where !index.places(cell).isEmpty {
                try execution.report()
                try look(from: cell, room.products.pointer + (cell - chunk.lowerBound) * index.count, room)
            }
        }
        gather()
    }

    /// The best of what the threads found, for the caller and for each of them.
    private func gather() {
        for component in links.indices {
            for own in found where own[component] < links[component] { links[component] = own[component] }
            for own in found { own[component] = links[component] }
        }
    }

    /// A distance in the packed rows' scale within which pairs of this mutual reachability lie.
    @inline(__always)
    private func reach(_ mutual: Double) -> Double { mutual * query.alpha * packed.scale * (1 + 1e-6) }

    // MARK: - Borders

    private func lookAtNeighbours() throws {
        let (n, k) = (index.packed.count, query.k)
        let border = try AlignedBuffer<Bool>(n, for: "borders", execution)
        try query.neighbours.withUnsafeBufferPointer { neighbours in
            try query.components.withUnsafeBufferPointer { components in
                nonisolated(unsafe) let (neighbours, components) = (neighbours, components)
                try execution.parallel(n, grain: 4096) { chunk, _ in
                    for p in chunk {
                        let own = components[p]
                        var other = false
                        for slot in p * k..<(p + 1) * k { other = other || components[Int(neighbours[slot])] != own }
                        border[p] = other
                    }
                }
                try execution.parallel(n, grain: 1024) { [self] chunk, thread in
                    // The rows looked at last, so that most repeats are seen.
                    let recent = try AlignedBuffer<Int32>(256, for: "candidates", execution)
                    for p in chunk {
                        if p & 63 == 0 { try execution.report() }
                        let own = components[p]
                        recent.pointer.update(repeating: -1, count: 256)
                        for slot in p * k..<(p + 1) * k {
                            let middle = Int(neighbours[slot])
                            guard border[middle] || components[middle] != own else { continue }
                            for second in middle * k..<(middle + 1) * k {
                                let q = neighbours[second]
                                if components[Int(q)] == own || recent[Int(q & 255)] == q { continue }
                                recent[Int(q & 255)] = q
                                consider(p, Int(q), found[thread])
                            }
                        }
                    }
                }
            }
        }
    }

    // MARK: - Gaps

    /// One thread's room.
    private final class Room {
        /// What the thread found so far.
        let links: AlignedBuffer<Link>
        let products: AlignedBuffer<Float>
        let line: AlignedBuffer<Float>
        let tile: AlignedBuffer<Float>
        let gathered: AlignedBuffer<Float>
        let hits: AlignedBuffer<UInt16>
        let nearDistances: AlignedBuffer<Double>
        let nearCells: AlignedBuffer<Int32>
        let pairDistances: AlignedBuffer<Double>
        let pairs: AlignedBuffer<Int32>

        init(_ search: JoinSearch, _ links: AlignedBuffer<Link>, _ execution: Execution) throws {
            let index = search.index
            self.links = links
            products = try AlignedBuffer(JoinSearch.grain * index.count, for: "distances of centroids", execution)
            line = try AlignedBuffer(CellIndex.lineWidth, for: "a tile", execution)
            tile = try AlignedBuffer(JoinSearch.batch * width, for: "a tile", execution)
            gathered = try AlignedBuffer(JoinSearch.batch * index.packed.stride, for: "a tile's rows", execution)
            hits = try AlignedBuffer(width, for: "a tile", execution)
            nearDistances = try AlignedBuffer(search.nearCells, for: "near cells", execution)
            nearCells = try AlignedBuffer(search.nearCells, for: "near cells", execution)
            pairDistances = try AlignedBuffer(search.mostPairs, for: "near rows", execution)
            pairs = try AlignedBuffer(search.mostPairs, for: "near rows", execution)
        }
    }

    /// Compares rows of a cell with the cells of other components that they come nearest to: the pairs of a row and a cell
    /// whose centroid is nearest to it, about two for each of the cell's rows.
    private func look(from cell: Int, _ products: UnsafePointer<Float>, _ room: Room) throws {
        let own = uniform[cell]
        let near = NearestHeap(
            distances: room.nearDistances.pointer, indices: room.nearCells.pointer, k: nearCells)
        for slot in 0..<near.k {
            near.distances[slot] = .infinity
            near.indices[slot] = .max
        }
        for other in 0..<index.count {
            if own >= 0 && uniform[other] == own || index.starts[other] == index.starts[other + 1] { continue }
            // The own cell, where it has rows of several components, comes first.
            let square = other == cell ? -Double.infinity : Double(products[other] + index.norms[other])
            _ = near.push(square, Int32(other))
        }
        near.sort()
        let pairs = NearestHeap(distances: room.pairDistances.pointer, indices: room.pairs.pointer, k: mostPairs)
        for slot in 0..<pairs.k {
            pairs.distances[slot] = .infinity
            pairs.indices[slot] = .max
        }
        let places = index.places(cell).prefix(Int(Int32.max) / nearCells)
        for slot in 0..<near.k where near.indices[slot] != .max {
            let other = Int(near.indices[slot])
            let radius = Double(index.radii[other])
            if other != cell {
                let square = Double(products[other] + index.norms[other] + index.norms[cell])
                let slack = error * Double(index.norms[other] + index.norms[cell])
                let gap = max(0, square - slack).squareRoot() - radius - Double(index.radii[cell])
                if gap > reach(max(longest[cell], longest[other])) { continue }
            }
            if sparsest[cell] < dense[other] && longest[cell] < .infinity { continue }
            index.forEachSquare(places, to: other, room.line) { p, square in
                let component = query.components[p]
                if component == uniform[other] { return }
                if query.cores[p] < dense[other] && before[Int(component)].distance < .infinity { return }
                let bound = max(before[Int(component)].distance, longest[other])
                if query.cores[p] > bound || Double(square).squareRoot() * (1 - 1e-4) - radius > reach(bound) { return }
                _ = pairs.push(Double(square), Int32(slot * places.count + p - places.lowerBound))
            }
        }
        // By cell.
        let chosen = (0..<pairs.k).map { pairs.indices[$0] }.filter { $0 != .max }.sorted()
        var next = 0
        while next < chosen.count {
            let slot = Int(chosen[next]) / places.count
            var rows: [Int32] = []
            while next < chosen.count, rows.count < JoinSearch.batch, Int(chosen[next]) / places.count == slot {
                rows.append(Int32(places.lowerBound + Int(chosen[next]) % places.count))
                next += 1
            }
            let columns = index.places(Int(near.indices[slot]))
            try rows.withUnsafeBufferPointer { rows in
                packed.gather(rows.baseAddress!, rows.count, into: room.gathered.pointer)
                for start in Swift.stride(from: columns.lowerBound, to: columns.upperBound, by: JoinSearch.width) {
                    try execution.report()
                    compare(
                        rows.baseAddress!, rows.count, start..<min(start + JoinSearch.width, columns.upperBound), room)
                }
            }
        }
    }

    private func compare(_ rows: UnsafePointer<Int32>, _ count: Int, _ columns: Range<Int>, _ room: Room) {
        let stride = packed.stride
        let width = JoinSearch.width
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
            // The longest of the links that the line may shorten.
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

    // MARK: - Offers

    /// Offers the edge of places p and q, of two components, to both.
    /// - Parameters:
    ///   - links: what the thread found so far.
    ///   - square: at most their squared distance in the packed rows' scale.
    @inline(__always)
    private func consider(_ p: Int, _ q: Int, _ links: AlignedBuffer<Link>, atLeast square: Double = 0) {
        let (first, second) = (Int(query.components[p]), Int(query.components[q]))
        let floor = max(query.cores[p], query.cores[q])
        // Judged by the links before the search, so that it does not matter what was found meanwhile.
        if floor > max(before[first].distance, before[second].distance) { return }
        let best = Link(distance: floor, from: Int32(p), to: Int32(q))
        if !(best < links[first]) && !(best < links[second]) { return }
        let bound = max(links[first].distance, links[second].distance)
        if square > 0 && square > reach(bound) * reach(bound) { return }
        let rows = packed.rows
        let reduced = rows.reduced(Int(index.order[p]), Int(index.order[q]))
        let link = Link(
            distance: max(floor, rows.metric.distance(reduced: reduced) / query.alpha), from: Int32(p), to: Int32(q))
        if link < links[first] { links[first] = link }
        if link < links[second] { links[second] = link }
    }
}
