import CoveyRuntime
import CoveyTables

/// Finds a small set of conjunctions that hold in the target and rarely elsewhere.
///
/// Rows are split; `RuleFinder` sees the rows of the search alone. Every rule, and every rule that was given by hand,
/// is measured on both sides; those found that fail on the rows held out, by chance or on resamples are not returned.
/// The same for any number of threads.
public struct RuleSearch {
    private let table: FeatureTable
    private let options: RuleSearchOptions
    private let execution: Execution
    private let split: HoldoutSplit
    private let measure: RowMeasure
    private let policies: FeaturePolicies

    /// - Parameters:
    ///   - table: n rows of features.
    ///   - target: n of 0 and 1.
    /// - Returns: rules, best first, and after them those that were given; none is a result too, also where the target
    ///   has fewer than `minSupport` rows.
    public static func run(
        _ table: FeatureTable, target: Strided<UInt8>, options: RuleSearchOptions, execution: Execution
    ) throws -> RuleSet {
        let policies = try checked(table, target, options, execution)
        let split = try HoldoutSplit(target: target, options: options, execution: execution)
        return try RuleSearch(table, options, split, policies, execution).run()
    }

    /// Throws if the input cannot be searched.
    static func checked(
        _ table: FeatureTable, _ target: Strided<UInt8>, _ options: RuleSearchOptions, _ execution: Execution
    ) throws -> FeaturePolicies {
        try options.validate()
        guard target.count == table.rows else {
            throw CoveyError.mismatch("target has \(target.count) values, the table has \(table.rows) rows")
        }
        try require(table.rows <= Int(Int32.max), "features.rows must be at most \(Int32.max), got \(table.rows)")
        // Bit sets: those of the split, and one for each condition of the rules in work. Row numbers: those of a
        // condition's rows.
        let sets = 16 + 12 * options.maxConditions
        try execution.reserve(table.rows / 8 * sets + 4 * table.rows, of: 1, for: "a rule search")
        for column in table.columns {
            guard !column.name.utf8.contains(0) else {
                throw CoveyError.invalidData("the column name \(quoted: column.name) must not contain a NUL")
            }
        }
        let policies = try FeaturePolicies(table, options, execution)
        if let given = options.given {
            try policies.check(given)
            _ = try RuleEvaluator(given).bind(table)
        }
        let grain = 1 << 15
        let blocks = (table.rows + grain - 1) / grain
        try execution.parallel(table.columns.count * blocks, stage: "validation") { chunk, _ in
            for index in chunk {
                let start = index % blocks * grain
                try table.columns[index / blocks].validate(start..<min(table.rows, start + grain))
            }
        }
        return policies
    }

    init(
        _ table: FeatureTable, _ options: RuleSearchOptions, _ split: HoldoutSplit, _ policies: FeaturePolicies,
        _ execution: Execution
    ) {
        self.table = table
        self.options = options
        self.split = split
        self.policies = policies
        self.execution = execution
        measure = RowMeasure(target: split.target, weights: options.weights, amounts: options.amounts)
    }

    private func run() throws -> RuleSet {
        let finder = try finder()
        let support = Double(options.minSupport)
        var tried = 0
        let drafts = try finder(measure, split.search, support).find(tried: &tried)
        let rules = drafts.map(conditions)
        var chance = [Double?](repeating: nil, count: rules.count)
        if options.permutations > 0, !rules.isEmpty {
            let permuted = PermutedSearches(split: split, seed: options.seed, execution: execution)
            let best = try permuted.run(options.permutations) { target in
                let measure = RowMeasure(target: target, weights: measure.weights, amounts: measure.amounts)
                return try finder(measure, split.search, support).bestScore()
            }
            chance = drafts.map { permuted.share(of: best, atLeast: $0.score) }
        }
        var stability = [Double?](repeating: nil, count: rules.count)
        if options.resamples > 0, !rules.isEmpty {
            let halves = HalfSamples(split: split, seed: options.seed, execution: execution)
            stability = try halves.shares(options.resamples, rules) { rows in
                var ignored = 0
                return try finder(measure, rows, max(1, (support / 2).rounded(.up))).find(tried: &ignored)
                    .map(conditions)
            }
        }
        var result = try RuleTruth(table: table, options: options, split: split, measure: measure, execution: execution)
            .judge(rules, chance: chance, stability: stability, tried: tried)
        if result.rules.allSatisfy(\.isGiven) { result.note = note(result, tried: tried) }
        return result
    }

