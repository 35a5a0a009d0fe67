import CoveyRules
import CoveyRuntime
import CoveyTables

/// A feature that may be changed: from what, to what, and at what cost.
struct ChangeableFeature: Sendable {
    /// Of `Engine.features`.
    let index: Int
    let feature: EngineFeature
    /// As in `GivenTransaction`; NaN = missing.
    let origin: Double
    /// Of numbers: where costs are counted from. The given number, or the median of the kept rows if that is missing.
    let start: Double
    let costPerUnit: Double
    /// Of numbers: the distance between the quartiles of the kept rows, or the next best; above 0. 1 for other kinds.
    let unit: Double
    let low: Double
    let high: Double
    /// All known numbers are whole, and so are new ones.
    let isWhole: Bool
    /// New values, the cheapest first.
    let candidates: [Double]

    func cost(to value: Double) -> Double {
        if value == origin { return 0 }
        guard feature.kind == .numeric else { return costPerUnit }
        // Halves: the difference of two large numbers overflows.
        let units = abs(value * 0.5 - start * 0.5) / (unit * 0.5)
        return min(.greatestFiniteMagnitude, costPerUnit * (units + (origin.isNaN ? 1 : 0)))
    }

    func step(_ value: Double, _ position: Int) -> Alternative.Step {
        guard feature.kind == .numeric else { return .other(position) }
        return value < start ? .lower(position) : .higher(position)
    }

    /// Whether a value may be taken.
    func allows(_ value: Double) -> Bool {
        guard value.isFinite, value != origin else { return false }
        guard feature.kind == .numeric else { return candidates.contains(value) }
        return value >= low && value <= high && (!isWhole || value == value.rounded())
    }

    /// The candidates with at most `count` of a number's values on each side, evenly by cost.
    func thinned(_ count: Int) -> [Double] {
        guard feature.kind == .numeric else { return Array(candidates.prefix(2 * count)) }
        func thin(_ values: [Double]) -> [Double] {
            guard values.count > count else { return values }
            return (0..<count).map { values[(2 * $0 + 1) * values.count / (2 * count)] }
        }
        return thin(candidates.filter { $0 < start }) + thin(candidates.filter { $0 >= start })
    }
}

/// Makes changeable features from the rows and rules of an engine.
struct FeatureChanges {
    private let known: KnownRows
    private let rules: [(feature: String, test: Condition.Test)]
    /// Values of a number that are tried.
    private let count: Int

    /// The most categories of a feature that are tried.
    static let mostCategories = 32

    init(_ known: KnownRows, _ parts: EngineParts, count: Int) {
        self.known = known
        self.count = count
        rules = parts.ruleSets.flatMap { $0.rules.rules }.flatMap(\.conditions).map { ($0.feature, $0.test) }
    }

    func numeric(_ given: GivenTransaction.Value, _ index: Int, _ limit: CounterfactualOptions.Limit) throws
        -> ChangeableFeature?
    {
        let position = known.index(of: given.feature.name)
        let values = position.map { known.values[$0].filter { !$0.isNaN }.sorted() } ?? []
        let bounds = ruleBounds(given.feature.name)
        let ownRange = FeatureChanges.range(values, bounds, given.value)
        let low = limit.low ?? min(ownRange.low, limit.high ?? ownRange.low)
        let high = limit.high ?? max(ownRange.high, limit.low ?? ownRange.high)
        let simple = { (value: Double) in position.map { known.features[$0].simplest(value) } ?? value }
        let few = (0..<min(count, values.count)).map {
            simple(values[$0 * (values.count - 1) / max(1, min(count, values.count) - 1)])
        }
        let certain = few.filter { value in position.map { known.features[$0].isAsGiven(value) } ?? false }
        let isWhole =
            !certain.isEmpty
            && (certain + [given.value]).allSatisfy { $0.isNaN || $0 == $0.rounded() && abs($0) < 0x1p53 }
        let start = given.value.isNaN ? FeatureChanges.middle(values) : given.value
        let unit = FeatureChanges.unit(values, bounds)
        var all = few + [low, high].filter { $0 != start || given.value.isNaN }
        for bound in bounds { all += [bound, bound - unit * 1e-3, bound + unit * 1e-3] }
        for (end, side) in [(low, low < start), (high, high > start)] where side {
            // Denser near the start, where changes are cheap.
            all += (1...count).map { step in
                let share = Double(step) / Double(count)
                return start + (end - start) * share * share
            }
        }
        if isWhole { all = all.map { $0.rounded() } }
        let allowed = all.filter { $0.isFinite && $0 != given.value && $0 >= low && $0 <= high }
        let made = { (candidates: [Double]) in
            ChangeableFeature(
                index: index, feature: given.feature, origin: given.value, start: start, costPerUnit: limit.cost,
                unit: unit, low: low, high: high, isWhole: isWhole, candidates: candidates)
        }
        let pricing = made([])
        let sorted = Set(allowed).sorted { (pricing.cost(to: $0), $0) < (pricing.cost(to: $1), $1) }
        return sorted.isEmpty ? nil : made(sorted)
    }

