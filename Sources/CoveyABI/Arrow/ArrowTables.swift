import CCovey
import CoveyNumerics
import CoveyRuntime
import Glibc

// The Arrow part of section 4 of covey.h.

/// A table over the memory of an Arrow record batch, and over copies where Arrow's form is not the header's.
final class ArrowTable: @unchecked Sendable {
    /// What the host hands on; points into the arrays below.
    private(set) var view = UnsafeMutablePointer<covey_table>.allocate(capacity: 1)
    private var columns: UnsafeMutableBufferPointer<covey_column>
    private var texts: [CText] = []
    private var memory: [UnsafeMutableRawPointer] = []

    init(_ batch: ArrowInput, _ execution: Execution) throws {
        columns = .allocate(capacity: 0)
        view.initialize(to: covey_table())
        guard batch.format == "+s" else {
            throw CoveyError.unsupported("array: the format must be \"+s\", a struct, got \"\(batch.format)\"")
        }
        guard try batch.validity(of: 1) == nil else {
            throw CoveyError.unsupported("array: rows that are null as a whole")
        }
        let count = try CoveyABI.count(batch.schema.n_children, "the number of columns", in: 0...largestColumns)
        columns.deallocate()
        columns = .allocate(capacity: count)
        columns.initialize(repeating: covey_column())
        for index in 0..<count {
            try execution.check()
            columns[index] = try column(batch, index, execution)
        }
        view.pointee = covey_table(
            struct_size: MemoryLayout<covey_table>.size, column_size: MemoryLayout<covey_column>.size,
            rows: Int64(batch.length), column_count: Int64(count), columns: UnsafePointer(columns.baseAddress))
    }

    deinit {
        for block in memory { free(block) }
        columns.deallocate()
        view.deallocate()
    }

    private func column(_ batch: ArrowInput, _ index: Int, _ execution: Execution) throws -> covey_column {
        let schema = try required(batch.schema.children, "the children of the schema")[index]
        let name = try string(try required(schema, "the schema of column \(index)").pointee.name, "column \(index)'s name")
        var input = try batch.child(index, named: "column \"\(name)\"")
        guard input.length >= batch.offset + batch.length else {
            throw CoveyError.invalidData(
                "column \"\(name)\" has \(input.length) values, the table \(batch.offset + batch.length)")
        }
        input = input.slice(from: batch.offset, count: batch.length)
        var column = covey_column()
        column.name = keep(name)
        if input.schema.dictionary != nil {
            try readDictionary(input, into: &column, execution)
        } else {
            try read(input, into: &column, execution)
        }
        return column
    }

    private func read(_ input: ArrowInput, into column: inout covey_column, _ execution: Execution) throws {
        column.kind = COVEY_NUMERIC
        switch input.format {
        case "g": column.values = try doubles(input, as: Double.self, execution) { $0 }
        case "f": column.values = try doubles(input, as: Float.self, execution) { Double($0) }
        case "c": column.values = try doubles(input, as: Int8.self, execution) { Double($0) }
        case "C": column.values = try doubles(input, as: UInt8.self, execution) { Double($0) }
        case "s": column.values = try doubles(input, as: Int16.self, execution) { Double($0) }
        case "S": column.values = try doubles(input, as: UInt16.self, execution) { Double($0) }
        case "i": column.values = try doubles(input, as: Int32.self, execution) { Double($0) }
        case "I": column.values = try doubles(input, as: UInt32.self, execution) { Double($0) }
        case "l": column.values = try doubles(input, as: Int64.self, execution) { Double($0) }
        case "L": column.values = try doubles(input, as: UInt64.self, execution) { Double($0) }
        case "n":
            let target: UnsafeMutablePointer<Double> = try allocate(input.length, input.name, execution)
            target.update(repeating: .nan, count: input.length)
            column.values = UnsafeRawPointer(target)
        case "b":
            column.kind = COVEY_BOOLEAN
            column.values = try booleans(input, execution)
        case "u":
            try readStrings(input, offsets: Int32.self, into: &column, execution)
        case "U":
            try readStrings(input, offsets: Int64.self, into: &column, execution)
        case "tdD", "tdm":
            column.kind = COVEY_DATE
            column.values =
                input.format == "tdD"
                ? try doubles(input, as: Int32.self, execution) { Double($0) * 86_400 }
                : try doubles(input, as: Int64.self, execution) { ArrowTable.seconds($0, 1000) }
        case let format where format.hasPrefix("ts"):
            // The zone says how to show a time; the numbers count from 1970 in UTC. Without a zone they are taken to do so.
            let units: [String: Int64] = ["tss:": 1, "tsm:": 1000, "tsu:": 1_000_000, "tsn:": 1_000_000_000]
            guard let unit = units[String(format.prefix(4))] else { throw input.unsupported(": not a timestamp") }
            column.kind = COVEY_DATE
            column.values = try doubles(input, as: Int64.self, execution) { ArrowTable.seconds($0, unit) }
        default:
            throw input.unsupported(": give numbers, booleans, strings, dates or timestamps")
        }
    }

