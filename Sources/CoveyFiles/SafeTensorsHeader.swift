import CoveyRuntime
import FoundationEssentials

/// The header of a safetensors file: its length (uint64), then JSON that names each tensor's type, shape and place.
struct SafeTensorsHeader {
    /// The limit of the format's own library.
    static let largest = 100_000_000
    private static let metadataKey = "__metadata__"

    let metadata: [String: String]
    /// With places in the file, no longer in its data part.
    let tensors: [String: SafeTensors.Tensor]

    init(_ file: UnsafeRawBufferPointer, origin: String, _ execution: Execution) throws {
        func corrupt(_ message: String) -> CoveyError { .corruptFile("\(origin): \(message)") }
        guard file.count >= 8 else { throw corrupt("not a safetensors file: it has \(file.count) bytes") }
        let length = UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
        guard length >= 2, length <= UInt64(min(Self.largest, file.count - 8)) else {
            throw corrupt("the header's length is \(length), the file has \(file.count) bytes")
        }
        let dataStart = 8 + Int(length)
        let json = UnsafeRawBufferPointer(rebasing: file[8..<dataStart])
        // What the decoder's tree and strings take beside the text.
        try execution.reserve(16 * json.count, for: "the header of \(origin)")
        guard json[0] == UInt8(ascii: "{") else { throw corrupt("the header is not a JSON object") }
        let decoded: [String: Entry]
        do {
            decoded = try Self.decode(json.assumingMemoryBound(to: UInt8.self), execution)
        } catch let error as CoveyError {
            throw error
        } catch {
            throw corrupt("the header is not valid: \(JSONText.reason(error))")
        }
        var metadata: [String: String] = [:]
        var tensors: [String: SafeTensors.Tensor] = [:]
        tensors.reserveCapacity(decoded.count)
        var members = 0
        for (name, entry) in decoded {
            members += entry.members
            switch (name, entry) {
            case (Self.metadataKey, .metadata(let texts)): metadata = texts
            case (Self.metadataKey, _), (_, .metadata): throw corrupt("the header's entry \(name) is not valid")
            case (_, .tensor(let type, let shape, let offsets)):
                let bytes = try Self.place(
                    name, type, shape, offsets, limit: file.count - dataStart, corrupt: corrupt)
                tensors[name] = SafeTensors.Tensor(
                    type: type, shape: shape, bytes: bytes.lowerBound + dataStart..<bytes.upperBound + dataStart)
            }
        }
        let counted = try Self.countMembers(json, execution)
        guard counted.outer == decoded.count, counted.inner == members else {
            throw corrupt("a name occurs twice or is not known in the header")
        }
        try Self.checkCover(tensors, dataStart..<file.count, corrupt: corrupt)
        self.metadata = metadata
        self.tensors = tensors
    }

    private static func decode(_ json: UnsafeBufferPointer<UInt8>, _ execution: Execution) throws -> [String: Entry] {
        let large = try LargeJSON(json, cutting: .strings, execution)
        do {
            return try large.decode([String: Entry].self).mapValues { entry in
                guard case .metadata(let texts) = entry else { return entry }
                return .metadata(try texts.mapValues { try large.string($0, execution) })
            }
        } catch is DecodingError {
            // At one go the decoder says where it is damaged.
            return try JSONDecoder().decode([String: Entry].self, from: Data(json))
        }
    }

