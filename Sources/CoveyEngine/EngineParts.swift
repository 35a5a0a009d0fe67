import CoveyClustering
import CoveyEncoder
import CoveyHybrid
import CoveyRisk
import CoveyRules
import CoveyRuntime
import CoveyTables

/// What an engine is made of.
public struct EngineParts: Sendable {
    /// nil where the hybrid features have no embeddings.
    public var encoder: Encoder?
    public var hybrid: HybridFeatures
    /// Of rows that `hybrid` made, with prediction data.
    public var clustering: Clustering
    /// Of the clustering's labels.
    public var risk: ClusterRisk
    public var ruleSets: [ClusterRules]
    /// What judges a transaction in the place of its cluster's share, as `Finder` makes it; its first view is `hybrid`
    /// and `clustering`.
    public var evidence: Evidence?

    public init(
        encoder: Encoder?, hybrid: HybridFeatures, clustering: Clustering, risk: ClusterRisk,
        ruleSets: [ClusterRules] = [], evidence: Evidence? = nil
    ) {
        self.encoder = encoder
        self.hybrid = hybrid
        self.clustering = clustering
        self.risk = risk
        self.ruleSets = ruleSets
        self.evidence = evidence
    }

    /// The most rule sets.
    public static let largestRuleSets = 65_536

    /// Throws `invalidArgument` and `mismatch` where the parts do not fit together.
    func validate() throws {
        try validateEmbeddings()
        try evidence?.check(embeddings: hybrid.embeddingColumns, columns: hybrid.featureColumns)
        try require(
            clustering.predictor != nil,
            "clustering must be made with prediction = 1, which keeps the rows that scoring needs")
        guard clustering.columnCount == hybrid.dimension else {
            throw CoveyError.mismatch(
                "clustering has rows of \(clustering.columnCount) columns, hybrid makes \(hybrid.dimension)")
        }
        let clusters = clustering.clusterCount
        for report in risk.reports where report.cluster >= clusters {
            throw CoveyError.mismatch("risk rates the cluster \(report.cluster), clustering has \(clusters) clusters")
        }
        try require(
            ruleSets.count <= EngineParts.largestRuleSets,
            "rule_count must be at most \(EngineParts.largestRuleSets), got \(ruleSets.count)")
        for (index, set) in ruleSets.enumerated() where set.cluster < -1 || set.cluster >= clusters {
            throw CoveyError.mismatch(
                "rule_clusters[\(index)] must be -1 to \(clusters - 1), got \(set.cluster)")
        }
    }

    /// Throws `mismatch` where the risk was not made of the clustering's labels: it counts other rows.
    public func validateRisk() throws {
        var sizes: [Int: Int] = [:]
        for label in clustering.labels { sizes[Int(label), default: 0] += 1 }
        let rated = Dictionary(risk.reports.map { ($0.cluster, $0.size) }) { first, _ in first }
        for cluster in Set(sizes.keys).union(rated.keys).sorted() {
            let (own, other) = (sizes[cluster] ?? 0, rated[cluster] ?? 0)
            if own == other { continue }
            let name = cluster < 0 ? "without a cluster" : "in cluster \(cluster)"
            throw CoveyError.mismatch(
                "risk must be made of the clustering's labels: it rates \(other) rows \(name), clustering has \(own)")
        }
    }

    private func validateEmbeddings() throws {
        switch (encoder, hybrid.embeddingColumns) {
        case (nil, nil): break
        case (let encoder?, let columns?):
            guard encoder.dimension == columns else {
                throw CoveyError.mismatch(
                    "encoder makes embeddings of \(encoder.dimension) columns, hybrid takes \(columns)")
            }
        case (nil, _?): throw CoveyError.mismatch("encoder must not be NULL: hybrid was fitted with embeddings")
        case (_?, nil): throw CoveyError.mismatch("encoder must be NULL: hybrid was fitted without embeddings")
        }
    }

    /// The feature columns that scoring needs: those of the hybrid, then those of rules alone.
    func features(_ execution: Execution) throws -> [EngineFeature] {
        var features = hybrid.featureColumns.map { EngineFeature(name: $0.name, kind: $0.kind) }
        var kinds: [ExactName: FeatureColumn.Kind] = [:]
        for feature in features { kinds[ExactName(feature.name)] = feature.kind }
        for (index, set) in ruleSets.enumerated() {
            try execution.report()
            for feature in set.rules.columns.map({ EngineFeature(name: $0.name, kind: $0.kind) }) {
                if let kind = kinds[ExactName(feature.name)] {
                    guard kind == feature.kind else {
                        throw CoveyError.mismatch(
                            "rules[\(index)]: column \(quoted: feature.name) is \(feature.kind), elsewhere in "
                                + "the engine \(kind)"
                        )
                    }
                } else {
                    kinds[ExactName(feature.name)] = feature.kind
                    features.append(feature)
                }
            }
        }
        return features
    }
}
