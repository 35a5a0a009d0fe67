import CoveyClustering
import CoveyFiles
import CoveyHybrid
import CoveyRuntime
import CoveyTables

// Evidence in a safetensors file, under a prefix:
//
//   entry evidence               JSON: the known share and its source, calibration, groups, what the forests read
//   U8 labels [rows]             0 unknown, 1 legitimate, 2 fraud
//   view1.*, view2.*, ...        hybrid features and clustering of each view but the first, which is the engine's own
//   codes.*                      features in bins, if there are features
//   events.*                     event columns in bins, if there are events
//   components.*                 principal components of the embeddings, if there are embeddings
//   features.*, withevents.*, joint.*    the forests: nodes of all trees one after another
//   terms.*                      the event model, if there are events
//   rows.codes, rows.components  the rows that the forests were grown on: `ForestRows`
//
// Shares along the trees follow from these and are counted anew.

private struct StoredEvidence: Codable {
    let known_share: Double
    /// Missing in files of before it was kept.
    let known_share_low: Double?
    let known_share_high: Double?
    let share_source: Evidence.ShareSource
    /// By `EvidenceSources.Source`.
    let weights: [Double]
    let calibration: Calibration
    /// Empty here: they are encoded and decoded in parts.
    let groups: [RiskyGroup]
    let group_options: RiskyGroups.Options
    let least_sum: Double?
    let views: Int
    let forests: Bool
    let codes: Bool
    let events: EventColumns?
    /// Missing in files of before there was an event model.
    let terms: Bool?
    let vocabulary: Int?
    let components: Bool
}

extension Evidence {
    private static let largestViews = 16

    public func store(in writer: inout SafeTensorsWriter, prefix: String, _ execution: Execution) throws {
        let stored = StoredEvidence(
            known_share: knownShare, known_share_low: knownShareRange.lowerBound,
            known_share_high: knownShareRange.upperBound, share_source: shareSource, weights: weights.values,
            calibration: calibration,
            groups: [],
            group_options: groups.options, least_sum: groups.leastSum.isFinite ? groups.leastSum : nil,
            views: views.count,
            forests: forests != nil, codes: forests?.codes != nil, events: forests?.events,
            terms: forests?.eventModel != nil,
            vocabulary: forests?.vocabulary, components: forests?.components != nil)
        writer.setEntry(
            prefix + "evidence", try JSONText.encode(stored, list: "groups", groups.groups, execution))
        try execution.hold(labels.count, of: 1, for: "the labels of \(labels.count) rows")
        let values = labels.values
        try writer.add(
            prefix + "labels", execution.array(labels.count) { UInt8(values[$0] + 1) }, shape: [labels.count])
        for (index, view) in views.enumerated().dropFirst() {
            let own = "\(prefix)view\(index)."
            try view.hybrid.store(in: &writer, prefix: own, entry: own + HybridFeatures.entryName, execution)
            try view.clustering.store(into: &writer, prefix: own, execution)
        }
        guard let forests else { return }
        try forests.codes?.store(in: &writer, prefix: prefix + "codes.", execution)
        let own = prefix + "components."
        try forests.components?.store(
            in: &writer, prefix: own, entry: own + HybridFeatures.entryName, execution)
        try forests.eventCodes?.store(in: &writer, prefix: prefix + "events.", execution)
        try forests.eventModel?.store(in: &writer, prefix: prefix + "terms.", execution)
        try forests.features?.store(in: &writer, prefix: prefix + "features.", execution)
        try forests.withEvents?.store(in: &writer, prefix: prefix + "withevents.", execution)
        try forests.joint.store(in: &writer, prefix: prefix + "joint.", execution)
        try forests.rows?.store(in: &writer, prefix: prefix + "rows.")
    }

