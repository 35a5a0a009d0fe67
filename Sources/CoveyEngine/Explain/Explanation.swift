/// Why one transaction has its value: what each event and each feature adds to it.
public struct Explanation: Sendable {
    /// The cluster that is explained; -1 for the risk.
    public var cluster = -1
    /// The exemplar, a row of the clustering; -1 = none.
    public var exemplar = -1
    /// Of the transaction.
    public var value = Double.nan
    /// Of the transaction without its events; for gradients, of the baseline.
    public var base = Double.nan
    /// How they were made; never `automatic`.
    public var method = ExplainOptions.Method.occlusion
    /// The events of part p are those from `starts[p]` up to `starts[p + 1]`, by their place in the sequence.
    public var parts = EventParts(events: 0, largest: 1)
    /// One for each part: what it adds to the value.
    public var attributions: [Double] = []
    /// One for each part, of Shapley values; otherwise empty.
    public var standardErrors: [Double] = []
    /// One for each feature of the engine: the value less that with the feature's usual value. Empty if not asked for.
    public var features: [Double] = []
    /// The points on the path of gradients; 0 for other methods.
    public var steps = 0
    public var faithfulness = Faithfulness()

    public init() {}

    /// What is left of value - base when all attributions are taken off.
    public var residual: Double { value - base - attributions.reduce(0, +) }

    /// An event's part of its run's attribution, which the events of a run share equally.
    public func attribution(ofEvent event: Int) -> Double {
        let part = parts.part(of: event)
        return attributions[part] / Double(parts[part].count)
    }

    /// Likewise its standard error; NaN if there is none.
    public func standardError(ofEvent event: Int) -> Double {
        if standardErrors.isEmpty { return .nan }
        let part = parts.part(of: event)
        return standardErrors[part] / Double(parts[part].count)
    }
}

/// The pieces of a sequence that are explained: its events, or, of a long one, runs of about equal length.
public struct EventParts: Sendable, Equatable {
    public let events: Int
    public let count: Int

    public init(events: Int, largest: Int) {
        self.events = events
        count = min(events, largest)
    }

    public subscript(part: Int) -> Range<Int> {
        start(part)..<start(part + 1)
    }

    // Events are at most 2^31 and parts 4,096.
    private func start(_ part: Int) -> Int { part * events / count }

    func part(of event: Int) -> Int {
        let part = ((event + 1) * count - 1) / events
        return part
    }
}

/// How well attributions say what the value hangs on. All are at least 0, and NaN if there are no events or they were
/// not measured. All but the sensitivity are changes of the value when parts are left out in the order of the
/// attributions' size.
public struct Faithfulness: Sendable, Equatable {
    /// Without the parts with the largest attributions: more is better (DeYoung et al. 2020).
    public var comprehensiveness = Double.nan
    /// With those alone: less is better.
    public var sufficiency = Double.nan
    /// The sum of the changes while the upper half is left out one by one: more is better (Jang et al. 2025, CPD).
    public var difference = Double.nan
    /// The same for the lower half: less is better (CPP).
    public var preservation = Double.nan
    /// The root mean square, over the cuts of difference and preservation, of the change of the value less the sum of
    /// the attributions of the parts that are left out: less is better (Yeh et al. 2019).
    public var infidelity = Double.nan
    /// The largest |attributions of the sequence with longer or shorter gaps - attributions| / |attributions|: less is
    /// better (Yeh et al. 2019).
    public var sensitivity = Double.nan

    public init() {}
}
