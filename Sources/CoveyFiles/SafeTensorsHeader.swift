import CoveyRuntime

/// The header of a safetensors file: its length (uint64), then JSON that names each tensor's type, shape and place.
struct SafeTensorsHeader {
    /// The limit of the format's own library.
    static let largest = 100_000_000
    private static let metadataKey = "__metadata__"

    let metadata: [String: String]
    /// With places in the file, no longer in its data part.
    let tensors: [String: SafeTensors.Tensor]
    /// What they take.
    let bytes: Int

    /// The most axes of a tensor, and the most tensors and entries of a file: far above what any model has.
    static let mostAxes = 64
    static let mostMembers = 65_536

    /// - Throws: `corruptFile`, `outOfMemory`, `cancelled`.
    init(_ file: UnsafeRawBufferPointer, origin: String, _ execution: Execution) throws {
        func corrupt(_ message: String) -> CoveyError { .corruptFile("\(origin): \(message)") }
        guard file.count >= 8 else { throw corrupt("not a safetensors file: it has \(file.count) bytes") }
        let length = UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
        guard length >= 2, length <= UInt64(min(Self.largest, file.count - 8)) else {
            throw corrupt("the header's length is \(length), the file has \(file.count) bytes")
        }
        let dataStart = 8 + Int(length)
        let json = UnsafeRawBufferPointer(rebasing: file[8..<dataStart]).assumingMemoryBound(to: UInt8.self)
        let reader = JSONReader(json, "\(origin): the header", execution)
        var metadata: [String: String]?
        var tensors: [String: SafeTensors.Tensor] = [:]
        try reader.largeObject { name in
            let isNew: Bool
            if name == Self.metadataKey {
                isNew = metadata == nil
                metadata = try Self.entries(reader)
            } else {
                guard tensors.count < Self.mostMembers else {
                    throw corrupt("the header has more than \(Self.mostMembers) tensors")
                }
                let (type, shape, offsets) = try Self.fields(reader)
                let bytes = try Self.place(name, type, shape, offsets, limit: file.count - dataStart, corrupt: corrupt)
                let tensor = SafeTensors.Tensor(
                    type: type, shape: shape, bytes: bytes.lowerBound + dataStart..<bytes.upperBound + dataStart)
                // As many again for the order in which they are looked at.
                try reader.count(
                    4 * (MemoryLayout<String>.stride + MemoryLayout<SafeTensors.Tensor>.stride) + 8 * shape.count)
                isNew = tensors.updateValue(tensor, forKey: name) == nil
            }
            guard isNew else { throw corrupt("a name occurs twice in the header: \(quoted: name)") }
        }
        try reader.end()
        try Self.checkCover(tensors, dataStart..<file.count, corrupt: corrupt, execution)
        self.metadata = metadata ?? [:]
        self.tensors = tensors
        bytes = reader.built
    }

    private static func entries(_ reader: JSONReader) throws -> [String: String] {
        var result: [String: String] = [:]
        try reader.largeObject { name in
            guard result.count < mostMembers else { throw reader.error("there are more than \(mostMembers) entries") }
            try reader.count(4 * MemoryLayout<(String, String)>.stride)
            guard result.updateValue(try reader.string(), forKey: name) == nil else {
                throw reader.error(": a name occurs twice")
            }
        }
        return result
    }

    private static func fields(
        _ reader: JSONReader
    ) throws -> (type: SafeTensors.DataType, shape: [Int], offsets: [Int]) {
        var (type, shape, offsets): (SafeTensors.DataType?, [Int]?, [Int]?) = (nil, nil, nil)
        try reader.object { name in
            switch name {
            case "dtype":
                let text = try reader.string()
                type = SafeTensors.DataType(rawValue: text)
                if type == nil { throw reader.error("is not a type that is known: \(text)") }
            case "shape": shape = try reader.integers(most: mostAxes)
            case "data_offsets": offsets = try reader.integers(most: 2)
            default: throw reader.error("is not known in a header")
            }
        }
        return try (
            reader.required(type, "dtype"), reader.required(shape, "shape"), reader.required(offsets, "data_offsets")
        )
    }

