/// Text from outside, names above all, as it may stand in what people and terminals read: sentences, reasons and
/// messages.
public enum PlainText {
    /// The text with what cannot be seen written out: control characters and line breaks, terminal escapes among them,
    /// marks that turn the direction of writing, and other characters without a shape. "\n" stands for a line break,
    /// "\u{1b}" for an escape.
    public static func escaped(_ text: String) -> String {
        // Most texts have nothing of it.
        if text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if isVisible(scalar) {
                result.append(scalar)
            } else {
                result.append(contentsOf: written(scalar).unicodeScalars)
            }
        }
        return String(result)
    }

    /// A name as it stands in a sentence: as it is if it is a few plain words, otherwise `quoted`, so that nothing
    /// in it can be taken for a part of the sentence.
    public static func name(_ name: String) -> String {
        isPlain(name) ? name : quoted(name)
    }

    /// A name in quotes, as every message has it. Quotes and backslashes in it have a backslash before them, and what
    /// cannot be seen is written out: no name can end its quotes.
    public static func quoted(_ name: String) -> String {
        // A long name takes no time for each of its characters if there is nothing to be written out.
        let isPrintable = name.utf8.allSatisfy {
            (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        if isPrintable { return "\"" + name + "\"" }
        var result = String.UnicodeScalarView("\"".unicodeScalars)
        for scalar in name.unicodeScalars {
            guard isVisible(scalar) else {
                result.append(contentsOf: written(scalar).unicodeScalars)
                continue
            }
            if scalar == "\"" || scalar == "\\" { result.append("\\") }
            result.append(scalar)
        }
        result.append("\"")
        return String(result)
    }

    /// The words that sentences are built with.
    private static let reserved: Set<String> = [
        "and", "or", "is", "are", "not", "missing", "known", "true", "false", "something", "other", "others", "than",
        "at", "least",
        "below", "it", "covers", "matching",
    ]
    private static let mostWords = 5
    private static let mostBytes = 256

    private static func isPlain(_ name: String) -> Bool {
        guard name.utf8.count <= mostBytes else { return false }
        let words = name.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count <= mostWords else { return false }
        return words.allSatisfy { word in
            !word.isEmpty && word.last != "." && word.unicodeScalars.allSatisfy(isPlain)
                && !reserved.contains(word.lowercased())
        }
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber,
            .nonspacingMark, .spacingMark, .currencySymbol:
            true
        default: "_-./$#@+&%*=<>|~^\u{B0}".unicodeScalars.contains(scalar)
        }
    }

    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse: false
        default: true
        }
    }

    private static func written(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        default: "\\u{\(String(scalar.value, radix: 16))}"
        }
    }
}

extension DefaultStringInterpolation {
    /// Messages name what comes from outside by `\(quoted: name)`.
    public mutating func appendInterpolation(quoted name: String) {
        appendLiteral(PlainText.quoted(name))
    }
}
