import CoveyRuntime
import CoveyTables

/// Finds rules on some rows; sees no others.
///
/// Features are binned; conjunctions come from a beam search and from the paths of a tree on a sample; the best are
/// polished on all rows; the best one joins the set, its rows are set aside, and the search starts again on the rest
/// (separate and conquer, Fürnkranz 1999). Then each rule is fitted again to what the others leave, as in RIPPER (Cohen
/// 1995), rules that add nothing go, and thresholds are rounded.
struct RuleFinder {
    let columns: [FeatureColumn]
    let directions: [Direction]
    let measure: RowMeasure
    /// The rows to find rules on.
    let search: RowBits
    /// The table's rows that match the conditions that every rule contains; nil where there are none.
    let pinned: RowBits?
    let pinnedCount: Int
    let minSupport: Double
    let options: RuleSearchOptions
    let execution: Execution

    typealias Draft = RulePolisher.Draft

    /// Conjunctions of the beam that are polished.
    private static let polished = 6

    /// What the rows weigh, and the precision that a rule must reach there.
    private var total: Tally { measure.tally(search) }

    private func wantedRate(_ total: Tally) -> Double { max(options.minPrecision, options.minLift * total.rate) }

    private func objective(_ total: Tally, _ wantedRate: Double) -> Objective {
        Objective(
            quality: options.quality, beta2: options.beta * options.beta, total: total, wantedRate: wantedRate,
            chargesLength: options.chargesLength)
    }

    /// Rules, best first; none is a result too.
    func find(tried: inout Int) throws -> [Draft] {
        let total = self.total
        let wantedRate = wantedRate(total)
        // Where the target is too small, or the lift asked for cannot be, there is nothing to look for.
        guard total.positives >= minSupport, total.positives > 0, total.negatives > 0, wantedRate <= 1,
            !columns.isEmpty || pinned != nil
        else { return [] }
        var active = search
        var sample = try self.sample(active, bins: nil)
        let polisher = polisher(sample.bins, wantedRate)
        var rules: [Draft] = []
        while rules.count < options.maxRules {
            let left = measure.tally(active)
            try execution.report("rule search", min(1, 1 - left.positives / total.positives))
            guard left.positives > 0, left.negatives > 0,
                let best = try best(sample, active, left, polisher, &tried)
            else { break }
            rules.append(best)
            active.subtract(best.rows)
            if sample.positiveScale > 1 { sample = try self.sample(active, bins: sample.bins) }
        }
        return try finish(rules, polisher, &tried)
    }

    /// The score of the best single rule; nil where there is none.
    func bestScore() throws -> Double? {
        let total = self.total
        let wantedRate = wantedRate(total)
        guard total.positives >= minSupport, total.negatives > 0, wantedRate <= 1 else { return nil }
        let sample = try self.sample(search, bins: nil)
        var tried = 0
        return try best(sample, search, total, polisher(sample.bins, wantedRate), &tried)?.score
    }

    private func polisher(_ bins: [FeatureBins], _ wantedRate: Double) -> RulePolisher {
        RulePolisher(
            columns: columns, bins: bins, directions: directions, measure: measure, search: search,
            wantedRate: wantedRate,
            minSupport: minSupport, maxConditions: options.maxConditions - pinnedCount, pinned: pinned,
            execution: execution)
    }

    private func scope(_ active: RowBits, _ total: Tally, _ wantedRate: Double) -> RulePolisher.Scope {
        let finder = ConditionFinder(objective: objective(total, wantedRate), minSupport: minSupport)
        return RulePolisher.Scope(active: active, finder: finder)
    }

    private func sample(_ active: RowBits, bins: [FeatureBins]?) throws -> SearchSample {
        try SearchSample(
            columns, active: pinned.map { active.intersection($0) } ?? active, measure: measure, bins: bins,
            maxBins: options.maxBins, seed: options.seed, execution: execution)
    }

