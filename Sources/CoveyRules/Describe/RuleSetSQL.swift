import CoveyRuntime
import CoveyTables

/// A rule set as SQL, true exactly where a rule matches.
///
/// Numbers become double precision before they are compared: a 32-bit number would be compared in 32 bits by some
/// databases, a large whole number exactly by others. NULL and NaN are missing: a comparison with NULL is not true, so
/// that it does not match, as in `RuleEvaluator`; a NaN, which databases sort above all numbers, is barred by an upper
/// bound or by name. Literals have an exponent, since decimals without one are not read as doubles everywhere.
struct SQLWriter {
    private let set: RuleSet
    private let options: ExportOptions
    private let execution: Execution
    private var dialect: SQLDialect { options.dialect }
    /// What stands before a column: "rows".
    private let prefix: String
    private var derived: [ExactName: DerivedFeature] = [:]
    private var categorical = Set<ExactName>()
    private var boolean = Set<ExactName>()

    private static let largest = "1.7976931348623157e+308"

    init(_ set: RuleSet, _ options: ExportOptions, _ execution: Execution) {
        self.set = set
        self.execution = execution
        self.options = options
        prefix = options.table.map { SQLWriter.quoted($0, options.dialect) + "." } ?? ""
        for feature in set.features {
            derived[ExactName(feature.name)] = feature.derived
            if feature.kind == .categorical { categorical.insert(ExactName(feature.name)) }
            if feature.kind == .boolean { boolean.insert(ExactName(feature.name)) }
        }
    }

    func text() throws -> String {
        var terms: [String] = []
        for (index, rule) in set.rules.enumerated() {
            if index & 0xFF == 0 { try execution.report() }
            terms.append("(" + rule.conditions.map(condition).joined(separator: " AND ") + ")")
        }
        let expression = terms.isEmpty ? "1 = 0" : SQLWriter.disjunction(terms[...])
        guard options.table != nil else { return expression }
        let path = [options.catalog, options.schema, options.table].compactMap { $0 }
        return "SELECT * FROM \(path.map { SQLWriter.quoted($0, dialect) }.joined(separator: ".")) WHERE \(expression)"
    }

    // MARK: - Conditions

    private func condition(_ condition: Condition) -> String {
        let name = ExactName(condition.feature)
        switch condition.test {
        case .interval(let low, let high): return interval(condition.feature, low, high)
        case .isIn(let categories): return "\(category(condition.feature)) IN (\(list(categories)))"
        case .isNotIn(let categories): return "\(category(condition.feature)) NOT IN (\(list(categories)))"
        case .isTrue: return "\(flag(condition.feature)) = TRUE"
        case .isFalse: return "\(flag(condition.feature)) = FALSE"
        case .isMissing, .isPresent:
            let isColumn = categorical.contains(name) || boolean.contains(name)
            let value = isColumn ? column(condition.feature) : known(condition.feature)
            return condition.test == .isMissing ? "\(value) IS NULL" : "\(value) IS NOT NULL"
        }
    }

    private func interval(_ feature: String, _ low: Double, _ high: Double) -> String {
        // An upper bound bars NaN as well.
        let number = derived[ExactName(feature)].map(value) ?? self.number(column(feature))
        var parts: [String] = []
        if high == .infinity, dialect != .ansi {
            parts.append("\(known(feature)) >= \(literal(low))")
        } else if low > -.infinity {
            parts.append("\(number) >= \(literal(low))")
        }
        if high < .infinity {
            parts.append("\(number) < \(literal(high))")
        } else if dialect == .ansi {
            parts.append("\(number) <= \(SQLWriter.largest)")
        }
        return parts.joined(separator: " AND ")
    }

    /// A category as text, compared by its bytes.
    private func category(_ name: String) -> String {
        let column = column(name)
        return switch dialect {
        case .ansi, .duckdb: "CAST(\(column) AS VARCHAR)"
        case .postgresql: "CAST(\(column) AS TEXT) COLLATE \"C\""
        case .sqlite: "CAST(\(column) AS TEXT) COLLATE BINARY"
        case .spark, .bigquery: "CAST(\(column) AS STRING)"
        }
    }

    private func flag(_ name: String) -> String {
        switch dialect {
        case .sqlite: column(name)
        case .bigquery: "CAST(\(column(name)) AS BOOL)"
        default: "CAST(\(column(name)) AS BOOLEAN)"
        }
    }

    // MARK: - Numbers

    private func number(_ text: String) -> String {
        let type =
            switch dialect {
            case .ansi, .postgresql: "DOUBLE PRECISION"
            case .sqlite: "REAL"
            case .duckdb, .spark: "DOUBLE"
            case .bigquery: "FLOAT64"
            }
        return "CAST(\(text) AS \(type))"
    }

    /// A feature's value, NULL where it is missing.
    private func known(_ feature: String) -> String {
        derived[ExactName(feature)].map(value) ?? known(number: number(column(feature)))
    }

