import CoveyClustering
import CoveyEncoder
import CoveyHybrid
import CoveyRisk
import CoveyRules
import CoveyRuntime
import CoveySequences
import CoveyTables

// What there is to know about the result.

extension Finder {
    mutating func tellOfClusters(_ clustering: Clustering) {
        let rows = clustering.rowCount
        if rows < 50 {
            tell(
                .fewRows,
                "\(rows == 1 ? "There is 1 row" : "There are \(rows) rows"): too few to tell groups from chance.")
        }
        if clustering.clusterCount == 0 {
            tell(
                .noClusters,
                "No cluster stands out of the rows. Groups and scores read the tree beneath; a smaller "
                    + "min_cluster_size may show clusters.")
            return
        }
        var sizes = [Int](repeating: 0, count: clustering.clusterCount)
        var noise = 0
        for label in clustering.labels {
            if label >= 0 { sizes[Int(label)] += 1 } else { noise += 1 }
        }
        let largest = sizes.max() ?? 0
        if Double(largest) > 0.9 * Double(rows) {
            tell(
                .giantCluster,
                "One cluster has \(Words.percent(Double(largest) / Double(rows))) of all rows: labels say little, "
                    + "risky groups are looked for inside of it.")
        }
        if Double(noise) > 0.5 * Double(rows) {
            tell(
                .muchNoise,
                "\(Words.percent(Double(noise) / Double(rows))) of all rows are in no cluster. They take part in "
                    + "groups and scores all the same; fewer or better scaled features give more clusters.")
        }
    }

    /// What its own engine would warn of, if it scored these events: names that the encoder does not know, times in
    /// another unit. Of an encoder that is trained here, events without a name alone.
    mutating func tellOfEvents(_ sequences: SequenceBatch, _ encoder: Encoder) throws {
        for alarm in try DataAlarm.all(sequences, encoder, execution) {
            guard inputs.encoder == nil else {
                tell(.eventsUnlikeTraining, "\(alarm.text.prefix(1).uppercased())\(alarm.text.dropFirst())")
                continue
            }
            guard alarm.code == .unknownEvents else { continue }
            tell(
                .eventsUnlikeTraining,
                "Many events have no type, or one that is not in the vocabulary, so that little but their times is "
                    + "read. Check the column of event types.")
        }
    }

    mutating func tellOfSignal(_ fit: Evidence.Fit, _ labels: KnownLabels) throws {
        guard labels.fraud >= 5 else {
            tell(
                .tooFewFrauds,
                "\(labels.fraud == 1 ? "One row is" : "\(labels.fraud) rows are") known to be fraud: hardly any group "
                    + "can be told from chance. Scores are what they say all the same; label more.")
            return
        }
        guard fit.evidence.groups.groups.isEmpty else { return }
        let test = try RankTest(fit.rows.count, execution) { (fit.rows[$0].risk, labels.isFraud($0)) }
        if test.deviations < 3 {
            tell(
                .noSignal,
                "Known fraud is spread over the rows as by chance: neither features nor events tell it from the rest, "
                    + "and no row is called risky. Add what an expert would look at.")
        } else {
            tell(
                .noGroup,
                "No group of rows is fraud enough to be called risky (best p value \(fit.bestPValue)). Scores rank "
                    + "known fraud above \(Words.percent(test.area)) of the others all the same: go through the "
                    + "highest first; more known frauds make smaller groups visible.")
        }
    }

    /// Whether the embeddings alone tell known fraud from the rest.
    mutating func tellOfEmbeddings(_ fit: Evidence.Fit, _ labels: KnownLabels) {
        guard let test = fit.embeddingsTest, labels.fraud >= 20, test < 2 else { return }
        tell(
            .embeddingsWithoutSignal,
            "The embeddings of the events do not tell known fraud from the rest. Check that the events lead up to the "
                + "transaction, that times are in seconds, and that keys match; or leave the events out.")
    }

    /// Columns that tell nearly all known frauds from nearly all others.
    mutating func tellOfLeaks(
        _ hybrid: HybridFeatures, _ embeddings: Matrix<Float>?, _ labels: KnownLabels
    ) throws {
        guard labels.fraud >= 8, let table = try inputs.hybridTable else { return }
        // Embeddings take part in the transform alone.
        let matrix =
            try embeddings.map { try $0.withView { try hybrid.transform($0, table, execution: execution) } }
            ?? hybrid.transform(nil, table, execution: execution)
        let names = hybrid.columnNames
        for column in hybrid.embeddingOutputs..<matrix.columns {
            try execution.report()
            var low = Float.infinity
            var high = -Float.infinity
            for row in 0..<matrix.rows where labels.isFraud(row) {
                low = min(low, matrix[row, column])
                high = max(high, matrix[row, column])
            }
            var inside = 0
            for row in 0..<matrix.rows where !labels.isFraud(row) {
                if matrix[row, column] >= low && matrix[row, column] <= high { inside += 1 }
            }
            let others = labels.count - labels.fraud
            // Where only a part of the fraud is known, the rest of it has the same value.
            if inside <= 5 * labels.fraud, inside * 50 <= others {
                tell(
                    .featureGivesLabelAway,
                    "The column \(quoted: names[column]) alone tells all known frauds from "
                        + "\(Words.percent(1 - Double(inside) / Double(others))) of the other rows. If it is filled "
                        + "in after a fraud is known, leave it out: it will not be there for a new transaction.")
            }
        }
    }

    /// Clusters all of whose rows are of the last tenth of the time.
    mutating func tellOfNew(_ risk: ClusterRisk) {
        let clusters = risk.reports.filter { $0.cluster >= 0 }
        guard let first = risk.reports.compactMap(\.firstSeen).min(),
            let last = risk.reports.compactMap(\.lastSeen).max(),
            last > first
        else { return }
        let recent = last - (last - first) / 10
        for report in clusters where (report.firstSeen ?? first) >= recent {
            tell(
                .newBehaviour,
                "Cluster \(report.cluster), \(Words.count(report.size)) transactions, is new: all of it is of the "
                    + "last tenth of the time.")
        }
    }
}
