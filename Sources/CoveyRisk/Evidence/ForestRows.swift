import CoveyFiles
import CoveyRuntime
import CoveyTables

/// The rows that forests were grown on, kept so that they can be grown again when more is known of the rows. Columns of
/// codes, which are small whole numbers, come first.
struct ForestRows: Sendable, Equatable {
    private enum Codes: Sendable, Equatable {
        /// Each code + 1.
        case bytes([UInt8])
        /// Where a category's rank is above 254.
        case wide([Int32])
    }

    let count: Int
    let codeColumns: Int
    let otherColumns: Int
    private let codes: Codes
    private let others: [Float]

    /// - Parameter codeColumns: the first columns of the matrix: whole numbers from -1 up.
    init(_ matrix: Matrix<Float>, codeColumns: Int, execution: Execution) throws {
        count = matrix.rows
        self.codeColumns = codeColumns
        let (width, others) = (matrix.columns, matrix.columns - codeColumns)
        otherColumns = others
        try execution.hold(
            checkedProduct(matrix.rows, width, "the rows of the forests"), of: 4, for: "the rows of the forests")
        func code(_ index: Int) -> Float {
            matrix.elements[index / codeColumns * width + index % codeColumns]
        }
        let total = count * codeColumns
        let isWide = (0..<total).contains { code($0) > 254 }
        codes =
            isWide
            ? .wide(try execution.array(total) { Int32(code($0)) })
            : .bytes(try execution.array(total) { UInt8(code($0) + 1) })
        self.others = try execution.array(count * others) {
            matrix.elements[$0 / others * width + codeColumns + $0 % others]
        }
    }

    /// The rows as they were.
    func matrix(_ execution: Execution) throws -> Matrix<Float> {
        let (width, codeColumns, otherColumns) = (codeColumns + otherColumns, codeColumns, otherColumns)
        try execution.hold(
            checkedProduct(count, width, "the rows of the forests"), of: 4, for: "the rows of the forests")
        let elements = try execution.array(count * width) { place -> Float in
            let (row, column) = (place / width, place % width)
            if column >= codeColumns { return others[row * otherColumns + column - codeColumns] }
            return switch codes {
            case .bytes(let bytes): Float(bytes[row * codeColumns + column]) - 1
            case .wide(let codes): Float(codes[row * codeColumns + column])
            }
        }
        return Matrix(rows: count, columns: width, elements: elements)
    }

    func store(in writer: inout SafeTensorsWriter, prefix: String) throws {
        switch codes {
        case .bytes(let bytes): try writer.add(prefix + "codes", bytes, shape: [count, codeColumns])
        case .wide(let codes): try writer.add(prefix + "codes", codes, shape: [count, codeColumns])
        }
        try writer.add(prefix + "components", others, shape: [count, otherColumns])
    }

    /// Throws `corruptFile` for another number of rows or columns, and for numbers that are not finite.
    init(
        from file: SafeTensors, prefix: String, rows: Int, codeColumns: Int, otherColumns: Int, execution: Execution
    ) throws {
        count = rows
        self.codeColumns = codeColumns
        self.otherColumns = otherColumns
        try execution.hold(
            checkedProduct(rows, codeColumns + otherColumns, "the rows of the forests"), of: 4,
            for: "the rows of the forests")
        let name = prefix + "codes"
        if file.tensors[name]?.type == .i32 {
            codes = .wide(try file.values(name, shape: [rows, codeColumns], execution))
        } else {
            codes = .bytes(try file.values(name, shape: [rows, codeColumns], execution))
        }
        others = try file.finiteValues(prefix + "components", shape: [rows, otherColumns], execution)
    }
}
