import CoveyRuntime

/// Reads JSON (RFC 8259) from its first byte to its last, without building a tree: the caller asks for the value that
/// must come next.
///
/// Values that are built from the text count against the memory budget until the call ends, for they are mostly kept.
/// The reader reports progress at every megabyte and can be cancelled there. Objects and arrays are at most `deepest`
/// deep. A member must not occur twice in an object that is read; values that are skipped are not checked for this.
/// Errors are `corruptFile` and name the place.
public final class JSONReader {
    /// The deepest nesting that is read.
    public static let deepest = 64

    private let text: UnsafeBufferPointer<UInt8>
    public let execution: Execution
    /// What the text is called in messages.
    private let what: String
    private var place = 0
    private var path: [Step] = []
    /// Bytes that were built of the text.
    public private(set) var built = 0
    /// Those that the budget was last asked for, and where the host was last told.
    private var asked = 0
    private var told = 0

    private enum Step {
        case member(String)
        case element(Int)
    }

    /// - Parameter text: must stay as long as the reader is used.
    public init(_ text: UnsafeBufferPointer<UInt8>, _ what: String = "", _ execution: Execution) {
        self.text = text
        self.what = what
        self.execution = execution
    }

    /// Lets `body` read a text, to its end.
    public static func read<Value>(
        _ text: String, _ what: String, _ execution: Execution, _ body: (JSONReader) throws -> Value
    ) throws -> Value {
        var text = text
        return try text.withUTF8 {
            let reader = JSONReader($0, what, execution)
            let value = try body(reader)
            try reader.end()
            return value
        }
    }

    // MARK: Values

    /// An object: calls its argument with each name, which reads the member's value.
    public func object(_ member: (String) throws -> Void) throws {
        var names = MemberNames()
        try nested(UInt8(ascii: "{"), UInt8(ascii: "}"), "an object") { index in
            // The names of an object are gone when it is read. There are few, but in a text that was made to have many.
            let name = try self.name(isCounted: index >= MemberNames.most)
            guard names.insert(name) else { throw self.error("the member \(quoted: name) occurs twice") }
            try self.step(.member(name)) { try member(name) }
        }
    }

    /// An object whose members are too many for a list of names that were there: who reads it looks for names that
    /// occur twice.
    public func largeObject(_ member: (String) throws -> Void) throws {
        try nested(UInt8(ascii: "{"), UInt8(ascii: "}"), "an object") { _ in
            let name = try self.name(isCounted: true)
            try self.step(.member(name)) { try member(name) }
        }
    }

    private func name(isCounted: Bool) throws -> String {
        guard next() == UInt8(ascii: "\"") else { throw malformed("a member's name is expected") }
        let before = built
        let name = try string()
        if isCounted { try count(4 * MemoryLayout<String>.stride) } else { built = max(before, asked) }
        guard next() == UInt8(ascii: ":") else { throw malformed("a colon is expected") }
        place += 1
        return name
    }

    /// An array: calls its argument with each index, which reads the element.
    public func array(_ element: (Int) throws -> Void) throws {
        try nested(UInt8(ascii: "["), UInt8(ascii: "]"), "an array") { index in
            try self.step(.element(index)) { try element(index) }
        }
    }

    public func bool() throws -> Bool {
        if try literal("true") { return true }
        if try literal("false") { return false }
        throw error("must be true or false")
    }

    /// Whether null stands here, which is passed over then.
    public func isNull() throws -> Bool { try literal("null") }

    public func double() throws -> Double {
        let (digits, _) = try number()
        // As few strings as can be: most numbers are short.
        guard let value = Double(digits), value.isFinite else {
            throw error("must be a number that a double holds, got \(digits)")
        }
        return value
    }

    /// A whole number; also one that is written with a fraction or an exponent.
    public func integer() throws -> Int {
        let (digits, isWhole) = try number()
        if isWhole, let value = Int(digits) { return value }
        guard let value = Double(digits), value == value.rounded(), abs(value) <= 0x1p53 else {
            throw error("must be a whole number within 64 bits, got \(digits)")
        }
        return Int(value)
    }

    /// A whole number that 64 bits without a sign hold.
    public func unsigned() throws -> UInt64 {
        let (digits, isWhole) = try number()
        guard isWhole, let value = UInt64(digits) else {
            throw error("must be a whole number from 0, within 64 bits, got \(digits)")
        }
        return value
    }

