import CCovey
import CoveyRuntime
import CoveyTables

// Section 4 of covey.h: matrices and tables, checked before a stage sees them.

/// A count of the header: at least 0, within `range`, as Int.
func count(_ value: Int64, _ name: @autoclosure () -> String, in range: ClosedRange<Int64>) throws -> Int {
    try require(range.contains(value), "\(name()) must be \(range.lowerBound) to \(range.upperBound), got \(value)")
    return Int(value)
}

/// A stride in bytes: 0 = contiguous, otherwise at least the size of a value and a multiple of it.
func stride(_ value: Int64, _ name: @autoclosure () -> String, of size: Int, atLeast width: Int) throws -> Int {
    if value == 0 { return width }
    try require(
        value >= Int64(width) && value % Int64(size) == 0,
        "\(name()) must be 0 or a multiple of \(size) of at least \(width), got \(value)")
    return Int(value)
}

/// The most rows of any input: 2^48, so that no product with a row of numbers overflows unseen.
let largestRows: Int64 = 1 << 48
let largestColumns: Int64 = 65_536

/// A column of `count` values that the caller lends; an empty one may be NULL.
func strided<Element: BitwiseCopyable>(
    _ pointer: UnsafeRawPointer?, _ name: @autoclosure () -> String, count: Int, stride value: Int64 = 0,
    as type: Element.Type = Element.self
) throws -> Strided<Element> {
    let size = MemoryLayout<Element>.size
    let step = try stride(value, "\(name()) stride", of: size, atLeast: size)
    if count == 0 { return Strided([]) }
    _ = try checkedProduct(count, step, name())
    return Strided(borrowing: try required(pointer, name()), count: count, stride: step)
}

/// A matrix that the caller lends.
func matrixView(_ pointer: UnsafePointer<covey_matrix>?, _ name: String) throws -> MatrixView {
    let matrix = try Versioned.read(try required(pointer, name), name, defaults: covey_matrix())
    let rows = try count(matrix.rows, "\(name).rows", in: 0...largestRows)
    let columns = try count(matrix.columns, "\(name).columns", in: 1...largestColumns)
    try require(
        matrix.type == COVEY_FLOAT32 || matrix.type == COVEY_FLOAT64,
        "\(name).type must be COVEY_FLOAT32 or COVEY_FLOAT64, got \(matrix.type)")
    try require(matrix.reserved == 0, "\(name).reserved must be 0, got \(matrix.reserved)")
    let scalar: MatrixView.Scalar = matrix.type == COVEY_FLOAT32 ? .float32 : .float64
    let step = try stride(
        matrix.row_stride, "\(name).row_stride", of: scalar.size, atLeast: columns * scalar.size)
    _ = try checkedProduct(rows, step, name)
    // No rows, no memory: any address will do, and none is read.
    let base = rows == 0 ? matrix.data ?? UnsafeRawPointer(pointer!) : try required(matrix.data, "\(name).data")
    return MatrixView(base: base, rows: rows, columns: columns, rowStride: step, scalar: scalar)
}

/// A table that the caller lends: its structure is checked here, its values by `FeatureColumn.validate`.
func featureTable(
    _ pointer: UnsafePointer<covey_table>?, _ name: String, _ execution: Execution
) throws -> FeatureTable {
    let table = try Versioned.read(try required(pointer, name), name, defaults: covey_table())
    let rows = try count(table.rows, "\(name).rows", in: 0...largestRows)
    let columns = try count(table.column_count, "\(name).column_count", in: 0...largestColumns)
    let size = MemoryLayout<covey_column>.size
    try require(
        table.column_size >= size && table.column_size <= 4096 && table.column_size % 8 == 0,
        "\(name).column_size must be \(size) to 4096 and a multiple of 8, got \(table.column_size)")
    if columns == 0 { return try FeatureTable(rows: rows, columns: []) }
    let base = UnsafeRawPointer(try required(table.columns, "\(name).columns"))
    return try FeatureTable(
        rows: rows,
        columns: (0..<columns).map { index in
            let column = base.load(fromByteOffset: index * Int(table.column_size), as: covey_column.self)
            return try featureColumn(column, ColumnField(table: name, index: index), rows: rows, execution)
        })
}

/// What messages call a column; put together if there is one.
private struct ColumnField: CustomStringConvertible {
    let table: String
    let index: Int

    var description: String { "\(table).columns[\(index)]" }
}

