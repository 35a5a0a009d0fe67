import CoveyFiles
import CoveyHybrid
import CoveyRuntime

/// A comparison of counts with those of training, or with an earlier drift.
private struct Comparison {
    let name: String
    let shift: Shift
    let isMoved: Bool
}

extension Drift {
    /// A shift below this is called small by convention; larger ones that chance does not explain are told.
    private static let leastShift = 0.2
    /// The largest p value times the number of comparisons.
    private static let significance = 0.001

    /// What moved, as JSON: against the rows that the engine keeps, or against `earlier` counts of the same engine.
    /// Event types, gaps, dwell and scores are compared with `earlier` alone: an engine keeps no counts of them.
    public func report(since earlier: Drift? = nil, execution: Execution = Execution()) throws -> String {
        if let earlier,
            earlier.reference.clusters.count != reference.clusters.count
                || earlier.reference.columns.map(\.edges) != reference.columns.map(\.edges)
                || earlier.counts.types.count != counts.types.count
        {
            throw CoveyError.mismatch("earlier: it counts for another engine")
        }
        try execution.report()
        let (now, before) = (counts, earlier?.counts)
        var pairs: [(group: String, name: String, new: [Int], old: [Int])] = []
        for (index, column) in reference.columns.enumerated() {
            pairs.append(("features", column.name, now.columns[index], before?.columns[index] ?? column.counts))
        }
        pairs.append(("clusters", "clusters", now.clusters, before?.clusters ?? reference.clusters))
        if let before {
            pairs.append(("events", "event types", now.types, before.types))
            pairs.append(("events", "time between events", now.gaps, before.gaps))
            pairs.append(("events", "dwell", now.dwell, before.dwell))
            pairs.append(("scores", "risk", now.risks, before.risks))
        }
        let made = try pairs.map { pair in
            try execution.check()
            let shift = Shift(pair.new, pair.old)
            return (
                pair.group,
                Comparison(
                    name: pair.name, shift: shift,
                    isMoved: shift.index >= Drift.leastShift
                        && shift.p * Double(pairs.count) <= Drift.significance)
            )
        }
        let alarms = DataAlarm.all(now, engine.parts.encoder, reference.categorical)
        return try write(now, made, alarms, before == nil ? "training" : "earlier", execution)
    }

    private func write(
        _ now: DriftCounts, _ made: [(group: String, comparison: Comparison)], _ alarms: [DataAlarm],
        _ against: String, _ execution: Execution
    ) throws -> String {
        var writer = JSONWriter(execution)
        try writer.object { json in
            try json.member("against", against)
            try json.member("transactions", now.transactions)
            try json.member("event_count", now.events)
            try json.member("unknown_event_count", now.unknownEvents)
            try json.name("warnings")
            try json.array(alarms) { json, alarm in
                try json.object {
                    try $0.member("code", alarm.code.rawValue)
                    try $0.member("text", alarm.text)
                }
            }
            try json.member("moved", made.filter(\.comparison.isMoved).map(\.comparison.name))
            for group in ["features", "clusters", "events", "scores"] {
                let comparisons = made.filter { $0.group == group }.map(\.comparison)
                try json.name(group)
                try json.array(comparisons) { json, comparison in
                    try json.object {
                        try $0.member("name", comparison.name)
                        try $0.member("stability_index", comparison.shift.index)
                        try $0.member("p", comparison.shift.p)
                        try $0.member("moved", comparison.isMoved)
                    }
                }
            }
            try json.name("categories")
            try json.array(reference.categorical.indices) { json, index in
                try json.object {
                    try $0.member("name", self.reference.categorical[index].name)
                    try $0.member("values", now.categories[index])
                    try $0.member("unknown", now.unknownCategories[index])
                }
            }
            try json.member("scored", now.scored)
            try json.member("risky", now.risky)
            try json.name("cluster_counts")
            try json.array(now.clusters) { try $0.write($1) }
            try json.name("risk_counts")
            try json.array(now.risks) { try $0.write($1) }
        }
        return writer.string
    }
}
