import CoveyRisk
import CoveyRules
import CoveyRuntime
import CoveyTables

// Rules for fraud, from what is known of it.
//
// With few known frauds a search for "known fraud" finds little: most of the fraud that a rule matches counts against
// it. So the search describes the rows that are known or likely to be fraud by all evidence (self-training), and known
// fraud of other rows, which neither the search nor that evidence saw, says what its rules are worth.

extension Finder {
    mutating func searchRules(_ labels: KnownLabels, _ fit: Evidence.Fit) throws -> RuleSet? {
        guard options.maxRules > 0, let table = inputs.table, !table.columns.isEmpty else { return nil }
        guard labels.fraud >= 6 else {
            tell(
                .noRule,
                "\(labels.fraud == 1 ? "One known fraud is" : "\(labels.fraud) known frauds are") too few for rules, "
                    + "which are searched for on some and tested on others."
            )
            return nil
        }
        let evidence = fit.evidence
        // Which rows are described and which are unseen, in each trial, and the row order that these are drawn from.
        try execution.hold(labels.count, of: 64, for: "rules of \(labels.count) rows")
        let test = try RuleTest(labels, times: inputs.times, seed: options.seed, execution)
        settings.rules_held_out = test.name
        let isLabelled = labels.population == .labelled
        let trials = try test.parts.map { try trial(labels, isLabelled ? nil : evidence, unseen: $0) }
        let whole = trial(labels, isLabelled ? nil : fit, [Bool](repeating: false, count: labels.count))
        var wanted = RuleSearchOptions()
        wanted.maxRules = options.maxRules
        wanted.seed = options.seed
        wanted.minSupport = max(3, min(10, labels.fraud / 10))
        wanted.minLift = 1
        wanted.targetName = isLabelled ? "fraud" : "known fraud"
        let share = Finder.wantedShare(labels, isLabelled ? nil : evidence)
        // The known share may be as low as the lower end of its range, and few rows measure a rule's roughly.
        let low = isLabelled || evidence.shareSource == .unknown ? 1 : evidence.knownShareRange.lowerBound
        let least = TestedSearch.Least(precision: min(share, 0.5 * low), possible: share)
        settings.rules_min_precision = share
        // Dates by their hour, as covey_extract_rules has them.
        let derived = try DerivedTable(table, options: wanted, execution: execution)
        let target = Strided(labels.values.map { $0 == 1 ? UInt8(1) : 0 })
        let found = try derived.restored(
            TestedSearch.run(
                derived.table, target: target, isUsed: labels.values.indices.map { labels.isCounted($0) }, whole: whole,
                trials: trials, least: least, options: derived.options, execution: execution))
        if found.rules.isEmpty {
            tell(
                .noRule,
                "There is no rule for fraud. " + (found.note.map { $0 + " " } ?? "")
                    + "Scores and groups do not depend on rules; more known frauds, or features that an expert would "
                    + "look at, may give some.")
        }
        let range = evidence.knownShareRange
        let meaning =
            isLabelled
            ? FraudMeaning(knownShare: 1, low: 1, high: 1)
            : FraudMeaning(knownShare: evidence.knownShare, low: range.lowerBound, high: range.upperBound)
        return try found.telling(
            meaning, of: table, labels: Strided(labels.values), amounts: inputs.amounts, execution: execution)
    }

    /// The evidence of a trial is smaller: it is fitted once for each.
    private static let trialTrees = 50
    private static let trialPermutations = 99

    /// The share of known fraud among the rows of a rule that is half fraud: half of the share of fraud that is known.
    /// Without a guess of that share a rule must stand out by more.
    private static func wantedShare(_ labels: KnownLabels, _ evidence: Evidence?) -> Double {
        guard let evidence else { return 0.5 }
        return evidence.shareSource == .unknown ? min(1, 3 * labels.baseRate) : 0.5 * evidence.knownShare
    }

