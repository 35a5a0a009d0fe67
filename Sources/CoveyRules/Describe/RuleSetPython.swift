import CoveyRuntime
import CoveyTables

/// A rule set as a Python function, for Python 3.8 and later, without packages.
struct PythonWriter {
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
        var lines = [
            "# Rules that describe \(Comments.text(set.targetName)), written by Covey.",
            "import math",
            "from datetime import datetime, timezone",
            "",
            "",
            "def \(name)(row):",
            "    \"\"\"The numbers of the rules that match a row, from 0; an empty list where none does.",
            "",
            "    row: a mapping of every column to its value. None, NaN, NA and NaT are missing. Dates are datetimes "
                + "(UTC where they",
            "    have no zone) or seconds since 1970-01-01 UTC. A column that is not there raises KeyError.",
            "    \"\"\"",
        ]
        for (column, name) in zip(columns.columns, columns.names) {
            let read =
                switch column.kind {
                case .numeric: "_number"
                case .categorical: "_category"
                case .boolean: "_flag"
                case .date: "_seconds"
                }
            lines.append("    \(name) = \(read)(row[\(PythonWriter.string(column.name))])")
        }
        var values: [ExactName: String] = [:]
        for (index, feature) in set.features.enumerated() {
            guard let derived = feature.derived else { continue }
            let arguments = [derived.first, derived.second].compactMap { $0 }.map { columns.name($0) }.joined(
                separator: ", ")
            lines.append("    derived_\(index) = _\(PythonWriter.function(derived.operation))(\(arguments))")
            values[ExactName(feature.name)] = "derived_\(index)"
        }
        lines.append("    fired = []")
        for (index, rule) in set.rules.enumerated() {
            if index & 0xFF == 0 { try execution.report() }
            lines += Comments.lines(Narrative(set).sentence(rule)).map { "    # " + $0 }
            let conditions = rule.conditions.map { text($0, values) }
            lines.append("    if \(conditions.joined(separator: " and ")):")
            lines.append("        fired.append(\(index))")
        }
        lines += ["    return fired", "", "", PythonWriter.helpers]
        return lines.joined(separator: "\n")
    }

    private func text(_ condition: Condition, _ values: [ExactName: String]) -> String {
        let name = values[ExactName(condition.feature)] ?? columns.name(condition.feature)
        switch condition.test {
        case .interval(let low, let high):
            // NaN, which is what a missing number becomes, is in no interval.
            var text = name
            if low > -.infinity { text = "\(Decimals.literal(low)) <= \(text)" }
            if high < .infinity { text += " < \(Decimals.literal(high))" }
            return text
        case .isIn(let names): return "\(name) in {\(PythonWriter.list(names))}"
        case .isNotIn(let names): return "\(name) is not None and \(name) not in {\(PythonWriter.list(names))}"
        case .isTrue: return "\(name) is True"
        case .isFalse: return "\(name) is False"
        case .isMissing, .isPresent:
            let isNumber = columns.kind(condition.feature) == .numeric
            if condition.test == .isMissing { return isNumber ? "\(name) != \(name)" : "\(name) is None" }
            return isNumber ? "\(name) == \(name)" : "\(name) is not None"
        }
    }

    private static func function(_ operation: DerivedFeature.Operation) -> String {
        switch operation {
        case .hour: "hour"
        case .days: "days"
        case .ratio: "ratio"
        case .difference: "difference"
        }
    }

    private static func list(_ names: [String]) -> String { names.map(string).joined(separator: ", ") }

    static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            default:
                if (0x20..<0x7F).contains(scalar.value) {
                    result.unicodeScalars.append(scalar)
                } else {
                    let digits = String(scalar.value, radix: 16)
                    let width = scalar.value > 0xFFFF ? 8 : 4
                    result +=
                        (width == 8 ? "\\U" : "\\u") + String(repeating: "0", count: width - digits.count) + digits
                }
            }
        }
        return result + "\""
    }

    private static let helpers = #"""
        def _known(value):
            if value is None or type(value).__name__ in ("NAType", "NaTType"):
                return None
            return value if value == value else None


        def _number(value):
            value = _known(value)
            return math.nan if value is None else float(value)


        def _category(value):
            value = _known(value)
            return None if value is None else str(value)


        def _flag(value):
            value = _known(value)
            return None if value is None else bool(value)


        def _seconds(value):
            value = _known(value)
            if not isinstance(value, datetime):
                return math.nan if value is None else float(value)
            start = datetime(1970, 1, 1, tzinfo=None if value.tzinfo is None else timezone.utc)
            past = value - start
            return ((past.days * 86400 + past.seconds) * 1000000 + past.microseconds) / 1e6


        def _hour(first):
            rest = math.fmod(first, 86400.0)
            return (rest + 86400.0 if rest < 0 else rest) / 3600.0


        def _days(first, second):
            return (second - first) / 86400.0


        def _ratio(first, second):
            return math.nan if second == 0 else first / second


        def _difference(first, second):
            return first - second

        """#
}
