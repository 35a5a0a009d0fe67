import CoveyClustering
import CoveyFiles
import CoveyHybrid
import CoveyNumerics
import CoveyRisk
import CoveyRuntime
import CoveyTables

/// What an engine itself says about one of its clusters. The engine keeps counts, the rows that were clustered and
/// labels, but no events, no amounts and times of single rows, and no other columns.
struct ClusterProfile {
    struct Number {
        let name: String
        let effect: GroupContrast.Effect
        let quartiles: [Double]
        let ordinaryQuartiles: [Double]
        let missing: Int
        let ordinaryMissing: Int
    }

    struct Share {
        let name: String
        let value: String
        let kind: String
        let count: Int
        let size: Int
        let ordinaryCount: Int
        let ordinarySize: Int
        let effect: GroupContrast.Effect
        let lift: Double?
    }

    struct Near {
        let cluster: Int
        let distance: Double
        let report: ClusterReport?
    }

    let cluster: Int
    let size: Int
    /// nil if no row of the cluster was rated.
    let report: ClusterReport?
    let confidence: Double
    let baseRate: Double?
    /// 0 = the riskiest.
    let rank: Int
    let hasAmounts: Bool
    let persistence: Double
    let meanStrength: Double
    /// Members whose values were read, and ordinary rows that they are compared with.
    let compared: Int
    let comparedWith: Int
    let comparisons: Int
    let features: [Number]
    let categories: [Share]
    let nearest: [Near]
    /// Rows of the clustering.
    let exemplars: [Int]
    let rules: [String]
    /// Why nobody should act on the cluster alone: codes.
    let cautions: [String]
    /// What the engine cannot say: codes.
    let notKnown: [String]
}

extension Engine {
    private static let mostNearest = 5
    private static let mostExemplars = 8
    private static let fewestShared = 2

    /// The profile of a cluster as JSON. Throws `invalidArgument` for a cluster that the engine does not have;
    /// `outOfMemory`, `cancelled`. O(rows + values of at most 100,000 rows).
    public func profile(_ cluster: Int, execution: Execution = Execution()) throws -> String {
        let count = parts.clustering.clusterCount
        try require(
            cluster >= 0 && cluster < count,
            count == 0
                ? "cluster: the engine has no clusters, got \(cluster)"
                : "cluster must be 0 to \(count - 1), got \(cluster)")
        let profile = try clusterProfile(cluster, execution)
        var json = JSONWriter(execution)
        try profile.write(to: &json)
        return json.string
    }

    private func clusterProfile(_ cluster: Int, _ execution: Execution) throws -> ClusterProfile {
        let clustering = parts.clustering
        let (members, ordinary) = try rows(of: cluster, execution)
        let own = try KnownRows(parts, chosen: members, execution)
        let others = try KnownRows(parts, chosen: ordinary, execution)
        let (numbers, shares, comparisons) = try contrast(own, others, execution)
        let report = figures[cluster].report
        var strengths = 0.0
        var size = 0
        for (row, label) in clustering.labels.enumerated() where Int(label) == cluster {
            strengths += clustering.probabilities[row]
            size += 1
        }
        let hasAmounts = parts.risk.reports.contains { $0.amount > 0 }
        let exemplars = clustering.exemplars[cluster].map { Int($0) }
        return ClusterProfile(
            cluster: cluster, size: size, report: report, confidence: parts.risk.options.confidence,
            baseRate: parts.risk.baseRate,
            rank: parts.risk.reports.firstIndex { $0.cluster == cluster } ?? parts.risk.reports.count,
            hasAmounts: hasAmounts, persistence: clustering.persistence[cluster],
            meanStrength: size > 0 ? strengths / Double(size) : 0,
            compared: members.count, comparedWith: ordinary.count, comparisons: comparisons, features: numbers,
            categories: shares, nearest: try nearest(to: cluster, execution),
            exemplars: Self.spread(exemplars, Self.mostExemplars),
            rules: parts.ruleSets.filter { $0.cluster == cluster }.flatMap { set in
                set.rules.rules.indices.map { set.sentence($0) }
            }, cautions: cautions(report, size: size), notKnown: notKnown(hasAmounts))
    }

    /// Positions among the rows that the clustering keeps: members, and the rows of no cluster, or all others if every
    /// row is in one. At most `KnownRows.mostRows` of each, evenly.
    private func rows(of cluster: Int, _ execution: Execution) throws -> (members: [Int], ordinary: [Int]) {
        let total = parts.clustering.predictor?.reference.rows ?? 0
        try execution.hold(total, of: 24, for: "the rows of a cluster")
        var (members, noise, rest): ([Int], [Int], [Int]) = ([], [], [])
        for place in 0..<total {
            if place & 0xFFFF == 0 { try execution.report() }
            let label = Int(parts.clustering.labels[parts.clustering.rowNumber(place)])
            if label == cluster { members.append(place) } else { rest.append(place) }
            if label < 0 { noise.append(place) }
        }
        return (
            Self.spread(members, KnownRows.mostRows), Self.spread(noise.isEmpty ? rest : noise, KnownRows.mostRows)
        )
    }

    private static func spread(_ values: [Int], _ most: Int) -> [Int] {
        values.count <= most ? values : (0..<most).map { values[$0 * values.count / most] }
    }

