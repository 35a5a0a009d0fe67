import CCovey
import CoveyFiles
import CoveyRuntime
import CoveyTables
import Glibc

// The Arrow part of section 4 of covey.h.

/// A table over the memory of Arrow record batches, and over copies where Arrow's form is not the header's.
final class ArrowTable: @unchecked Sendable {
    /// What the host hands on; points into the arrays below.
    private(set) var view = UnsafeMutablePointer<covey_table>.allocate(capacity: 1)
    private var columns: UnsafeMutableBufferPointer<covey_column>
    private var texts: [CText] = []
    private var memory: [UnsafeMutableRawPointer] = []
    /// Batches that are the table's own, read from a stream.
    private let source: ArrowStream?
    private let execution: Execution

    /// `batches` have the schema `root`. `wanted`: the names of the columns to read; nil = all.
    init(
        _ root: UnsafePointer<ArrowSchema>, _ batches: [ArrowInput], wanted: Set<ExactName>?, _ execution: Execution,
        source: ArrowStream? = nil
    ) throws {
        self.source = source
        self.execution = execution
        columns = .allocate(capacity: 0)
        view.initialize(to: covey_table())
        let format = try string(root.pointee.format, "the format of array")
        guard format == "+s" else {
            throw CoveyError.unsupported("array: the format must be \"+s\", a struct, got \(quoted: format)")
        }
        var rows = 0
        for batch in batches {
            guard try batch.validity(of: 1) == nil else {
                throw CoveyError.unsupported("array: rows that are null as a whole")
            }
            guard rows <= Int(largestRows) - batch.length else {
                throw CoveyError.invalidData("array: the batches have more than \(largestRows) rows")
            }
            rows += batch.length
        }
        let count = try CoveyABI.count(root.pointee.n_children, "the number of columns", in: 0...largestColumns)
        columns.deallocate()
        columns = .allocate(capacity: count)
        columns.initialize(repeating: covey_column())
        var used = 0
        for index in 0..<count {
            try execution.check()
            let schema = try required(root.pointee.children, "the children of the schema")[index]
            let name = try string(
                try required(schema, "the schema of column \(index)").pointee.name, "column \(index)'s name")
            if let wanted, !wanted.contains(ExactName(name)) { continue }
            columns[used] = try column(schema, name, try parts(batches, index, name), rows)
            used += 1
        }
        view.pointee = covey_table(
            struct_size: MemoryLayout<covey_table>.size, column_size: MemoryLayout<covey_column>.size,
            rows: Int64(rows), column_count: Int64(used), columns: UnsafePointer(columns.baseAddress))
    }

    deinit {
        for block in memory { free(block) }
        columns.deallocate()
        view.deallocate()
    }

    /// The column's part of each batch.
    private func parts(_ batches: [ArrowInput], _ index: Int, _ name: String) throws -> [ArrowInput] {
        var first = 0
        return try batches.map { batch in
            var input = try batch.child(index, named: "column \(quoted: name)")
            guard input.length >= batch.offset + batch.length else {
                throw CoveyError.invalidData(
                    "column \(quoted: name) has \(input.length) values, the table \(batch.offset + batch.length)")
            }
            input.firstRow = first
            input = input.slice(from: batch.offset, count: batch.length)
            first += batch.length
            return input
        }
    }

    private func column(
        _ schema: UnsafePointer<ArrowSchema>?, _ name: String, _ parts: [ArrowInput], _ rows: Int
    ) throws -> covey_column {
        let what = "column \(quoted: name)"
        var column = covey_column()
        let text = CText(name)
        texts.append(text)
        column.name = text.pointer
        switch try ArrowKind.of(schema, what) {
        case .numbers:
            column.kind = COVEY_NUMERIC
            column.values = try inPlace(parts, "g") ?? write(parts, rows, what) { try $0.writeNumbers($1, execution) }
        case .dates:
            column.kind = COVEY_DATE
            column.values = try write(parts, rows, what) { try $0.writeNumbers($1, execution) }
        case .booleans:
            column.kind = COVEY_BOOLEAN
            column.values = try write(parts, rows, what) { try $0.writeBooleans($1, execution) }
        case .texts:
            let categories = ArrowCategories()
            column.kind = COVEY_CATEGORICAL
            column.values =
                try indicesInPlace(parts, categories)
                ?? write(parts, rows, what) { try $0.writeCodes($1, categories, execution) }
            let names: UnsafeMutablePointer<UnsafePointer<CChar>?> = try allocate(categories.count, "the categories")
            for (index, category) in categories.texts.enumerated() { names[index] = category.pointer }
            texts += categories.texts
            column.categories = UnsafePointer(names)
            column.category_count = Int64(categories.count)
        }
        return column
    }

