import CoveyNumerics
import CoveyRuntime

/// Finds a small set of conjunctions that hold in the target and rarely elsewhere.
///
/// Rows are split; all that follows sees the rows of the search alone. Features are binned; conjunctions grow by beam search on
/// a sample; the best are polished on all rows of the search; the best one joins the set, its rows are set aside, and the search
/// starts again on the rest (separate and conquer, Fürnkranz 1999). Then each rule is fitted again to what the others leave, as in
/// RIPPER (Cohen 1995), rules that add nothing go, and thresholds are rounded. Every rule is counted on the rows held out, and
/// those that fail there are not returned. The same for any number of threads.
public struct RuleSearch {
    private let table: FeatureTable
    private let options: RuleSearchOptions
    private let execution: Execution
    private let split: HoldoutSplit
    private let searchTarget: Int
    private let wantedRate: Double

    /// Nats above its own cost that a rule must bring.
    private static let leastScore = 3.0
    /// Conjunctions of the beam that are polished.
    private static let polished = 6

    /// - Parameters:
    ///   - table: n rows of features.
    ///   - target: n of 0 and 1.
    /// - Returns: rules, best first; none is a result too, also where the target has fewer than `minSupport` rows.
    public static func run(
        _ table: FeatureTable, target: Strided<UInt8>, options: RuleSearchOptions, execution: Execution
    ) throws -> RuleSet {
        try options.validate()
        guard target.count == table.rows else {
            throw CoveyError.mismatch("target has \(target.count) values, the table has \(table.rows) rows")
        }
        try require(table.rows <= Int(Int32.max), "features.rows must be at most \(Int32.max), got \(table.rows)")
        // Bit sets: those of the split, and one for each condition of the rules in work.
        let sets = 8 + (RuleSearch.polished + 4) * options.maxConditions
        try execution.reserve(table.rows / 8 * sets, of: 1, for: "a rule search")
        for column in table.columns {
            guard !column.name.utf8.contains(0) else {
                throw CoveyError.invalidData("the column name \"\(column.name)\" must not contain a NUL")
            }
        }
        let grain = 1 << 15
        let blocks = (table.rows + grain - 1) / grain
        try execution.parallel(table.columns.count * blocks, stage: "validation") { chunk, _ in
            for index in chunk {
                let start = index % blocks * grain
                try table.columns[index / blocks].validate(start..<min(table.rows, start + grain))
            }
        }
        let split = try HoldoutSplit(target: target, options: options, execution: execution)
        return try RuleSearch(table, options, split, execution).run()
    }

    private init(_ table: FeatureTable, _ options: RuleSearchOptions, _ split: HoldoutSplit, _ execution: Execution) {
        self.table = table
        self.options = options
        self.split = split
        self.execution = execution
        searchTarget = split.search.count(and: split.target)
        let base = Double(searchTarget) / Double(max(1, split.search.count))
        wantedRate = max(options.minPrecision, options.minLift * base)
    }

    private func run() throws -> RuleSet {
        var tried = 0
        var rules: [[Condition]] = []
        // Where the target is too small, or the lift asked for cannot be, there is nothing to look for.
        if searchTarget >= options.minSupport, searchTarget < split.search.count, wantedRate <= 1,
            !table.columns.isEmpty
        {
            rules = try find(&tried).map { draft in
                draft.terms.sorted { $0.feature < $1.feature }.map { $0.condition(table.columns[$0.feature]) }
            }
        }
        return try measured(rules, tried)
    }

    private func find(_ tried: inout Int) throws -> [RulePolisher.Draft] {
        var active = split.search
        var sample = try self.sample(active, bins: nil)
        let bins = sample.bins
        let polisher = RulePolisher(
            columns: table.columns, bins: bins, target: split.target, search: split.search, wantedRate: wantedRate,
            minSupport: options.minSupport, maxConditions: options.maxConditions, execution: execution)
        var rules: [RulePolisher.Draft] = []
        while rules.count < options.maxRules {
            let covered = min(1, 1 - Double(active.count(and: split.target)) / Double(searchTarget))
            try execution.report("rule search", covered)
            let scope = RulePolisher.Scope(active: active, target: split.target, wantedRate: wantedRate)
            guard scope.finder.positives > 0, scope.finder.negatives > 0 else { break }
            let found = try beam(sample, active, &tried)
            var best: RulePolisher.Draft?
            for conjunction in found {
                let terms = conjunction.terms.map { Term($0, bins[$0.feature]) }
                let draft = try polisher.polish(polisher.draft(terms, scope), scope, tried: &tried)
                if best.map({ draft.isBetter(than: $0) }) ?? true { best = draft }
            }
            guard let best, best.reaches, best.score >= RuleSearch.leastScore else { break }
            rules.append(best)
            active.subtract(best.rows)
            if sample.positiveScale > 1 { sample = try self.sample(active, bins: bins) }
        }
        return try finish(rules, polisher, &tried)
    }

    private func sample(_ active: RowBits, bins: [FeatureBins]?) throws -> SearchSample {
        try SearchSample(
            table.columns, active: active, target: split.target, bins: bins, maxBins: options.maxBins,
            seed: options.seed, execution: execution)
    }