    /// What differs surely, with intervals corrected for all comparisons (Bonferroni), largest least effect first.
    private func contrast(
        _ own: KnownRows, _ others: KnownRows, _ execution: Execution
    ) throws -> (numbers: [ClusterProfile.Number], shares: [ClusterProfile.Share], comparisons: Int) {
        guard !own.rows.isEmpty, !others.rows.isEmpty else { return ([], [], 0) }
        let comparisons = own.features.reduce(0) { $0 + ($1.kind == .categorical ? $1.categories.count : 1) }
        let z = WilsonInterval.quantile(
            confidence: 1 - (1 - parts.risk.options.confidence) / Double(max(1, comparisons)))
        var numbers: [(least: Double, entry: ClusterProfile.Number)] = []
        var shares: [(least: Double, entry: ClusterProfile.Share)] = []
        for (index, feature) in own.features.enumerated() {
            try execution.report("profile", Double(index) / Double(own.features.count))
            let inside = own.values[index].filter { !$0.isNaN }
            let outside = others.values[index].filter { !$0.isNaN }
            if feature.kind == .numeric {
                let sorted = outside.sorted()
                guard let effect = GroupContrast.delta(inside, sorted, z: z), effect.isSure else { continue }
                let entry = ClusterProfile.Number(
                    name: feature.name, effect: effect,
                    quartiles: GroupContrast.quartiles(inside.sorted()).map { feature.simplest($0) },
                    ordinaryQuartiles: GroupContrast.quartiles(sorted).map { feature.simplest($0) },
                    missing: own.rows.count - inside.count, ordinaryMissing: others.rows.count - outside.count)
                numbers.append((effect.least, entry))
            } else {
                let names = feature.kind == .boolean ? ["false", "true"] : feature.categories
                var counts = [(Int, Int)](repeating: (0, 0), count: names.count)
                for value in inside { counts[Int(value)].0 += 1 }
                for value in outside { counts[Int(value)].1 += 1 }
                for (code, (count, other)) in counts.enumerated()
                where count >= min(Self.fewestShared, own.rows.count) && !(feature.kind == .boolean && code == 0) {
                    let effect = GroupContrast.difference(
                        count, of: own.rows.count, other, of: others.rows.count, z: z)
                    guard effect.isSure else { continue }
                    let lift =
                        other == 0
                        ? nil : Double(count) / Double(own.rows.count) * Double(others.rows.count) / Double(other)
                    let entry = ClusterProfile.Share(
                        name: feature.name, value: names[code],
                        kind: feature.kind == .boolean ? "boolean" : "categorical",
                        count: count, size: own.rows.count, ordinaryCount: other, ordinarySize: others.rows.count,
                        effect: effect, lift: lift)
                    shares.append((effect.least, entry))
                }
            }
        }
        return (
            numbers.sorted { ($1.least, $0.entry.name) < ($0.least, $1.entry.name) }.map(\.entry),
            shares.sorted { ($1.least, $0.entry.name) < ($0.least, $1.entry.name) }.map(\.entry), comparisons
        )
    }

    /// Other clusters by the distance between the means of their exemplars, in hybrid rows.
    private func nearest(to cluster: Int, _ execution: Execution) throws -> [ClusterProfile.Near] {
        let clustering = parts.clustering
        guard let reference = clustering.predictor?.reference else { return [] }
        // Positions of the caller's rows among those that are kept.
        var places: [Int32: Int] = [:]
        if let used = clustering.usedRows {
            for (place, row) in used.enumerated() { places[row] = place }
        }
        let means = try reference.withView { view in
            try (0..<clustering.clusterCount).map { other in
                if other & 0xFF == 0 { try execution.report() }
                let rows = Self.spread(clustering.exemplars[other].map { Int($0) }, 100)
                var mean = [Double](repeating: 0, count: view.columns)
                for row in rows {
                    let place = clustering.usedRows == nil ? row : places[Int32(row)] ?? 0
                    for column in 0..<view.columns { mean[column] += view[place, column] / Double(rows.count) }
                }
                return mean
            }
        }
        let distances = means.indices.filter { $0 != cluster }.map { other in
            let squares = zip(means[cluster], means[other]).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            return (distance: squares.squareRoot(), cluster: other)
        }
        return distances.filter(\.distance.isFinite).sorted { $0 < $1 }.prefix(Self.mostNearest).map { found in
            ClusterProfile.Near(
                cluster: found.cluster, distance: found.distance, report: figures[found.cluster].report)
        }
    }

    /// As the case report has them.
    private func cautions(_ report: ClusterReport?, size: Int) -> [String] {
        var found: [String] = []
        if (report?.fraud ?? 0) == 0 {
            found.append("no_known_fraud")
        } else if let report {
            if report.labelled < 5 { found.append("few_labels") }
            if let base = parts.risk.baseRate, report.low <= base {
                found.append("near_base_rate")
            } else if report.high - report.low > 0.5 {
                found.append("wide_interval")
            }
        }
        if size < 5 { found.append("few_rows") }
        return found
    }

    private func notKnown(_ hasAmounts: Bool) -> [String] {
        var found = ["links", "growth", "stability_over_resamples"]
        if parts.encoder != nil { found.insert("events", at: 0) }
        if !hasAmounts { found.append("amounts") }
        if !parts.risk.reports.contains(where: { $0.firstSeen != nil }) { found.append("times") }
        return found
    }
}
