import CoveyRuntime
import FoundationEssentials

/// JSON in model and engine files, by `Codable`. What may be large is read by `JSONReader` and written by `JSONWriter`.
public enum JSONText {
    /// The longest text that is decoded.
    public static let largest = 1 << 24

    /// - Parameter what: names the text in messages.
    /// - Throws: `corruptFile`, with the place in the text.
    public static func decode<Value: Decodable>(
        _ type: Value.Type = Value.self, from text: String, _ what: String, _ execution: Execution
    ) throws -> Value {
        guard text.utf8.count <= largest else {
            throw CoveyError.corruptFile("\(what): it has \(text.utf8.count) bytes, more than \(largest)")
        }
        // The decoder goes as deep as the text does, on the caller's stack.
        try JSONReader.read(text, what, execution) { try $0.skip() }
        // What it builds of the shortest values.
        try execution.reserve(text.utf8.count, of: 64, for: what)
        return try decoded(Data(text.utf8), what)
    }

    /// Does `decode` for an object with one member that is a list and may be long. Its elements are decoded in parts,
    /// between which the call can be cancelled; the value gets an empty list.
    public static func decode<Value: Decodable, Element: Decodable>(
        _ type: Value.Type = Value.self, list member: String, of elementType: Element.Type = Element.self,
        from text: String, _ what: String, _ execution: Execution
    ) throws -> (value: Value, list: [Element]) {
        var found: Range<Int>?
        try JSONReader.read(text, what, execution) { reader in
            try reader.object { name in
                let range = try reader.range()
                if name == member { found = range }
            }
        }
        var text = text
        return try text.withUTF8 { bytes in
            guard let found, bytes[found.lowerBound] == UInt8(ascii: "[") else {
                return (try decode(type, from: String(decoding: bytes, as: UTF8.self), what, execution), [])
            }
            let head = Array(bytes[..<found.lowerBound]) + Array("[]".utf8) + Array(bytes[found.upperBound...])
            return (
                try decode(type, from: String(decoding: head, as: UTF8.self), what, execution),
                try list(UnsafeBufferPointer(rebasing: bytes[found]), member, what, execution)
            )
        }
    }

    private static func list<Element: Decodable>(
        _ bytes: UnsafeBufferPointer<UInt8>, _ member: String, _ what: String, _ execution: Execution
    ) throws -> [Element] {
        guard bytes.count <= largest else {
            throw CoveyError.corruptFile("\(what): \(member) has \(bytes.count) bytes, more than \(largest)")
        }
        // What the decoder builds of the shortest values.
        try execution.reserve(bytes.count, of: 64, for: what)
        var result: [Element] = []
        var part = 0..<0
        func take() throws {
            try execution.report()
            let text = Data(Array("[".utf8) + Array(bytes[part]) + Array("]".utf8))
            result += try decoded(text, what, list: (member, result.count)) as [Element]
        }
        let reader = JSONReader(bytes, what, execution)
        try reader.array { index in
            let range = try reader.range()
            if index % few == 0 {
                if index > 0 { try take() }
                part = range
            }
            part = part.lowerBound..<range.upperBound
        }
        if !part.isEmpty { try take() }
        return result
    }

    /// The elements of a list that are decoded or encoded between two polls.
    private static let few = 256

    /// - Parameter list: the name of the list that this is a part of, and the index of its first element.
    private static func decoded<Value: Decodable>(
        _ text: Data, _ what: String, list: (name: String, first: Int)? = nil
    ) throws -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: text)
        } catch let error as CoveyError {
            throw error
        } catch {
            throw CoveyError.corruptFile("\(what): \(reason(error, list: list))")
        }
    }

    /// The same value gives the same text: members in the order of their names.
    public static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// Does `encode` for an object with one member that is a list and may be long: the same text, made in parts.
    /// - Parameter value: with an empty list.
    public static func encode(
        _ value: some Encodable, list member: String, _ elements: [some Encodable], _ execution: Execution
    ) throws -> String {
        let whole = try encode(value)
        let empty = "\"\(member)\":[]"
        guard !elements.isEmpty else { return whole }
        guard let place = whole.firstRange(of: empty) else {
            throw CoveyError.internalError("\(member) is no empty list")
        }
        var text = String(whole[..<place.lowerBound]) + "\"\(member)\":"
        for start in stride(from: 0, to: elements.count, by: few) {
            try execution.report()
            let part = try encode(Array(elements[start..<min(elements.count, start + few)]))
            text += (start == 0 ? "[" : ",") + part.dropFirst().dropLast()
        }
        return text + "]" + whole[place.upperBound...]
    }

    /// Looks at the member format_version of an object, wherever it stands.
    /// - Throws: `corruptFile` where it is missing or below 1, `unsupported` where it is above `newest`.
    public static func checkVersion(_ text: String, _ what: String, newest: Int, _ execution: Execution) throws {
        var text = text
        try text.withUTF8 { try checkVersion($0, what, newest: newest, execution) }
    }

    public static func checkVersion(
        _ text: UnsafeBufferPointer<UInt8>, _ what: String, newest: Int, _ execution: Execution
    ) throws {
        let reader = JSONReader(text, what, execution)
        var found: Int?
        try reader.object { name in
            if name == "format_version" { found = try reader.integer() } else { try reader.skip() }
        }
        try reader.end()
        let version = try reader.required(found, "format_version")
        let start = what.isEmpty ? "" : "\(what): "
        guard version >= 1 else {
            throw CoveyError.corruptFile("\(start)format_version must be at least 1, got \(version)")
        }
        guard version <= newest else {
            throw CoveyError.unsupported("\(start)format_version is \(version), this version reads up to \(newest)")
        }
    }

    /// A decoder's error in our own words: the place, and what must stand there. Swift's words change between versions
    /// and name its types.
    static func reason(_ error: any Error, list: (name: String, first: Int)? = nil) -> String {
        guard let error = error as? DecodingError else { return "it is not valid" }
        func place(_ path: [any CodingKey], _ text: String) -> String {
            let first = list?.first ?? 0
            let steps = path.enumerated().map { depth, key in
                key.intValue.map { "[\($0 + (depth == 0 ? first : 0))]" } ?? key.stringValue
            }
            let keys = ((list.map { [$0.name] } ?? []) + steps).joined(separator: ".")
            return keys.isEmpty ? "it \(text)" : "\(keys) \(text)"
        }
        switch error {
        case .keyNotFound(let key, let context): return place(context.codingPath + [key], "is missing")
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            return place(context.codingPath, "must be \(kind(type))")
        case .dataCorrupted(let context): return place(context.codingPath, "is not valid")
        @unknown default: return "it is not valid"
        }
    }

    private static func kind(_ type: any Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is any FixedWidthInteger.Type: "a whole number"
        case is any BinaryFloatingPoint.Type: "a number"
        case is [Any].Type, is any Sequence.Type: "an array"
        default: "an object"
        }
    }
}
