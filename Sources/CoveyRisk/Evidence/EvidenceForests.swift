import CoveyHybrid
import CoveyRuntime
import CoveyTables

/// The forests of the evidence, and the columns that they read. Each reads what the one before it does and more, so
/// that columns without signal spoil one of them alone: features; event columns beside; principal components of the
/// embeddings beside. A linear model of event terms speaks with the second one.
///
/// What the views say is no column here, so that each part says something of its own.
struct EvidenceForests: Sendable {
    /// The features in bins; nil without.
    let codes: FeatureCodes?
    /// Event columns and their bins; nil without events.
    let events: EventColumns?
    let eventCodes: FeatureCodes?
    /// nil without events.
    let eventModel: EventModel?
    /// The types that the sequences may have.
    let vocabulary: Int
    /// nil without embeddings.
    let components: HybridFeatures?
    /// On the features; nil without. On features and events, or on events alone; nil without. On all.
    let features: BaggedForest?
    let withEvents: BaggedForest?
    let joint: BaggedForest
    /// What they were grown on; nil if it was not kept.
    let rows: ForestRows?

    static let leading = 12
    private static let leaf = 3

    var codeCount: Int { codes?.columnCount ?? 0 }
    var eventCount: Int { eventCodes?.columnCount ?? 0 }
    var componentCount: Int { components?.dimension ?? 0 }

    var columns: Int { codeCount + eventCount + componentCount }

    var treeCount: Int { (features?.treeCount ?? 0) + (withEvents?.treeCount ?? 0) + joint.treeCount }

    /// What each forest and the event model say, as log odds; 0 if there is none.
    typealias Odds = (features: [Double], eventForest: [Double], eventModel: [Double], joint: [Double])

    /// The columns that forests on some input read, without forests, and the rows that they are grown on.
    static func columns(
        of input: EvidenceInput, vocabulary: Int, execution: Execution
    ) throws -> (shape: EvidenceForests, rows: Matrix<Float>) {
        let codes = try input.table.map { try FeatureCodes(fitting: $0, execution: execution) }
        let events = try input.sequences.map {
            try EventColumns(fitting: $0, vocabulary: vocabulary, execution: execution)
        }
        let eventNumbers = try events.flatMap { events in
            try input.sequences.map { try events.matrix($0, vocabulary: vocabulary, execution: execution) }
        }
        let eventCodes = try events.flatMap { events in
            try eventNumbers.map {
                try FeatureCodes(fitting: events.table($0, execution: execution), execution: execution)
            }
        }
        let components = try input.embeddings.map { embeddings in
            var options = HybridOptions()
            options.embeddingComponents = min(leading, embeddings.columns)
            return try embeddings.withView {
                try HybridFeatures(fitting: $0, nil, options: options, execution: execution)
            }
        }
        let eventModel = try input.sequences.map {
            try EventModel(unfitted: $0, vocabulary: vocabulary, execution: execution)
        }
        let shape = EvidenceForests(
            codes: codes, events: events, eventCodes: eventCodes, eventModel: eventModel, vocabulary: vocabulary,
            components: components, features: nil, withEvents: nil, joint: BaggedForest(trees: [], columns: 0),
            rows: nil)
        let rows = try shape.rows(input, eventNumbers, execution: execution)
        let kept = try ForestRows(rows, codeColumns: shape.codeCount + shape.eventCount, execution: execution)
        return (shape.with(nil, nil, shape.joint, kept, eventModel), rows)
    }

    private func with(
        _ features: BaggedForest?, _ withEvents: BaggedForest?, _ joint: BaggedForest, _ rows: ForestRows?,
        _ eventModel: EventModel?
    ) -> EvidenceForests {
        EvidenceForests(
            codes: codes, events: events, eventCodes: eventCodes, eventModel: eventModel, vocabulary: vocabulary,
            components: components, features: features, withEvents: withEvents, joint: joint, rows: rows)
    }

    /// Grows forests on rows of these columns. What they say of each row is said by others, grown without the row's
    /// part.
    func grown(
        on rows: Matrix<Float>, labels: KnownLabels, folds: RowFolds, trees: Int, seed: UInt64, execution: Execution
    ) throws -> (forests: EvidenceForests, odds: Odds) {
        func grow(_ rows: Matrix<Float>, _ number: UInt64) throws -> (forest: BaggedForest, shares: [Double]) {
            var options = BaggedForest.Options()
            options.trees = trees
            options.minLeaf = EvidenceForests.leaf
            options.seed = seed &+ number &* 0x5851_F42D_4C95_7F2D
            return try EvidenceForests.crossFitted(rows, labels, folds, options, execution)
        }
        func leading(_ width: Int, _ number: UInt64) throws -> (forest: BaggedForest, shares: [Double]) {
            let part = try rows.leading(width, execution)
            defer { execution.memory.release(part.bytes) }
            return try grow(part.matrix, number)
        }
        let plain = try codes == nil ? nil : leading(codeCount, 1)
        let middle = try eventCodes == nil ? nil : leading(codeCount + eventCount, 2)
        let joined = try grow(rows, 3)
        let steps = try eventModel?.fitted(to: labels, folds: folds, seed: seed, execution: execution)
        try execution.hold(labels.count, of: 56, for: "what forests say of \(labels.count) rows")
        let none = [Double](repeating: 0, count: labels.count)
        return (
            with(plain?.forest, middle?.forest, joined.forest, self.rows, steps?.model),
            (
                plain?.shares.map(BaggedForest.odds) ?? none, middle?.shares.map(BaggedForest.odds) ?? none,
                steps?.odds ?? none, joined.shares.map(BaggedForest.odds)
            )
        )
    }

