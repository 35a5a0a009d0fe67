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

    /// What a decoder says, as one sentence.
    static func reason(_ error: any Error) -> String {
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
