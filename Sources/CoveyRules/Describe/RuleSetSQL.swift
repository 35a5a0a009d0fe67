// A rule set as a boolean expression in standard SQL, true exactly where a rule matches. It runs on SQLite, PostgreSQL and
// DuckDB. A missing value must be NULL in the table (not a NaN, which PostgreSQL and DuckDB sort above all numbers): a
// comparison with NULL is not true, so that it does not match, as in `RuleEvaluator`. Booleans are compared with TRUE and
// FALSE, which SQLite knows from 3.23 on as 1 and 0. Dates are numbers of seconds since 1970-01-01 UTC.

import CoveyRuntime
import CoveyTables

extension RuleSet {
    /// For a WHERE clause; `1 = 0` where there are no rules.
    public func sql(_ execution: Execution = Execution()) throws -> String {
        if rules.isEmpty { return "1 = 0" }
        let expressions = Dictionary(
            features.map { (ExactName($0.name), RuleSet.sql($0)) }, uniquingKeysWith: { first, _ in first })
        var place = 0
        let terms = try rules.map { rule in
            place += 1
            if place & 0xFF == 0 { try execution.report() }
            return "(" + rule.conditions.map { RuleSet.sql($0, expressions) }.joined(separator: " AND ") + ")"
        }
        return RuleSet.disjunction(terms[...])
    }

    /// A feature's value. Numbers become double precision before they are combined, as whole numbers of SQL would divide and
    /// overflow otherwise.
    private static func sql(_ feature: RuleFeature) -> String {
        guard let derived = feature.derived else { return quoted(feature.name, "\"") }
        let first = quoted(derived.first, "\"")
        let second = quoted(derived.second ?? "", "\"")
        let number = "CAST(\(first) AS DOUBLE PRECISION)"
        switch derived.operation {
        case .hour:
            // Databases round the day in different ways; what is left of it then differs by a day, and is never below 0 here.
            let rest = "(\(number) - 86400 * CAST(\(first) / 86400.0 AS BIGINT))"
            return "((CASE WHEN \(rest) < 0 THEN \(rest) + 86400 ELSE \(rest) END) / 3600.0)"
        case .days: return "((CAST(\(second) AS DOUBLE PRECISION) - \(first)) / 86400.0)"
        case .ratio: return "(\(number) / NULLIF(\(second), 0))"
        case .difference: return "(\(number) - \(second))"
        }
    }

    private static func sql(_ condition: Condition, _ expressions: [ExactName: String]) -> String {
        let name = expressions[ExactName(condition.feature)] ?? quoted(condition.feature, "\"")
        switch condition.test {
        case .interval(let low, let high):
            var parts: [String] = []
            if low > -.infinity { parts.append("\(name) >= \(literal(low))") }
            if high < .infinity { parts.append("\(name) < \(literal(high))") }
            return parts.joined(separator: " AND ")
        case .isIn(let categories): return "\(name) IN (\(list(categories)))"
        case .isNotIn(let categories): return "\(name) NOT IN (\(list(categories)))"
        case .isTrue: return "\(name) = TRUE"
        case .isFalse: return "\(name) = FALSE"
        case .isMissing: return "\(name) IS NULL"
        case .isPresent: return "\(name) IS NOT NULL"
        }
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

    private static func list(_ categories: [String]) -> String {
        categories.map { quoted($0, "'") }.joined(separator: ", ")
    }

    private static func quoted(_ text: String, _ mark: Character) -> String {
        // Character by character would join a combining mark with the quote before it; scalars do not.
        var result = String.UnicodeScalarView()
        let scalar = mark.unicodeScalars.first ?? "'"
        result.append(scalar)
        for next in text.unicodeScalars {
            result.append(next)
            if next == scalar { result.append(next) }
        }
        result.append(scalar)
        return String(result)
    }

    /// The shortest decimal that reads back as the same double; whole numbers without a fraction.
    private static func literal(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 0x1p53 { return String(Int(value)) }
        return value.description
    }
}