    /// Makes what finds rules on some rows, by a measure, of at least some support.
    private func finder() throws -> (_ measure: RowMeasure, _ rows: RowBits, _ minSupport: Double) -> RuleFinder {
        let pinned = try pinnedRows()
        return { measure, rows, minSupport in
            // Amounts take part in the search only where the quality asks for them.
            let searched = RowMeasure(
                target: measure.target, weights: measure.weights,
                amounts: options.quality == .amount ? measure.amounts : nil)
            return RuleFinder(
                columns: policies.searched.map { table.columns[$0] }, directions: policies.directions,
                measure: searched, search: rows, pinned: pinned, pinnedCount: options.pinned.count,
                minSupport: minSupport, options: options, execution: execution)
        }
    }

    /// The rules that the search finds, as conditions, without a test.
    func untested(tried: inout Int) throws -> [[Condition]] {
        try finder()(measure, split.search, Double(options.minSupport)).find(tried: &tried).map(conditions)
    }

    /// Why there is no rule, in the order in which it can be told.
    private func note(_ set: RuleSet, tried: Int) -> String {
        let total = measure.tally(split.search)
        let target = options.targetName
        let rows = Words.count(set.search.target)
        if total.positives < Double(options.minSupport) {
            return "The search saw \(rows) rows of \(target); min_support asks for \(Words.count(options.minSupport))."
        }
        if options.minLift * total.rate > 1 {
            return "\(Words.percent(total.rate)) of all rows are \(target): no rule has a lift above "
                + "\(Words.factor(1 / total.rate)), and min_lift asks for \(Words.number(options.minLift))."
        }
        if set.fallen > 0 {
            return
                "\(set.fallen == 1 ? "The one rule found" : "All \(set.fallen) rules found") fell on the rows that "
                + "the search never saw: \(Words.count(set.unseen.rows)) of them, "
                + "\(Words.count(set.unseen.target)) of \(target)."
        }
        return
            "None of \(Words.count(tried)) candidates matched \(Words.count(options.minSupport)) of the \(rows) rows "
            + "of \(target) with a precision of "
            + "\(Words.percent(max(options.minPrecision, options.minLift * total.rate))) and told more than it "
            + "takes to say it."
    }

    /// The table's rows that match all pinned conditions.
    private func pinnedRows() throws -> RowBits? {
        guard !options.pinned.isEmpty else { return nil }
        var result = RowBits(rows: table.rows)
        let features = table.columns.map { RuleFeature(name: $0.name, kind: $0.values.kind) }
        try RuleEvaluator(features: features, rules: [options.pinned]).forEachBlock(of: table, execution) {
            start, words, scratch in
            for word in 0..<words { result.words[start / 64 + word] = scratch.word(0, word) }
        }
        if table.rows % 64 != 0 { result.words[table.rows / 64] &= (1 << UInt64(table.rows % 64)) - 1 }
        return result
    }

    /// In the order of the table's columns.
    private func conditions(_ draft: RuleFinder.Draft) -> [Condition] {
        let found = draft.terms.map {
            (policies.searched[$0.feature], $0.condition(table.columns[policies.searched[$0.feature]]))
        }
        let pinned = options.pinned.map { condition in
            (table.columns.firstIndex { ExactName($0.name) == ExactName(condition.feature) } ?? 0, condition)
        }
        return (found + pinned).sorted { $0.0 < $1.0 }.map(\.1)
    }
}