    private func beam(_ sample: SearchSample, _ active: RowBits, _ tried: inout Int) throws -> [BeamSearch.Found] {
        var sampled = RowBits(rows: sample.rows.count)
        var positives = 0
        for (index, row) in sample.rows.enumerated() where active[Int(row)] {
            sampled[index] = true
            if index < sample.positives { positives += 1 }
        }
        let negatives = sampled.count - positives
        let finder = ConditionFinder(
            positives: Double(positives) * sample.positiveScale, negatives: Double(negatives) * sample.negativeScale,
            positiveScale: sample.positiveScale, negativeScale: sample.negativeScale, wantedRate: wantedRate)
        let search = BeamSearch(
            sample: sample, finder: finder, active: sampled,
            minSupport: max(1, Int(Double(options.minSupport) / sample.positiveScale)), options: options)
        return try search.run(wanted: RuleSearch.polished, tried: &tried, execution: execution)
    }

    /// Fits each rule again to what the others leave, removes those that add nothing, and rounds.
    private func finish(
        _ found: [RulePolisher.Draft], _ polisher: RulePolisher, _ tried: inout Int
    ) throws -> [RulePolisher.Draft] {
        var rules = found
        func scope(without index: Int) -> RulePolisher.Scope {
            var active = split.search
            for (other, rule) in rules.enumerated() where other != index { active.subtract(rule.rows) }
            return RulePolisher.Scope(active: active, target: split.target, wantedRate: wantedRate)
        }
        var index = 0
        while index < rules.count {
            let scope = scope(without: index)
            let again = try polisher.polish(polisher.draft(rules[index].terms, scope), scope, tried: &tried)
            if again.reaches && again.score >= RuleSearch.leastScore {
                rules[index] = again
                index += 1
            } else {
                rules.remove(at: index)
            }
        }
        for index in rules.indices { rules[index] = try polisher.rounded(rules[index], scope(without: index)) }
        let all = RulePolisher.Scope(active: split.search, target: split.target, wantedRate: wantedRate)
        let drafts = try rules.map { try polisher.draft($0.terms, all) }
        return drafts.indices.sorted {
            drafts[$0].score != drafts[$1].score ? drafts[$0].score > drafts[$1].score : $0 < $1
        }.map { drafts[$0] }
    }

    /// Counts rules on both sides of the split and leaves out those that fail on the rows never seen.
    private func measured(_ rules: [[Condition]], _ tried: Int) throws -> RuleSet {
        let features = table.columns.map { RuleFeature(name: $0.name, kind: $0.values.kind) }
        let unseen = RuleSet.Population(
            rows: split.rows - split.search.count, target: split.target.count - searchTarget)
        let counts = try count(rules, features)
        func set(_ rules: [Rule], fallen: Int) throws -> RuleSet {
            try RuleSet(
                targetName: options.targetName, confidence: options.confidence, features: features, rules: rules,
                search: .init(rows: split.search.count, target: searchTarget), unseen: unseen, tried: tried, fallen: fallen)
        }
        let all = try set(
            zip(rules, counts).map { Rule(conditions: $0, search: $1.search, unseen: $1.unseen) }, fallen: 0)
        let standing = all.rules.filter { rule in
            let figures = all.figures(rule)
            return figures.support > 0 && figures.precision >= options.minPrecision && figures.lift >= options.minLift
        }
        return try set(standing, fallen: all.rules.count - standing.count)
    }

    private func count(
        _ rules: [[Condition]], _ features: [RuleFeature]
    ) throws -> [(search: Rule.Counts, unseen: Rule.Counts)] {
        var used = Set<ExactName>()
        for condition in rules.joined() { used.insert(ExactName(condition.feature)) }
        let evaluator = RuleEvaluator(features: features.filter { used.contains(ExactName($0.name)) }, rules: rules)
        let bound = try evaluator.bind(table)
        var scratch = RuleEvaluator.Scratch(evaluator)
        var counts = [(search: Rule.Counts, unseen: Rule.Counts)](
            repeating: (Rule.Counts(), Rule.Counts()), count: rules.count)
        guard !rules.isEmpty else { return counts }
        for start in stride(from: 0, to: table.rows, by: RuleEvaluator.block) {
            try execution.check()
            let rows = start..<min(table.rows, start + RuleEvaluator.block)
            try evaluator.evaluate(rows, of: bound, &scratch)
            for rule in rules.indices {
                for word in 0..<(rows.count + 63) / 64 {
                    let place = start / 64 + word
                    let inBlock = rows.count - word * 64
                    let matches = scratch.word(rule, word) & (inBlock >= 64 ? ~0 : (1 << UInt64(inBlock)) - 1)
                    let seen = split.search.words[place]
                    let target = split.target.words[place]
                    counts[rule].search.matched += (matches & seen).nonzeroBitCount
                    counts[rule].search.support += (matches & seen & target).nonzeroBitCount
                    counts[rule].unseen.matched += (matches & ~seen).nonzeroBitCount
                    counts[rule].unseen.support += (matches & ~seen & target).nonzeroBitCount
                }
            }
        }
        return counts
    }
}