    func other(_ given: GivenTransaction.Value, _ index: Int, _ limit: CounterfactualOptions.Limit, values: [Double])
        -> ChangeableFeature?
    {
        let allowed = values.filter { $0 != given.value }
        if allowed.isEmpty { return nil }
        return ChangeableFeature(
            index: index, feature: given.feature, origin: given.value, start: given.value, costPerUnit: limit.cost,
            unit: 1, low: -.infinity, high: .infinity, isWhole: false, candidates: allowed)
    }

    /// The categories to try: the caller's, or those of the kept rows, the most frequent first, and those of rules.
    func categories(_ feature: String, _ limit: CounterfactualOptions.Limit) -> [String] {
        if let own = limit.categories { return own }
        var names: [String] = []
        if let position = known.index(of: feature) {
            let own = known.features[position].categories
            var counts = [Int](repeating: 0, count: own.count)
            for value in known.values[position] where !value.isNaN { counts[Int(value)] += 1 }
            names = counts.indices.sorted { counts[$0] != counts[$1] ? counts[$0] > counts[$1] : $0 < $1 }
                .prefix(FeatureChanges.mostCategories).map { own[$0] }
        }
        for rule in rules where ExactName(rule.feature) == ExactName(feature) {
            switch rule.test {
            case .isIn(let few), .isNotIn(let few): names += few.prefix(FeatureChanges.mostCategories)
            default: break
            }
        }
        var seen = Set<ExactName>()
        return names.filter { seen.insert(ExactName($0)).inserted }
    }

    private func ruleBounds(_ feature: String) -> [Double] {
        rules.filter { ExactName($0.feature) == ExactName(feature) }.flatMap { rule in
            if case .interval(let low, let high) = rule.test { return [low, high].filter(\.isFinite) }
            return []
        }
    }

    private static func range(_ values: [Double], _ bounds: [Double], _ given: Double) -> (low: Double, high: Double) {
        let unit = FeatureChanges.unit(values, bounds)
        let all = (values.isEmpty ? bounds.flatMap { [$0 - unit, $0 + unit] } : values) + (given.isNaN ? [] : [given])
        return (all.min() ?? 0, all.max() ?? 0)
    }

    private static func middle(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values[(values.count - 1) / 2]
    }

    /// The distance between the quartiles; where they are equal, a part of the range; of rules alone the largest bound.
    private static func unit(_ values: [Double], _ bounds: [Double]) -> Double {
        var found = bounds.map { abs($0) }.max() ?? 0
        if !values.isEmpty {
            let last = values.count - 1
            let spread = values[3 * last / 4] * 0.5 - values[last / 4] * 0.5
            found = min(
                .greatestFiniteMagnitude, (spread > 0 ? spread : (values[last] * 0.5 - values[0] * 0.5) / 4) * 2)
        }
        return found > 0 && found.isNormal ? found : 1
    }
}
