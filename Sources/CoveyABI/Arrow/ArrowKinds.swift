import CCovey
import CoveyRuntime

/// What a column becomes; the same for every batch, as its schema says it.
enum ArrowKind {
    case numbers, booleans, texts, dates

    /// Looks through a dictionary and through run ends, each at most once.
    static func of(_ schema: UnsafePointer<ArrowSchema>?, _ name: String) throws -> ArrowKind {
        let schema = try required(schema, "the schema of \(name)")
        if schema.pointee.dictionary != nil { return try ofDictionary(schema, name) }
        guard try format(schema, name) == "+r" else { return try ofPlain(schema, name) }
        guard schema.pointee.n_children == 2 else {
            throw CoveyError.invalidData(
                "\(name): the Arrow format \"+r\" has 2 children, the schema \(schema.pointee.n_children)")
        }
        let values = try required(
            try required(schema.pointee.children, "the children of the schema of \(name)")[1], "the schema of \(name)")
        return values.pointee.dictionary == nil ? try ofPlain(values, name) : try ofDictionary(values, name)
    }

    private static func ofDictionary(_ schema: UnsafePointer<ArrowSchema>, _ name: String) throws -> ArrowKind {
        let name = "the dictionary of \(name)"
        let kind = try ofPlain(try required(schema.pointee.dictionary, name), name)
        guard kind != .booleans else { throw unsupported("b", name) }
        return kind
    }

    private static func ofPlain(_ schema: UnsafePointer<ArrowSchema>, _ name: String) throws -> ArrowKind {
        let format = try format(schema, name)
        guard schema.pointee.dictionary == nil else { throw unsupported(format, name) }
        switch format {
        case "u", "U", "vu": return .texts
        case "b": return .booleans
        case "tdD", "tdm": return .dates
        case "n": return .numbers
        default:
            if ArrowUnit.timestamp(format) != nil { return .dates }
            guard ArrowNumber(format) != nil else { throw unsupported(format, name) }
            return .numbers
        }
    }

    private static func format(_ schema: UnsafePointer<ArrowSchema>, _ name: String) throws -> String {
        try string(schema.pointee.format, "the format of \(name)")
    }

    private static func unsupported(_ format: String, _ name: String) -> CoveyError {
        .unsupported(
            "\(name): the Arrow format \(quoted: format) is not one of a feature: give numbers, booleans, strings, "
                + "dates, times or dictionaries of them")
    }
}

/// How many units make a second.
enum ArrowUnit {
    private static let units: [Character: Int64] = ["s": 1, "m": 1000, "u": 1_000_000, "n": 1_000_000_000]

    /// Of "tsu:Europe/Amsterdam"; nil if the format is none of a timestamp.
    static func timestamp(_ format: String) -> Int64? {
        let text = Array(format.prefix(4))
        guard text.count == 4, text[0] == "t", text[1] == "s", text[3] == ":" else { return nil }
        return units[text[2]]
    }

    /// Of "tDu", a duration.
    static func duration(_ format: String) -> Int64? {
        guard format.utf8.count == 3, format.hasPrefix("tD"), let unit = format.last else { return nil }
        return units[unit]
    }

    /// A time to the nearest double of seconds.
    static func seconds(_ time: Int64, _ unit: Int64) -> Double {
        let (whole, rest) = time.quotientAndRemainder(dividingBy: unit)
        return Double(whole) + Double(rest) / Double(unit)
    }
}

/// The form of a number in its buffer.
enum ArrowNumber {
    case float64, float32, float16
    case int8, uint8, int16, uint16, int32, uint32, int64, uint64
    /// A whole number of `words` 32-bit words, over 10^scale.
    case decimal(words: Int, scale: Int)
    /// A time of day or a duration, in units of a second.
    case time32(Int64)
    case time64(Int64)

    init?(_ format: String) {
        switch format {
        case "g": self = .float64
        case "f": self = .float32
        case "e": self = .float16
        case "c": self = .int8
        case "C": self = .uint8
        case "s": self = .int16
        case "S": self = .uint16
        case "i": self = .int32
        case "I": self = .uint32
        case "l": self = .int64
        case "L": self = .uint64
        case "tts": self = .time32(1)
        case "ttm": self = .time32(1000)
        case "ttu": self = .time64(1_000_000)
        case "ttn": self = .time64(1_000_000_000)
        default:
            if let unit = ArrowUnit.duration(format) {
                self = .time64(unit)
                return
            }
            // "d:precision,scale" or "d:precision,scale,bits".
            guard format.hasPrefix("d:") else { return nil }
            let parts = format.dropFirst(2).split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
            guard parts.count == 2 || parts.count == 3, let precision = parts[0], let scale = parts[1],
                let bits = parts.count == 3 ? parts[2] : 128, [32, 64, 128, 256].contains(bits),
                (1...76).contains(precision), (-300...300).contains(scale)
            else { return nil }
            self = .decimal(words: bits / 32, scale: scale)
        }
    }

    var size: Int {
        switch self {
        case .int8, .uint8: return 1
        case .int16, .uint16, .float16: return 2
        case .int32, .uint32, .float32, .time32: return 4
        case .int64, .uint64, .float64, .time64: return 8
        case .decimal(let words, _): return words * 4
        }
    }
}