    /// A time in `unit`s of a second, to the nearest double.
    private static func seconds(_ time: Int64, _ unit: Int64) -> Double {
        let (whole, rest) = time.quotientAndRemainder(dividingBy: unit)
        return Double(whole) + Double(rest) / Double(unit)
    }

    /// Numbers as float64; those that are already stay where they are.
    private func doubles<Element: BitwiseCopyable>(
        _ input: ArrowInput, as type: Element.Type, _ execution: Execution, _ convert: (Element) -> Double
    ) throws -> UnsafeRawPointer? {
        let source = try input.values(1, of: 2, size: MemoryLayout<Element>.size)
        let validity = try input.validity(of: 2)
        if validity == nil && Element.self == Double.self { return source }
        let target: UnsafeMutablePointer<Double> = try allocate(input.length, input.name, execution)
        guard let source else { return UnsafeRawPointer(target) }
        for row in 0..<input.length {
            if row & 0xFFFF == 0 { try execution.check() }
            target[row] =
                validity.map { $0[row] } == false
                ? .nan
                : convert(source.loadUnaligned(fromByteOffset: row * MemoryLayout<Element>.size, as: Element.self))
        }
        return UnsafeRawPointer(target)
    }

    private func booleans(_ input: ArrowInput, _ execution: Execution) throws -> UnsafeRawPointer {
        let target: UnsafeMutablePointer<Int8> = try allocate(input.length, input.name, execution)
        let validity = try input.validity(of: 2)
        guard let base = try input.buffer(1, of: 2) else {
            guard input.length == 0 else { throw CoveyError.invalidData("\(input.name): buffer 1 must not be NULL") }
            return UnsafeRawPointer(target)
        }
        let bits = ArrowBits(base: base, offset: input.offset)
        for row in 0..<input.length {
            if row & 0xFFFF == 0 { try execution.check() }
            target[row] = validity.map { $0[row] } == false ? -1 : (bits[row] ? 1 : 0)
        }
        return UnsafeRawPointer(target)
    }

    /// Strings become categories in the order of their first appearance.
    private func readStrings<Offset: FixedWidthInteger & BitwiseCopyable>(
        _ input: ArrowInput, offsets: Offset.Type, into column: inout covey_column, _ execution: Execution
    ) throws {
        let codes: UnsafeMutablePointer<Int32> = try allocate(input.length, input.name, execution)
        var categories: [String] = []
        var known: [ExactName: Int32] = [:]
        try forEachString(input, offsets: offsets, execution) { row, text in
            guard let text else {
                codes[row] = -1
                return
            }
            let name = ExactName(text)
            if let code = known[name] {
                codes[row] = code
            } else {
                guard let code = Int32(exactly: categories.count) else {
                    throw CoveyError.unsupported("\(input.name) has more than \(Int32.max) categories")
                }
                known[name] = code
                categories.append(text)
                codes[row] = code
            }
        }
        try setCategories(categories, codes: UnsafeRawPointer(codes), of: &column, execution)
    }

    private func readDictionary(_ input: ArrowInput, into column: inout covey_column, _ execution: Execution) throws {
        let dictionary = try ArrowInput(input.schema.dictionary, input.array.dictionary, "the dictionary of \(input.name)")
        var categories: [String] = []
        func add(_ row: Int, _ text: String?) throws {
            guard let text else { throw CoveyError.unsupported("\(dictionary.name) has a null entry") }
            categories.append(text)
        }
        switch dictionary.format {
        case "u": try forEachString(dictionary, offsets: Int32.self, execution, add)
        case "U": try forEachString(dictionary, offsets: Int64.self, execution, add)
        default: throw dictionary.unsupported(": a dictionary must hold strings")
        }
        let codes: UnsafeRawPointer?
        switch input.format {
        case "c": codes = try indices(input, as: Int8.self, categories.count, execution)
        case "C": codes = try indices(input, as: UInt8.self, categories.count, execution)
        case "s": codes = try indices(input, as: Int16.self, categories.count, execution)
        case "S": codes = try indices(input, as: UInt16.self, categories.count, execution)
        case "i": codes = try indices(input, as: Int32.self, categories.count, execution)
        case "I": codes = try indices(input, as: UInt32.self, categories.count, execution)
        case "l": codes = try indices(input, as: Int64.self, categories.count, execution)
        case "L": codes = try indices(input, as: UInt64.self, categories.count, execution)
        default: throw input.unsupported(": a dictionary's indices must be integers")
        }
        try setCategories(categories, codes: codes, of: &column, execution)
    }