    /// A number with NULL in the place of NaN.
    private func known(number: String) -> String {
        switch dialect {
        case .ansi: "(CASE WHEN \(number) <= \(SQLWriter.largest) THEN \(number) END)"
        // There NaN equals NaN.
        case .postgresql, .duckdb, .spark: "NULLIF(\(number), \(self.number("'NaN'")))"
        case .sqlite: number
        case .bigquery: "IF(IS_NAN(\(number)), NULL, \(number))"
        }
    }

    /// Whether a result that no double holds, or that is rounded to 0, is an error there.
    private var isStrict: Bool { [.ansi, .postgresql, .bigquery].contains(dialect) }

    /// What is worked out of columns, NULL where it is missing.
    private func value(_ feature: DerivedFeature) -> String {
        switch feature.operation {
        case .hour: return hour(date(feature.first))
        case .days:
            let span = "(\(date(feature.second ?? "")) - \(date(feature.first)))"
            if isStrict { return "(CASE WHEN ABS(\(span)) < 1e-300 THEN 0 ELSE \(span) / 86400e0 END)" }
            return "(\(span) / 86400e0)"
        case .ratio:
            return ratio(
                known(number: number(column(feature.first))), known(number: number(column(feature.second ?? ""))))
        case .difference:
            let first = known(number: number(column(feature.first)))
            let second = known(number: number(column(feature.second ?? "")))
            guard isStrict else { return "(\(first) - \(second))" }
            // Half of what is too large is not.
            let (large, limit) = ("1e290", "8.98846567431158e+307")
            return
                "(CASE WHEN \(first) > \(large) AND \(second) < -\(large) AND \(first) / 2 - \(second) / 2 >= \(limit) "
                + "THEN \(SQLWriter.largest) WHEN \(first) < -\(large) AND \(second) > \(large) "
                + "AND \(first) / 2 - \(second) / 2 <= -\(limit) THEN -\(SQLWriter.largest) ELSE \(first) - \(second) "
                + "END)"
        }
    }

    private func hour(_ seconds: String) -> String {
        // Databases round the day in different ways; what is left of it then differs by a day, and is never below 0
        // here.
        let day = dialect == .bigquery ? "INT64" : "BIGINT"
        var rest = "(\(seconds) - 86400 * CAST(\(seconds) / 86400e0 AS \(day)))"
        // A tiny number divided is 0 or an error.
        if isStrict { rest = "(CASE WHEN ABS(\(seconds)) < 1 THEN \(seconds) ELSE \(rest) END)" }
        let positive = "(CASE WHEN \(rest) < 0 THEN \(rest) + 86400 ELSE \(rest) END)"
        if isStrict { return "(CASE WHEN \(positive) < 1e-300 THEN 0 ELSE \(positive) / 3600e0 END)" }
        return "(\(positive) / 3600e0)"
    }

    private func ratio(_ first: String, _ second: String) -> String {
        guard isStrict else { return "(\(first) / NULLIF(\(second), 0))" }
        let divide = dialect == .bigquery ? "IEEE_DIVIDE(\(first), \(second))" : "\(first) / \(second)"
        return "(CASE WHEN \(second) = 0 THEN NULL "
            + "WHEN ABS(\(second)) < 1 AND ABS(\(first)) >= ABS(\(second)) * \(SQLWriter.largest) "
            + "THEN \(SQLWriter.largest) * SIGN(\(first)) * SIGN(\(second)) "
            // A quotient of at most half the smallest double is 0: both sides times 2^1023, which is exact.
            + "WHEN ABS(\(second)) > 1 AND ABS(\(first)) < 1 "
            + "AND ABS(\(first)) * 8.98846567431158e+307 <= ABS(\(second)) * 2.220446049250313e-16 THEN 0 "
            + "ELSE \(divide) END)"
    }

    /// A date's seconds since 1970-01-01 UTC, NULL where it is missing.
    private func date(_ name: String) -> String {
        let column = column(name)
        guard options.hasTimestamps else { return known(number: number(column)) }
        let zone = options.timeZone.map { string($0) }
        switch dialect {
        case .ansi, .postgresql:
            return number("EXTRACT(EPOCH FROM \(zone.map { "(\(column) AT TIME ZONE \($0))" } ?? column))")
        case .sqlite:
            return "((1000 * CAST(strftime('%s', \(column)) AS INTEGER) "
                + "+ CAST(substr(strftime('%f', \(column)), 4) AS INTEGER)) / 1e3)"
        case .duckdb: return "(epoch_us(\(zone.map { "\(column) AT TIME ZONE \($0)" } ?? column)) / 1e6)"
        case .spark: return "(unix_micros(\(column)) / 1e6)"
        case .bigquery: return "(UNIX_MICROS(\(zone.map { "TIMESTAMP(\(column), \($0))" } ?? column)) / 1e6)"
        }
    }

    // MARK: - Text

    private func column(_ name: String) -> String { prefix + SQLWriter.quoted(name, dialect) }

    /// SQLite takes an unknown name in double quotes for a text, and would match all rows; in back quotes it is an
    /// error.
    private static func quoted(_ name: String, _ dialect: SQLDialect) -> String {
        switch dialect {
        case .ansi, .postgresql, .duckdb: doubled(name, "\"")
        case .sqlite, .spark: doubled(name, "`")
        case .bigquery: "`" + escaped(name) + "`"
        }
    }

