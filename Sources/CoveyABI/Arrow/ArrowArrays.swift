import CCovey
import CoveyRuntime

/// An Arrow array as a producer lends it, with what the C data interface lets one check.
struct ArrowInput {
    let schema: ArrowSchema
    let array: ArrowArray
    /// What messages call it.
    let name: String
    let format: String
    /// The table's row of the first element, for messages.
    var firstRow = 0

    var length: Int { Int(array.length) }
    var offset: Int { Int(array.offset) }

    private init(schema: ArrowSchema, array: ArrowArray, name: String, format: String) {
        self.schema = schema
        self.array = array
        self.name = name
        self.format = format
    }

    init(
        _ schema: UnsafePointer<ArrowSchema>?, _ array: UnsafePointer<ArrowArray>?, _ name: String
    ) throws {
        self.schema = try required(schema, "the schema of \(name)").pointee
        self.array = try required(array, "the array of \(name)").pointee
        self.name = name
        format = try string(self.schema.format, "the format of \(name)")
        guard self.array.length >= 0, self.array.offset >= 0, self.array.null_count >= -1,
            self.array.length <= largestRows, self.array.offset <= largestRows,
            self.array.null_count <= self.array.length
        else {
            throw CoveyError.invalidData(
                "\(name): length \(self.array.length), offset \(self.array.offset) and null_count "
                    + "\(self.array.null_count) are not possible")
        }
    }

    /// The struct or list that the host hands over: neither side may be released.
    static func root(
        _ schema: UnsafePointer<ArrowSchema>?, _ array: UnsafePointer<ArrowArray>?
    ) throws -> ArrowInput {
        let schema = try required(schema, "schema")
        let array = try required(array, "array")
        try require(schema.pointee.release != nil, "schema was released")
        try require(array.pointee.release != nil, "array was released")
        return try ArrowInput(schema, array, "array")
    }

    func child(_ index: Int, named name: String) throws -> ArrowInput {
        guard schema.n_children == array.n_children, index < schema.n_children else {
            throw CoveyError.invalidData(
                "\(self.name): the schema has \(schema.n_children) children, the array \(array.n_children)")
        }
        return try ArrowInput(
            try required(schema.children, "the children of the schema")[index],
            try required(array.children, "the children of the array")[index], name)
    }

    /// The values that a dictionary's indices stand for.
    func dictionary() throws -> ArrowInput {
        try ArrowInput(schema.dictionary, array.dictionary, "the dictionary of \(name)")
    }

    /// A buffer of the array; one of no bytes may be NULL.
    func buffer(_ index: Int, of count: Int) throws -> UnsafeRawPointer? {
        guard array.n_buffers == count else {
            throw CoveyError.invalidData(
                "\(name): format \(quoted: format) has \(count) buffers, the array \(array.n_buffers)")
        }
        return try required(array.buffers, "the buffers of \(name)")[index]
    }

    /// The values' buffer of a primitive array, at the array's offset.
    func values(_ index: Int, of count: Int, size: Int) throws -> UnsafeRawPointer? {
        guard let start = try buffer(index, of: count) else {
            guard length == 0 else { throw CoveyError.invalidData("\(name): buffer \(index) must not be NULL") }
            return nil
        }
        return start + offset * size
    }

    /// Which elements are null; nil = none.
    func validity(of buffers: Int) throws -> ArrowBits? {
        guard array.null_count != 0, let bits = try buffer(0, of: buffers) else {
            guard array.null_count <= 0 else {
                throw CoveyError.invalidData("\(name): \(array.null_count) nulls, and no buffer that says which")
            }
            return nil
        }
        return ArrowBits(base: bits, offset: offset)
    }

    /// A part of the array; the caller has checked that it is there. How many nulls the part has is not known.
    func slice(from start: Int, count: Int) -> ArrowInput {
        if start == 0 && count == length { return self }
        var part = array
        part.offset += Int64(start)
        part.length = Int64(count)
        if part.null_count != 0 { part.null_count = -1 }
        var input = ArrowInput(schema: schema, array: part, name: name, format: format)
        input.firstRow = firstRow
        return input
    }

    func unsupported(_ hint: String = "") -> CoveyError {
        .unsupported("\(name): the Arrow format \(quoted: format) is not one of a feature\(hint)")
    }
}

/// A packed bitmap, least significant bit first.
struct ArrowBits {
    let base: UnsafeRawPointer
    let offset: Int

    @inline(__always)
    subscript(index: Int) -> Bool {
        let place = offset &+ index
        return base.load(fromByteOffset: place >> 3, as: UInt8.self) >> UInt8(place & 7) & 1 == 1
    }
}

@c @implementation
public func covey_arrow_matrix(
    _ schema: UnsafePointer<ArrowSchema>?, _ array: UnsafePointer<ArrowArray>?,
    _ matrix: UnsafeMutablePointer<covey_matrix>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let list = try ArrowInput.root(schema, array)
        guard list.format.hasPrefix("+w:"), let columns = Int(list.format.dropFirst(3)),
            (1...Int(largestColumns)).contains(columns)
        else {
            throw CoveyError.unsupported(
                "array: the format must be \"+w:COLUMNS\" with 1 to \(largestColumns) columns, "
                    + "got \(quoted: list.format)")
        }
        let numbers = try list.child(0, named: "the lists' numbers")
        guard numbers.format == "f" || numbers.format == "g" else { throw numbers.unsupported() }
        guard try list.validity(of: 1) == nil, try numbers.validity(of: 2) == nil else {
            throw CoveyError.unsupported("array: a matrix must not have nulls")
        }
        let used = try checkedProduct(list.offset + list.length, columns, "array")
        guard used <= numbers.length else {
            throw CoveyError.invalidData("array: \(used) numbers are needed, its lists have \(numbers.length)")
        }
        let size = numbers.format == "f" ? 4 : 8
        let start = try numbers.values(1, of: 2, size: size)
        let view = covey_matrix(
            struct_size: MemoryLayout<covey_matrix>.size, data: start.map { $0 + list.offset * columns * size },
            rows: Int64(list.length), columns: Int64(columns), row_stride: 0,
            type: size == 4 ? COVEY_FLOAT32 : COVEY_FLOAT64, reserved: 0)
        try Versioned.write(view, to: matrix, "matrix")
    }
}