    public func string() throws -> String {
        guard next() == UInt8(ascii: "\"") else { throw error("must be a string") }
        place += 1
        let start = place
        var unescaped: [UInt8]?
        var roomAsked = 1 << 16
        var copied = start
        while true {
            try tell()
            let end = min(text.count, place + 1 << 20)
            while place < end, text[place] != UInt8(ascii: "\""), text[place] != UInt8(ascii: "\\") {
                guard text[place] >= 0x20 else { throw malformed("a control character is in a string") }
                place += 1
            }
            guard place < text.count else { throw malformed("a string has no end") }
            if place == end { continue }
            if text[place] == UInt8(ascii: "\"") { break }
            var bytes = unescaped ?? []
            unescaped = nil
            if bytes.count + place - copied > roomAsked {
                roomAsked = 2 * (bytes.count + place - copied) + 1 << 16
                // Bytes that grow are there twice, and then once more as a string.
                try execution.reserve(2 * roomAsked, for: what.isEmpty ? "reading JSON" : "reading \(what)")
            }
            bytes.append(contentsOf: text[copied..<place])
            try bytes.append(contentsOf: Array(String(escape()).utf8))
            unescaped = bytes
            copied = place
        }
        defer { place += 1 }
        let length = (unescaped?.count ?? 0) + place - copied
        // A string of at most 15 bytes has them in itself.
        try count(MemoryLayout<String>.stride + (length > 15 ? 48 + length : 0))
        let decoded: String?
        if var bytes = unescaped {
            bytes.append(contentsOf: text[copied..<place])
            decoded = String(validating: bytes, as: UTF8.self)
        } else {
            decoded = String(validating: text[start..<place], as: UTF8.self)
        }
        guard let decoded else { throw malformed("a string is not valid UTF-8") }
        return decoded
    }

    /// Passes over a value of any kind. Looks neither for members that occur twice nor at what strings hold.
    public func skip() throws {
        switch next() {
        case UInt8(ascii: "{"):
            try nested(UInt8(ascii: "{"), UInt8(ascii: "}"), "an object") { _ in
                try self.skipString()
                guard self.next() == UInt8(ascii: ":") else { throw self.malformed("a colon is expected") }
                self.place += 1
                try self.skip()
            }
        case UInt8(ascii: "["): try nested(UInt8(ascii: "["), UInt8(ascii: "]"), "an array") { _ in try self.skip() }
        case UInt8(ascii: "\""): try skipString()
        case UInt8(ascii: "t"), UInt8(ascii: "f"): _ = try bool()
        case UInt8(ascii: "n"): guard try isNull() else { throw malformed("a value is expected") }
        default: _ = try number()
        }
    }

    /// Passes over a value of any kind. Returns where it stands in the text.
    public func range() throws -> Range<Int> {
        _ = next()
        let start = place
        try skip()
        return start..<place
    }

    private func skipString() throws {
        guard next() == UInt8(ascii: "\"") else { throw malformed("a string is expected") }
        place += 1
        while place < text.count, text[place] != UInt8(ascii: "\"") {
            guard text[place] >= 0x20 else { throw malformed("a control character is in a string") }
            place += text[place] == UInt8(ascii: "\\") ? 2 : 1
            if place & 0xFFFF == 0 { try tell() }
        }
        guard place < text.count else { throw malformed("a string has no end") }
        place += 1
    }

    /// Nothing but white space may follow.
    public func end() throws {
        guard next() == nil else { throw malformed("the text goes on after its end") }
    }

    /// Counts the bytes of values that are built from the text.
    public func count(_ bytes: Int) throws {
        built += bytes
        guard built - asked > 1 << 16 else { return }
        try execution.hold(built - asked, for: what.isEmpty ? "reading JSON" : "reading \(what)")
        asked = built
    }

    // MARK: Errors

    /// An error about the value that is being read.
    public func error(_ message: String) -> CoveyError {
        let place = location
        return .corruptFile(
            [what, place].filter { !$0.isEmpty }.joined(separator: ": ") + (message.hasPrefix(":") ? "" : " ") + message
        )
    }

    /// An error about the member that is being read: its object has none of that name.
    /// - Parameter known: those that it may have, in the order of the message.
    public func unknown(known: [String]) -> CoveyError {
        error(": there is no such key here; known are \(known.joined(separator: ", "))")
    }

    /// The value of a member that must be there.
    public func required<Value>(_ value: Value?, _ name: String) throws -> Value {
        guard let value else {
            let inside = path.isEmpty ? name : "\(location).\(name)"
            throw CoveyError.corruptFile((what.isEmpty ? "" : "\(what): ") + "\(inside) is missing")
        }
        return value
    }

