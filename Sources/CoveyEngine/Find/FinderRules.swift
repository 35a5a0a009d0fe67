import CoveyRisk
import CoveyRules
import CoveyTables

// Rules for fraud, from what is known of it.

extension Finder {
    /// With fewer known frauds, half of the rows are held out in the place of 30 %: the test needs some of them.
    private static let fewForRules = 60

    mutating func searchRules(_ labels: KnownLabels, _ evidence: Evidence) throws -> RuleSet? {
        guard options.maxRules > 0, let table = inputs.table, !table.columns.isEmpty else { return nil }
        guard labels.fraud >= 6 else {
            tell(
                .noRule,
                "\(labels.fraud) known frauds are too few for rules, which are searched for on some and tested on "
                    + "others."
            )
            return nil
        }
        var wanted = RuleSearchOptions()
        wanted.maxRules = options.maxRules
        wanted.seed = options.seed
        wanted.targetName = labels.population == .all ? "known fraud" : "fraud"
        wanted.minSupport = max(3, min(10, labels.fraud / 10))
        wanted.minLift = 2
        // A rule that is all fraud matches known fraud in the known share of its rows. Of labelled rows all is known. c
        // is estimated by sets that are purest by chance as well, so its lower end counts.
        let isOfLabelled = labels.population == .labelled
        let least =
            isOfLabelled
            ? 1 : evidence.shareSource == .given ? evidence.knownShare : evidence.knownShareRange.lowerBound
        // Without a guess of how much is known, a rule must stand out by more.
        wanted.minPrecision = min(
            1, evidence.shareSource == .unknown ? 3 * labels.baseRate : max(0.5 * least, 2 * labels.baseRate))
        if let times = inputs.times, isFairTest(times, labels) {
            wanted.times = times
            settings.rules_held_out = "latest"
        } else {
            wanted.heldOut = labels.fraud < Finder.fewForRules ? 0.5 : 0.3
            settings.rules_held_out = "random"
        }
        if isOfLabelled { wanted.weights = Strided(labels.values.map { $0 >= 0 ? 1.0 : 0.0 }) }
        settings.rules_min_precision = wanted.minPrecision
        let target = Strided(labels.values.map { $0 == 1 ? UInt8(1) : 0 })
        // Dates by their hour, as covey_extract_rules has them.
        let derived = try DerivedTable(table, options: wanted, execution: execution)
        let found = try derived.restored(
            RuleSearch.run(derived.table, target: target, options: derived.options, execution: execution))
        if found.rules.isEmpty {
            tell(
                .noRule,
                "There is no rule for fraud. " + (found.note.map { $0 + " " } ?? "")
                    + "Scores and groups do not depend on rules; more known frauds, or features that an expert would "
                    + "look at, may give some.")
        }
        let range = evidence.knownShareRange
        let meaning =
            isOfLabelled
            ? FraudMeaning(knownShare: 1, low: 1, high: 1)
            : FraudMeaning(knownShare: evidence.knownShare, low: range.lowerBound, high: range.upperBound)
        return try found.telling(
            meaning, of: table, labels: Strided(labels.values), amounts: inputs.amounts, execution: execution)
    }

    /// Whether the latest rows, held out, can test rules. Where they are known to be fraud so much less often than the
    /// rest that their labels have not come yet (by 1.645 deviations, or fewer than 3 of them), rules would fail for
    /// want of labels. Where they hold most of the known fraud, the search would hardly see what it is to describe.
    private func isFairTest(_ times: Strided<Double>, _ labels: KnownLabels) -> Bool {
        let counted = (0..<labels.count).filter { labels.isCounted($0) }
        let order = counted.sorted { (times[$0], $0) < (times[$1], $1) }
        let share = RuleSearchOptions().heldOut
        let latest = Int((share * Double(order.count)).rounded())
        let known = order.suffix(latest).count { labels.isFraud($0) }
        let expected = share * Double(labels.fraud)
        let deviation = (expected * (1 - share)).squareRoot()
        return known >= 3 && Double(known) >= expected - 1.645 * deviation && 2 * known <= labels.fraud
    }
}
