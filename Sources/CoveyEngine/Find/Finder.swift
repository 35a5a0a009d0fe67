import CoveyClustering
import CoveyEncoder
import CoveyHybrid
import CoveyRisk
import CoveyRules
import CoveyRuntime
import CoveySequences
import CoveyTables

/// Goes the whole road in one call: an encoder where there are sequences, hybrid rows, clusters, evidence from what is
/// known of fraud, risky groups, rules for fraud, and the engine that judges new transactions by the same evidence.
public struct Finder {
    private let inputs: FindInputs
    private let options: FindOptions
    private let execution: Execution
    private var findings: [Finding] = []
    private var settings = FindSettings()

    /// With more rows than this the search is approximate, unless the options name a search.
    private static let exactRows = 200_000

    public static func run(_ inputs: FindInputs, options: FindOptions, execution: Execution) throws -> Found {
        try options.validate()
        try inputs.validate(execution)
        var finder = Finder(inputs: inputs, options: options, execution: execution)
        return try finder.run()
    }

    private init(inputs: FindInputs, options: FindOptions, execution: Execution) {
        self.inputs = inputs
        self.options = options
        self.execution = execution
    }

    private mutating func run() throws -> Found {
        settings.seed = options.seed
        settings.rows = inputs.rows
        let labels = try knownLabels()
        let (encoder, embeddings) = try embed()
        let views = try views(embeddings)
        let main = views[0]
        tellOfClusters(main.clustering)
        guard let labels, labels.fraud > 0, labels.fraud < labels.count else {
            return try withoutEvidence(encoder, main, labels)
        }
        var wanted = Evidence.Options()
        wanted.knownShare = options.knownShare
        wanted.groups = options.groups
        wanted.groups.seed = options.seed
        wanted.trees = options.trees
        wanted.seed = options.seed
        let input = EvidenceInput(
            count: inputs.rows, embeddings: embeddings, table: try inputs.hybridTable,
            sequences: encoder == nil ? nil : inputs.sequences)
        let fit = try Evidence.fit(
            views, of: input, vocabulary: encoder?.configuration.vocabulary.count ?? 0, labels: labels, options: wanted,
            execution: execution)
        record(fit, labels)
        tellOfSignal(fit, labels)
        try tellOfLeaks(main.hybrid, embeddings, labels)
        tellOfEmbeddings(fit, labels)
        let rules = try searchRules(labels, fit.evidence)
        let groups = try foundGroups(fit.evidence, labels)
        let risk = try clusterRisk(main.clustering, labels, fit.evidence)
        let parts = EngineParts(
            encoder: encoder, hybrid: main.hybrid, clustering: main.clustering, risk: risk,
            ruleSets: try rules.map { [try ClusterRules(cluster: -1, rules: $0, execution)] } ?? [],
            evidence: fit.evidence)
        return Found(
            engine: try Engine(parts, execution: execution), labels: main.clustering.labels,
            rowGroups: fit.evidence.groups.rowGroups, groups: groups, risky: fit.rows.map { $0.group >= 0 },
            scores: fit.rows.map(\.risk), evidence: fit.rows, rules: rules, findings: findings,
            settings: try settings.json())
    }

    private mutating func tell(_ code: Finding.Code, _ text: String) {
        findings.append(Finding(code: code, text: text))
    }

    // MARK: - Rows

    private mutating func knownLabels() throws -> KnownLabels? {
        guard let fraud = inputs.fraud else {
            tell(
                .noLabels,
                "Nothing is said of fraud: the result has clusters and outliers, and scores are outlier scores. Pass what is "
                    + "known, even if it is little: 1 fraud, 0 legitimate, unknown elsewhere.")
            return nil
        }
        let labels = try KnownLabels(fraud, population: options.population, execution: execution)
        settings.known_fraud = labels.fraud
        settings.known_legitimate = labels.legitimate
        settings.shares_over = labels.population == .all ? "all" : "labelled"
        if labels.fraud == 0 {
            tell(
                .noKnownFraud,
                "No row is known to be fraud: the result has clusters and outliers, and scores are outlier scores. "
                    + "Label the worst of the outliers by hand and call again.")
        } else if labels.fraud == labels.count {
            tell(
                .onlyFraud,
                "All \(Words.count(labels.fraud)) rows are known to be fraud, so there is nothing to tell them from. "
                    + "Add ordinary transactions, unknown or legitimate.")
        } else if labels.population == .all {
            tell(
                .unlabelledCompared,
                "Few rows are known to be legitimate, so known fraud is compared with all \(Words.count(labels.count)) rows; "
                    + "shares of known fraud are lower bounds of shares of fraud.")
        }
        return labels
    }

