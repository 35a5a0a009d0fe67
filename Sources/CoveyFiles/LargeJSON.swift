import CoveyRuntime
import FoundationEssentials

/// JSON of which the large strings, or the large arrays of strings, are decoded in pieces: a million names at one go take seconds, in
/// which the call could not be stopped. Where that fails, the decoder at one go has the last word, and says where the damage is.
public struct LargeJSON {
    public enum Part: Sendable {
        case strings
        case arraysOfStrings
    }

    private let source: UnsafeBufferPointer<UInt8>
    /// The text with a mark in the place of each large part.
    private var outline: [UInt8] = []
    /// The large parts by their marks, without their quotes or brackets.
    private var parts: [String: Range<Int>] = [:]

    /// Bytes of the pieces.
    private let piece: Int

    /// - Parameters:
    ///   - source: must stay as long as this is used.
    ///   - large: the most bytes of a part that is decoded at one go.
    public init(
        _ source: UnsafeBufferPointer<UInt8>, cutting part: Part, large: Int = 1 << 20, piece: Int = 1 << 16,
        _ execution: Execution
    ) throws {
        self.source = source
        self.piece = piece
        // In no text but by chance.
        let mark = "part \(String(UInt64.random(in: 0 ... .max), radix: 36)) "
        var taken = 0
        func cut(_ range: Range<Int>) {
            let name = "\(mark)\(parts.count)"
            parts[name] = range
            outline += source[taken..<range.lowerBound]
            outline += part == .strings ? Array(name.utf8) : Array("\"\(name)\"".utf8)
            taken = range.upperBound
        }
        var place = 0
        var isInString = false
        var hasStrings = false
        var start: Int?
        while place < source.count {
            try execution.report()
            let end = min(source.count, place + 1 << 20)
            while place < end {
                let byte = source[place]
                if isInString {
                    if byte == UInt8(ascii: "\\") {
                        place += 1
                    } else if byte == UInt8(ascii: "\"") {
                        isInString = false
                        if part == .strings, let first = start, place - first > large, !isName(before: place + 1) {
                            cut(first..<place)
                        }
                    }
                } else if byte == UInt8(ascii: "\"") {
                    isInString = true
                    hasStrings = true
                    if part == .strings { start = place + 1 }
                } else if part == .arraysOfStrings {
                    switch byte {
                    case UInt8(ascii: "["): (start, hasStrings) = (place + 1, false)
                    case UInt8(ascii: "]"):
                        if let first = start, hasStrings, place - first > large { cut(first..<place) }
                        start = nil
                    case UInt8(ascii: ","), UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): break
                    default: start = nil
                    }
                }
                place += 1
            }
        }
        outline += source[taken...]
    }

    /// Whether the string that ends before a place is a member's name.
    private func isName(before place: Int) -> Bool {
        let next = source[place...].first { ![UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t")].contains($0) }
        return next == UInt8(ascii: ":")
    }

    /// A value in which marks stand for the large parts. Throws as `JSONDecoder`.
    public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(type, from: Data(outline))
    }

    /// The string that a decoded one stands for, or itself.
    public func string(_ text: String, _ execution: Execution) throws -> String {
        guard let range = parts[text] else { return text }
        var result = ""
        result.reserveCapacity(range.count)
        var start = range.lowerBound
        while start < range.upperBound {
            try execution.report()
            var end = min(range.upperBound, start + piece)
            // Before a comma, which is in no escape sequence.
            if end < range.upperBound {
                end = source[start + 1..<end].lastIndex(of: UInt8(ascii: ",")) ?? range.upperBound
            }
            result += try Self.decode(String.self, "\"", source[start..<end], "\"")
            start = end
        }
        return result
    }

    /// Calls its argument with the strings of the array that a decoded one stands for, or with its own.
    public func forEach(of array: [String], _ execution: Execution, _ body: (String) throws -> Void) throws {
        guard array.count == 1, let range = parts[array[0]] else { return try array.forEach(body) }
        var start = range.lowerBound
        var isInString = false
        func decode(until end: Int) throws {
            try execution.report()
            let strings = try Self.decode([String].self, "[", source[start..<end], "]")
            guard !strings.isEmpty else {
                throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "a string is missing"))
            }
            try strings.forEach(body)
            start = end + 1
        }
        var place = start
        while place < range.upperBound {
            let byte = source[place]
            if byte == UInt8(ascii: "\\") {
                place += 1
            } else if byte == UInt8(ascii: "\"") {
                isInString.toggle()
            } else if byte == UInt8(ascii: ","), !isInString, place - start >= piece {
                try decode(until: place)
            }
            place += 1
        }
        try decode(until: range.upperBound)
    }

    private static func decode<Value: Decodable>(
        _ type: Value.Type, _ opening: String, _ bytes: Slice<UnsafeBufferPointer<UInt8>>, _ closing: String
    ) throws -> Value {
        try JSONDecoder().decode(type, from: Data(Array(opening.utf8) + bytes + Array(closing.utf8)))
    }
}
