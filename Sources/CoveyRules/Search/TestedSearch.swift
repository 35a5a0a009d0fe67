import CoveyRuntime
import CoveyTables

/// A search that describes one target and is tested on another: rules for rows that are likely to be fraud, tested by
/// what is known of other rows.
///
/// One trial is a hold-out: the rules of its search, measured on its unseen rows. Several are a cross-validation (Stone
/// 1974), for targets of which a hold-out would leave too few rows: the rules are found on all rows, and each is
/// measured, trial by trial, by the rule that the trial's search has in its place, on rows that this search did not
/// see. A rule stands if most trials have one.
public struct TestedSearch {
    private let table: FeatureTable
    private let target: RowBits
    private let used: RowBits
    private let least: Least
    private let options: RuleSearchOptions
    private let policies: FeaturePolicies
    private let execution: Execution

    /// Two rules are in each other's place if they share this part of the rows that either matches.
    private static let alike = 0.5
    /// The part of the trials in which a rule must have one in its place.
    private static let leastStability = 0.5

    /// - Parameters:
    ///   - target: n of 0 and 1, what the figures count and the test is about.
    ///   - isUsed: one a row: whether the row takes part at all.
    ///   - whole: what the search on all rows describes; only several trials need it.
    ///   - trials: one or more.
    ///   - least: what rules must reach on unseen rows.
    ///   - options: of the search, without weights and amounts; its `minPrecision` is that of the trial.
    public static func run(
        _ table: FeatureTable, target: Strided<UInt8>, isUsed: [Bool], whole: RuleTrial, trials: [RuleTrial],
        least: Least, options: RuleSearchOptions, execution: Execution
    ) throws -> RuleSet {
        let policies = try RuleSearch.checked(table, target, options, execution)
        let rows = table.rows
        guard !trials.isEmpty, isUsed.count == rows,
            ([whole] + trials).allSatisfy({ $0.isUnseen.count == rows && $0.isDescribed.count == rows })
        else { throw CoveyError.internalError("trials of \(rows) rows") }
        let search = TestedSearch(
            table: table, target: RowBits(rows) { target[$0] == 1 }, used: RowBits(rows) { isUsed[$0] },
            least: least, options: options, policies: policies, execution: execution)
        return try search.run(whole, trials)
    }

    /// What a rule must reach on rows that the search did not see.
    public struct Least: Sendable {
        /// A share of the target.
        public let precision: Double
        /// A share that the interval of the rule's share must reach.
        public let possible: Double

        public init(precision: Double, possible: Double) {
            self.precision = precision
            self.possible = possible
        }
    }

    /// What a trial's search found, as the rows that each rule matches among those that take part.
    private struct Trial {
        let rules: [[Condition]]
        let rows: [RowBits]
        let unseen: RowBits
    }

    private func run(_ whole: RuleTrial, _ trials: [RuleTrial]) throws -> RuleSet {
        var tried = 0
        let found = try trials.map { trial in
            let unseen = RowBits(table.rows) { trial.isUnseen[$0] }.intersection(used)
            let rules = try untested(trial, without: unseen, &tried)
            return Trial(rules: rules, rows: try matches(rules), unseen: unseen)
        }
        if found.count == 1 {
            var search = used
            search.subtract(found[0].unseen)
            let measured = found[0].rules.indices.map { index in
                (
                    found[0].rules[index], counts(found[0].rows[index], search),
                    counts(found[0].rows[index], found[0].unseen), Double?.none
                )
            }
            return try judge(measured, search: search, unseen: found[0].unseen, tried: tried)
        }
        let rules = try untested(whole, without: RowBits(rows: table.rows), &tried)
        let measured = zip(rules, try matches(rules)).map { rule, rows in
            var unseen = Rule.Counts()
            var again = 0
            for trial in found {
                guard let other = counterpart(of: rows, in: trial.rows) else { continue }
                again += 1
                let more = counts(other, trial.unseen)
                unseen = Rule.Counts(
                    matched: unseen.matched + more.matched, support: unseen.support + more.support)
            }
            return (rule, counts(rows, used), unseen, Double?.some(Double(again) / Double(found.count)))
        }
        return try judge(measured, search: used, unseen: used, tried: tried)
    }

    private func untested(
        _ trial: RuleTrial, without unseen: RowBits, _ tried: inout Int
    ) throws -> [[Condition]] {
        var search = used
        search.subtract(unseen)
        let described = RowBits(table.rows) { trial.isDescribed[$0] }.intersection(search)
        let split = HoldoutSplit(target: described, search: search, unseen: unseen)
        var options = options
        options.minPrecision = trial.minPrecision
        return try RuleSearch(table, options, split, policies, execution).untested(tried: &tried)
    }

