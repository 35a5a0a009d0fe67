import CoveyRuntime

/// Text inside XML 1.0.
enum XMLText {
    /// Throws `unsupported` for what XML cannot hold: control characters.
    static func exact(_ text: String, _ what: String) throws -> String {
        for scalar in text.unicodeScalars where !isAllowed(scalar) {
            throw CoveyError.unsupported("\(what) contains U+\(String(scalar.value, radix: 16)), which XML cannot hold")
        }
        return shown(text)
    }

    /// The same with question marks in their place, for people.
    static func shown(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            // Readers make spaces of them, or other line ends.
            case "\n": result += "&#10;"
            case "\r": result += "&#13;"
            case "\t": result += "&#9;"
            case "\u{85}", "\u{2028}": result += "&#\(scalar.value);"
            default: result.unicodeScalars.append(isAllowed(scalar) ? scalar : "?")
            }
        }
        return result
    }

    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value >= 0x20 && scalar.value != 0xFFFE && scalar.value != 0xFFFF || scalar == "\n" || scalar == "\r"
            || scalar == "\t"
    }
}