private func featureColumn(
    _ column: covey_column, _ field: ColumnField, rows: Int, _ execution: Execution
) throws -> FeatureColumn {
    let name = try string(column.name, "\(field).name")
    try require(column.reserved == 0, "\(field).reserved must be 0, got \(column.reserved)")
    func values<Element: BitwiseCopyable>(as type: Element.Type) throws -> Strided<Element> {
        try strided(column.values, "\(field).values", count: rows, stride: column.stride)
    }
    guard let kind = FeatureColumn.Kind(rawValue: column.kind) else {
        throw CoveyError.invalidArgument("\(field).kind must be a COVEY_ column kind, got \(column.kind)")
    }
    switch kind {
    case .numeric: return FeatureColumn(name: name, values: .numeric(try values(as: Double.self)))
    case .boolean: return FeatureColumn(name: name, values: .boolean(try values(as: Int8.self)))
    case .date: return FeatureColumn(name: name, values: .date(try values(as: Double.self)))
    case .categorical:
        let codes = try values(as: Int32.self)
        var names = try Categories(column, field, execution)
        if names.count <= max(rows, Categories.few) {
            return FeatureColumn(name: name, values: .categorical(codes, categories: try names.all()))
        }
        let (found, own) = try names.occurring(in: codes)
        return FeatureColumn(name: name, values: .categorical(own, categories: found))
    }
}

/// A column's categories. There may be far more of them than rows; then only those that occur are looked at.
private struct Categories {
    let count: Int
    private let pointers: UnsafePointer<UnsafePointer<CChar>?>?
    private let field: ColumnField
    private let execution: Execution
    private var seen = Set<ExactName>()
    /// The same for a few names, which are compared faster than hashed.
    private var seenFew: [String] = []

    static let few = 256

    init(_ column: covey_column, _ field: ColumnField, _ execution: Execution) throws {
        count = try CoveyABI.count(column.category_count, "\(field).category_count", in: 0...Int64(Int32.max))
        pointers = count == 0 ? nil : try required(column.categories, "\(field).categories")
        self.field = field
        self.execution = execution
    }

    private mutating func name(_ index: Int) throws -> String {
        let category = try string(pointers?[index], "\(field).categories[\(index)]")
        guard isNew(category) else {
            throw CoveyError.invalidData("\(field).categories: \(quoted: category) occurs twice")
        }
        return category
    }

    private mutating func isNew(_ category: String) -> Bool {
        guard count <= FeatureTable.few else { return seen.insert(ExactName(category)).inserted }
        if seenFew.contains(where: { ExactName($0) == ExactName(category) }) { return false }
        seenFew.append(category)
        return true
    }

    mutating func all() throws -> [String] {
        var bytes = HashTableSize.bytes(count > FeatureTable.few ? count : 0, of: MemoryLayout<ExactName>.stride)
        try execution.hold(count, of: 2 * MemoryLayout<String>.stride, for: "\(field).categories")
        try execution.hold(bytes, for: "\(field).categories")
        if count > FeatureTable.few { seen.reserveCapacity(count) } else { seenFew.reserveCapacity(count) }
        // A name that is longer than a string's own 15 bytes takes a block of its own.
        bytes = 0
        return try (0..<count).map { index in
            let name = try name(index)
            bytes += name.utf8.count > 15 ? 48 + name.utf8.count : 0
            if index & 0xFFF == 0xFFF || index == count - 1 {
                try execution.report()
                try execution.hold(bytes, for: "\(field).categories")
                bytes = 0
            }
            return name
        }
    }

    /// The names of the codes that occur, in the order of the rows, and the column in their numbers. Codes that cannot
    /// be stay what they are: they are for the stage to refuse.
    mutating func occurring(in codes: Strided<Int32>) throws -> (names: [String], codes: Strided<Int32>) {
        try execution.hold(codes.count, of: 4, for: "\(field).values")
        var names: [String] = []
        var numbers: [Int32: Int32] = [:]
        let own = try Strided<Int32>(count: codes.count) { own in
            for row in 0..<codes.count {
                if row & 0xFFF == 0 {
                    try execution.check()
                    try execution.reserve(names.count, of: 128, for: "\(field).categories")
                }
                let code = codes[row]
                guard code >= 0, Int(code) < count else {
                    own[row] = code
                    continue
                }
                if let number = numbers[code] {
                    own[row] = number
                } else {
                    own[row] = Int32(names.count)
                    numbers[code] = own[row]
                    names.append(try name(Int(code)))
                }
            }
        }
        return (names, own)
    }
}
