import CoveyRuntime
import CoveyTables

/// Measures rules on both sides of the split and leaves out those that do not hold.
struct RuleTruth {
    let table: FeatureTable
    let options: RuleSearchOptions
    let split: HoldoutSplit
    let measure: RowMeasure
    let execution: Execution

    /// The rules found that stand, then those that were given, all with their figures.
    func judge(_ rules: [[Condition]], chance: [Double?], stability: [Double?], tried: Int) throws -> RuleSet {
        let features = table.columns.map { RuleFeature(name: $0.name, kind: $0.values.kind) }
        let given = options.given?.rules.map(\.conditions) ?? []
        let counts = try count(rules + given, features)
        let (search, unseen) = try (population(split.search), population(split.unseen))
        func tests(_ counts: ArraySlice<Sides>) -> [Double] {
            ChanceTest.holm(
                counts.map { sides in
                    ChanceTest.tail(
                        support: sides.unseen.support, matched: sides.unseen.matched, target: unseen.target,
                        rows: unseen.rows)
                })
        }
        let values = tests(counts[..<rules.count]) + tests(counts[rules.count...])
        let measured = (rules + given).enumerated().map { index, conditions in
            Rule(
                conditions: conditions, search: counts[index].search, unseen: counts[index].unseen,
                isGiven: index >= rules.count, pValue: values[index],
                searchPValue: index < rules.count ? chance[index] : nil,
                stability: index < rules.count ? stability[index] : nil)
        }
        func set(_ rules: [Rule], fallen: Int) throws -> RuleSet {
            try RuleSet(
                targetName: options.targetName, confidence: options.confidence, features: features, rules: rules,
                search: search, unseen: unseen, tried: tried, fallen: fallen)
        }
        let all = try set(measured, fallen: 0)
        let standing = all.rules.filter { $0.isGiven || stands($0, all.figures($0)) }
        return try set(standing, fallen: all.rules.count - standing.count)
    }

    private func stands(_ rule: Rule, _ figures: RuleFigures) -> Bool {
        guard figures.support > 0, figures.precision >= options.minPrecision, figures.lift >= options.minLift else {
            return false
        }
        if options.significance > 0 {
            guard max(rule.pValue ?? 0, rule.searchPValue ?? 0) <= options.significance else { return false }
        }
        return rule.stability ?? 1 >= options.minStability
    }

    private typealias Sides = (search: Rule.Counts, unseen: Rule.Counts)

    private func population(_ rows: RowBits) throws -> RuleSet.Population {
        var result = RuleSet.Population(rows: rows.count, target: rows.count(and: split.target))
        guard let weights = measure.weights else { return result }
        (result.weight, result.targetWeight, result.targetSquares) = (0, 0, 0)
        for start in stride(from: 0, to: rows.words.count, by: 1024) {
            try execution.check()
            rows.forEach(words: start..<min(rows.words.count, start + 1024)) { row in
                result.weight += weights[row]
                if split.target[row] {
                    result.targetWeight += weights[row]
                    result.targetSquares += weights[row] * weights[row]
                }
            }
        }
        return result
    }

    private func count(_ rules: [[Condition]], _ features: [RuleFeature]) throws -> [Sides] {
        var counts = [Sides](repeating: (Rule.Counts(), Rule.Counts()), count: rules.count)
        guard !rules.isEmpty else { return counts }
        var used = Set<ExactName>()
        for condition in rules.joined() { used.insert(ExactName(condition.feature)) }
        let evaluator = try RuleEvaluator(features: features.filter { used.contains(ExactName($0.name)) }, rules: rules)
        try evaluator.forEachBlock(of: table, execution) { start, words, scratch in
            for rule in rules.indices {
                for word in 0..<words {
                    let place = start / 64 + word
                    let matches = scratch.word(rule, word)
                    add(matches & split.search.words[place], place, to: &counts[rule].search)
                    add(matches & split.unseen.words[place], place, to: &counts[rule].unseen)
                }
            }
        }
        return counts
    }

    /// The rows of word `place` that match.
    private func add(_ matches: UInt64, _ place: Int, to counts: inout Rule.Counts) {
        let support = (matches & split.target.words[place]).nonzeroBitCount
        counts.matched += matches.nonzeroBitCount
        counts.support += support
        if measure.weights == nil {
            let matched = Double(matches.nonzeroBitCount)
            counts.matchedWeight += matched
            counts.supportWeight += Double(support)
            counts.squares += matched
        }
        guard measure.weights != nil || measure.amounts != nil else { return }
        var left = matches
        while left != 0 {
            let row = place &* 64 &+ left.trailingZeroBitCount
            left &= left &- 1
            let weight = measure.weight(row)
            let isTarget = split.target[row]
            if measure.weights != nil {
                counts.matchedWeight += weight
                if isTarget { counts.supportWeight += weight }
                counts.squares += weight * weight
            }
            guard let amounts = measure.amounts else { continue }
            if isTarget { counts.amount += weight * amounts[row] } else { counts.falseAmount += weight * amounts[row] }
        }
    }
}

extension RuleEvaluator {
    /// Calls `body` with each block's first row and its number of words, evaluated. Bits beyond the last row are
    /// undefined.
    func forEachBlock(
        of table: FeatureTable, _ execution: Execution, _ body: (_ start: Int, _ words: Int, _ scratch: Scratch) -> Void
    ) throws {
        let bound = try bind(table)
        var scratch = Scratch(self)
        for start in stride(from: 0, to: table.rows, by: RuleEvaluator.block) {
            try execution.check()
            let rows = start..<min(table.rows, start + RuleEvaluator.block)
            try evaluate(rows, of: bound, &scratch)
            body(start, (rows.count + 63) / 64, scratch)
        }
    }
}