    /// A forest on all rows, and for each row the share that a smaller one says, which was grown without the row's
    /// part.
    private static func crossFitted(
        _ rows: Matrix<Float>, _ labels: KnownLabels, _ folds: RowFolds, _ options: BaggedForest.Options,
        _ execution: Execution
    ) throws -> (forest: BaggedForest, shares: [Double]) {
        let binned = try BinnedColumns(rows, execution: execution)
        try execution.hold(labels.count, of: 24, for: "what a forest says of \(labels.count) rows")
        func grow(_ options: BaggedForest.Options, without fold: Int?) throws -> BaggedForest? {
            let seen = folds.order.filter { Int(folds.folds[Int($0)]) != fold }
            let frauds = seen.filter { labels.isFraud(Int($0)) }
            let others = seen.filter { !labels.isFraud(Int($0)) }
            // All rows but one may be known to be fraud.
            guard !frauds.isEmpty, !others.isEmpty else { return nil }
            return try BaggedForest.grow(
                rows, fraud: frauds, others: others, options: options, binned: binned, isJudged: false,
                execution: execution
            ).forest
        }
        guard let whole = try grow(options, without: nil) else {
            throw CoveyError.internalError("a forest without rows")
        }
        var shares = [Double](repeating: 0.5, count: labels.count)
        for fold in 0..<folds.count {
            var smaller = options
            smaller.trees = max(1, (options.trees + 1) / 2)
            smaller.seed = options.seed &+ UInt64(fold + 1) &* 0x9E37_79B9_7F4A_7C15
            try execution.temporarily {
                let members = folds.rows(of: fold)
                guard let forest = try grow(smaller, without: fold) else { return }
                let part = try rows.picking(members, execution)
                for (place, share) in try forest.shares(part, execution: execution).enumerated() {
                    shares[members[place]] = share
                }
            }
        }
        return (whole, shares)
    }

    /// What the forests say of new rows.
    func odds(_ input: EvidenceInput, execution: Execution) throws -> Odds {
        let eventNumbers = try events.flatMap { events in
            try input.sequences.map { try events.matrix($0, vocabulary: vocabulary, execution: execution) }
        }
        let rows = try rows(input, eventNumbers, execution: execution)
        func odds(_ forest: BaggedForest?, _ columns: Int) throws -> [Double] {
            guard let forest else { return [Double](repeating: 0, count: rows.rows) }
            let part = try rows.leading(columns, execution)
            defer { execution.memory.release(part.bytes) }
            return try forest.shares(part.matrix, execution: execution).map(BaggedForest.odds)
        }
        let steps = try eventModel.flatMap { model in
            try input.sequences.map { try model.odds($0, vocabulary: vocabulary, execution: execution) }
        }
        return (
            try odds(features, codeCount), try odds(withEvents, codeCount + eventCount),
            steps ?? [Double](repeating: 0, count: rows.rows), try odds(joint, rows.columns)
        )
    }

    /// The rows of the joint forest: features, events, components.
    private func rows(
        _ input: EvidenceInput, _ eventNumbers: Matrix<Double>?, execution: Execution
    ) throws -> Matrix<Float> {
        let width = columns
        try execution.hold(checkedProduct(input.count, width, "the forest's rows"), of: 8, for: "the forest's rows")
        var rows = try Matrix<Float>(rows: input.count, columns: width, repeating: 0, execution)
        if let codes, let table = input.table { try codes.write(table, to: &rows, offset: 0, execution: execution) }
        if let eventCodes, let eventNumbers {
            try eventCodes.write(eventNumbers, to: &rows, offset: codeCount, execution: execution)
        }
        let first = codeCount + eventCount
        if let components, let embeddings = input.embeddings {
            try rows.elements.withUnsafeMutableBufferPointer { elements in
                guard let base = elements.baseAddress else { return }
                try embeddings.withView {
                    try components.transform($0, nil, to: base + first, stride: width, execution: execution)
                }
            }
        }
        return rows
    }
}

extension Matrix<Float> {
    fileprivate func picking(_ chosen: [Int], _ execution: Execution) throws -> Matrix<Float> {
        try execution.hold(checkedProduct(chosen.count, columns, "the forest's rows"), of: 4, for: "the forest's rows")
        var elements: [Float] = []
        elements.reserveCapacity(chosen.count * columns)
        try execution.forEach(chosen.indices, every: 4096) { place in
            elements.append(contentsOf: self.elements[chosen[place] * columns..<(chosen[place] + 1) * columns])
        }
        return Matrix(rows: chosen.count, columns: columns, elements: elements)
    }

    /// The first columns, and the bytes that are held for them: the caller releases these.
    fileprivate func leading(_ width: Int, _ execution: Execution) throws -> (matrix: Matrix<Float>, bytes: Int) {
        if width == columns { return (self, 0) }
        let bytes = rows * width * MemoryLayout<Float>.stride
        try execution.hold(bytes, for: "the forest's rows")
        let (elements, columns) = (elements, columns)
        let part = try execution.array(rows * width) { elements[$0 / width * columns + $0 % width] }
        return (Matrix(rows: rows, columns: width, elements: part), bytes)
    }
}
