import CoveyRuntime
import CoveySequences

/// Searches for cheap alternatives that reach a goal. Three searches propose alternatives: all values of one feature
/// and all single events; the nearest kept rows that are not risky; a beam of combinations. What reaches the goal is
/// made sparse and its numbers are moved back (`CounterfactualPolish`).
struct CounterfactualSearch {
    let features: [ChangeableFeature]
    /// Events that may be removed, by position.
    let events: [Int]
    let options: CounterfactualOptions
    let goal: CounterfactualGoal
    let execution: Execution
    var scorer: AlternativeScores
    private(set) var found: [Alternative] = []
    /// Of each feature: the smallest gap of one change.
    private var leastGaps: [Double]
    private var eventGaps: [(event: Int, gap: Double)] = []

    /// Combinations that a step keeps, and its most features, values of each on a side, events and steps.
    private static let beam = 6
    private static let beamFeatures = 24
    private static let beamValues = 4
    private static let beamEvents = 16
    private static let beamSteps = 4
    private static let nearestRows = 96
    private static let spreadRows = 64

    init(
        _ features: [ChangeableFeature], events: [Int], _ options: CounterfactualOptions, _ goal: CounterfactualGoal,
        _ scorer: AlternativeScores, _ execution: Execution
    ) {
        self.features = features
        self.events = options.largestRemoved > 0 ? events : []
        self.options = options
        self.goal = goal
        self.scorer = scorer
        self.execution = execution
        leastGaps = [Double](repeating: .infinity, count: features.count)
    }

    func cost(_ alternative: Alternative) -> Double { alternative.cost(features, eventCost: options.eventCost) }

    /// Whether an alternative has no more changes and removed events than an answer may have.
    func fits(_ alternative: Alternative) -> Bool {
        (options.largestChanges == 0 || alternative.count <= options.largestChanges)
            && alternative.removed.count <= options.largestRemoved
    }

    mutating func run(_ known: KnownRows, _ engine: Engine, _ given: GivenTransaction) throws {
        try execution.report("counterfactuals", 0)
        try trySingles()
        try execution.report("counterfactuals", 0.4)
        try tryRows(known, engine, given)
        try execution.report("counterfactuals", 0.6)
        try tryCombinations()
        try execution.report("counterfactuals", 0.9)
    }

    // MARK: - One change

    private mutating func trySingles() throws {
        let none = Alternative()
        for (feature, own) in features.enumerated() {
            // The cheapest value of each direction counts; candidates are ordered by cost.
            let scores = try scorer.scores(own.candidates.map { none.with(feature, $0) })
            var last: [Alternative.Step: Double] = [:]
            var reached = Set<Alternative.Step>()
            for (value, score) in zip(own.candidates, scores) {
                let step = own.step(value, feature)
                leastGaps[feature] = min(leastGaps[feature], goal.gap(score))
                guard !reached.contains(step) else { continue }
                if goal.isReached(by: score) {
                    reached.insert(step)
                    let polish = CounterfactualPolish(self)
                    let moved = try polish.movedBack(none.with(feature, value), feature, from: last[step], &scorer)
                    found.append(moved)
                } else {
                    last[step] = value
                }
            }
        }
        let removals = events.map { none.removing($0) }
        for (event, score) in zip(events, try scorer.scores(removals)) {
            if goal.isReached(by: score) { found.append(none.removing(event)) }
            eventGaps.append((event, goal.gap(score)))
        }
    }

    // MARK: - Kept rows