    /// The text of a header for tensors that lie in the given order, padded to a multiple of 8 bytes.
    /// - Parameter execution: of a call that can be stopped meanwhile, and is told of.
    static func encode(
        _ tensors: [(name: String, type: SafeTensors.DataType, shape: [Int])], metadata: [String: String],
        _ execution: Execution
    ) throws -> [UInt8] {
        var places: [String: Int] = [:]
        var ends: [Int] = []
        var offset = 0
        for (index, tensor) in tensors.enumerated() {
            places[tensor.name] = index
            offset += tensor.shape.reduce(tensor.type.size, *)
            ends.append(offset)
        }
        let names = places.keys.sorted() + (metadata.isEmpty ? [] : [metadataKey])
        var writer = JSONWriter(execution)
        try writer.object { writer in
            for name in names.sorted() {
                try writer.name(name)
                guard let place = places[name] else {
                    try writer.object { writer in
                        for (name, text) in metadata.sorted(by: { $0.key < $1.key }) { try writer.member(name, text) }
                    }
                    continue
                }
                try writer.object { writer in
                    try writer.name("data_offsets")
                    try writer.array([place == 0 ? 0 : ends[place - 1], ends[place]]) { try $0.write($1) }
                    try writer.member("dtype", tensors[place].type.rawValue)
                    try writer.name("shape")
                    try writer.array(tensors[place].shape) { try $0.write($1) }
                }
            }
        }
        let text = writer.text
        let length = (text.count + 7) / 8 * 8
        guard length <= largest else {
            throw CoveyError.unsupported("the header needs \(length) bytes, above the format's limit of \(largest)")
        }
        var header = withUnsafeBytes(of: UInt64(length).littleEndian) { Array($0) }
        header.reserveCapacity(header.count + length)
        header += text
        header += [UInt8](repeating: UInt8(ascii: " "), count: length - text.count)
        return header
    }

    /// A tensor's bytes in the data part: as many as its type and shape say, inside of the data.
    private static func place(
        _ name: String, _ type: SafeTensors.DataType, _ shape: [Int], _ offsets: [Int], limit: Int,
        corrupt: (String) -> CoveyError
    ) throws -> Range<Int> {
        let tensor = "tensor \(PlainText.name(name))"
        var size = type.size
        for length in shape {
            let (product, overflow) = size.multipliedReportingOverflow(by: length)
            guard length >= 0, !overflow else { throw corrupt("\(tensor): the shape \(shape) is not possible") }
            size = product
        }
        guard offsets.count == 2, offsets[0] >= 0, offsets[1] >= offsets[0], offsets[1] <= limit else {
            throw corrupt(
                "\(tensor): data_offsets \(offsets) are outside of the \(limit) bytes of data")
        }
        guard offsets[1] - offsets[0] == size else {
            throw corrupt("\(tensor): data_offsets \(offsets) do not span the \(size) bytes of its shape \(shape)")
        }
        return offsets[0]..<offsets[1]
    }

    /// Tensors must cover the data from its first to its last byte, each byte once.
    private static func checkCover(
        _ tensors: [String: SafeTensors.Tensor], _ data: Range<Int>, corrupt: (String) -> CoveyError,
        _ execution: Execution
    ) throws {
        try execution.report()
        var end = data.lowerBound
        let ordered = tensors.sorted {
            ($0.value.bytes.lowerBound, $0.value.bytes.upperBound) < (
                $1.value.bytes.lowerBound, $1.value.bytes.upperBound
            )
        }
        for (name, tensor) in ordered {
            guard tensor.bytes.lowerBound == end else {
                let what = tensor.bytes.lowerBound < end ? "overlaps another tensor" : "leaves a gap in the data"
                throw corrupt(
                    "tensor \(PlainText.name(name)): data_offsets [\(tensor.bytes.lowerBound - data.lowerBound), ...] "
                        + what)
            }
            end = tensor.bytes.upperBound
        }
        guard end == data.upperBound else {
            throw corrupt("\(data.upperBound - end) bytes of data belong to no tensor")
        }
    }
}