    /// A trial whose evidence, if any, did not see the labels of some rows.
    private func trial(_ labels: KnownLabels, _ evidence: Evidence?, unseen: [Bool]) throws -> RuleTrial {
        try execution.report("rules for fraud", 0)
        return try execution.temporarily {
            let known = try labels.hiding(unseen, execution: execution)
            let again = try evidence?.fitted(
                to: known, permutations: Finder.trialPermutations,
                trees: evidence.map { $0.treeCount > 0 } == true ? Finder.trialTrees : nil, execution: execution)
            return trial(known, again, unseen)
        }
    }

    /// What a search describes by these labels: rows that are known to be fraud, in a risky group, or more likely fraud
    /// than not. Without evidence known fraud alone.
    private func trial(_ labels: KnownLabels, _ fit: Evidence.Fit?, _ unseen: [Bool]) -> RuleTrial {
        let isDescribed = labels.values.indices.map { row in
            labels.isFraud(row) || fit.map { $0.rows[row].group >= 0 || $0.rows[row].risk >= 0.5 } ?? false
        }
        // The described rows are a part of the fraud, which is larger than the known one.
        let described = isDescribed.indices.count { isDescribed[$0] && !unseen[$0] }
        let share = Finder.wantedShare(labels, fit?.evidence)
        return RuleTrial(
            isUnseen: unseen, isDescribed: isDescribed,
            minPrecision: min(0.5, share * Double(described) / Double(max(1, labels.fraud))))
    }
}

/// Which rows test rules for fraud, in one part or in several.
private struct RuleTest {
    /// One or more, of one value a row.
    let parts: [[Bool]]
    /// As settings tell it.
    let name: String

    /// With fewer known frauds each row tests rules once, in one of five parts: of 20 a hold-out would have 6.
    private static let few = 100
    private static let folds = 5

    init(_ labels: KnownLabels, times: Strided<Double>?, seed: UInt64, _ execution: Execution) throws {
        if labels.fraud < RuleTest.few {
            name = "folds"
            var random = SeededRandom(seed: seed ^ 0x0F0_1D5)
            var folds = [Int](repeating: 0, count: labels.count)
            for isFraud in [true, false] {
                var rows = (0..<labels.count).filter { labels.isFraud($0) == isFraud }
                try execution.report()
                rows.shuffle(using: &random)
                for (place, row) in rows.enumerated() { folds[row] = place % RuleTest.folds }
            }
            parts = (0..<RuleTest.folds).map { fold in folds.map { $0 == fold } }
            return
        }
        var wanted = RuleSearchOptions()
        wanted.seed = seed
        if labels.population == .labelled { wanted.weights = Strided(labels.values.map { $0 >= 0 ? 1.0 : 0.0 }) }
        if let times, try RuleTest.isFair(times, labels, execution) {
            wanted.times = times
            name = "latest"
        } else {
            name = "random"
        }
        let target = Strided(labels.values.map { $0 == 1 ? UInt8(1) : 0 })
        parts = [try HoldoutSplit.heldOut(target, options: wanted, execution: execution)]
    }

    /// Whether the latest rows, held out, can test rules. Where they are known to be fraud so much less often than the
    /// rest that their labels have not come yet (by 1.645 deviations, or fewer than 3 of them), rules would fail for
    /// want of labels. Where they hold most of the known fraud, the search would hardly see what it is to describe.
    private static func isFair(
        _ times: Strided<Double>, _ labels: KnownLabels, _ execution: Execution
    ) throws -> Bool {
        var order = (0..<labels.count).filter { labels.isCounted($0) }
        try execution.sort(&order) { (times[$0], $0) < (times[$1], $1) }
        let share = RuleSearchOptions().heldOut
        let latest = Int((share * Double(order.count)).rounded())
        let known = order.suffix(latest).count { labels.isFraud($0) }
        let expected = share * Double(labels.fraud)
        let deviation = (expected * (1 - share)).squareRoot()
        return known >= 3 && Double(known) >= expected - 1.645 * deviation && 2 * known <= labels.fraud
    }
}