    /// The best rule for the rows that no other covers; nil where none is worth having.
    private func best(
        _ sample: SearchSample, _ active: RowBits, _ left: Tally, _ polisher: RulePolisher, _ tried: inout Int
    ) throws -> Draft? {
        let scope = scope(active, left, polisher.wantedRate)
        var best: Draft?
        for conjunction in try candidates(sample, active, left, polisher.wantedRate, &tried) {
            let terms = conjunction.terms.map { Term($0, sample.bins[$0.feature]) }
            let draft = try polisher.polish(polisher.draft(terms, scope), scope, tried: &tried)
            if best.map({ draft.isBetter(than: $0) }) ?? true { best = draft }
        }
        return best.flatMap { isWorthHaving($0, scope, polisher) ? $0 : nil }
    }

    private func isWorthHaving(_ draft: Draft, _ scope: RulePolisher.Scope, _ polisher: RulePolisher) -> Bool {
        let objective = scope.objective
        guard draft.reaches, objective.isBetterThanChance(draft.tally, cost: polisher.cost(draft)) else { return false }
        return objective.isInNats ? draft.score >= objective.least : draft.score > objective.least
    }

    private func candidates(
        _ sample: SearchSample, _ active: RowBits, _ left: Tally, _ wantedRate: Double, _ tried: inout Int
    ) throws -> [BeamSearch.Found] {
        var sampled = RowBits(rows: sample.rows.count)
        for (index, row) in sample.rows.enumerated() where active[Int(row)] { sampled[index] = true }
        let root = sample.tally(sampled)
        guard root.positives > 0 else { return [] }
        var total = root
        if pinned != nil {
            total = Tally(
                positives: max(root.positives, left.positives), negatives: max(root.negatives, left.negatives),
                amount: max(root.amount, left.amount))
        }
        // So many sampled rows: what they stand for need not be a whole multiple.
        let scale = sample.positiveScale
        let support = scale == 1 ? minSupport : max(1, (minSupport / scale).rounded(.down)) * scale
        let finder = ConditionFinder(objective: objective(total, wantedRate), minSupport: support * (1 - 1e-9))
        let conditions = options.maxConditions - pinnedCount
        var pool: BeamSearch.Pool = [:]
        if pinned != nil {
            pool[[]] = BeamSearch.Found(
                terms: [], reaches: root.rate >= wantedRate, score: finder.objective.value(root),
                support: root.positives)
        }
        if !columns.isEmpty {
            let tree = TreePaths(
                sample: sample, finder: finder, active: sampled, directions: directions, maxConditions: conditions)
            try tree.run(into: &pool, tried: &tried, execution: execution)
            let beam = BeamSearch(
                sample: sample, finder: finder, active: sampled, directions: directions, maxConditions: conditions,
                beamWidth: options.beamWidth)
            try beam.run(wanted: RuleFinder.polished, into: &pool, tried: &tried, execution: execution)
        }
        return Array(pool.values.sorted { $0.isBetter(than: $1) }.prefix(RuleFinder.polished))
    }

    /// Fits each rule again to what the others leave, removes those that add nothing, and rounds.
    private func finish(_ found: [Draft], _ polisher: RulePolisher, _ tried: inout Int) throws -> [Draft] {
        var rules = found
        func scope(without index: Int?) -> RulePolisher.Scope {
            var active = search
            for (other, rule) in rules.enumerated() where other != index { active.subtract(rule.rows) }
            return self.scope(active, measure.tally(active), polisher.wantedRate)
        }
        var index = 0
        while index < rules.count {
            let scope = scope(without: index)
            let again = try polisher.polish(polisher.draft(rules[index].terms, scope), scope, tried: &tried)
            if isWorthHaving(again, scope, polisher) {
                rules[index] = again
                index += 1
            } else {
                rules.remove(at: index)
            }
        }
        for index in rules.indices {
            rules[index] = try polisher.rounded(rules[index], scope(without: index), tolerance: options.rounding)
        }
        let all = self.scope(search, total, polisher.wantedRate)
        let drafts = try rules.map { try polisher.draft($0.terms, all) }
        return drafts.indices.sorted {
            drafts[$0].score != drafts[$1].score ? drafts[$0].score > drafts[$1].score : $0 < $1
        }.map { drafts[$0] }
    }
}
