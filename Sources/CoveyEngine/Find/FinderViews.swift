import CoveyClustering
import CoveyHybrid
import CoveyRisk
import CoveyRuntime
import CoveyTables

// The ways to look at the rows, and their clusters.

extension Finder {
    /// The ways to look at the rows; the first, which has all, gives the clusters that labels name.
    mutating func views(_ embeddings: Matrix<Float>?) throws -> [EvidenceView] {
        let table = try inputs.hybridTable
        if let all = inputs.table, all.columns.count > (table?.columns.count ?? 0) {
            tell(
                .datesLeftOut,
                "Dates take part in rules alone, by their hour: give an age or an hour as a number where it should "
                    + "count for clusters and scores.")
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
            let views = [
                try view("joined", embeddings, table, options.scaling),
                try view("features", nil, table, options.scaling),
            ]
            // Where most transactions have no events, their embeddings are one and the same row, of which nobody can
            // tell anything.
            if inputs.withEvents * 2 < inputs.rows { return views }
            return views + [try view("embeddings", embeddings, nil, options.scaling)]
        }
    }

    mutating func view(
        _ name: String, _ embeddings: Matrix<Float>?, _ table: FeatureTable?, _ scaling: FeatureScaling
    ) throws -> EvidenceView {
        var wanted = HybridOptions()
        wanted.scaling = scaling
        wanted.embeddingWeight = options.embeddingWeight
        wanted.featureWeight = options.featureWeight
        if let embeddings, inputs.rows > Finder.exactRows, embeddings.columns > Finder.mostComponents {
            wanted.embeddingComponents = Finder.mostComponents
        }
        func rows(_ view: MatrixView?) throws -> (HybridFeatures, Matrix<Float>) {
            let fitted = try HybridFeatures(fitting: view, table, options: wanted, execution: execution)
            let matrix = try fitted.transform(view, table, execution: execution)
            // The transform looked whether they fit.
            try execution.hold(matrix.elements.count, of: 4, for: "hybrid rows")
            return (fitted, matrix)
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

    mutating func cluster(_ matrix: Matrix<Float>) throws -> Clustering {
        var wanted = ClusterOptions()
        wanted.minClusterSize = options.minClusterSize
        // Frauds sit in small knots: the tree must not smooth them away.
        wanted.minSamples = 1
        wanted.search = options.search ?? (matrix.rows > Finder.exactRows ? .approximate : .exact)
        // Evidence is counted low in the trees: on 850,000 rows thorough joins took twice the time, and no row was
        // judged better for it.
        wanted.isQuick = true
        wanted.prediction = true
        wanted.seed = options.seed
        settings.min_cluster_size = wanted.minClusterSize
        settings.min_samples = wanted.minSamples
        settings.search = wanted.search == .exact ? "exact" : "approximate"
        return try matrix.withView { try Clustering($0, wanted, execution: execution) }
    }
}
