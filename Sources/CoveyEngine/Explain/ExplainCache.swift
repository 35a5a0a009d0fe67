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

    /// nil if the cluster has no rows.
    final class Centre: Sendable {
        let anchor: ClusterAnchor?

        init(_ anchor: ClusterAnchor?) { self.anchor = anchor }
    }

    private let usual = PublishedReference<Usual>()
    private let centres: UnsafeMutablePointer<PublishedReference<Centre>>
    private let clusters: Int

    init(clusters: Int) {
        self.clusters = clusters
        centres = .allocate(capacity: clusters)
        for cluster in 0..<clusters { (centres + cluster).initialize(to: PublishedReference()) }
    }

    deinit {
        centres.deinitialize(count: clusters)
        centres.deallocate()
    }

    /// O(rows asked x categories) for the first time.
    func usualValues(_ parts: EngineParts) -> [UsualValue] {
        if let usual = usual.load() { return usual.values }
        let values = parts.clustering.predictor.map { predictor in
            predictor.reference.withView { parts.hybrid.usualValues(among: $0) }
        }
        return usual.storeIfNil(Usual(values ?? [])).values
    }

    /// O(rows x columns) for the first time.
    /// - Parameter cluster: 0 to clusters - 1.
    func centre(of cluster: Int, _ parts: EngineParts, _ execution: Execution) throws -> ClusterAnchor? {
        if let centre = centres[cluster].load() { return centre.anchor }
        let anchor = try parts.clustering.centre(of: cluster, execution: execution)
        return centres[cluster].storeIfNil(Centre(anchor)).anchor
    }
}
