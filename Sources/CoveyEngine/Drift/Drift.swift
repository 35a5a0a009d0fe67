import CoveyEncoder
import CoveyFiles
import CoveyHybrid
import CoveyRuntime
import CoveySequences
import CoveyTables
import Synchronization

/// Counts what an engine scores, to say whether it still looks like the rows that the engine was made of. For any
/// number of threads, which wait for each other while their counts are added.
public final class Drift: Sendable {
    public let engine: Engine
    let reference: DriftReference
    private let state: Mutex<DriftCounts>
    /// Drifts with other counts do not add up.
    private let fingerprint: UInt64

    private static let mark: [UInt8] = Array("COVEYDR1".utf8)

    /// O(rows columns) of the rows that the engine keeps, at most 50,000 of them.
    public init(_ engine: Engine, execution: Execution = Execution()) throws {
        self.engine = engine
        let reference = try DriftReference(engine.parts, execution)
        self.reference = reference
        state = Mutex(reference.counts(types: engine.parts.encoder?.configuration.vocabulary.count ?? 0))
        var hash = NameHash()
        hash.add(engine.sessionLayout?.fingerprint ?? 0)
        for count in reference.clusters { hash.add(UInt64(count)) }
        for column in reference.columns {
            for edge in column.edges { hash.add(UInt64(edge.bitPattern)) }
            for count in column.counts { hash.add(UInt64(count)) }
        }
        hash.add(UInt64(reference.categorical.count))
        fingerprint = hash.value
    }

    var counts: DriftCounts { state.withLock { $0 } }

    /// Counts transactions. Nothing is counted if this throws.
    /// - Throws: `mismatch` for inputs of other lengths, missing columns, and sequences where the engine has no
    ///   encoder; `invalidData` as the stages.
    public func add(
        _ sequences: SequenceBatch?, _ table: FeatureTable?, _ scores: [Score]?, execution: Execution = Execution()
    ) throws {
        let count = try Drift.count(sequences?.count, table?.rows, scores?.count)
        let types = engine.parts.encoder?.configuration.vocabulary.count ?? 0
        try execution.hold(types, of: MemoryLayout<Int>.stride, for: "the counts of event types")
        var added = reference.counts(types: types)
        added.transactions = count
        if let sequences {
            guard let encoder = engine.parts.encoder else {
                throw CoveyError.mismatch("sequences must be NULL: the engine has no encoder")
            }
            try sequences.validate(execution)
            try added.add(sequences, vocabulary: encoder.configuration.vocabulary.count, execution)
        }
        if let table, count > 0, !engine.parts.hybrid.featureColumns.isEmpty {
            try added.add(table, reference, execution)
            try added.add(featureRows(table, execution), reference, execution)
        }
        let scores = scores ?? []
        try execution.forEach(scores.indices) { added.add(scores[$0]) }
        try execution.hold(added.size, of: 3 * MemoryLayout<Int>.stride, for: "the counts of a drift")
        let numbers = added.numbers
        state.withLock { $0.add(numbers) }
    }

    private static func count(_ sequences: Int?, _ rows: Int?, _ scores: Int?) throws -> Int {
        guard let count = sequences ?? rows ?? scores else {
            throw CoveyError.invalidArgument("sequences, features and scores must not all be NULL")
        }
        if let rows, rows != count {
            throw CoveyError.mismatch("sequences are \(count), features have \(rows) rows")
        }
        if let scores, scores != count {
            throw CoveyError.mismatch("scores are \(scores), the transactions are \(count)")
        }
        return count
    }

    /// Hybrid rows whose features count alone: embedding the sequences again would cost what scoring does.
    private func featureRows(_ table: FeatureTable, _ execution: Execution) throws -> Matrix<Float> {
        guard let columns = engine.parts.hybrid.embeddingColumns else {
            return try engine.parts.hybrid.transform(nil, table, execution: execution)
        }
        try execution.reserve(checkedProduct(table.rows, columns, "features"), of: 4, for: "features")
        let none = Matrix<Float>(rows: table.rows, columns: columns, repeating: 0)
        return try none.withView { try engine.parts.hybrid.transform($0, table, execution: execution) }
    }

    /// Adds what another one counted of the same engine, as on another thread or machine.
    public func merge(_ other: Drift, execution: Execution = Execution()) throws {
        guard other.fingerprint == fingerprint else {
            throw CoveyError.mismatch("other: it counts for another engine")
        }
        let numbers = try other.numbers(execution)
        state.withLock { $0.add(numbers) }
    }

    private func numbers(_ execution: Execution) throws -> [Int] {
        let counts = counts
        // The numbers, and the array that they are appended to.
        try execution.hold(counts.size, of: 3 * MemoryLayout<Int>.stride, for: "the counts of a drift")
        try execution.report()
        return counts.numbers
    }

    /// The counts, for another process.
    public func bytes(_ execution: Execution = Execution()) throws -> OwnedBytes {
        let numbers = try numbers(execution)
        let result = try OwnedBytes(8 * (numbers.count + 2), for: "the counts of a drift", execution)
        result.bytes.copyBytes(from: Drift.mark)
        func put(_ value: UInt64, at index: Int) {
            result.bytes.storeBytes(of: value.littleEndian, toByteOffset: 8 * index, as: UInt64.self)
        }
        put(fingerprint, at: 1)
        try execution.forEach(numbers.indices) { put(UInt64(numbers[$0]), at: $0 + 2) }
        return result
    }

    /// Reads what `bytes` gave.
    public convenience init(_ engine: Engine, bytes: UnsafeRawBufferPointer, execution: Execution = Execution()) throws
    {
        try self.init(engine, execution: execution)
        guard bytes.count >= 16, Array(bytes.prefix(8)) == Drift.mark else {
            throw CoveyError.corruptFile("bytes: they are not those of a drift")
        }
        func word(_ index: Int) -> UInt64 {
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
        }
        guard word(1) == fingerprint else { throw CoveyError.mismatch("bytes: they count for another engine") }
        let expected = counts.size
        guard bytes.count == 8 * (expected + 2) else {
            throw CoveyError.corruptFile("bytes must be \(8 * (expected + 2)), got \(bytes.count)")
        }
        try execution.hold(expected, of: MemoryLayout<Int>.stride, for: "the counts of a drift")
        var numbers: [Int] = []
        numbers.reserveCapacity(expected)
        try execution.forEach(0..<expected) { index in
            let number = word(index + 2)
            guard number <= UInt64(Int.max) else {
                throw CoveyError.corruptFile("bytes: the count \(index) is \(number)")
            }
            numbers.append(Int(number))
        }
        state.withLock { $0.add(numbers) }
    }
}