    /// "rules[0].conditions[1].low".
    private var location: String {
        if path.isEmpty { return what.isEmpty ? "the text" : "" }
        var result = ""
        for step in path {
            switch step {
            case .member(let name): result += result.isEmpty ? name : ".\(name)"
            case .element(let index): result += "[\(index)]"
            }
        }
        return result
    }

    private func malformed(_ message: String) -> CoveyError { error(": not valid JSON at byte \(place): \(message)") }

    // MARK: Bytes

    /// The byte after white space; nil at the end.
    private func next() -> UInt8? {
        while place < text.count {
            switch text[place] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): place += 1
            default: return text[place]
            }
        }
        return nil
    }

    private func step(_ step: Step, _ body: () throws -> Void) throws {
        path.append(step)
        try body()
        path.removeLast()
    }

    private var depth = 0

    private func nested(_ opening: UInt8, _ closing: UInt8, _ kind: String, _ element: (Int) throws -> Void) throws {
        guard next() == opening else { throw error("must be \(kind)") }
        depth += 1
        guard depth <= Self.deepest else { throw malformed("it is nested more than \(Self.deepest) deep") }
        place += 1
        if next() == closing {
            place += 1
            depth -= 1
            return
        }
        var index = 0
        while true {
            try tell()
            try element(index)
            index += 1
            let byte = next()
            place += 1
            if byte == closing { break }
            guard byte == UInt8(ascii: ",") else {
                place -= 1
                throw malformed("a comma or the end of \(kind) is expected")
            }
        }
        depth -= 1
    }

    private func tell() throws {
        guard place - told >= 1 << 18 else { return }
        told = place
        try execution.report()
    }

    private func literal(_ word: StaticString) throws -> Bool {
        _ = next()
        let end = place + word.utf8CodeUnitCount
        guard end <= text.count else { return false }
        for index in 0..<word.utf8CodeUnitCount where text[place + index] != word.utf8Start[index] { return false }
        place = end
        return true
    }

    /// The digits of a number, and whether it is written as a whole one.
    private func number() throws -> (digits: String, isWhole: Bool) {
        guard let first = next(), first == UInt8(ascii: "-") || isDigit(first) else { throw error("must be a number") }
        let start = place
        var isWhole = true
        if first == UInt8(ascii: "-") { place += 1 }
        if place < text.count, text[place] == UInt8(ascii: "0") { place += 1 } else { try digits() }
        if place < text.count, text[place] == UInt8(ascii: ".") {
            isWhole = false
            place += 1
            try digits()
        }
        if place < text.count, text[place] | 0x20 == UInt8(ascii: "e") {
            isWhole = false
            place += 1
            if place < text.count, text[place] == UInt8(ascii: "+") || text[place] == UInt8(ascii: "-") { place += 1 }
            try digits()
        }
        guard place - start <= 1024 else { throw malformed("a number has more than 1024 digits") }
        return (String(decoding: text[start..<place], as: UTF8.self), isWhole)
    }

    private func digits() throws {
        guard place < text.count, isDigit(text[place]) else { throw malformed("a digit is expected") }
        while place < text.count, isDigit(text[place]) {
            place += 1
            if place & 0xFFFF == 0 { try tell() }
        }
    }

    private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// What a backslash and what follows stand for.
    private func escape() throws -> Character {
        guard place + 1 < text.count else { throw malformed("a string has no end") }
        place += 2
        switch text[place - 1] {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if 0xD800..<0xDC00 ~= code {
                guard place + 1 < text.count, text[place] == UInt8(ascii: "\\"), text[place + 1] == UInt8(ascii: "u")
                else {
                    throw malformed("half a surrogate pair is in a string")
                }
                place += 2
                let low = try hexadecimal()
                guard 0xDC00..<0xE000 ~= low else { throw malformed("half a surrogate pair is in a string") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw malformed("half a surrogate pair is in a string") }
            return Character(scalar)
        default: throw malformed("an escape sequence is not known")
        }
    }

    private func hexadecimal() throws -> UInt32 {
        guard place + 4 <= text.count else { throw malformed("a string has no end") }
        var code: UInt32 = 0
        for _ in 0..<4 {
            let byte = text[place]
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): code = code << 4 | UInt32(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): code = code << 4 | UInt32(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): code = code << 4 | UInt32(byte - UInt8(ascii: "A") + 10)
            default: throw malformed("four hexadecimal digits are expected")
            }
            place += 1
        }
        return code
    }
}
