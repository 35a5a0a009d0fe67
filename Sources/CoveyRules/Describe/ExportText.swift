import CoveyTables

// What the exports share: names, numbers and comments of other languages.

/// Identifiers for columns, the same in every language: ASCII letters, digits and underscores.
enum Identifiers {
    /// One for each name, all different, in the names' order.
    static func make(_ names: [String]) -> [String] {
        var taken = Set<String>()
        return names.map { name in
            var text = ""
            for scalar in name.unicodeScalars {
                text.unicodeScalars.append(isLetter(scalar) || isDigit(scalar) ? scalar : "_")
                if text.utf8.count == 60 { break }
            }
            if text.allSatisfy({ $0 == "_" }) { text = "feature" }
            if let first = text.unicodeScalars.first, !isLetter(first) { text = "feature_" + text }
            if reserved.contains(text.lowercased()) { text += "_" }
            let plain = text
            var number = 2
            // Differences of case are lost in some tools.
            while !taken.insert(text.lowercased()).inserted {
                text = "\(plain)_\(number)"
                number += 1
            }
            return text
        }
    }

    /// Whether it may be the name of a function, a package or a class.
    static func isFree(_ name: String) -> Bool {
        guard let first = name.unicodeScalars.first, isLetter(first) || first == "_" else { return false }
        return name.unicodeScalars.allSatisfy { isLetter($0) || isDigit($0) } && !reserved.contains(name.lowercased())
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_"
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    /// Words of C, C++, Java, Python, DRL and FEEL, and what the exports call their own.
    private static let reserved = Set(
        """
        abstract accumulate action activation_group active agenda_group alignas alignof and and_eq as asm assert \
        async attributes auto auto_focus await bitand bitor bool boolean break byte case catch char class collect \
        compl concept const consteval constexpr constinit const_cast continue contains co_await co_return co_yield \
        date declare decltype def default del delete dialect do double duration dynamic_cast elif else end enabled \
        entry_point enum eval every except exists explicit export extend extends extern external false final finally \
        float fn for forall fragment friend from function global goto if implements import in init inline instanceof \
        int interface is item lambda let list lock_on_active long matches match memberof module mutable namespace \
        native new no_loop noexcept none nonlocal not not_eq null nullptr number operator or or_eq order out over \
        package partial pass permits private protected public python query raise record refract register \
        reinterpret_cast requires restrict result retract return reverse row rule ruleflow_group rules salience \
        sealed self short signed sizeof some sounds soundslike static static_assert static_cast str strictfp string \
        struct super switch synchronized template then this thread_local throw throws timer trait transient true try \
        type typedef typeid typename union unit unsigned using var virtual void volatile wchar_t when while window \
        with xor xor_eq yield _ _bool _complex _imaginary nan math known number_ fired count
        """.split(separator: " ").map(String.init))
}

/// Numbers as other languages read them.
enum Decimals {
    /// The shortest decimal that reads back as the same double, as a floating-point literal: "0.7", "100.0", "1e-07".
    static func literal(_ value: Double) -> String { value == 0 ? "0.0" : value.description }

    /// The same without an exponent, and whole numbers without a fraction.
    static func plain(_ value: Double) -> String {
        let text = value == 0 ? "0" : value.description
        let negative = text.hasPrefix("-")
        let parts = text.drop { $0 == "-" }.split(separator: "e")
        let mantissa = parts[0].split(separator: ".")
        let fraction = mantissa.count > 1 && mantissa[1] != "0" ? mantissa[1] : ""
        var digits = String(mantissa[0] + fraction)
        let point = mantissa[0].count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
        if point <= 0 {
            digits = "0." + String(repeating: "0", count: -point) + digits
        } else if point >= digits.count {
            digits += String(repeating: "0", count: point - digits.count)
            // Some engines would compare a large whole number exactly, and a double is not the power of ten that it
            // stands for.
            if abs(value) >= 0x1p53 { digits += ".0" }
        } else {
            digits.insert(".", at: digits.index(digits.startIndex, offsetBy: point))
        }
        return (negative ? "-" : "") + digits
    }

    /// `significand` x 2^`exponent` (positive) as decimal digits: 0.d1 d2 d3... x 10^point, the digits exact and
    /// without zeros at either end.
    static func exact(significand: UInt64, exponent: Int) -> (digits: [UInt8], point: Int) {
        // Limbs of nine digits, the lowest first.
        var limbs: [UInt64] = []
        var rest = significand
        while rest > 0 {
            limbs.append(rest % 1_000_000_000)
            rest /= 1_000_000_000
        }
        func multiply(by factor: UInt64) {
            var carry: UInt64 = 0
            for index in limbs.indices {
                let product = limbs[index] * factor + carry
                limbs[index] = product % 1_000_000_000
                carry = product / 1_000_000_000
            }
            if carry > 0 { limbs.append(carry) }
        }
        // m / 2^k = m 5^k / 10^k.
        let factor: UInt64 = exponent < 0 ? 5 : 2
        for _ in 0..<abs(exponent) { multiply(by: factor) }
        var digits: [UInt8] = []
        for limb in limbs.reversed() {
            let text = String(limb)
            if !digits.isEmpty { digits += repeatElement(0, count: 9 - text.utf8.count) }
            digits += text.utf8.map { $0 - 48 }
        }
        let point = digits.count + min(0, exponent)
        while digits.last == 0 { digits.removeLast() }
        return (digits, point)
    }
}

/// Text inside comments: what could end a comment, or be read as something else, becomes a question mark.
enum Comments {
    static func text(_ text: String) -> String {
        var result = ""
        var last: Unicode.Scalar = " "
        for scalar in text.unicodeScalars {
            let isPlain = (0x20..<0x7F).contains(scalar.value) && scalar != "\\"
            let isWord = scalar.value > 0x7F && scalar.properties.isAlphabetic
            var next: Unicode.Scalar = isPlain || isWord ? scalar : "?"
            if last == "*", next == "/" { next = "?" }
            if last == "/", next == "*" { next = "?" }
            // Two question marks begin a trigraph of C.
            if last == "?", next == "?" { continue }
            result.unicodeScalars.append(next)
            last = next
        }
        return result
    }

    /// The same in lines of at most 110 characters.
    static func lines(_ text: String) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in self.text(text).split(separator: " ") {
            if !line.isEmpty, line.count + word.count > 110 {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return lines + (line.isEmpty ? [] : [line])
    }
}

/// A rule set as the writers of programs see it: columns with identifiers, and each feature's place.
struct ExportColumns {
    let columns: [RuleFeature]
    let names: [String]
    private let places: [ExactName: Int]
    private let derived: [ExactName: DerivedFeature]

    init(_ set: RuleSet) {
        columns = set.columns
        names = Identifiers.make(set.columns.map(\.name))
        places = Dictionary(
            zip(set.columns.map { ExactName($0.name) }, set.columns.indices), uniquingKeysWith: { first, _ in first })
        derived = Dictionary(
            set.features.compactMap { feature in feature.derived.map { (ExactName(feature.name), $0) } },
            uniquingKeysWith: { first, _ in first })
    }

    /// A column's identifier.
    func name(_ column: String) -> String { places[ExactName(column)].map { names[$0] } ?? "" }

    func derived(_ feature: String) -> DerivedFeature? { derived[ExactName(feature)] }

    func kind(_ feature: String) -> FeatureColumn.Kind {
        derived(feature) != nil ? .numeric : places[ExactName(feature)].map { columns[$0].kind } ?? .numeric
    }
}
