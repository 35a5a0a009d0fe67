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
    let inputs: FindInputs
    let options: FindOptions
    let execution: Execution
    var findings: [Finding] = []
    var settings = FindSettings()

    /// With more rows than this the search is approximate, unless the options name a search.
    static let exactRows = 100_000
    /// With more rows than that, embeddings are this number of principal components in the views: time and memory grow
    /// with their columns.
    static let mostComponents = 32

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
        try tellOfSignal(fit, labels)
        try tellOfLeaks(main.hybrid, embeddings, labels)
        tellOfEmbeddings(fit, labels)
        let rules = try searchRules(labels, fit)
        let groups = try foundGroups(fit.evidence, labels)
        let risk = try clusterRisk(main.clustering, labels, fit.evidence)
        let parts = EngineParts(
            encoder: encoder, hybrid: main.hybrid, clustering: main.clustering, risk: risk,
            ruleSets: try rules.map { [try ClusterRules(cluster: -1, rules: $0, execution)] } ?? [],
            evidence: fit.evidence)
        try execution.hold(inputs.rows, of: 9, for: "the scores of \(inputs.rows) rows")
        return Found(
            engine: try Engine(parts, execution: execution), labels: main.clustering.labels,
            rowGroups: fit.evidence.groups.rowGroups, groups: groups, risky: fit.rows.map { $0.group >= 0 },
            scores: fit.rows.map(\.risk), evidence: fit.rows, rules: rules, findings: findings,
            settings: try settings.json())
    }

    mutating func tell(_ code: Finding.Code, _ text: String) {
        findings.append(Finding(code: code, text: text))
    }

    // MARK: - Rows

    mutating func knownLabels() throws -> KnownLabels? {
        guard let fraud = inputs.fraud else {
            tell(
                .noLabels,
                "Nothing is said of fraud: the result has clusters and outliers, and scores are outlier scores. Pass "
                    + "what is known, even if it is little: 1 fraud, 0 legitimate, unknown elsewhere.")
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
            let all = labels.fraud == 1 ? "The one row is" : "All \(Words.count(labels.fraud)) rows are"
            tell(
                .onlyFraud,
                "\(all) known to be fraud, so there is nothing to tell them from. Add ordinary transactions, unknown "
                    + "or legitimate.")
        } else if labels.unknown == 0 {
            tell(
                .knownShareEstimated,
                "Every row is labelled, so all fraud is taken to be known. If the label of legitimate rows only says "
                    + "that no fraud was reported so far, pass them as unknown.")
        } else if labels.population == .all {
            tell(
                .unlabelledCompared,
                "\(labels.legitimate == 0 ? "No row is" : "Few rows are") known to be legitimate, so known fraud is "
                    + "compared with all \(Words.count(labels.count)) rows; shares of known fraud are lower "
                    + "bounds of shares of fraud.")
        }
        return labels
    }

    mutating func embed() throws -> (encoder: Encoder?, embeddings: Matrix<Float>?) {
        guard let sequences = inputs.sequences else { return (nil, nil) }
        let filled = inputs.withEvents
        if filled * 2 < sequences.count {
            tell(
                .fewEvents,
                "\(Words.count(filled)) of \(Words.count(sequences.count)) transactions have events; the others have "
                    + "the embedding 0. Check that keys match where more were to be expected.")
        }
        if filled == 0 {
            guard try inputs.hybridTable != nil else {
                throw CoveyError.invalidData("sequences have no events, and there are no features")
            }
            return (nil, nil)
        }
        let encoder = try inputs.encoder ?? train(sequences)
        settings.encoder = inputs.encoder == nil ? "trained" : "given"
        try tellOfEvents(sequences, encoder)
        settings.embedding_size = encoder.dimension
        try execution.hold(
            checkedProduct(sequences.count, encoder.dimension, "embeddings"), of: 4,
            for: "\(sequences.count) embeddings")
        var embeddings = try Matrix<Float>(rows: sequences.count, columns: encoder.dimension, repeating: 0, execution)
        try embeddings.elements.withUnsafeMutableBytes {
            try encoder.embed(
                sequences, into: $0.baseAddress!, rowStride: encoder.dimension * 4, attention: nil, execution)
        }
        return (encoder, embeddings)
    }

    func train(_ sequences: SequenceBatch) throws -> Encoder {
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

    mutating func record(_ fit: Evidence.Fit, _ labels: KnownLabels) {
        let evidence = fit.evidence
        settings.known_share = evidence.knownShare
        settings.known_share_low = evidence.knownShareRange.lowerBound
        settings.known_share_high = evidence.knownShareRange.upperBound
        settings.trees = evidence.treeCount
        settings.groups = evidence.groups.options
        settings.candidate_groups = fit.candidates
        settings.best_p_value = fit.bestPValue
        settings.calibration = evidence.calibrationSettings
        settings.evidence_weights = evidence.weightSettings
        switch evidence.shareSource {
        case .given: settings.known_share_from = "given"
        case .labelled: settings.known_share_from = "labelled"
        case .groups:
            settings.known_share_from = "groups"
            let implied = min(1, labels.baseRate / evidence.knownShare)
            if evidence.isShareAssumed {
                tell(
                    .knownShareEstimated,
                    "How much of all fraud is known can hardly be estimated: the rows that are most fraud seem to be a "
                        + "mix of fraud and other rows. \(Words.percent(evidence.knownShare)) is assumed, it may be "
                        + "\(Words.percent(evidence.knownShareRange.lowerBound)) to 100%, and risks are rough: pass "
                        + "known_share if you know it.")
                break
            }
            tell(
                .knownShareEstimated,
                "An estimated \(Words.percent(evidence.knownShare)) of all fraud is known (between "
                    + "\(Words.percent(evidence.knownShareRange.lowerBound)) and "
                    + "\(Words.percent(evidence.knownShareRange.upperBound))), read from the rows that are most fraud "
                    + "and taken to be all fraud; \(Words.percent(implied)) of the transactions are fraud then. If "
                    + "that is too much, more is known, and risks are too high: pass known_share if you "
                    + "know better.")
        case .unknown:
            settings.known_share_from = "unknown"
            tell(
                .knownShareEstimated,
                "How much of all fraud is known cannot be estimated: risks are those of known fraud alone, and lower "
                    + "bounds. Pass known_share if you know it.")
        }
    }

    mutating func withoutEvidence(
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
}
