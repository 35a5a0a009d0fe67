import CoveyRuntime
import CoveyTables

/// A rule set as a C99 header that is C++ as well, without a library.
struct CWriter {
    private let set: RuleSet
    private let columns: ExportColumns
    private let name: String
    private let execution: Execution

    init(_ set: RuleSet, name: String, execution: Execution) {
        self.set = set
        self.execution = execution
        self.name = name
        columns = ExportColumns(set)
    }

    func text() throws -> String {
        let upper = name.uppercased()
        var lines = [
            "/* Rules that describe \(Comments.text(set.targetName)), written by Covey. */",
            "#ifndef \(upper)_H", "#define \(upper)_H", "",
            "#include <float.h>", "#include <math.h>", "#include <string.h>", "",
            "#ifdef __FAST_MATH__",
            "#error \"NaN is a missing value here: compile without -ffast-math\"", "#endif",
            "#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 1",
            "#error \"numbers must be compared as doubles: compile for SSE2\"", "#endif", "",
            "/* A row. A number is missing where it is NaN, a date (seconds since 1970-01-01 UTC) likewise, a "
                + "category (UTF-8) where",
            "   it is NULL, a boolean where it is -1 (otherwise 0 or 1). */",
            "typedef struct \(name)_row {",
        ]
        for (column, name) in zip(columns.columns, columns.names) {
            let type =
                switch column.kind {
                case .numeric, .date: "double "
                case .categorical: "const char *"
                case .boolean: "signed char "
                }
            lines.append("    \(type)\(name); /* \(Comments.text(column.name)) */")
        }
        // C has no struct without a member.
        if columns.columns.isEmpty { lines.append("    char none;") }
        lines += ["} \(name)_row;", "", "#define \(upper)_COUNT \(set.rules.count)", "", helpers]
        for (index, rule) in set.rules.enumerated() {
            if index & 0xFF == 0 { try execution.report() }
            lines += Comments.lines(Narrative(set).sentence(rule)).map { "/* \($0) */" }
            lines.append("static inline int \(name)_rule_\(index)(const \(name)_row *row)")
            lines += ["{", "    return \(rule.conditions.map(text).joined(separator: "\n        && "));", "}", ""]
        }
        lines += [
            "/* How many rules match a row. fired: NULL, or \(upper)_COUNT bytes that become 1 where a rule matches "
                + "and 0 elsewhere. */",
            "static inline int \(name)_fired(const \(name)_row *row, unsigned char *fired)", "{", "    int count = 0;",
            "    int match;",
        ]
        for index in set.rules.indices {
            lines += [
                "    match = \(name)_rule_\(index)(row);", "    if (fired) fired[\(index)] = (unsigned char)match;",
                "    count += match;",
            ]
        }
        if set.rules.isEmpty { lines += ["    match = 0;", "    (void)row, (void)fired, (void)match;"] }
        return (lines + ["    return count;", "}", "", "#endif", ""]).joined(separator: "\n")
    }

    private func text(_ condition: Condition) -> String {
        let value = value(condition.feature)
        switch condition.test {
        case .interval(let low, let high):
            var parts: [String] = []
            if low > -.infinity { parts.append("\(value) >= \(Decimals.literal(low))") }
            if high < .infinity { parts.append("\(value) < \(Decimals.literal(high))") }
            return parts.joined(separator: " && ")
        case .isIn(let names):
            return "\(value) && (" + names.map { "!strcmp(\(value), \(CWriter.string($0)))" }.joined(separator: " || ")
                + ")"
        case .isNotIn(let names):
            return ([value] + names.map { "strcmp(\(value), \(CWriter.string($0)))" }).joined(separator: " && ")
        case .isTrue: return "\(value) == 1"
        case .isFalse: return "\(value) == 0"
        case .isMissing, .isPresent:
            let isMissing = condition.test == .isMissing
            return switch columns.kind(condition.feature) {
            case .numeric, .date: "\(value) \(isMissing ? "!=" : "==") \(value)"
            case .categorical: isMissing ? "!\(value)" : value
            case .boolean: "\(value) \(isMissing ? "<" : ">=") 0"
            }
        }
    }

    private func value(_ feature: String) -> String {
        guard let derived = columns.derived(feature) else { return "row->\(columns.name(feature))" }
        let arguments = [derived.first, derived.second].compactMap { $0 }.map { "row->" + columns.name($0) }
        let function =
            switch derived.operation {
            case .hour: "hour"
            case .days: "days"
            case .ratio: "ratio"
            case .difference: "difference"
            }
        return "\(name)_\(function)(\(arguments.joined(separator: ", ")))"
    }

    /// The functions that derived features need.
    private var helpers: String {
        var result = ""
        let operations = Set(set.features.compactMap { $0.derived?.operation })
        if operations.contains(.hour) {
            result += """
                static inline double \(name)_hour(double first)
                {
                    double rest = fmod(first, 86400.0);
                    return (rest < 0 ? rest + 86400.0 : rest) / 3600.0;
                }


                """
        }
        for (operation, function, body) in [
            (DerivedFeature.Operation.days, "days", "(second - first) / 86400.0"),
            (.ratio, "ratio", "second == 0 ? (double)NAN : first / second"),
            (.difference, "difference", "first - second"),
        ] where operations.contains(operation) {
            result += """
                static inline double \(name)_\(function)(double first, double second)
                {
                    return \(body);
                }


                """
        }
        return result
    }

    private static func string(_ text: String) -> String {
        var result = "\""
        for byte in text.utf8 {
            let isPlain =
                (0x20..<0x7F).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
                && byte != UInt8(ascii: "?")
            if isPlain {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                // Three octal digits end the escape whatever follows; a question mark could begin a trigraph.
                let digits = String(byte, radix: 8)
                result += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
            }
        }
        return result + "\""
    }
}
