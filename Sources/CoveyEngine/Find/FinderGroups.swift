import CoveyClustering
import CoveyRisk
import CoveyRules
import CoveyRuntime
import CoveyTables

// Risky groups and clusters with their figures.

extension Finder {
    func clusterRisk(_ clustering: Clustering, _ labels: KnownLabels?, _ evidence: Evidence?) throws
        -> ClusterRisk
    {
        try execution.reserve(clustering.rowCount, of: 9, for: "the labels and amounts of rows")
        return try ClusterRisk(
            labels: Strided(clustering.labels),
            fraud: Strided(labels?.values ?? [Int8](repeating: -1, count: clustering.rowCount)),
            amounts: inputs.amounts.map { amounts in
                Strided((0..<amounts.count).map { amounts[$0].isNaN ? 0 : amounts[$0] })
            },
            times: inputs.times,
            options: ClusterRisk.Options(
                confidence: options.groups.confidence, population: labels?.population ?? .automatic,
                knownShare: evidence?.knownShare ?? 1),
            execution: execution)
    }

    mutating func foundGroups(_ evidence: Evidence, _ labels: KnownLabels) throws -> [FoundGroup] {
        let found = evidence.groups
        var losses = [Double](repeating: 0, count: found.groups.count)
        var amounts = losses
        var seen = [ClosedRange<Double>?](repeating: nil, count: found.groups.count)
        var missing = 0
        for row in 0..<inputs.rows {
            if row & 0xFFFF == 0 { try execution.report() }
            let amount = inputs.amounts?[row] ?? 0
            if amount.isNaN { missing += 1 }
            let group = Int(found.rowGroups[row])
            guard group >= 0 else { continue }
            if !amount.isNaN {
                amounts[group] += amount
                if labels.isFraud(row) { losses[group] += amount }
            }
            if let time = inputs.times?[row] {
                let known = seen[group] ?? time...time
                seen[group] = min(known.lowerBound, time)...max(known.upperBound, time)
            }
        }
        if missing > 0 {
            tell(
                .amountsMissing,
                "\(Words.count(missing)) amounts are missing and count as 0, so sums of money are too small.")
        }
        return found.groups.indices.map { index in
            FoundGroup(
                found.groups[index], index: index, evidence: evidence, loss: losses[index], amount: amounts[index],
                seen: seen[index])
        }
    }
}