    private mutating func tryRows(_ known: KnownRows, _ engine: Engine, _ given: GivenTransaction) throws {
        let columns = features.map { known.index(of: $0.feature.name) }
        guard columns.contains(where: { $0 != nil }) else { return }
        let codes = features.indices.map { feature in
            columns[feature].map { column in
                known.features[column].categories.map { name in
                    given.values[features[feature].index].names.firstIndex { $0.utf8.elementsEqual(name.utf8) }
                }
            } ?? []
        }
        /// The value of a row; nil if it is not known or not allowed.
        func value(_ row: Int, _ feature: Int) -> Double? {
            guard let column = columns[feature] else { return nil }
            var value = known.values[column][row]
            if value.isNaN { return nil }
            if features[feature].feature.kind == .categorical {
                guard let code = codes[feature][Int(value)] else { return nil }
                value = Double(code)
            } else if features[feature].feature.kind == .numeric {
                value = min(features[feature].high, max(features[feature].low, value))
            }
            return value == features[feature].origin ? nil : value
        }
        var order: [(cost: Double, row: Int)] = []
        for row in known.rows.indices where isSafe(known.clusters[row]) {
            if row & 0xFFF == 0 { try execution.report() }
            var cost = 0.0
            for feature in features.indices {
                if let value = value(row, feature) { cost += features[feature].cost(to: value) }
            }
            order.append((cost, row))
        }
        order.sort { ($0.cost, $0.row) < ($1.cost, $1.row) }
        let alternatives = Self.chosen(order.count).map { place in
            var alternative = Alternative()
            for feature in features.indices {
                guard let column = columns[feature], let value = value(order[place].row, feature) else { continue }
                let simple = known.features[column].simplest(value)
                let whole = features[feature].isWhole ? simple.rounded() : simple
                if features[feature].allows(whole) { alternative = alternative.with(feature, whole) }
            }
            return alternative
        }
        for (alternative, score) in zip(alternatives, try scorer.scores(alternatives)) {
            if alternative.count > 0, goal.isReached(by: score) { found.append(alternative) }
        }
    }

    private func isSafe(_ cluster: Int32) -> Bool {
        cluster < 0 || (Int(cluster) != goal.cluster && !goal.riskyClusters[Int(cluster)])
    }

    /// The nearest ones, and others at growing distances: the nearest may all be of one ring.
    private static func chosen(_ count: Int) -> [Int] {
        var places = Array(0..<min(count, nearestRows))
        guard count > nearestRows else { return places }
        for step in 1...spreadRows {
            let share = Double(step) / Double(spreadRows)
            let place = nearestRows + Int(Double(count - 1 - nearestRows) * share * share * share)
            if place > places[places.count - 1] { places.append(place) }
        }
        return places
    }

    // MARK: - Combinations

    private mutating func tryCombinations() throws {
        let order = features.indices.sorted { (leastGaps[$0], $0) < (leastGaps[$1], $1) }.prefix(Self.beamFeatures)
        let moves = order.map { (feature: $0, values: features[$0].thinned(Self.beamValues)) }
        let removals = eventGaps.sorted { ($0.gap, $0.event) < ($1.gap, $1.event) }.prefix(Self.beamEvents)
        let steps = options.largestChanges == 0 ? Self.beamSteps : min(Self.beamSteps, options.largestChanges)
        var kept = [Alternative()]
        for _ in 0..<steps {
            var next: [Alternative] = []
            for alternative in kept {
                for move in moves where alternative.value(of: move.feature) == nil {
                    next += move.values.map { alternative.with(move.feature, $0) }
                }
                if alternative.removed.count < options.largestRemoved {
                    next += removals.filter { !alternative.removed.contains($0.event) }
                        .map { alternative.removing($0.event) }
                }
            }
            var open: [(gap: Double, cost: Double, alternative: Alternative)] = []
            for (alternative, score) in zip(next, try scorer.scores(next)) {
                if goal.isReached(by: score) {
                    found.append(alternative)
                } else {
                    open.append((goal.gap(score), cost(alternative), alternative))
                }
            }
            open.sort { ($0.gap, $0.cost) < ($1.gap, $1.cost) }
            kept = Self.different(open.map(\.alternative), features)
            if kept.isEmpty || scorer.left == 0 { return }
        }
    }

    /// The first few that do not change the same things.
    private static func different(_ alternatives: [Alternative], _ features: [ChangeableFeature]) -> [Alternative] {
        var seen = Set<Set<Alternative.Step>>()
        var kept: [Alternative] = []
        for alternative in alternatives where kept.count < beam {
            if seen.insert(alternative.steps(features)).inserted { kept.append(alternative) }
        }
        return kept
    }
}