    /// The one batch's values, where they have the header's form already.
    private func inPlace(_ parts: [ArrowInput], _ format: String) throws -> UnsafeRawPointer? {
        guard parts.count == 1, parts[0].format == format, parts[0].schema.dictionary == nil,
            try parts[0].validity(of: 2) == nil
        else { return nil }
        return try parts[0].values(1, of: 2, size: 8)
    }

    /// The one batch's int32 indices, where they are the codes already.
    private func indicesInPlace(_ parts: [ArrowInput], _ categories: ArrowCategories) throws -> UnsafeRawPointer? {
        guard parts.count == 1, parts[0].format == "i", parts[0].schema.dictionary != nil,
            try parts[0].validity(of: 2) == nil
        else { return nil }
        let codes = try parts[0].dictionaryCodes(categories, execution)
        guard codes.enumerated().allSatisfy({ $0.offset == Int($0.element) }) else { return nil }
        try parts[0].forEachIndex(below: codes.count, execution) { _, _ in }
        return try parts[0].values(1, of: 2, size: 4)
    }

    private func write<Element: BitwiseCopyable>(
        _ parts: [ArrowInput], _ rows: Int, _ what: String,
        _ body: (ArrowInput, UnsafeMutablePointer<Element>) throws -> Void
    ) throws -> UnsafeRawPointer {
        let target: UnsafeMutablePointer<Element> = try allocate(rows, what)
        for part in parts { try body(part, target + part.firstRow) }
        return UnsafeRawPointer(target)
    }

    private func allocate<Element>(_ count: Int, _ what: String) throws -> UnsafeMutablePointer<Element> {
        try execution.reserve(count, of: MemoryLayout<Element>.stride, for: what)
        let block = try WholeFile.allocate(count * MemoryLayout<Element>.stride, for: what)
        memory.append(block.baseAddress!)
        return block.bindMemory(to: Element.self).baseAddress!
    }
}

/// The columns that the caller wants; nil = all.
private func wantedColumns(_ options: UnsafePointer<covey_arrow_options>?) throws -> Set<ExactName>? {
    guard let options else { return nil }
    let read = try Versioned.read(options, "options", defaults: covey_arrow_options())
    let count = try CoveyABI.count(read.name_count, "options.name_count", in: 0...largestColumns)
    guard count > 0 || read.names != nil else { return nil }
    let names = count == 0 ? nil : try required(read.names, "options.names")
    return Set(try (0..<count).map { ExactName(try string(names?[$0], "options.names[\($0)]")) })
}

@c @implementation
public func covey_arrow_table_import(
    _ context: OpaquePointer?, _ schema: UnsafePointer<ArrowSchema>?, _ array: UnsafePointer<ArrowArray>?,
    _ table: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    table?.pointee = nil
    return boundary(error) {
        let table = try required(table, "table")
        let batch = try ArrowInput.root(schema, array)
        table.pointee = Handle.retain(try ArrowTable(schema!, [batch], wanted: nil, execution(context)))
    }
}

@c @implementation
public func covey_arrow_table_import_batches(
    _ context: OpaquePointer?, _ schema: UnsafePointer<ArrowSchema>?,
    _ arrays: UnsafePointer<UnsafePointer<ArrowArray>?>?, _ count: Int64,
    _ options: UnsafePointer<covey_arrow_options>?, _ table: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    table?.pointee = nil
    return boundary(error) {
        let table = try required(table, "table")
        let wanted = try wantedColumns(options)
        let schema = try required(schema, "schema")
        try require(schema.pointee.release != nil, "schema was released")
        let count = try CoveyABI.count(count, "count", in: 0...largestRows)
        let arrays = count == 0 ? nil : try required(arrays, "arrays")
        let execution = execution(context)
        let batches = try (0..<count).map { index in
            if index & 0xFFF == 0 { try execution.check() }
            return try ArrowInput.root(schema, arrays?[index])
        }
        table.pointee = Handle.retain(try ArrowTable(schema, batches, wanted: wanted, execution))
    }
}

@c @implementation
public func covey_arrow_table_import_stream(
    _ context: OpaquePointer?, _ stream: UnsafeMutablePointer<ArrowArrayStream>?,
    _ options: UnsafePointer<covey_arrow_options>?, _ table: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    table?.pointee = nil
    return boundary(error) {
        let table = try required(table, "table")
        let wanted = try wantedColumns(options)
        let execution = execution(context)
        let source = try ArrowStream(try required(stream, "stream"), execution)
        let batches = try source.arrays.map { try ArrowInput.root(source.schema, $0) }
        table.pointee = Handle.retain(
            try ArrowTable(source.schema, batches, wanted: wanted, execution, source: source))
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
