import CoveyRuntime
import FoundationEssentials

/// JSON in model and engine files.
public enum JSONText {
    /// - Parameter what: names the text in messages.
    /// - Throws: `corruptFile`, with the place in the text.
    public static func decode<Value: Decodable>(
        _ type: Value.Type = Value.self, from text: String, _ what: String
    ) throws -> Value {
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

    /// The same text as `encode` of an array of these names, in pieces between which the call may be stopped.
    public static func encode(_ places: Range<Int>, _ execution: Execution?, _ name: (Int) -> String) throws -> String {
        var text = "["
        let piece = 4096
        for start in stride(from: places.lowerBound, to: places.upperBound, by: piece) {
            try execution?.report()
            if start > places.lowerBound { text += "," }
            text += try encode((start..<min(places.upperBound, start + piece)).map(name)).dropFirst().dropLast()
        }
        return text + "]"
    }

    /// The same bytes as `encode(text)`, in pieces between which the call may be stopped.
    static func encode(text: String, _ execution: Execution?) throws -> [UInt8] {
        var text = text
        var result = [UInt8(ascii: "\"")]
        try text.withUTF8 { bytes in
            var start = 0
            while start < bytes.count {
                try execution?.report()
                // Up to where a character begins.
                var end = min(bytes.count, start + 1 << 20)
                while end < bytes.count, bytes[end] & 0xC0 == 0x80 { end -= 1 }
                let piece = try encode(String(decoding: bytes[start..<end], as: UTF8.self))
                result.append(contentsOf: piece.utf8.dropFirst().dropLast())
                start = end
            }
        }
        result.append(UInt8(ascii: "\""))
        return result
    }

    /// What a decoder says, as one sentence.
    public static func reason(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        func place(_ path: [any CodingKey], _ text: String) -> String {
            let keys = path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
            return keys.isEmpty ? text : "\(keys): \(text)"
        }
        switch error {
        case .keyNotFound(let key, let context): return place(context.codingPath, "\(key.stringValue) is missing")
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            return place(context.codingPath, context.debugDescription)
        @unknown default: return "\(error)"
        }
    }
}
