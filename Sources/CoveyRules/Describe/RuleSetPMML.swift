import CoveyRuntime
import CoveyTables

/// A rule set as a RuleSetModel of PMML 4.4: its score is "match" where a rule matches and "none" elsewhere; the
/// identifier of the first rule that matches, its number from 0, is an output field.
struct PMMLWriter {
    private let set: RuleSet
    private let name: String
    private let execution: Execution

    init(_ set: RuleSet, name: String, execution: Execution) {
        self.set = set
        self.execution = execution
        self.name = name
    }

    func text() throws -> String {
        let columns = try set.columns.map { ($0, try XMLText.exact($0.name, "the name of a column")) }
        let taken = Set(set.columns.map(\.name) + set.features.map(\.name))
        let target = PMMLWriter.free("match", taken)
        let output = PMMLWriter.free("rule", taken.union([target]))
        var lines = [
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
            "<PMML xmlns=\"http://www.dmg.org/PMML-4_4\" version=\"4.4\">",
            "  <Header description=\"Rules that describe \(XMLText.shown(set.targetName))\"><Application "
                + "name=\"Covey\"/></Header>",
            "  <DataDictionary>",
        ]
        for (column, name) in columns {
            let (operation, type) =
                switch column.kind {
                case .numeric, .date: ("continuous", "double")
                case .categorical: ("categorical", "string")
                case .boolean: ("categorical", "boolean")
                }
            lines += ["    <DataField name=\"\(name)\" optype=\"\(operation)\" dataType=\"\(type)\"/>"]
        }
        lines += ["    <DataField name=\"\(target)\" optype=\"categorical\" dataType=\"string\">"]
        lines += [
            "      <Value value=\"match\"/>", "      <Value value=\"none\"/>", "    </DataField>",
            "  </DataDictionary>",
        ]
        lines += [
            "  <RuleSetModel modelName=\"\(name)\" functionName=\"classification\" algorithmName=\"Covey\">",
            "    <MiningSchema>",
        ]
        lines += columns.map { "      <MiningField name=\"\($0.1)\" invalidValueTreatment=\"asIs\"/>" }
        lines += [
            "      <MiningField name=\"\(target)\" usageType=\"target\"/>", "    </MiningSchema>", "    <Output>",
        ]
        lines += [
            "      <OutputField name=\"\(output)\" optype=\"categorical\" dataType=\"string\" feature=\"entityId\"/>"
        ]
        lines += ["    </Output>"]
        let derived = set.features.filter { $0.derived != nil }
        if !derived.isEmpty {
            lines +=
                ["    <LocalTransformations>"] + (try derived.flatMap(transformation)) + ["    </LocalTransformations>"]
        }
        lines += [
            "    <RuleSet defaultScore=\"none\" defaultConfidence=\"1\">",
            "      <RuleSelectionMethod criterion=\"firstHit\"/>",
        ]
        for (index, rule) in set.rules.enumerated() {
            if index & 0xFF == 0 { try execution.report() }
            let figures = set.figures(rule)
            lines += [
                "      <SimpleRule id=\"\(index)\" score=\"match\" recordCount=\"\(figures.matched)\" "
                    + "nbCorrect=\"\(figures.support)\" confidence=\"\(figures.precision)\">"
            ]
            let predicates = try rule.conditions.flatMap(predicates)
            lines +=
                predicates.count == 1
                ? predicates : ["<CompoundPredicate booleanOperator=\"and\">"] + predicates + ["</CompoundPredicate>"]
            lines += ["      </SimpleRule>"]
        }
        return (lines + ["    </RuleSet>", "  </RuleSetModel>", "</PMML>", ""]).joined(separator: "\n")
    }

    /// A name that no column has.
    private static func free(_ wanted: String, _ taken: Set<String>) -> String {
        var name = wanted
        while taken.contains(name) { name += "_" }
        return name
    }

    /// Each condition is one or two predicates that all hold, or one that is compound.
    private func predicates(_ condition: Condition) throws -> [String] {
        let field = try XMLText.exact(condition.feature, "the name of a feature")
        func simple(_ test: String, _ value: String? = nil) -> String {
            "<SimplePredicate field=\"\(field)\" operator=\"\(test)\"\(value.map { " value=\"\($0)\"" } ?? "")/>"
        }
        func names(_ names: [String], _ test: String, _ join: String) throws -> String {
            let tests = try names.map { simple(test, try XMLText.exact($0, "a category")) }
            if tests.count == 1 { return tests[0] }
            return "<CompoundPredicate booleanOperator=\"\(join)\">" + tests.joined() + "</CompoundPredicate>"
        }
        switch condition.test {
        case .interval(let low, let high):
            return (low > -.infinity ? [simple("greaterOrEqual", Decimals.literal(low))] : [])
                + (high < .infinity ? [simple("lessThan", Decimals.literal(high))] : [])
        case .isIn(let categories): return [try names(categories, "equal", "or")]
        case .isNotIn(let categories): return [try names(categories, "notEqual", "and")]
        case .isTrue: return [simple("equal", "true")]
        case .isFalse: return [simple("equal", "false")]
        case .isMissing: return [simple("isMissing")]
        case .isPresent: return [simple("isNotMissing")]
        }
    }

    private func transformation(_ feature: RuleFeature) throws -> [String] {
        guard let derived = feature.derived else { return [] }
        func field(_ name: String?) throws -> String {
            "<FieldRef field=\"\(try XMLText.exact(name ?? "", "the name of a column"))\"/>"
        }
        func apply(_ function: String, _ arguments: String...) -> String {
            "<Apply function=\"\(function)\">\(arguments.joined())</Apply>"
        }
        func constant(_ value: Int) -> String { "<Constant dataType=\"double\">\(value)</Constant>" }
        let (first, second) = (try field(derived.first), try derived.second.map { try field($0) } ?? "")
        let expression: String
        switch derived.operation {
        case .hour:
            // What is left of a day that was rounded down is not below 0; rounding of the quotient may make it so.
            let rest = apply(
                "-", first, apply("*", constant(86_400), apply("floor", apply("/", first, constant(86_400)))))
            let positive = apply("if", apply("lessThan", rest, constant(0)), apply("+", rest, constant(86_400)), rest)
            // A condition that is missing is an error in some engines.
            expression = apply("if", apply("isNotMissing", first), apply("/", positive, constant(3600)))
        case .days: expression = apply("/", apply("-", second, first), constant(86_400))
        case .ratio:
            let quotient = apply("if", apply("notEqual", second, constant(0)), apply("/", first, second))
            expression = apply("if", apply("isNotMissing", second), quotient)
        case .difference: expression = apply("-", first, second)
        }
        let name = try XMLText.exact(feature.name, "the name of a feature")
        return [
            "      <DerivedField name=\"\(name)\" optype=\"continuous\" "
                + "dataType=\"double\">\(expression)</DerivedField>"
        ]
    }
}