    /// The rows that take part and match each rule.
    private func matches(_ rules: [[Condition]]) throws -> [RowBits] {
        var result = [RowBits](repeating: RowBits(rows: table.rows), count: rules.count)
        guard !rules.isEmpty else { return result }
        let names = Set(rules.joined().map { ExactName($0.feature) })
        let features = features.filter { names.contains(ExactName($0.name)) }
        try RuleEvaluator(features: features, rules: rules).forEachBlock(of: table, execution) {
            start, words, scratch in
            for rule in rules.indices {
                for word in 0..<words {
                    let place = start / 64 + word
                    result[rule].words[place] = scratch.word(rule, word) & used.words[place]
                }
            }
        }
        return result
    }

    private var features: [RuleFeature] {
        table.columns.map { RuleFeature(name: $0.name, kind: $0.values.kind) }
    }

    private func counts(_ matching: RowBits, _ among: RowBits) -> Rule.Counts {
        let rows = matching.intersection(among)
        return Rule.Counts(matched: rows.count, support: rows.count(and: target))
    }

    private func counterpart(of rows: RowBits, in others: [RowBits]) -> RowBits? {
        var best: (likeness: Double, rows: RowBits)?
        for other in others {
            let shared = rows.count(and: other)
            let likeness = Double(shared) / Double(max(1, rows.count + other.count - shared))
            if likeness >= TestedSearch.alike, likeness > best?.likeness ?? 0 { best = (likeness, other) }
        }
        return best?.rows
    }

    private func judge(
        _ measured: [(rule: [Condition], search: Rule.Counts, unseen: Rule.Counts, stability: Double?)],
        search: RowBits, unseen: RowBits, tried: Int
    ) throws -> RuleSet {
        let chance = ChanceTest.holm(
            measured.map {
                ChanceTest.tail(
                    support: $0.unseen.support, matched: $0.unseen.matched, target: unseen.count(and: target),
                    rows: unseen.count)
            })
        func set(_ rules: [Rule], fallen: Int) throws -> RuleSet {
            try RuleSet(
                targetName: options.targetName, confidence: options.confidence, features: features, rules: rules,
                search: RuleSet.Population(rows: search.count, target: search.count(and: target)),
                unseen: RuleSet.Population(rows: unseen.count, target: unseen.count(and: target)), tried: tried,
                fallen: fallen)
        }
        let all = try set(
            measured.indices.map { index in
                Rule(
                    conditions: measured[index].rule, search: measured[index].search, unseen: measured[index].unseen,
                    pValue: chance[index], stability: measured[index].stability)
            }, fallen: 0)
        let standing = all.rules.filter { stands($0, all.figures($0)) }
        var result = try set(standing, fallen: all.rules.count - standing.count)
        if standing.isEmpty { result.note = note(all.rules, all, tried) }
        return result
    }

    private func stands(_ rule: Rule, _ figures: RuleFigures) -> Bool {
        isPure(figures) && figures.support > 0 && rule.pValue ?? 0 <= options.significance
            && rule.stability ?? 1 >= TestedSearch.leastStability
    }

    private func isPure(_ figures: RuleFigures) -> Bool {
        figures.precision >= least.precision && figures.interval.high >= least.possible
    }

    /// Why no rule stands.
    private func note(_ rules: [Rule], _ set: RuleSet, _ tried: Int) -> String {
        guard tried > 0 else {
            return "No condition on the features holds for enough of the fraud and not for the rest."
        }
        guard !rules.isEmpty else {
            return "None of \(Words.count(tried)) candidates told fraud from the rest by more than it takes to say it."
        }
        let unstable = rules.count { $0.stability ?? 1 < TestedSearch.leastStability }
        let impure = rules.count { !isPure(set.figures($0)) }
        let found = rules.count == 1 ? "The one rule found" : "All \(rules.count) rules found"
        if unstable == rules.count {
            return "\(found) did not come back in half of the trials that each leave some known frauds out."
        }
        if impure == rules.count {
            return "\(found) matched \(options.targetName) too seldom on the rows that the search never saw: rules are "
                + "wanted that match it in \(Words.percent(least.possible)) of their rows."
        }
        return "\(found) fell on the rows that the search never saw: \(Words.count(set.unseen.rows)) of them, "
            + "\(Words.count(set.unseen.target)) of \(options.targetName)."
    }
}

extension RowBits {
    init(_ rows: Int, _ contains: (Int) -> Bool) {
        self.init(rows: rows)
        for row in 0..<rows where contains(row) { self[row] = true }
    }
}
