import CoveyRules
import CoveyRuntime
import CoveyTables

/// A rule set and the cluster that it describes, ready to be evaluated.
public struct ClusterRules: Sendable {
    /// -1 = no single cluster: the rules describe fraud itself.
    public let cluster: Int
    public let rules: RuleSet
    let evaluator: RuleEvaluator
    /// One a rule: on the rows that the search never saw, or as stated; 0 where nobody knows.
    let precisions: [Double]

    public init(cluster: Int, rules: RuleSet, _ execution: Execution = Execution()) throws {
        try execution.hold(rules.categoryBytes, for: "the categories of rules")
        self.cluster = cluster
        self.rules = rules
        evaluator = try RuleEvaluator(rules) { try execution.report() }
        precisions = rules.rules.map { rules.precision($0) ?? 0 }
    }

    /// A rule in words, with its figures.
    public func sentence(_ rule: Int) -> String { Narrative(rules).sentence(rules.rules[rule]) }
}

/// A feature column that scoring needs.
public struct EngineFeature: Sendable, Equatable {
    public let name: String
    public let kind: FeatureColumn.Kind
}

extension Engine {
    /// The rules that fire, by row; rows without any are left out.
    func firedRules(_ table: FeatureTable, _ execution: Execution) throws -> [Int: [FiredRule]] {
        var result: [Int: [FiredRule]] = [:]
        var total = 0
        for (index, set) in parts.ruleSets.enumerated() where set.evaluator.ruleCount > 0 {
            let rules = set.evaluator.ruleCount
            let size = try checkedProduct(table.rows, rules, "the rules that fire")
            try execution.reserve(size, for: "the rules that fire")
            var fired = [UInt8](repeating: 0, count: size)
            try fired.withUnsafeMutableBufferPointer { fired in
                try set.evaluator.evaluate(table, fired: fired, execution: execution)
                for row in 0..<table.rows {
                    if row & 0xFF == 0 {
                        try execution.check()
                        // Every rule may fire in every row; an array that grows holds twice what it has.
                        try execution.reserve(
                            size + total * 2 * MemoryLayout<FiredRule>.stride, for: "the rules that fire")
                    }
                    for rule in 0..<rules where fired[row &* rules &+ rule] != 0 {
                        total += 1
                        result[row, default: []].append(FiredRule(set: index, rule: rule))
                    }
                }
            }
        }
        return result
    }
}