    /// Throws `corruptFile`, naming what is wrong, for anything that `store` would not have written; `outOfMemory`,
    /// `cancelled`.
    public convenience init(
        from file: SafeTensors, prefix: String, first: EvidenceView, execution: Execution
    ) throws {
        let what = "metadata entry \(prefix)evidence"
        let (stored, storedGroups) = try JSONText.decode(
            StoredEvidence.self, list: "groups", of: RiskyGroup.self, from: file.entry(prefix + "evidence"), what,
            execution)
        func check(_ condition: Bool, _ message: @autoclosure () -> String) throws {
            if !condition { throw CoveyError.corruptFile("\(what): \(message())") }
        }
        try check(stored.known_share > 0 && stored.known_share <= 1, "known_share must be above 0 and at most 1")
        let isUnknown = stored.share_source == .unknown
        let low = stored.known_share_low ?? (isUnknown ? 0 : stored.known_share)
        let high = stored.known_share_high ?? stored.known_share
        try check(
            0 <= low && low <= stored.known_share && stored.known_share <= high && high <= 1,
            "known_share_low and known_share_high must hold known_share")
        let weights = SourceWeights(values: stored.weights)
        try check(weights.isValid, "the weights are not ones that fitting gives")
        try check(stored.calibration.isValid, "the calibration is not one that fitting gives")
        try check((1...Evidence.largestViews).contains(stored.views), "views must be 1 to \(Evidence.largestViews)")
        try check(stored.least_sum?.isFinite ?? true, "least_sum must be finite")
        var views = [first]
        for index in 1..<max(1, stored.views) {
            let own = "\(prefix)view\(index)."
            views.append(
                EvidenceView(
                    hybrid: try HybridFeatures(
                        from: file, prefix: own, entry: own + HybridFeatures.entryName, execution),
                    clustering: try Clustering(from: file, prefix: own, execution: execution)))
        }
        let count = first.clustering.rowCount
        try execution.hold(count, of: 3, for: "the labels of \(count) rows")
        let codes = try file.values(prefix + "labels", as: UInt8.self, shape: [count], execution)
        try check(codes.allSatisfy { $0 <= 2 }, "labels must be 0 to 2")
        let values = try execution.array(count) { Int8(codes[$0]) - 1 }
        let labels = try KnownLabels(Strided(values), population: .all, execution: execution)
        try check(labels.fraud > 0 && labels.fraud < labels.count, "there must be known fraud and other rows")
        for view in views {
            try check(
                view.clustering.usedRows == nil && view.clustering.rowCount == labels.count
                    && view.clustering.columnCount == view.hybrid.dimension && view.clustering.predictor != nil
                    && view.clustering.options.metric == .euclidean, "a view's clustering does not fit")
        }
        let shares = try views.map {
            try TreeShares($0.clustering.singleLinkageTree, labels: labels, execution: execution)
        }
        let neighbours = try views.map {
            KnownNeighbours(try DistinctReference($0.clustering, execution: execution), labels: labels)
        }
        let groups = try RiskyGroups(
            kept: storedGroups, leastSum: stored.least_sum, trees: views.map(\.clustering.singleLinkageTree),
            options: stored.group_options)
        let forests = try Evidence.forests(
            of: stored, from: file, prefix: prefix, rows: labels.count, check: { try check($0, $1) },
            execution: execution)
        self.init(
            views: views, labels: labels, knownShare: stored.known_share, knownShareRange: low...high,
            shareSource: stored.share_source,
            groups: groups,
            shares: shares, neighbours: neighbours, forests: forests, weights: weights, calibration: stored.calibration)
    }

    /// The forests, and the codes and components that they read; nil if none were kept.
    private static func forests(
        of stored: StoredEvidence, from file: SafeTensors, prefix: String, rows count: Int,
        check: (Bool, String) throws -> Void, execution: Execution
    ) throws -> EvidenceForests? {
        guard stored.forests else { return nil }
        func forest(_ name: String) throws -> BaggedForest {
            try BaggedForest(from: file, prefix: prefix + name, execution: execution)
        }
        func codes(_ name: String) throws -> FeatureCodes {
            try FeatureCodes(from: file, prefix: prefix + name, execution)
        }
        let own = prefix + "components."
        let components =
            stored.components
            ? try HybridFeatures(from: file, prefix: own, entry: own + HybridFeatures.entryName, execution) : nil
        let vocabulary = stored.vocabulary ?? 0
        try check((0...Int(Int32.max)).contains(vocabulary), "vocabulary is out of range")
        try check(stored.events?.isValid ?? true, "the event columns are not ones that fitting gives")
        try check(components?.featureColumns.isEmpty ?? true, "components are of embeddings alone")
        let ownCodes = stored.codes ? try codes("codes.") : nil
        let eventCodes = stored.events == nil ? nil : try codes("events.")
        let rows =
            file.contains(prefix + "rows.codes")
            ? try ForestRows(
                from: file, prefix: prefix + "rows.", rows: count,
                codeColumns: (ownCodes?.columnNames.count ?? 0) + (eventCodes?.columnNames.count ?? 0),
                otherColumns: components?.dimension ?? 0, execution: execution) : nil
        let eventModel =
            stored.events != nil && stored.terms == true
            ? try EventModel(from: file, prefix: prefix + "terms.", rows: count, execution: execution) : nil
        let found = EvidenceForests(
            codes: ownCodes, events: stored.events, eventCodes: eventCodes, eventModel: eventModel,
            vocabulary: vocabulary, components: components, features: stored.codes ? try forest("features.") : nil,
            withEvents: stored.events == nil ? nil : try forest("withevents."), joint: try forest("joint."),
            rows: rows)
        try check(
            found.joint.columns == found.columns
                && found.features?.columns ?? found.codeCount == found.codeCount
                && found.withEvents?.columns ?? 0 == (found.events == nil ? 0 : found.codeCount + found.eventCount),
            "the forests are on other columns")
        try check(
            found.eventCodes?.columnNames ?? [] == found.events?.names ?? [], "the event columns are others")
        try check(
            found.eventCodes?.featureColumns.allSatisfy { $0.kind == .numeric } ?? true,
            "the event columns are numbers")
        return found
    }