    private func string(_ text: String) -> String {
        switch dialect {
        case .ansi, .sqlite, .duckdb: return SQLWriter.doubled(text, "'")
        case .postgresql:
            // A setting decides what a backslash means in a plain text there.
            let isPlain = !text.utf8.contains(UInt8(ascii: "\\"))
            return isPlain ? SQLWriter.doubled(text, "'") : "E'" + SQLWriter.escaped(text) + "'"
        case .spark, .bigquery: return "'" + SQLWriter.escaped(text) + "'"
        }
    }

    private func list(_ categories: [String]) -> String { categories.map(string).joined(separator: ", ") }

    /// Character by character would join a combining mark with the quote before it; scalars do not.
    private static func doubled(_ text: String, _ mark: Unicode.Scalar) -> String {
        var result = String.UnicodeScalarView()
        result.append(mark)
        for next in text.unicodeScalars {
            result.append(next)
            if next == mark { result.append(next) }
        }
        result.append(mark)
        return String(result)
    }

    private static func escaped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for next in text.unicodeScalars {
            switch next {
            case "\n": result.append(contentsOf: "\\n".unicodeScalars)
            case "\r": result.append(contentsOf: "\\r".unicodeScalars)
            // Spark puts variables in the place of "${name}" before it reads a text.
            case "$": result.append(contentsOf: "\\u0024".unicodeScalars)
            case "\\", "'", "`", "\"":
                result.append("\\")
                result.append(next)
            default: result.append(next)
            }
        }
        return String(result)
    }

    /// a OR b OR c, in groups: parsers limit the depth of an expression (SQLite's limit is 1000).
    private static func disjunction(_ terms: ArraySlice<String>) -> String {
        let width = 64
        if terms.count <= width { return terms.joined(separator: " OR ") }
        let size = max(width, (terms.count - 1) / width + 1)
        return stride(from: terms.startIndex, to: terms.endIndex, by: size)
            .map { "(" + disjunction(terms[$0..<min($0 + size, terms.endIndex)]) + ")" }
            .joined(separator: " OR ")
    }

    private func literal(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 0x1p53 { return String(Int(value)) }
        let text = dialect == .sqlite ? SQLiteLiteral.text(value) : value.description
        return text.contains("e") ? text : text + "e0"
    }
}

/// Literals that SQLite reads as the double that is meant: it takes 18 digits and multiplies by powers of ten with some
/// 64 bits, so that a decimal too near the middle between two doubles becomes the wrong one.
private enum SQLiteLiteral {
    static func text(_ value: Double) -> String {
        let bits = (abs(value).significandBitPattern, Int(abs(value).exponentBitPattern))
        let significand = bits.0 | (bits.1 > 0 ? 1 << 52 : 0)
        let exponent = max(1, bits.1) - 1075
        let exact = Decimals.exact(significand: significand, exponent: exponent)
        let short = value.description
        let shortest = digits(short)
        // Below a power of two the doubles lie twice as near.
        let below = significand == 1 << 52 ? (4 * significand - 1, exponent - 2) : (2 * significand - 1, exponent - 1)
        let isSafe = [below, (2 * significand + 1, exponent - 1)].allSatisfy { middle, power in
            let other = Decimals.exact(significand: middle, exponent: power)
            guard other.point == shortest.point else { return false }
            let (a, b) = (whole(other.digits), whole(shortest.digits))
            return (a > b ? a - b : b - a) > 1_000_000
        }
        if isSafe { return short }
        var (kept, point) = (Array(exact.digits.prefix(18)), exact.point)
        if exact.digits.count > 18, exact.digits[18] >= 5 {
            var place = kept.count - 1
            while place >= 0, kept[place] == 9 {
                kept[place] = 0
                place -= 1
            }
            if place >= 0 {
                kept[place] += 1
            } else {
                kept = [1]
                point += 1
            }
        }
        let rest = kept.dropFirst().map { String($0) }.joined()
        return (value < 0 ? "-" : "") + "\(kept[0]).\(rest.isEmpty ? "0" : rest)e\(point - 1)"
    }

    /// The digits of a decimal, without zeros at either end, and where its point is.
    private static func digits(_ text: String) -> (digits: [UInt8], point: Int) {
        let parts = text.drop { $0 == "-" }.split(separator: "e")
        let mantissa = parts[0].split(separator: ".")
        var digits = (mantissa[0] + (mantissa.count > 1 ? mantissa[1] : "")).utf8.map { $0 - 48 }
        var point = mantissa[0].utf8.count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
        while digits.first == 0 {
            digits.removeFirst()
            point -= 1
        }
        while digits.last == 0 { digits.removeLast() }
        return (digits, point)
    }

    /// The first 24 digits as a number.
    private static func whole(_ digits: [UInt8]) -> UInt128 {
        (0..<24).reduce(0) { $0 * 10 + UInt128($1 < digits.count ? digits[$1] : 0) }
    }
}
