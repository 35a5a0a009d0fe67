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
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch let error as CoveyError {
            throw error
        } catch {
            throw CoveyError.corruptFile("\(what): \(reason(error))")
        }
    }

    /// The same value gives the same text: members in the order of their names.
    public static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
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
    static func reason(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "it is not valid" }
        func place(_ path: [any CodingKey], _ text: String) -> String {
            let keys = path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
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
