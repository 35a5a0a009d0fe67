import CoveyRuntime
import CoveyTables

/// A rule set as a decision table of DMN 1.3, hit policy COLLECT: its result is the numbers of the rules that match.
///
/// FEEL computes in decimals, in which a quotient may differ from a double's in the last place: what rules derive of
/// columns is an input of its own, which the caller works out. Each entry asks for null first, so that engines without
/// FEEL's three-valued logic decide alike.
struct DMNWriter {
    private let set: RuleSet
    private let name: String
    private let execution: Execution
    private let inputs: [String]
    private let places: [ExactName: Int]
    /// Entries of a table, which grow with rules x columns.
    private static let largest = 1 << 22

    init(_ set: RuleSet, name: String, execution: Execution) {
        self.set = set
        self.execution = execution
        self.name = name
        inputs = Identifiers.make(set.features.map(\.name))
        places = Dictionary(
            zip(set.features.map { ExactName($0.name) }, set.features.indices), uniquingKeysWith: { first, _ in first })
    }

    func text() throws -> String {
        var lines = [
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
            "<definitions xmlns=\"https://www.omg.org/spec/DMN/20191111/MODEL/\" id=\"\(name)_definitions\" "
                + "name=\"\(name)\"",
            "             namespace=\"urn:covey:rules\" exporter=\"Covey\">",
            "  <description>Rules that describe \(XMLText.shown(set.targetName)).</description>",
        ]
        for (feature, input) in zip(set.features, inputs) {
            lines += ["  <inputData id=\"input_\(input)\" name=\"\(input)\" label=\"\(XMLText.shown(feature.name))\">"]
            lines += ["    <description>\(XMLText.shown(DMNWriter.words(feature)))</description>"]
            lines += [
                "    <variable name=\"\(input)\" typeRef=\"\(DMNWriter.type(feature.kind))\"/>", "  </inputData>",
            ]
        }
        lines += [
            "  <decision id=\"\(name)\" name=\"\(name)\">", "    <variable name=\"\(name)\" typeRef=\"number\"/>",
        ]
        lines += inputs.map {
            "    <informationRequirement id=\"needs_\($0)\"><requiredInput "
                + "href=\"#input_\($0)\"/></informationRequirement>"
        }
        lines += ["    <decisionTable id=\"\(name)_table\" hitPolicy=\"COLLECT\">"]
        let clauses = self.clauses()
        guard clauses.count <= DMNWriter.largest / max(1, set.rules.count) else {
            throw CoveyError.unsupported(
                "a decision table of \(set.rules.count) rules and \(clauses.count) inputs has more than "
                    + "\(DMNWriter.largest) entries"
            )
        }
        for (index, clause) in clauses.enumerated() {
            lines += ["      <input id=\"clause_\(index)\" label=\"\(XMLText.shown(set.features[clause].name))\">"]
            lines += [
                "        <inputExpression id=\"expression_\(index)\" "
                    + "typeRef=\"\(DMNWriter.type(set.features[clause].kind))\">"
            ]
            lines += ["          <text>\(inputs[clause])</text>", "        </inputExpression>", "      </input>"]
        }
        lines += ["      <output id=\"output_rule\" label=\"rule\" name=\"rule\" typeRef=\"number\"/>"]
        for (index, rule) in set.rules.enumerated() {
            if index & 0xFF == 0 { try execution.report() }
            lines += self.lines(rule, index, clauses)
        }
        return (lines + ["    </decisionTable>", "  </decision>", "</definitions>", ""]).joined(separator: "\n")
    }

    /// The features of the table's columns: one stands there as often as a rule has conditions on it.
    private func clauses() -> [Int] {
        var most = [Int](repeating: 0, count: set.features.count)
        for rule in set.rules {
            for (feature, count) in counts(rule) { most[feature] = max(most[feature], count) }
        }
        return most.indices.flatMap { Array(repeating: $0, count: most[$0]) }
    }

    private func place(_ condition: Condition) -> Int { places[ExactName(condition.feature)] ?? 0 }

    private func counts(_ rule: Rule) -> [Int: Int] {
        rule.conditions.reduce(into: [:]) { $0[place($1), default: 0] += 1 }
    }

    private func lines(_ rule: Rule, _ index: Int, _ clauses: [Int]) -> [String] {
        var lines = ["      <rule id=\"rule_\(index)\">"]
        lines += ["        <description>\(XMLText.shown(Narrative(set).sentence(rule)))</description>"]
        var left = rule.conditions.map { (place($0), $0) }
        for (clause, feature) in clauses.enumerated() {
            let found = left.firstIndex { $0.0 == feature }
            let entry = found.map { DMNWriter.entry(left[$0].1.test) } ?? "-"
            if let found { left.remove(at: found) }
            lines += [
                "        <inputEntry id=\"entry_\(index)_\(clause)\"><text>\(XMLText.shown(entry))</text></inputEntry>"
            ]
        }
        return lines + [
            "        <outputEntry id=\"result_\(index)\"><text>\(index)</text></outputEntry>", "      </rule>",
        ]
    }

    private static func entry(_ test: Condition.Test) -> String {
        switch test {
        case .interval(let low, let high):
            var parts = ["? != null"]
            if low > -.infinity { parts.append("? >= \(Decimals.plain(low))") }
            if high < .infinity { parts.append("? < \(Decimals.plain(high))") }
            return parts.joined(separator: " and ")
        case .isIn(let names):
            return names.count == 1 ? string(names[0]) : "? in (\(names.map(string).joined(separator: ", ")))"
        case .isNotIn(let names):
            if names.count == 1 { return "? != null and ? != \(string(names[0]))" }
            return "? != null and not(? in (\(names.map(string).joined(separator: ", "))))"
        case .isTrue: return "true"
        case .isFalse: return "false"
        case .isMissing: return "null"
        case .isPresent: return "? != null"
        }
    }

    /// What FEEL, Python and XML could each read as something else is written as a code.
    private static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            let isCode =
                scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) || "\"'?\\".unicodeScalars.contains(scalar)
                || scalar.value == 0x2028 || scalar.value == 0x2029 || scalar.value == 0xFFFE || scalar.value == 0xFFFF
            if isCode {
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private static func type(_ kind: FeatureColumn.Kind) -> String {
        switch kind {
        case .numeric, .date: "number"
        case .categorical: "string"
        case .boolean: "boolean"
        }
    }

    private static func words(_ feature: RuleFeature) -> String {
        guard let derived = feature.derived else { return "The column; null where it is missing." }
        let second = derived.second ?? ""
        return switch derived.operation {
        case .hour: "The hour of \(derived.first) in UTC, 0 to 24, with a fraction; null where it is missing."
        case .days: "Days from \(derived.first) to \(second), with a fraction; null where one is missing."
        case .ratio: "\(derived.first) / \(second) as doubles; null where one is missing, or \(second) is 0."
        case .difference: "\(derived.first) - \(second) as doubles; null where one is missing."
        }
    }
}