    /// The text of a header for tensors that lie in the given order, padded to a multiple of 8 bytes.
    /// - Parameter execution: of a call that can be stopped meanwhile, and is told of.
    static func encode(
        _ tensors: [(name: String, type: SafeTensors.DataType, shape: [Int])], metadata: [String: String],
        _ execution: Execution? = nil
    ) throws -> [UInt8] {
        var entries: [String: Entry] = [:]
        var offset = 0
        for tensor in tensors {
            let end = offset + tensor.shape.reduce(tensor.type.size, *)
            entries[tensor.name] = .tensor(tensor.type, tensor.shape, [offset, end])
            offset = end
        }
        // A text of megabytes goes in afterwards, in the place of a name that nothing else has.
        let large = metadata.filter { $0.value.utf8.count > 1 << 20 }.map(\.key).sorted()
        func mark(_ name: String) -> String { "text of \(name) in \(metadata.count) entries" }
        let texts = metadata.merging(large.map { ($0, mark($0)) }) { $1 }
        if !metadata.isEmpty { entries[metadataKey] = .metadata(texts) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let outline = [UInt8](try encoder.encode(entries))
        var pieces: [(place: Range<Int>, text: [UInt8])] = []
        for name in large {
            let member = [UInt8](try JSONText.encode([name: mark(name)]).utf8.dropFirst().dropLast())
            guard let place = outline.indices.first(where: { outline[$0...].starts(with: member) }) else {
                throw CoveyError.internalError("the entry \(name) is not in the header")
            }
            let text = try JSONText.encode(text: metadata[name]!, execution)
            let end = place + member.count
            pieces.append((end - (try JSONText.encode(mark(name)).utf8.count)..<end, text))
        }
        pieces.sort { $0.place.lowerBound < $1.place.lowerBound }
        let count = pieces.reduce(outline.count) { $0 + $1.text.count - $1.place.count }
        let length = (count + 7) / 8 * 8
        guard length <= largest else {
            throw CoveyError.unsupported("the header needs \(length) bytes, above the format's limit of \(largest)")
        }
        var header = withUnsafeBytes(of: UInt64(length).littleEndian) { Array($0) }
        header.reserveCapacity(header.count + length)
        var taken = 0
        for (place, text) in pieces {
            header += outline[taken..<place.lowerBound]
            for start in stride(from: 0, to: text.count, by: 1 << 20) {
                try execution?.report()
                header += text[start..<min(text.count, start + 1 << 20)]
            }
            taken = place.upperBound
        }
        header += outline[taken...]
        header += [UInt8](repeating: UInt8(ascii: " "), count: length - count)
        return header
    }

    /// A tensor's bytes in the data part: as many as its type and shape say, inside of the data.
    private static func place(
        _ name: String, _ type: SafeTensors.DataType, _ shape: [Int], _ offsets: [Int], limit: Int,
        corrupt: (String) -> CoveyError
    ) throws -> Range<Int> {
        var size = type.size
        for length in shape {
            let (product, overflow) = size.multipliedReportingOverflow(by: length)
            guard length >= 0, !overflow else { throw corrupt("tensor \(name): the shape \(shape) is not possible") }
            size = product
        }
        guard offsets.count == 2, offsets[0] >= 0, offsets[1] >= offsets[0], offsets[1] <= limit else {
            throw corrupt("tensor \(name): data_offsets \(offsets) are outside of the \(limit) bytes of data")
        }
        guard offsets[1] - offsets[0] == size else {
            throw corrupt("tensor \(name): data_offsets \(offsets) do not span the \(size) bytes of its shape \(shape)")
        }
        return offsets[0]..<offsets[1]
    }

    /// Tensors must cover the data from its first to its last byte, each byte once.
    private static func checkCover(
        _ tensors: [String: SafeTensors.Tensor], _ data: Range<Int>, corrupt: (String) -> CoveyError
    ) throws {
        var end = data.lowerBound
        let ordered = tensors.sorted {
            ($0.value.bytes.lowerBound, $0.value.bytes.upperBound) < ($1.value.bytes.lowerBound, $1.value.bytes.upperBound)
        }
        for (name, tensor) in ordered {
            guard tensor.bytes.lowerBound == end else {
                let what = tensor.bytes.lowerBound < end ? "overlaps another tensor" : "leaves a gap in the data"
                throw corrupt("tensor \(name): data_offsets [\(tensor.bytes.lowerBound - data.lowerBound), ...] \(what)")
            }
            end = tensor.bytes.upperBound
        }
        guard end == data.upperBound else {
            throw corrupt("\(data.upperBound - end) bytes of data belong to no tensor")
        }
    }

    /// The members of the outer object and of the objects in it, as the text has them. The decoder keeps one of two members
    /// of the same name (also of names that differ only in how a letter is composed), which this finds out.
    private static func countMembers(
        _ json: UnsafeRawBufferPointer, _ execution: Execution
    ) throws -> (outer: Int, inner: Int) {
        var counts = (outer: 0, inner: 0)
        var depth = 0
        var inString = false
        var escaped = false
        for (place, byte) in json.enumerated() {
            if place & 0xF_FFFF == 0 { try execution.report() }
            if inString {
                if escaped {
                    escaped = false
                } else if byte == UInt8(ascii: "\\") {
                    escaped = true
                } else if byte == UInt8(ascii: "\"") {
                    inString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): inString = true
            case UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "}"): depth -= 1
            case UInt8(ascii: ":"): if depth == 1 { counts.outer += 1 } else { counts.inner += 1 }
            default: break
            }
        }
        return counts
    }
}

extension SafeTensorsHeader {
    /// A member of the header: a tensor, or the metadata.
    private enum Entry: Codable {
        case tensor(SafeTensors.DataType, [Int], [Int])
        case metadata([String: String])

        private enum Key: String, CodingKey {
            case dtype
            case shape
            case dataOffsets = "data_offsets"
        }

        /// How many members it has itself.
        var members: Int {
            switch self {
            case .tensor: 3
            case .metadata(let texts): texts.count
            }
        }

        init(from decoder: any Decoder) throws {
            if decoder.codingPath.count == 1, decoder.codingPath[0].stringValue == metadataKey {
                self = .metadata(try decoder.singleValueContainer().decode([String: String].self))
            } else {
                let fields = try decoder.container(keyedBy: Key.self)
                self = .tensor(
                    try fields.decode(SafeTensors.DataType.self, forKey: .dtype),
                    try fields.decode([Int].self, forKey: .shape), try fields.decode([Int].self, forKey: .dataOffsets))
            }
        }

        func encode(to encoder: any Encoder) throws {
            switch self {
            case .tensor(let type, let shape, let offsets):
                var fields = encoder.container(keyedBy: Key.self)
                try fields.encode(type, forKey: .dtype)
                try fields.encode(shape, forKey: .shape)
                try fields.encode(offsets, forKey: .dataOffsets)
            case .metadata(let texts):
                var container = encoder.singleValueContainer()
                try container.encode(texts)
            }
        }
    }
}
