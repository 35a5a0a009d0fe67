import CoveyRuntime

/// Makes an alternative that reaches the goal cheaper: takes changes back while the goal still holds, and moves numbers
/// towards the given ones.
struct CounterfactualPolish {
    private let features: [ChangeableFeature]
    private let goal: CounterfactualGoal
    private let eventCost: Double

    /// Numbers are moved back to this share of their unit.
    private static let tolerance = 1e-4
    /// The values of a round, and the most rounds.
    private static let points = 15
    private static let rounds = 6
    private static let passes = 3

    init(_ search: CounterfactualSearch) {
        features = search.features
        goal = search.goal
        eventCost = search.options.eventCost
    }

    func cost(_ alternative: Alternative) -> Double { alternative.cost(features, eventCost: eventCost) }

    /// - Parameter given: sparse already.
    func polished(_ given: Alternative, _ scorer: inout AlternativeScores) throws -> Alternative {
        var best = given
        for _ in 0..<Self.passes {
            let before = cost(best)
            let order = best.changes.sorted {
                (-features[$0.feature].cost(to: $0.value), $0.feature)
                    < (-features[$1.feature].cost(to: $1.value), $1.feature)
            }
            for change in order where features[change.feature].feature.kind == .numeric {
                best = try movedBack(best, change.feature, from: nil, &scorer)
            }
            best = try sparse(best, &scorer)
            if cost(best) > before * (1 - 1e-3) || scorer.left == 0 { break }
        }
        return best
    }

    /// Takes changes back one by one, the dearest first, while the goal holds.
    func sparse(_ given: Alternative, _ scorer: inout AlternativeScores) throws -> Alternative {
        var best = given
        while best.count > 1 {
            let shorter =
                best.changes.map { best.with($0.feature, nil) } + best.removed.map { best.restoring($0) }
            var good: [(cost: Double, alternative: Alternative)] = []
            for (alternative, score) in zip(shorter, try scorer.scores(shorter)) where goal.isReached(by: score) {
                good.append((cost(alternative), alternative))
            }
            guard let cheapest = good.min(by: { $0.cost < $1.cost }) else { break }
            best = cheapest.alternative
            if good.count > 2 { best = try takenBack(given: best, good.map(\.alternative), &scorer) }
        }
        return best
    }

    /// Many changes at once: those that can be taken back alone, as many of them together as the goal allows.
    private func takenBack(
        given best: Alternative, _ shorter: [Alternative], _ scorer: inout AlternativeScores
    ) throws -> Alternative {
        var chain: [Alternative] = []
        var current = best
        for other in shorter.sorted(by: { cost($0) < cost($1) }) {
            for change in current.changes where other.value(of: change.feature) == nil {
                current = current.with(change.feature, nil)
            }
            for event in current.removed where !other.removed.contains(event) { current = current.restoring(event) }
            if current.count > 0 { chain.append(current) }
        }
        var result = best
        for (alternative, score) in zip(chain, try scorer.scores(chain)) where goal.isReached(by: score) {
            if alternative.count < result.count { result = alternative }
        }
        return result
    }

    /// Moves the number of one feature towards the given one.
    /// - Parameter from: a number on the way that does not reach the goal; nil = the given number.
    func movedBack(
        _ given: Alternative, _ feature: Int, from: Double?, _ scorer: inout AlternativeScores
    ) throws -> Alternative {
        let own = features[feature]
        guard own.feature.kind == .numeric, var value = given.value(of: feature) else { return given }
        var low = from ?? own.start
        for _ in 0..<Self.rounds where abs(value * 0.5 - low * 0.5) > Self.tolerance * own.unit * 0.5 {
            var points = (1...Self.points).map { step in
                let share = Double(step) / Double(Self.points + 1)
                return low * (1 - share) + value * share
            }
            if own.isWhole { points = points.map { $0.rounded() } }
            points = Self.distinct(points).filter { $0 != value && $0 != low && own.allows($0) }
            if points.isEmpty { break }
            // Points are in the order of cost: the first one that reaches the goal, and the last before it.
            let scores = try scorer.scores(points.map { given.with(feature, $0) })
            guard scores.count == points.count else { break }
            if let first = scores.firstIndex(where: { goal.isReached(by: $0) }) {
                value = points[first]
                if first > 0 { low = points[first - 1] }
            } else {
                low = points[points.count - 1]
            }
        }
        return try simplified(given.with(feature, value), feature, from: low, &scorer)
    }

    /// The number with few digits, if one is as good: between `from` and the value, or hardly beyond it.
    private func simplified(
        _ given: Alternative, _ feature: Int, from low: Double, _ scorer: inout AlternativeScores
    ) throws -> Alternative {
        let own = features[feature]
        guard !own.isWhole, let value = given.value(of: feature) else { return given }
        let slack = Self.tolerance * own.unit
        // Rounded to the nearest, then away from the given number, where the goal holds more surely.
        let rounded = (1...15).flatMap { digits in
            let near = value.rounded(toDigits: digits)
            let missed = abs(value - near)
            return [near, (value < own.start ? value - missed : value + missed).rounded(toDigits: digits)]
        }
        let simple = rounded.filter { number in
            own.allows(number) && number != low && (number - own.start) * (value - own.start) > 0
                && abs(number - value) <= (abs(number - own.start) > abs(value - own.start) ? slack : abs(value - low))
        }
        let tried = Array(Self.distinct(simple).prefix(4))
        let scores = try scorer.scores(tried.map { given.with(feature, $0) })
        for (number, score) in zip(tried, scores) where goal.isReached(by: score) { return given.with(feature, number) }
        return given
    }

    private static func distinct(_ values: [Double]) -> [Double] {
        var result: [Double] = []
        for value in values where result.last != value { result.append(value) }
        return result
    }
}
