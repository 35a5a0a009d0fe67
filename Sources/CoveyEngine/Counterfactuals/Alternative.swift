/// A transaction with some features changed and some events removed.
struct Alternative: Sendable {
    struct Change: Sendable, Equatable {
        /// An index of the search's features.
        let feature: Int
        /// As `ChangeableFeature` has it.
        var value: Double
    }

    /// By feature.
    private(set) var changes: [Change] = []
    /// Positions in the sequence as it was given, ascending.
    private(set) var removed: [Int] = []

    /// The number of changes, removed events among them.
    var count: Int { changes.count + removed.count }

    func value(of feature: Int) -> Double? { changes.first { $0.feature == feature }?.value }

    /// With another value of a feature; nil = the given one.
    func with(_ feature: Int, _ value: Double?) -> Alternative {
        var result = self
        result.changes.removeAll { $0.feature == feature }
        if let value {
            let place = result.changes.firstIndex { $0.feature > feature } ?? result.changes.count
            result.changes.insert(Change(feature: feature, value: value), at: place)
        }
        return result
    }

    func removing(_ event: Int) -> Alternative {
        var result = self
        if !removed.contains(event) { result.removed = (removed + [event]).sorted() }
        return result
    }

    func restoring(_ event: Int) -> Alternative {
        var result = self
        result.removed.removeAll { $0 == event }
        return result
    }

    /// One thing that an alternative changes. A number that rises and one that falls are two things.
    enum Step: Hashable {
        case lower(Int)
        case higher(Int)
        case other(Int)
        case event(Int)
    }

    func steps(_ features: [ChangeableFeature]) -> Set<Step> {
        Set(changes.map { features[$0.feature].step($0.value, $0.feature) } + removed.map { .event($0) })
    }

    func cost(_ features: [ChangeableFeature], eventCost: Double) -> Double {
        changes.reduce(Double(removed.count) * eventCost) { $0 + features[$1.feature].cost(to: $1.value) }
    }
}
