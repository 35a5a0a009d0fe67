import CoveyRuntime

/// Writes JSON value by value. A caller that writes members in the order of their names gets the same text for the same
/// values.
///
/// The writer reports progress every 64 KB and can be cancelled there; the text counts against the memory budget.
public struct JSONWriter {
    public private(set) var text: [UInt8] = []
    private let isPretty: Bool
    private let execution: Execution
    /// Of each open object or array, whether something stands in it.
    private var open: [Bool] = []
    private var isAfterName = false
    private var asked = 0

    /// - Parameter pretty: with a line for each member and element.
    public init(pretty: Bool = false, _ execution: Execution) {
        isPretty = pretty
        self.execution = execution
    }

    public var string: String { String(decoding: text, as: UTF8.self) }

    public mutating func object(_ body: (inout JSONWriter) throws -> Void) throws {
        try nested(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
    }

    public mutating func array<Elements: Sequence>(
        _ elements: Elements, _ body: (inout JSONWriter, Elements.Element) throws -> Void
    ) throws {
        try nested(UInt8(ascii: "["), UInt8(ascii: "]")) { writer in
            for element in elements { try body(&writer, element) }
        }
    }

    /// A member of an object; its value follows.
    public mutating func name(_ name: String) throws {
        try begin()
        try quote(name)
        text.append(UInt8(ascii: ":"))
        if isPretty { text.append(UInt8(ascii: " ")) }
        isAfterName = true
    }

    public mutating func member(_ name: String, _ value: String) throws {
        try self.name(name)
        try write(value)
    }

    public mutating func member(_ name: String, _ value: Int) throws {
        try self.name(name)
        try write(value)
    }

    public mutating func member(_ name: String, _ value: Double) throws {
        try self.name(name)
        try write(value)
    }

    public mutating func member(_ name: String, _ value: Bool) throws {
        try self.name(name)
        try begin()
        text.append(contentsOf: (value ? "true" : "false").utf8)
    }

    public mutating func member(_ name: String, _ values: [String]) throws {
        try self.name(name)
        try array(values) { try $0.write($1) }
    }

    public mutating func member(_ name: String, _ values: [Double]) throws {
        try self.name(name)
        try array(values) { try $0.write($1) }
    }

    public mutating func write(_ value: String) throws {
        try begin()
        try quote(value)
    }

    /// A value that is JSON already.
    public mutating func write(json: String) throws {
        try begin()
        text.append(contentsOf: json.utf8)
    }

    public mutating func write(_ value: Int) throws {
        try begin()
        text.append(contentsOf: String(value).utf8)
    }

    /// The shortest decimal that reads back as the same number; whole numbers without a fraction.
    public mutating func write(_ value: Double) throws {
        guard value.isFinite else { throw CoveyError.internalError("\(value) cannot stand in JSON") }
        try begin()
        var digits = value.description
        if digits.hasSuffix(".0") { digits.removeLast(2) }
        text.append(contentsOf: digits.utf8)
    }

    private mutating func nested(
        _ opening: UInt8, _ closing: UInt8, _ body: (inout JSONWriter) throws -> Void
    ) throws {
        try begin()
        text.append(opening)
        open.append(false)
        try body(&self)
        let isEmpty = !(open.popLast() ?? false)
        if !isEmpty { line() }
        text.append(closing)
    }

    /// What stands before a value or a name.
    private mutating func begin() throws {
        try tell()
        if isAfterName {
            isAfterName = false
            return
        }
        guard let hasElement = open.last else { return }
        if hasElement { text.append(UInt8(ascii: ",")) }
        open[open.count - 1] = true
        line()
    }

    private mutating func tell() throws {
        guard text.count - asked > 1 << 16 else { return }
        try execution.report()
        // An array that grows is there twice, and then a string of it.
        try execution.reserve(3 * text.count, for: "writing JSON")
        asked = text.count
    }

    private mutating func line() {
        guard isPretty else { return }
        text.append(UInt8(ascii: "\n"))
        text.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * open.count))
    }

    private mutating func quote(_ value: String) throws {
        text.append(UInt8(ascii: "\""))
        var value = value
        try value.withUTF8 { bytes in
            let piece = 1 << 18
            for start in stride(from: 0, to: bytes.count, by: piece) {
                if start > 0 { try tell() }
                escape(UnsafeBufferPointer(rebasing: bytes[start..<min(bytes.count, start + piece)]))
            }
        }
        text.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ bytes: UnsafeBufferPointer<UInt8>) {
        var copied = 0
        for (place, byte) in bytes.enumerated()
        where byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
            text.append(contentsOf: bytes[copied..<place])
            copied = place + 1
            text.append(UInt8(ascii: "\\"))
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(byte)
            case 8: text.append(UInt8(ascii: "b"))
            case 9: text.append(UInt8(ascii: "t"))
            case 10: text.append(UInt8(ascii: "n"))
            case 12: text.append(UInt8(ascii: "f"))
            case 13: text.append(UInt8(ascii: "r"))
            default:
                let digits = Array("0123456789abcdef".utf8)
                text.append(contentsOf: "u00".utf8)
                text.append(digits[Int(byte >> 4)])
                text.append(digits[Int(byte & 15)])
            }
        }
        text.append(contentsOf: bytes[copied...])
    }
}
