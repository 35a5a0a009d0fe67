import CFaissShim
import CoveyRuntime

/// Near rows by an index of FAISS that the caller names. FAISS runs on the threads of the call alone: it is trained and
/// filled on the calling thread, and searched on all. The result is the same for any number of threads.
///
/// Memory: what `IndexSize` says, which the budget must hold before the index is made.
public final class NamedIndex: @unchecked Sendable {
    private let name: IndexName
    private let parameters: IndexParameters
    private let index: OpaquePointer
    private let frame: CompactFrame
    private let rows: Rows
    private let memory: MemoryUse
    private let held: Int

    /// Rows that are added at a time, and the scratch bytes of a search that a thread makes at a time.
    private static let addedRows = 16_384
    private static let scratch = 1 << 24

    /// Throws `invalidArgument` for a name or parameters that cannot be, whatever the rows are.
    public static func validate(_ name: String, _ parameters: String?) throws {
        _ = try (IndexName(name), IndexParameters(parameters))
    }

    /// - Parameters:
    ///   - name: see `IndexName`.
    ///   - parameters: see `IndexParameters`.
    ///   - rows: with the euclidean metric.
    ///   - seed: of the sample that trains the index.
    ///
    /// Throws `invalidArgument` for an index that these rows cannot have, `outOfMemory`, `cancelled`.
    public init(_ name: String, _ parameters: String?, _ rows: Rows, seed: UInt64, execution: Execution) throws {
        let (given, parameters) = (try IndexName(name), try IndexParameters(parameters))
        let size = try IndexSize(given, rows: rows.count, columns: rows.dimension)
        let (n, d) = (rows.count, rows.dimension)
        let bytes = try checkedProduct(n, size.bytesPerRow, "the index").addingReportingOverflow(size.fixed)
        guard !bytes.overflow else { throw CoveyError.outOfMemory("the index \(name) overflows") }
        held = bytes.partialValue
        memory = execution.memory
        try execution.hold(held, for: "the index \(name)")
        do {
            frame = try CompactFrame(rows, execution: execution)
            index = try NamedIndex.call(given, execution) { fs_index_make(Int64(d), name, &$0, &$1) }
        } catch {
            memory.release(held)
            throw error
        }
        (self.name, self.parameters, self.rows) = (given, parameters, rows)
        for parameter in parameters.all {
            try call(execution) { fs_index_set(index, parameter.name, parameter.value, &$0) }
        }
        try train(size.wantedTraining, seed, execution)
        try call(execution) { fs_index_reserve(index, Int64(n), &$0) }
        try add(execution)
    }

    deinit {
        fs_index_free(index)
        memory.release(held)
    }

    private func train(_ count: Int, _ seed: UInt64, _ execution: Execution) throws {
        let d = rows.dimension
        try execution.report("index", 0)
        var random = SeededRandom(seed: seed)
        var sample = random.sample(count, of: rows.count)
        sample.shuffle(using: &random)
        let points = try AlignedBuffer<Float>(
            checkedProduct(count, d, "the sample of the index"), for: "the sample of the index", execution)
        let row = try AlignedBuffer<Double>(d, for: "a row", execution)
        for (place, i) in sample.enumerated() {
            if place & 1023 == 0 { try execution.report() }
            frame.write(i, to: points.pointer + place * d, row.pointer)
        }
        // FAISS copies the sample when it transforms it and when it takes differences from centroids.
        let copies = try checkedProduct(3 * count, 4 * d, "the sample of the index") + NamedIndex.spare(largest)
        try execution.hold(copies, for: "the sample of the index")
        defer { execution.memory.release(copies) }
        try call(execution, largest) { fs_index_train(index, Int64(count), points.pointer, &$0) }
    }

    private func add(_ execution: Execution) throws {
        let (n, d) = (rows.count, rows.dimension)
        // A graph takes time for each row that it holds whenever rows are added.
        let step = name.links > 0 ? max(NamedIndex.addedRows, n / 64) : NamedIndex.addedRows
        let block = try AlignedBuffer<Float>(min(n, step) * d, for: "rows of the index", execution)
        let (frame, grain) = (frame, CompactFrame.grain(d))
        let spare = NamedIndex.spare(largest)
        try execution.hold(spare, for: "the index \(name.text)")
        defer { execution.memory.release(spare) }
        for start in Swift.stride(from: 0, to: n, by: step) {
            try execution.report("index", Double(start) / Double(n))
            let count = min(step, n - start)
            try execution.quietly {
                try execution.parallel(count, grain: grain) { chunk, _ in
                    let row = try AlignedBuffer<Double>(d, for: "a row", execution)
                    for i in chunk { frame.write(start + i, to: block.pointer + i * d, row.pointer) }
                }
            }
            try call(execution, largest) { fs_index_add(index, Int64(count), block.pointer, &$0) }
        }
    }

