import CoveyClustering
import CoveyHybrid
import CoveyRuntime

/// What explanations need of all rows of an engine, made when it is first asked for. There is no lock: see
/// `PublishedReference`.
final class ExplainCache: @unchecked Sendable {
    /// The usual value of each feature of the hybrid rows.
    final class Usual: Sendable {
        let values: [UsualValue]

        init(_ values: [UsualValue]) { self.values = values }
    }

    private let usual = PublishedReference<Usual>()
    private let centres: RowFunctions
    private let contrasts: RowFunctions

    init(clusters: Int) {
        centres = RowFunctions(clusters: clusters)
        contrasts = RowFunctions(clusters: clusters)
    }

    /// O(rows asked x categories) for the first time.
    func usualValues(_ parts: EngineParts) -> [UsualValue] {
        if let usual = usual.load() { return usual.values }
        let values = parts.clustering.predictor.map { predictor in
            predictor.reference.withView { parts.hybrid.usualValues(among: $0) }
        }
        return usual.storeIfNil(Usual(values ?? [])).values
    }

    /// nil if the cluster has no rows. O(rows x columns) for the first time.
    /// - Parameter cluster: 0 to clusters - 1.
    func centre(of cluster: Int, _ parts: EngineParts, _ execution: Execution) throws -> (any RowFunction)? {
        try centres.function(of: cluster) { try parts.clustering.centre(of: cluster, execution: execution) }
    }

    /// nil if the cluster or the rest has no rows. O(rows x columns x steps) for the first time.
    /// - Parameter cluster: 0 to clusters - 1.
    func contrast(of cluster: Int, _ parts: EngineParts, _ execution: Execution) throws -> (any RowFunction)? {
        try contrasts.function(of: cluster) {
            let embeddings = parts.hybrid.embeddingOutputs
            return try parts.clustering.contrast(
                of: cluster, blocks: [0..<embeddings, embeddings..<parts.hybrid.dimension], execution: execution)
        }
    }
}

/// A function of each cluster, made when it is first asked for.
private final class RowFunctions: @unchecked Sendable {
    private final class Made: Sendable {
        let function: (any RowFunction)?

        init(_ function: (any RowFunction)?) { self.function = function }
    }

    private let slots: UnsafeMutablePointer<PublishedReference<Made>>
    private let clusters: Int

    init(clusters: Int) {
        self.clusters = clusters
        slots = .allocate(capacity: clusters)
        for cluster in 0..<clusters { (slots + cluster).initialize(to: PublishedReference()) }
    }

    deinit {
        slots.deinitialize(count: clusters)
        slots.deallocate()
    }

    func function(of cluster: Int, _ make: () throws -> (any RowFunction)?) rethrows -> (any RowFunction)? {
        if let made = slots[cluster].load() { return made.function }
        return slots[cluster].storeIfNil(Made(try make())).function
    }
}