    /// Throws `mismatch` if the evidence reads events without an encoder, embeddings of another width than the
    /// engine's encoder makes, or embeddings or columns that the engine does not ask for.
    public func check(embeddings: Int?, columns: [(name: String, kind: FeatureColumn.Kind)]) throws {
        var kinds: [ExactName: FeatureColumn.Kind] = [:]
        for column in columns { kinds[ExactName(column.name)] = column.kind }
        func check(_ width: Int?, _ own: [(name: String, kind: FeatureColumn.Kind)]) throws {
            if let width, width != embeddings {
                throw CoveyError.mismatch(
                    "the evidence reads embeddings of \(width) columns, there are \(embeddings ?? 0)")
            }
            for column in own where kinds[ExactName(column.name)] != column.kind {
                throw CoveyError.mismatch(
                    "the evidence reads the column \(quoted: column.name), which the engine does not")
            }
        }
        if forests?.events != nil, embeddings == nil {
            throw CoveyError.mismatch("the evidence reads events, and there is no encoder")
        }
        for view in views { try check(view.hybrid.embeddingColumns, view.hybrid.featureColumns) }
        try check(forests?.components?.embeddingColumns, forests?.codes?.featureColumns ?? [])
    }
}

extension BaggedForest {
    private static let mostTrees = 10_000

    func store(in writer: inout SafeTensorsWriter, prefix: String, _ execution: Execution) throws {
        let total = nodeCount
        // In one array, and by field.
        try execution.hold(total, of: 2 * MemoryLayout<ForestTree.Node>.stride, for: "the trees of a forest")
        var nodes: [ForestTree.Node] = []
        nodes.reserveCapacity(total)
        for tree in trees {
            try execution.check()
            nodes.append(contentsOf: tree.nodes)
        }
        writer.setEntry(prefix + "columns", "\(columns)")
        try writer.add(prefix + "sizes", trees.map { Int32($0.nodes.count) }, shape: [trees.count])
        try writer.add(prefix + "column", execution.array(total) { nodes[$0].column }, shape: [total])
        try writer.add(prefix + "threshold", execution.array(total) { nodes[$0].threshold }, shape: [total])
        try writer.add(prefix + "left", execution.array(total) { nodes[$0].left }, shape: [total])
        try writer.add(prefix + "share", execution.array(total) { nodes[$0].share }, shape: [total])
    }

    init(from file: SafeTensors, prefix: String, execution: Execution) throws {
        let sizes = try file.values(prefix + "sizes", as: Int32.self, shape: [nil], execution)
        guard let columns = Int(try file.entry(prefix + "columns")), columns >= 1, columns <= 1 << 20, !sizes.isEmpty,
            sizes.count <= BaggedForest.mostTrees, sizes.allSatisfy({ $0 >= 1 })
        else { throw CoveyError.corruptFile("\(prefix): a forest has 1 to \(BaggedForest.mostTrees) trees on columns") }
        let total = sizes.reduce(0) { $0 + Int($1) }
        try execution.hold(total, of: 2 * MemoryLayout<ForestTree.Node>.stride, for: "the trees of a forest")
        let column = try file.values(prefix + "column", as: Int32.self, shape: [total], execution)
        let threshold = try file.values(prefix + "threshold", as: Float.self, shape: [total], execution)
        let left = try file.values(prefix + "left", as: Int32.self, shape: [total], execution)
        let share = try file.values(prefix + "share", as: Float.self, shape: [total], execution)
        var start = 0
        var trees: [ForestTree] = []
        for (index, size) in sizes.enumerated() {
            try execution.check()
            let tree = ForestTree(
                nodes: (start..<start + Int(size)).map {
                    ForestTree.Node(column: column[$0], threshold: threshold[$0], left: left[$0], share: share[$0])
                })
            guard tree.isValid(columns: columns) else {
                throw CoveyError.corruptFile("\(prefix): tree \(index) is not a tree")
            }
            trees.append(tree)
            start += Int(size)
        }
        self.init(trees: trees, columns: columns)
    }
}