    /// Searches for each of `count` queries.
    /// - Parameters:
    ///   - k: at least 1; the rows are taken if there are fewer.
    ///   - read: writes the d numbers of a query.
    ///   - body: gets the numbers of the rows that were found, nearest first by the index; -1 at the end if it found
    ///     fewer. Both are called from several threads.
    func search(
        _ count: Int, _ k: Int, execution: Execution, read: (Int, UnsafeMutablePointer<Double>) -> Void,
        body: (Int, UnsafeBufferPointer<Int64>) throws -> Void
    ) throws {
        let (d, k) = (rows.dimension, min(k, rows.count))
        let probes = min(max(1, name.lists), parameters.value("nprobe") ?? 1)
        let refined = min(rows.count, max(k, 2048) * max(parameters.value("k_factor_rf") ?? 1, 1))
        let bytes = 16 * probes + 8 * d + 24 * (k + refined)
        let grain = max(1, min(1024, NamedIndex.scratch / bytes))
        // A graph marks rows that it has seen.
        let once =
            16 * (parameters.value("efSearch") ?? 16) + 16 * (parameters.value("quantizer_efSearch") ?? 16)
            + (name.links > 0 ? rows.count : 0) + (name.listLinks > 0 ? name.lists : 0)
        let largest = max(largest, once, 16 * (k + refined))
        let scratch = execution.threads * (grain * bytes + once + NamedIndex.spare(largest))
        try execution.hold(scratch, for: "a search by the index \(name.text)")
        defer { execution.memory.release(scratch) }
        if let factor = parameters.value("k_factor_rf") {
            // FAISS would make room for k times the factor, however few rows there are.
            let most = Double(rows.count) / Double(k)
            try call(execution) { fs_index_set(index, "k_factor_rf", max(1, min(Double(factor), most)), &$0) }
        }
        try execution.parallel(count, grain: grain, stage: "neighbours") { chunk, _ in
            let row = try AlignedBuffer<Double>(d, for: "a row", execution)
            let queries = try AlignedBuffer<Float>(chunk.count * d, for: "queries", execution)
            let distances = try AlignedBuffer<Float>(chunk.count * k, for: "near rows", execution)
            let found = try AlignedBuffer<Int64>(chunk.count * k, for: "near rows", execution)
            for (line, query) in chunk.enumerated() {
                read(query, row.pointer)
                _ = frame.write(row.pointer, to: queries.pointer + line * d)
            }
            try call(execution, largest) {
                fs_index_search(
                    index, Int64(chunk.count), queries.pointer, Int64(k), distances.pointer, found.pointer, &$0)
            }
            for (line, query) in chunk.enumerated() {
                try body(query, UnsafeBufferPointer(start: found.pointer + line * k, count: k))
            }
        }
    }

    /// The k near rows of each row itself, count x k: -1 at the end if the index found fewer.
    public func lists(_ k: Int, execution: Execution) throws -> AlignedBuffer<Int32> {
        let lists = try AlignedBuffer<Int32>(
            checkedProduct(rows.count, k, "near rows"), repeating: -1, for: "near rows", execution)
        let rows = rows
        try search(rows.count, k + 1, execution: execution, read: { rows.copy($0, to: $1) }) { row, found in
            var slot = row * k
            for other in found where other >= 0 && other != row && slot < (row + 1) * k {
                lists[slot] = Int32(other)
                slot += 1
            }
        }
        return lists
    }

    // MARK: - Calls of FAISS

    /// The bytes of the largest block that FAISS allocates in a parallel region: marks of the rows that a graph saw, a
    /// query's table of distances to centroids.
    private var largest: Int {
        var tables = 0
        if case .product(let parts, let bits) = name.code { tables = 8 * parts << bits }
        return max(1 << 14, rows.count + 64, tables)
    }

    /// What a call allocates before it begins, so that FAISS need not refuse memory.
    private static func spare(_ largest: Int) -> Int { 2 * largest + Int(FS_SPARE) }

    private func call(_ execution: Execution, _ largest: Int = 0, _ body: (inout fs_call) -> Int32) throws {
        try NamedIndex.check(name, execution, largest, body)
    }

    private static func call(
        _ name: IndexName, _ execution: Execution, _ body: (inout fs_call, inout OpaquePointer?) -> Int32
    ) throws -> OpaquePointer {
        var index: OpaquePointer?
        try check(name, execution, 0) { body(&$0, &index) }
        guard let index else { throw CoveyError.internalError("FAISS made no index") }
        return index
    }

    private static func check(
        _ name: IndexName, _ execution: Execution, _ largest: Int, _ body: (inout fs_call) -> Int32
    ) throws {
        try execution.withStop { stop, state in
            var call = fs_call()
            call.stop = stop
            call.state = state
            call.largest = Int64(largest)
            switch body(&call) {
            case FS_OK: return
            case FS_OUT_OF_MEMORY: throw CoveyError.outOfMemory("the index \(name.text): no memory is left")
            default:
                try execution.check()
                let message = withUnsafeBytes(of: &call.message) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                throw CoveyError.invalidArgument("index \(name.text): \(message)")
            }
        }
    }
}