    private mutating func embed() throws -> (encoder: Encoder?, embeddings: Matrix<Float>?) {
        guard let sequences = inputs.sequences else { return (nil, nil) }
        let filled = inputs.withEvents
        if filled * 2 < sequences.count {
            tell(
                .fewEvents,
                "\(Words.count(filled)) of \(Words.count(sequences.count)) transactions have events; the others have the "
                    + "embedding 0. Check that keys match where more were to be expected.")
        }
        if filled == 0 {
            guard try inputs.hybridTable != nil else {
                throw CoveyError.invalidData("sequences have no events, and there are no features")
            }
            return (nil, nil)
        }
        let encoder = try inputs.encoder ?? train(sequences)
        settings.encoder = inputs.encoder == nil ? "trained" : "given"
        settings.embedding_size = encoder.dimension
        try execution.hold(
            checkedProduct(sequences.count, encoder.dimension, "embeddings"), of: 4,
            for: "\(sequences.count) embeddings")
        var embeddings = Matrix<Float>(rows: sequences.count, columns: encoder.dimension, repeating: 0)
        try embeddings.elements.withUnsafeMutableBytes {
            try encoder.embed(
                sequences, into: $0.baseAddress!, rowStride: encoder.dimension * 4, attention: nil, execution)
        }
        return (encoder, embeddings)
    }

    private func train(_ sequences: SequenceBatch) throws -> Encoder {
        guard let vocabulary = inputs.vocabulary else {
            throw CoveyError.invalidArgument("vocabulary must not be NULL")
        }
        var training = options.training
        training.seed = options.seed
        // Channels without a vocabulary of their own cannot be embedded; numeric ones take part.
        let batch = try SequenceBatch(
            offsets: sequences.offsets, types: sequences.types, times: sequences.times, dwell: sequences.dwell,
            numeric: sequences.numeric)
        guard sequences.categorical.isEmpty else {
            throw CoveyError.invalidArgument(
                "sequences.categorical_count must be 0 where an encoder is to be trained: train one with "
                    + "covey_encoder_train, which takes their vocabularies, and pass it")
        }
        let report = try Trainer(batch, vocabulary: vocabulary, training, execution).run()
        if let failure = report.failure { throw failure }
        guard let encoder = report.encoder else { throw CoveyError.internalError("a training without a step") }
        return encoder
    }

    /// The ways to look at the rows; the first, which has all, gives the clusters that labels name.
    private mutating func views(_ embeddings: Matrix<Float>?) throws -> [EvidenceView] {
        let table = try inputs.hybridTable
        if let all = inputs.table, all.columns.count > (table?.columns.count ?? 0) {
            tell(
                .datesLeftOut,
                "Dates take part in rules alone, by their hour: give an age or an hour as a number where it should count for "
                    + "clusters and scores.")
        }
        if table != nil { settings.feature_weight = options.featureWeight }
        if embeddings != nil { settings.embedding_weight = options.embeddingWeight }
        switch (embeddings, table) {
        case (nil, nil):
            throw CoveyError.invalidData("features must have a column that is not a date, found none")
        case (_?, nil):
            return [try view("embeddings", embeddings, nil, options.scaling)]
        case (nil, _?):
            let other: FeatureScaling = options.scaling == .quantile ? .robust : .quantile
            return [
                try view("features", nil, table, options.scaling),
                try view("features, \(other.name)", nil, table, other),
            ]
        case (_?, _?):
            return [
                try view("joined", embeddings, table, options.scaling),
                try view("features", nil, table, options.scaling),
                try view("embeddings", embeddings, nil, options.scaling),
            ]
        }
    }

    private mutating func view(
        _ name: String, _ embeddings: Matrix<Float>?, _ table: FeatureTable?, _ scaling: FeatureScaling
    ) throws -> EvidenceView {
        var wanted = HybridOptions()
        wanted.scaling = scaling
        wanted.embeddingWeight = options.embeddingWeight
        wanted.featureWeight = options.featureWeight
        func rows(_ view: MatrixView?) throws -> (HybridFeatures, Matrix<Float>) {
            let fitted = try HybridFeatures(fitting: view, table, options: wanted, execution: execution)
            try execution.hold(
                checkedProduct(inputs.rows, fitted.dimension, "hybrid rows"), of: 4, for: "hybrid rows")
            return (fitted, try fitted.transform(view, table, execution: execution))
        }
        let (hybrid, matrix) = try embeddings.map { try $0.withView { try rows($0) } } ?? rows(nil)
        let clustering = try cluster(matrix)
        if settings.views.isEmpty {
            settings.hybrid_columns = hybrid.dimension
            for column in hybrid.scalings {
                // What is linear is as was asked for.
                let isOwn = column.scaling == .log || column.scaling == .quantile
                settings.scaling[column.name] =
                    (isOwn ? column.scaling : scaling == .automatic ? .robust : scaling).name
            }
            settings.clusters = clustering.clusterCount
        }
        settings.views[name] = hybrid.dimension
        return EvidenceView(hybrid: hybrid, clustering: clustering)
    }

