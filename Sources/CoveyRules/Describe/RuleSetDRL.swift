import CoveyRuntime
import CoveyTables

/// A rule set in Drools' rule language: a type for rows, and one that is inserted for each rule that matches a row.
struct DRLWriter {
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
            "// Rules that describe \(Comments.text(set.targetName)), written by Covey.", "package \(name)", "",
            "dialect \"java\"", "",
            "// A row; null and NaN are missing, dates are seconds since 1970-01-01 UTC.", "declare Row",
        ]
        for (column, name) in zip(columns.columns, columns.names) {
            let type =
                switch column.kind {
                case .numeric, .date: "Double"
                case .categorical: "String"
                case .boolean: "Boolean"
                }
            lines.append("    \(name) : \(type) // \(Comments.text(column.name))")
        }
        lines += [
            "end", "", "// Inserted for each rule that matches a row.", "declare Fired", "    row : Row",
            "    rule : int", "end", "",
        ]
        let operations = Set(set.features.compactMap { $0.derived?.operation })
        for (operation, head, missing, body) in [
            (
                DerivedFeature.Operation.hour, "hour(Double first)", "first == null",
                "(first % 86400.0 < 0 ? first % 86400.0 + 86400.0 : first % 86400.0) / 3600.0"
            ),
            (
                .days, "days(Double first, Double second)", "first == null || second == null",
                "(second - first) / 86400.0"
            ),
            (
                .ratio, "ratio(Double first, Double second)", "first == null || second == null || second == 0.0",
                "first / second"
            ),
            (
                .difference, "difference(Double first, Double second)", "first == null || second == null",
                "first - second"
            ),
        ] where operations.contains(operation) {
            lines += [
                "function double \(head) {", "    if (\(missing)) return Double.NaN;", "    return \(body);", "}", "",
            ]
        }
        for (index, rule) in set.rules.enumerated() {
            if index & 0xFF == 0 { try execution.report() }
            lines += Comments.lines(Narrative(set).sentence(rule)).map { "// " + $0 }
            let conditions = try rule.conditions.map(text)
            lines += ["rule \"\(index)\"", "when", "    $row : Row(\(conditions.joined(separator: ", ")))", "then"]
            lines += ["    insert(new Fired($row, \(index)));", "end", ""]
        }
        return lines.joined(separator: "\n")
    }

    private func text(_ condition: Condition) throws -> String {
        let value = value(condition.feature)
        let kind = columns.kind(condition.feature)
        let isColumn = columns.derived(condition.feature) == nil
        let present = kind == .numeric ? (isColumn ? "\(value) != null && " : "") : ""
        switch condition.test {
        case .interval(let low, let high):
            var parts: [String] = []
            if low > -.infinity { parts.append("\(value) >= \(Decimals.literal(low))") }
            if high < .infinity { parts.append("\(value) < \(Decimals.literal(high))") }
            return present + parts.joined(separator: " && ")
        case .isIn(let names):
            return "\(value) in (\(try names.map { try JavaWriter.string($0) }.joined(separator: ", ")))"
        case .isNotIn(let names):
            let list = try names.map { try JavaWriter.string($0) }.joined(separator: ", ")
            return "\(value) != null && \(value) not in (\(list))"
        case .isTrue: return "\(value) == true"
        case .isFalse: return "\(value) == false"
        case .isMissing:
            guard kind == .numeric else { return "\(value) == null" }
            return isColumn ? "(\(value) == null || Double.isNaN(\(value)))" : "Double.isNaN(\(value))"
        case .isPresent:
            guard kind == .numeric else { return "\(value) != null" }
            return "\(present)!Double.isNaN(\(value))"
        }
    }

    private func value(_ feature: String) -> String {
        guard let derived = columns.derived(feature) else { return columns.name(feature) }
        let arguments = [derived.first, derived.second].compactMap { $0 }.map { columns.name($0) }.joined(
            separator: ", ")
        return switch derived.operation {
        case .hour: "hour(\(arguments))"
        case .days: "days(\(arguments))"
        case .ratio: "ratio(\(arguments))"
        case .difference: "difference(\(arguments))"
        }
    }
}
