import CCoveyKernels
import CoveyRuntime

/// The best near rows found for each row, by places of a `CellIndex`, with squared distances in float32, ascending.
/// Empty entries hold (infinity, -1).
final class NearLists: @unchecked Sendable {
    let index: CellIndex
    /// The length of a list.
    let length: Int
    let distances: AlignedBuffer<Float>
    let indices: AlignedBuffer<Int32>

    var count: Int { index.packed.count }

    /// Cells that k-means could not split, for example of equal rows, are cut into segments of at most this many rows.
    /// A row is compared with one segment of a cell.
    private let segmentSize: Int
    private let sizes: SearchSizes
    /// The number of nearest cells whose rows a row is compared with.
    static let scanned = 4

    init(_ index: CellIndex, length: Int, execution: Execution) throws {
        self.index = index
        self.length = length
        sizes = index.sizes
        segmentSize = sizes.segment
        let size = try checkedProduct(index.packed.count, length, "near rows")
        distances = try AlignedBuffer(size, repeating: .infinity, for: "near rows", execution)
        indices = try AlignedBuffer(size, repeating: -1, for: "near rows", execution)
    }

    /// The number of probed cells whose rows a row is compared with: more than usual if these cells hold few rows.
    @inline(__always)
    func scannedProbes(_ place: Int) -> Int {
        var probes = 0
        var rows = 0
        while probes < index.probeCount {
            let cell = Int(index.probes[place * index.probeCount + probes])
            rows += index.starts[cell + 1] - index.starts[cell]
            probes += 1
            if probes >= NearLists.scanned && rows > 4 * length { break }
        }
        return probes
    }

    /// Whether every row that probes the cell is compared with all of its rows.
    @inline(__always)
    func isWhole(_ cell: Int) -> Bool { index.starts[cell + 1] - index.starts[cell] <= segmentSize }

    /// Compares each row with the rows of its nearest cells. Its own cell comes first, after which few rows of the
    /// others are near enough. Rows are taken by cell, so that the comparisons are matrix products.
    func scan(execution: Execution) throws {
        var segments = [0]
        for cell in 0..<index.count {
            segments.append(segments[cell] + max(1, (index.places(cell).count - 1) / segmentSize + 1))
        }
        let segmentStarts = segments
        try execution.parallel(count, grain: 8192, stage: "neighbours") { [self] chunk, _ in
            let packed = index.packed
            let stride = packed.stride
            let side = sizes.tileRows
            let gathered = try AlignedBuffer<Float>(side * stride, for: "a tile's rows", execution)
            let tile = try AlignedBuffer<Float>(side * sizes.tileColumns, for: "a tile", execution)
            var start = chunk.lowerBound
            while start < chunk.upperBound {
                let cell = index.places(Int(index.probes[start * index.probeCount]))
                let first = cell.lowerBound + (start - cell.lowerBound) / segmentSize * segmentSize
                let segment = first..<min(cell.upperBound, first + segmentSize)
                let end = min(start + side, chunk.upperBound, segment.upperBound)
                let places = (start..<end).map { Int32($0) }
                try places.withUnsafeBufferPointer { places in
                    packed.gather(places.baseAddress!, places.count, into: gathered.pointer)
                    try compare(places.baseAddress!, places.count, gathered, segment, tile, execution)
                }
                start = end
            }
            // The chunk's rows, grouped by the segments of other cells that they are compared with.
            var sizes = [Int32](repeating: 0, count: segmentStarts[index.count] + 1)
            func forEachSegment(_ body: (_ segment: Int, _ place: Int32) -> Void) {
                for p in chunk {
                    for probe in 1..<max(1, scannedProbes(p)) {
                        let cell = Int(index.probes[p * index.probeCount + probe])
                        // Its own cell is repeated if the near groups have fewer cells than the row probes.
                        if cell == Int(index.probes[p * index.probeCount]) { continue }
                        let parts = segmentStarts[cell + 1] - segmentStarts[cell]
                        body(segmentStarts[cell] + (parts == 1 ? 0 : p % parts), Int32(p))
                    }
                }
            }
            forEachSegment { segment, _ in sizes[segment + 1] += 1 }
            for segment in 1..<sizes.count { sizes[segment] += sizes[segment - 1] }
            var next = sizes
            var members = [Int32](repeating: 0, count: Int(sizes[sizes.count - 1]))
            forEachSegment { segment, place in
                members[Int(next[segment])] = place
                next[segment] += 1
            }
            try members.withUnsafeBufferPointer { members in
                for cell in 0..<index.count {
                    for segment in segmentStarts[cell]..<segmentStarts[cell + 1] {
                        let own = Int(sizes[segment])..<Int(sizes[segment + 1])
                        guard !own.isEmpty else { continue }
                        let part = segment - segmentStarts[cell]
                        let first = index.starts[cell] + part * segmentSize
                        let last = min(index.starts[cell + 1], first + segmentSize)
                        for start in Swift.stride(from: own.lowerBound, to: own.upperBound, by: side) {
                            let lines = min(side, own.upperBound - start)
                            let places = members.baseAddress! + start
                            packed.gather(places, lines, into: gathered.pointer)
                            try compare(places, lines, gathered, first..<last, tile, execution)
                        }
                    }
                }
            }
        }
    }