    private mutating func cluster(_ matrix: Matrix<Float>) throws -> Clustering {
        var wanted = ClusterOptions()
        wanted.minClusterSize = options.minClusterSize
        // Frauds sit in small knots: the tree must not smooth them away.
        wanted.minSamples = 1
        wanted.search = options.search ?? (matrix.rows > Finder.exactRows ? .approximate : .exact)
        wanted.prediction = true
        wanted.seed = options.seed
        settings.min_cluster_size = wanted.minClusterSize
        settings.min_samples = wanted.minSamples
        settings.search = wanted.search == .exact ? "exact" : "approximate"
        return try matrix.withView { try Clustering($0, wanted, execution: execution) }
    }

    // MARK: - Findings

    private mutating func tellOfClusters(_ clustering: Clustering) {
        let rows = clustering.rowCount
        if rows < 50 {
            tell(.fewRows, "There are \(rows) rows: too few to tell groups from chance.")
        }
        if clustering.clusterCount == 0 {
            tell(
                .noClusters,
                "No cluster stands out of the rows. Groups and scores read the tree beneath; a smaller min_cluster_size may show "
                    + "clusters.")
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
                "One cluster has \(Words.percent(Double(largest) / Double(rows))) of all rows: labels say little, risky groups "
                    + "are looked for inside of it.")
        }
        if Double(noise) > 0.5 * Double(rows) {
            tell(
                .muchNoise,
                "\(Words.percent(Double(noise) / Double(rows))) of all rows are in no cluster. They take part in groups and "
                    + "scores all the same; fewer or better scaled features give more clusters.")
        }
    }

    private mutating func record(_ fit: Evidence.Fit, _ labels: KnownLabels) {
        let evidence = fit.evidence
        settings.known_share = evidence.knownShare
        settings.trees = evidence.treeCount
        settings.groups = evidence.groups.options
        settings.candidate_groups = fit.candidates
        settings.best_p_value = fit.bestPValue
        settings.calibration = evidence.calibrationSettings
        switch evidence.shareSource {
        case .given: settings.known_share_from = "given"
        case .labelled: settings.known_share_from = "labelled"
        case .groups:
            settings.known_share_from = "groups"
            tell(
                .knownShareEstimated,
                "At least an estimated \(Words.percent(evidence.knownShare)) of all fraud is known, read from the rows that are "
                    + "most fraud: pass known_share if you know better.")
        case .unknown:
            settings.known_share_from = "unknown"
            tell(
                .knownShareEstimated,
                "How much of all fraud is known cannot be estimated: risks are those of known fraud alone, and lower bounds. "
                    + "Pass known_share if you know it.")
        }
    }

    private mutating func tellOfSignal(_ fit: Evidence.Fit, _ labels: KnownLabels) {
        guard labels.fraud >= 5 else {
            tell(
                .tooFewFrauds,
                "\(labels.fraud == 1 ? "One row is" : "\(labels.fraud) rows are") known to be fraud: hardly any group can be "
                    + "told from chance. Scores are what they say all the same; label more.")
            return
        }
        let test = RankTest(fit.rows.indices.map { (fit.rows[$0].risk, labels.isFraud($0)) })
        guard fit.evidence.groups.groups.isEmpty else { return }
        if test.deviations < 3 {
            tell(
                .noSignal,
                "Known fraud is spread over the rows as by chance: neither features nor events tell it from the rest, and no "
                    + "row is called risky. Add what an expert would look at.")
        } else {
            tell(
                .noGroup,
                "No group of rows is fraud enough to be called risky (best p value \(fit.bestPValue)). Scores rank known fraud "
                    + "above \(Words.percent(test.area)) of the others all the same: go through the highest first; more known "
                    + "frauds make smaller groups visible.")
        }
    }

    /// Whether the embeddings alone tell known fraud from the rest.
    private mutating func tellOfEmbeddings(_ fit: Evidence.Fit, _ labels: KnownLabels) {
        guard let test = fit.embeddingsTest, labels.fraud >= 20, test < 2 else { return }
        tell(
            .embeddingsWithoutSignal,
            "The embeddings of the events do not tell known fraud from the rest. Check that the events lead up to the "
                + "transaction, that times are in seconds, and that keys match; or leave the events out.")
    }

    /// Columns that tell nearly all known frauds from nearly all others.
    private mutating func tellOfLeaks(
        _ hybrid: HybridFeatures, _ embeddings: Matrix<Float>?, _ labels: KnownLabels
    ) throws {
        guard labels.fraud >= 8, let table = try inputs.hybridTable else { return }
        // Embeddings take part in the transform alone.
        let matrix =
            try embeddings.map { try $0.withView { try hybrid.transform($0, table, execution: execution) } }
            ?? hybrid.transform(nil, table, execution: execution)
        let names = hybrid.columnNames
        for column in hybrid.embeddingOutputs..<matrix.columns {
            try execution.check()
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
                    "The column \"\(names[column])\" alone tells all known frauds from "
                        + "\(Words.percent(1 - Double(inside) / Double(others))) of the other rows. If it is filled in after a "
                        + "fraud is known, leave it out: it will not be there for a new transaction.")
            }
        }
    }

    // MARK: - Results

    private func clusterRisk(_ clustering: Clustering, _ labels: KnownLabels?, _ evidence: Evidence?) throws
        -> ClusterRisk
    {
        try ClusterRisk(
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

    private mutating func foundGroups(_ evidence: Evidence, _ labels: KnownLabels) throws -> [FoundGroup] {
        let found = evidence.groups
        var losses = [Double](repeating: 0, count: found.groups.count)
        var amounts = losses
        var seen = [ClosedRange<Double>?](repeating: nil, count: found.groups.count)
        var missing = 0
        for row in 0..<inputs.rows {
            if row & 0xFFFF == 0 { try execution.check() }
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

    private mutating func searchRules(_ labels: KnownLabels, _ evidence: Evidence) throws -> RuleSet? {
        guard options.maxRules > 0, let table = inputs.table, !table.columns.isEmpty else { return nil }
        guard labels.fraud >= 6 else {
            tell(
                .noRule,
                "\(labels.fraud) known frauds are too few for rules, which are searched for on some and tested on others."
            )
            return nil
        }
        var wanted = RuleSearchOptions()
        wanted.maxRules = options.maxRules
        wanted.seed = options.seed
        wanted.targetName = labels.population == .all ? "known fraud" : "fraud"
        wanted.minSupport = max(3, min(10, labels.fraud / 10))
        // A rule that is all fraud matches known fraud in the known share of its rows. Of labelled rows all is known.
        let known = labels.population == .all ? evidence.knownShare : 1
        // Without a guess of how much that is, a rule must stand out by more.
        let least = evidence.shareSource == .unknown ? 3 * labels.baseRate : max(0.5 * known, 2 * labels.baseRate)
        wanted.minPrecision = min(1, least)
        wanted.minLift = 2
        wanted.times = inputs.times
        if labels.population == .labelled {
            wanted.weights = Strided(labels.values.map { $0 >= 0 ? 1.0 : 0.0 })
        }
        let target = Strided(labels.values.map { $0 == 1 ? UInt8(1) : 0 })
        let found = try RuleSearch.run(table, target: target, options: wanted, execution: execution)
        if found.rules.isEmpty {
            tell(
                .noRule,
                found.fallen > 0
                    ? "\(found.fallen) rules were found, but did not hold on rows that the search never saw. "
                        + "More known frauds, or wider features, may give rules that do."
                    : "No conjunction of features holds in at least \(wanted.minSupport) known frauds and in few other rows."
            )
        }
        return found
    }

    private mutating func withoutEvidence(
        _ encoder: Encoder?, _ view: EvidenceView, _ labels: KnownLabels?
    ) throws -> Found {
        let clustering = view.clustering
        let risk = try clusterRisk(clustering, labels, nil)
        tellOfNew(risk)
        let parts = EngineParts(encoder: encoder, hybrid: view.hybrid, clustering: clustering, risk: risk)
        let rows = clustering.rowCount
        return Found(
            engine: try Engine(parts, execution: execution), labels: clustering.labels,
            rowGroups: [Int32](repeating: -1, count: rows),
            groups: [], risky: [Bool](repeating: false, count: rows), scores: clustering.outlierScores, evidence: nil,
            rules: nil, findings: findings, settings: try settings.json())
    }

    /// Clusters all of whose rows are of the last tenth of the time.
    private mutating func tellOfNew(_ risk: ClusterRisk) {
        let clusters = risk.reports.filter { $0.cluster >= 0 }
        guard let first = risk.reports.compactMap(\.firstSeen).min(),
            let last = risk.reports.compactMap(\.lastSeen).max(),
            last > first
        else { return }
        let recent = last - (last - first) / 10
        for report in clusters where (report.firstSeen ?? first) >= recent {
            tell(
                .newBehaviour,
                "Cluster \(report.cluster), \(Words.count(report.size)) transactions, is new: all of it is of the last tenth of "
                    + "the time.")
        }
    }
}