    private func indices<Element: FixedWidthInteger & BitwiseCopyable>(
        _ input: ArrowInput, as type: Element.Type, _ categories: Int, _ execution: Execution
    ) throws -> UnsafeRawPointer? {
        let size = MemoryLayout<Element>.size
        let source = try input.values(1, of: 2, size: size)
        let validity = try input.validity(of: 2)
        let inPlace = validity == nil && Element.self == Int32.self
        let target: UnsafeMutablePointer<Int32> = try allocate(inPlace ? 0 : input.length, input.name, execution)
        guard let source else { return UnsafeRawPointer(target) }
        for row in 0..<input.length {
            if row & 0xFFFF == 0 { try execution.check() }
            if validity.map({ $0[row] }) == false {
                target[row] = -1
                continue
            }
            let index = source.loadUnaligned(fromByteOffset: row * size, as: Element.self)
            guard index >= 0, let code = Int32(exactly: index), code < categories else {
                throw CoveyError.invalidData(
                    "\(input.name), row \(row): the index must be 0 to \(categories - 1), got \(index)")
            }
            if !inPlace { target[row] = code }
        }
        return inPlace ? source : UnsafeRawPointer(target)
    }

    /// Calls `body` with each row's string; nil = null.
    private func forEachString<Offset: FixedWidthInteger & BitwiseCopyable>(
        _ input: ArrowInput, offsets: Offset.Type, _ execution: Execution, _ body: (Int, String?) throws -> Void
    ) throws {
        guard input.length > 0 else { return }
        let size = MemoryLayout<Offset>.size
        guard let places = try input.values(1, of: 3, size: size) else { return }
        let bytes = try input.buffer(2, of: 3)
        let validity = try input.validity(of: 3)
        for row in 0..<input.length {
            if row & 0xFFF == 0 { try execution.check() }
            if validity.map({ $0[row] }) == false {
                try body(row, nil)
                continue
            }
            let start = Int(places.loadUnaligned(fromByteOffset: row * size, as: Offset.self))
            let end = Int(places.loadUnaligned(fromByteOffset: (row + 1) * size, as: Offset.self))
            guard start >= 0, end >= start, end == start || bytes != nil else {
                throw CoveyError.invalidData("\(input.name), row \(row): offsets \(start) to \(end) are not possible")
            }
            let span = UnsafeRawBufferPointer(start: bytes.map { $0 + start }, count: end - start)
            guard let text = String(validating: span, as: UTF8.self) else {
                throw CoveyError.invalidData("\(input.name), row \(row): must be valid UTF-8")
            }
            try body(row, text)
        }
    }

    private func setCategories(
        _ categories: [String], codes: UnsafeRawPointer?, of column: inout covey_column, _ execution: Execution
    ) throws {
        let names: UnsafeMutablePointer<UnsafePointer<CChar>?> = try allocate(
            categories.count, "the categories", execution)
        for (index, category) in categories.enumerated() { names[index] = keep(category) }
        column.kind = COVEY_CATEGORICAL
        column.values = codes
        column.categories = UnsafePointer(names)
        column.category_count = Int64(categories.count)
    }

    private func keep(_ text: String) -> UnsafePointer<CChar> {
        let text = CText(text)
        texts.append(text)
        return text.pointer
    }

    private func allocate<Element>(
        _ count: Int, _ what: String, _ execution: Execution
    ) throws -> UnsafeMutablePointer<Element> {
        try execution.reserve(count, of: MemoryLayout<Element>.stride, for: what)
        let block = try WholeFile.allocate(count * MemoryLayout<Element>.stride, for: what)
        memory.append(block.baseAddress!)
        return block.bindMemory(to: Element.self).baseAddress!
    }
}

@c @implementation
public func covey_arrow_table_import(
    _ context: OpaquePointer?, _ schema: UnsafePointer<ArrowSchema>?, _ array: UnsafePointer<ArrowArray>?,
    _ table: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    table?.pointee = nil
    return boundary(error) {
        let table = try required(table, "table")
        table.pointee = Handle.retain(try ArrowTable(ArrowInput.root(schema, array), execution(context)))
    }
}

@c @implementation
public func covey_arrow_table_view(_ table: OpaquePointer?) -> UnsafePointer<covey_table>! {
    guard let table else { return nil }
    return UnsafePointer(Handle.object(table, as: ArrowTable.self).view)
}

@c @implementation
public func covey_arrow_table_destroy(_ table: OpaquePointer?) {
    Handle.release(table, as: ArrowTable.self)
}