    private func compare(
        _ places: UnsafePointer<Int32>, _ lines: Int, _ gathered: AlignedBuffer<Float>, _ columns: Range<Int>,
        _ tile: AlignedBuffer<Float>, _ execution: Execution
    ) throws {
        let packed = index.packed
        let stride = packed.stride
        let width = sizes.tileColumns
        for start in Swift.stride(from: columns.lowerBound, to: columns.upperBound, by: width) {
            try execution.report()
            let count = min(width, columns.upperBound - start)
            SearchWork.add(lines * count)
            ck_sgemm_nt(
                Int64(lines), Int64(count), Int64(stride), -2, gathered.pointer, Int64(stride),
                packed.numbers.pointer + start * stride, Int64(stride), 0, tile.pointer, Int64(width))
            for line in 0..<lines {
                let p = Int(places[line])
                ck_list_scan(
                    tile.pointer + line * width, packed.norms.pointer + start, Int64(count), Int32(start), Int32(p),
                    packed.norms[p], Int64(length), distances.pointer + p * length, indices.pointer + p * length)
            }
        }
    }

    /// Takes the lists of an index of FAISS, which number rows in their own order. Their distances are not known.
    func take(_ found: AlignedBuffer<Int32>, execution: Execution) throws {
        let (index, indices, length) = (index, indices, length)
        let places = try AlignedBuffer<Int32>(count, for: "the order of rows", execution)
        try execution.parallel(count, grain: 65_536) { chunk, _ in
            for p in chunk { places[Int(index.order[p])] = Int32(p) }
        }
        try execution.parallel(count, grain: max(1, 65_536 / length)) { chunk, _ in
            for p in chunk {
                let list = found.pointer + Int(index.order[p]) * length
                for slot in 0..<length {
                    indices[p * length + slot] = list[slot] < 0 ? -1 : places[Int(list[slot])]
                }
            }
        }
    }

    /// Compares the rows whose lists are not full with all others. These rows are far from every cell that has enough
    /// rows.
    func fill(execution: Execution) throws {
        var lacking: [Int32] = []
        for p in 0..<count {
            if p & 0xFFFFF == 0 { try execution.report() }
            if indices[(p + 1) * length - 1] < 0 { lacking.append(Int32(p)) }
        }
        guard !lacking.isEmpty else { return }
        let side = sizes.tileRows
        for (place, p) in lacking.enumerated() {
            if place & 0xFFFF == 0 { try execution.report() }
            (distances.pointer + Int(p) * length).update(repeating: .infinity, count: length)
            (indices.pointer + Int(p) * length).update(repeating: -1, count: length)
        }
        let short = lacking
        try execution.parallel(short.count, grain: side) { [self] chunk, _ in
            let gathered = try AlignedBuffer<Float>(side * index.packed.stride, for: "a tile's rows", execution)
            let tile = try AlignedBuffer<Float>(side * sizes.tileColumns, for: "a tile", execution)
            try short.withUnsafeBufferPointer { short in
                let places = short.baseAddress! + chunk.lowerBound
                index.packed.gather(places, chunk.count, into: gathered.pointer)
                try compare(places, chunk.count, gathered, 0..<count, tile, execution)
            }
        }
    }

    /// Orders the lists by the float64 distance of the caller's numbers, ties by place.
    func graph(execution: Execution) throws -> NeighborGraph {
        let k = length
        let size = try checkedProduct(count, k, "neighbours")
        try execution.hold(size, of: 12, for: "\(count) x \(k) neighbours")
        var graph = NeighborGraph(
            count: count, k: k, indices: try execution.array(size) { _ in Int32.max },
            distances: try execution.array(size) { _ in Double.infinity })
        let rows = index.packed.rows
        try graph.distances.withUnsafeMutableBufferPointer { distances in
            try graph.indices.withUnsafeMutableBufferPointer { indices in
                nonisolated(unsafe) let (distances, found) = (distances.baseAddress!, indices.baseAddress!)
                try execution.parallel(count, grain: 1024, stage: "neighbours") { [self] chunk, _ in
                    for p in chunk {
                        let heap = NearestHeap(distances: distances + p * k, indices: found + p * k, k: k)
                        let row = Int(index.order[p])
                        for slot in p * length..<(p + 1) * length where self.indices[slot] >= 0 {
                            let other = self.indices[slot]
                            _ = heap.push(rows.reduced(row, Int(index.order[Int(other)])), other)
                        }
                        heap.sort()
                        for slot in p * k..<(p + 1) * k {
                            distances[slot] = rows.metric.distance(reduced: distances[slot])
                        }
                    }
                }
            }
        }
        return graph
    }
}
