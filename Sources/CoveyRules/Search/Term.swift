import CoveyTables

/// A condition on one feature, in its own values.
struct Term: Sendable, Equatable {
    enum Test: Sendable, Equatable {
        case interval(low: Double, high: Double)
        /// Codes of categories, ascending.
        case codes([Int32], inside: Bool)
        case value(Int8)
        case missing
        case present
    }

    let feature: Int
    var test: Test

    init(feature: Int, test: Test) {
        self.feature = feature
        self.test = test
    }

    init(_ term: BinTerm, _ bins: FeatureBins) {
        feature = term.feature
        switch (term.test, bins.kind) {
        case (.interval(let low, let high), .numeric(let edges)):
            test = .interval(
                low: low == 0 ? -.infinity : edges[Int(low) - 1],
                high: Int(high) > edges.count ? .infinity : edges[Int(high) - 1])
        case (.categories(let names, let inside), .categorical(let codes, _)):
            test = .codes(names.map { codes[Int($0)] }.sorted(), inside: inside)
        case (.value(let value), _): test = .value(Int8(value))
        case (.missing, _): test = .missing
        default: test = .present
        }
    }

    /// See `RuleCost`.
    func cost(_ bins: FeatureBins, features: Int) -> Double {
        let feature = RuleCost.feature(features)
        switch test {
        case .interval(let low, let high):
            return feature + RuleCost.bound(bins.count) * (low > -.infinity && high < .infinity ? 2 : 1)
        case .codes(let codes, _): return feature + RuleCost.category(bins.count) * Double(codes.count)
        case .value: return feature
        case .missing, .present: return feature + RuleCost.presence
        }
    }

    func condition(_ column: FeatureColumn) -> Condition {
        let test: Condition.Test
        switch (self.test, column.values) {
        case (.interval(let low, let high), _): test = .interval(low: low, high: high)
        case (.codes(let codes, let inside), .categorical(_, let names)):
            let named = codes.map { names[Int($0)] }
            test = inside ? .isIn(named) : .isNotIn(named)
        case (.value(let value), _): test = value == 1 ? .isTrue : .isFalse
        case (.missing, _): test = .isMissing
        default: test = .isPresent
        }
        return Condition(feature: column.name, test: test)
    }
}
