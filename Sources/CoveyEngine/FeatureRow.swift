import CoveyRuntime
import CoveySequences
import CoveyTables

/// The features of one transaction after another, in memory that is kept: columns are named by their index, which a
/// caller looks up once. For one thread at a time.
final class FeatureRow {
    /// How the value of a column is kept: numbers and dates as they are, booleans as 0 or 1, categories by number.
    private struct Column {
        let feature: EngineFeature
        let value: UnsafeMutableRawPointer
        /// Of categories: entry 0 stands for all that the engine does not know.
        let categories: Vocabulary?
        /// The number of the category "", which a vocabulary does not take.
        let empty: Int32
    }

    /// One row; it reads this object's memory.
    let table: FeatureTable
    private let columns: [Column]
    private let memory: Memory
    private static let stride = 8

    /// An object of its own, so that it is freed if the row cannot be made.
    private final class Memory {
        let start: UnsafeMutableRawPointer

        init(_ bytes: Int) { start = .allocate(byteCount: bytes, alignment: 16) }
        deinit { start.deallocate() }
    }

    init(_ features: [EngineFeature], categories: [ExactName: [String]], _ execution: Execution) throws {
        memory = Memory(max(1, features.count) * FeatureRow.stride)
        var columns: [Column] = []
        var values: [FeatureColumn] = []
        for (index, feature) in features.enumerated() {
            let value = memory.start + index * FeatureRow.stride
            let known = feature.kind == .categorical ? categories[ExactName(feature.name)] ?? [] : []
            let vocabulary = try Vocabulary(known.filter { !$0.isEmpty }, execution)
            let hasEmpty = known.contains(where: \.isEmpty)
            columns.append(
                Column(
                    feature: feature, value: value, categories: feature.kind == .categorical ? vocabulary : nil,
                    empty: hasEmpty ? Int32(vocabulary.count) : 0))
            let names = [FeatureRow.unknown(vocabulary)] + vocabulary.names + (hasEmpty ? [""] : [])
            values.append(FeatureColumn(name: feature.name, values: FeatureRow.values(feature.kind, value, names)))
        }
        table = try FeatureTable(rows: 1, columns: values)
        self.columns = columns
        clear()
    }

    private static func values(
        _ kind: FeatureColumn.Kind, _ value: UnsafeRawPointer, _ names: [String]
    ) -> FeatureColumn.Values {
        switch kind {
        case .numeric: .numeric(Strided(borrowing: value, count: 1))
        case .date: .date(Strided(borrowing: value, count: 1))
        case .boolean: .boolean(Strided(borrowing: value, count: 1))
        case .categorical: .categorical(Strided(borrowing: value, count: 1), categories: names)
        }
    }

    /// A name that is none of those known.
    private static func unknown(_ known: Vocabulary) -> String {
        var name = "other"
        while known.index(of: name) != 0 { name += "_" }
        return name
    }

    /// All values are missing.
    func clear() {
        for column in columns { clear(column) }
    }

    private func clear(_ column: Column) {
        switch column.feature.kind {
        case .numeric, .date: column.value.storeBytes(of: .nan, as: Double.self)
        case .boolean: column.value.storeBytes(of: -1, as: Int8.self)
        case .categorical: column.value.storeBytes(of: -1, as: Int32.self)
        }
    }

    private func column(_ index: Int) throws -> Column {
        guard columns.indices.contains(index) else {
            throw CoveyError.invalidArgument(
                columns.isEmpty
                    ? "feature must not be set, because the engine has no features, got \(index)"
                    : "feature must be 0 to \(columns.count - 1), got \(index)")
        }
        return columns[index]
    }

    /// Sets a number, a date in seconds, or a boolean as 0 or 1; NaN = missing.
    /// - Throws: `mismatch` for a categorical feature, `invalidData` for a value that cannot be.
    func set(_ index: Int, number: Double) throws {
        let column = try column(index)
        let name = column.feature.name
        switch column.feature.kind {
        case .categorical: throw CoveyError.mismatch("feature \(quoted: name) is categorical, got the number \(number)")
        case .numeric:
            guard !number.isInfinite else {
                throw CoveyError.invalidData("feature \(quoted: name) must not be infinite, got \(number)")
            }
            column.value.storeBytes(of: number, as: Double.self)
        case .date:
            guard number.isNaN || FeatureColumn.dates.contains(number) else {
                throw CoveyError.invalidData(
                    "feature \(quoted: name) must lie within 8.64e12 seconds of 1970, got \(number)")
            }
            column.value.storeBytes(of: number, as: Double.self)
        case .boolean:
            guard number.isNaN || number == 0 || number == 1 else {
                throw CoveyError.invalidData("feature \(quoted: name) must be 0, 1 or NaN, got \(number)")
            }
            column.value.storeBytes(of: number.isNaN ? -1 : Int8(number), as: Int8.self)
        }
    }

    /// Sets a category by its UTF-8 bytes; nil = missing. One that the engine does not know is no error.
    /// - Throws: `mismatch` for a feature that is not categorical, `invalidArgument` for bytes that are not UTF-8.
    func set(_ index: Int, category: UnsafeBufferPointer<UInt8>?) throws {
        let column = try column(index)
        guard let categories = column.categories else {
            throw CoveyError.mismatch("feature \(quoted: column.feature.name) is not categorical, got a category")
        }
        guard let category else { return clear(column) }
        let known = category.isEmpty ? column.empty : Int32(categories.index(of: category))
        if known == 0, !category.isEmpty, !FeatureRow.isUTF8(category) {
            throw CoveyError.invalidArgument("category must be valid UTF-8")
        }
        column.value.storeBytes(of: known, as: Int32.self)
    }

    private static func isUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        // A string of the bytes would be allocated.
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        while true {
            switch decoder.decode(&iterator) {
            case .scalarValue: continue
            case .emptyInput: return true
            case .error: return false
            }
        }
    }
}
