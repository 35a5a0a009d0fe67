import CoveyFiles
import CoveyRuntime
import CoveySequences

/// A linear model of event terms, beside the forest on event columns. A ring's script shows in many pairs and gaps,
/// each of which says little. With few known frauds a forest cannot choose among hundreds of columns; a linear model
/// adds them.
struct EventModel: Sendable {
    let terms: EventTerms
    let model: LogisticModel
    /// Of the sequences that it was fitted to.
    let rows: TermRows

    /// Chosen on the choosing halves of the sets of bench-fraud; 1 to 30 differ little.
    private static let strength = 3.0
    /// The model is fitted to at most this number of other rows; to more only if there are more known frauds.
    private static let mostOthers = 20_000

    /// A model that was not fitted to labels: its odds are 0.
    init(unfitted sequences: SequenceBatch, vocabulary: Int, execution: Execution) throws {
        terms = try EventTerms(fitting: sequences, vocabulary: vocabulary, execution: execution)
        rows = try terms.rows(sequences, vocabulary: vocabulary, execution: execution)
        model = LogisticModel(intercept: 0, coefficients: [Double](repeating: 0, count: terms.count))
    }

    private init(_ terms: EventTerms, _ model: LogisticModel, _ rows: TermRows) {
        self.terms = terms
        self.model = model
        self.rows = rows
    }

    /// The model that labels give, and for each row what a model says that was fitted without the row's part. 0 if
    /// there is none, because no known fraud or no other row is left.
    func fitted(
        to labels: KnownLabels, folds: RowFolds, seed: UInt64, execution: Execution
    ) throws -> (model: EventModel, odds: [Double]) {
        let (frauds, others) = folds.members(labels, mostOthers: EventModel.mostOthers, seed: seed)
        let members = frauds + others
        let vectors = try rows.vectors(of: members, weights: terms.weights, execution: execution)
        func fit(without fold: Int?) throws -> LogisticModel? {
            let seen = members.indices.filter { Int(folds.folds[members[$0]]) != fold }
            let (known, rest) = (seen.filter { $0 < frauds.count }, seen.filter { $0 >= frauds.count })
            guard !known.isEmpty, !rest.isEmpty else { return nil }
            return try LogisticModel(
                vectors, frauds: known, others: rest, columns: terms.count, strength: EventModel.strength,
                execution: execution)
        }
        var models = [LogisticModel?](repeating: nil, count: folds.count + 1)
        try models.withUnsafeMutableBufferPointer { models in
            nonisolated(unsafe) let models = models
            try execution.parallel(folds.count + 1, stage: "event model") { chunk, _ in
                for index in chunk { models[index] = try fit(without: index < folds.count ? index : nil) }
            }
        }
        guard let whole = models[folds.count] else { throw CoveyError.internalError("an event model without rows") }
        let odds = try execution.array(labels.count) { row -> Double in
            models[Int(folds.folds[row])].map { self.odds($0, rows, row) } ?? 0
        }
        return (EventModel(terms, whole, rows), odds)
    }

    /// What the model says of new sequences, as log odds.
    func odds(_ sequences: SequenceBatch, vocabulary: Int, execution: Execution) throws -> [Double] {
        let rows = try terms.rows(sequences, vocabulary: vocabulary, execution: execution)
        return try execution.array(rows.count) { odds(model, rows, $0) }
    }

    private func odds(_ model: LogisticModel, _ rows: TermRows, _ row: Int) -> Double {
        model.intercept + rows.product(row, model.coefficients, weights: terms.weights)
    }
}

// In a safetensors file, under a prefix: types, codes, weights of the terms; coefficients, with the intercept first;
// sizes, terms, counts of the rows.
extension EventModel {
    func store(in writer: inout SafeTensorsWriter, prefix: String, _ execution: Execution) throws {
        try execution.hold(rows.count, of: 4, for: "event terms")
        try writer.add(prefix + "types", terms.types, shape: [terms.types.count])
        try writer.add(prefix + "codes", terms.codes, shape: [terms.count])
        try writer.add(prefix + "weights", terms.weights, shape: [terms.count])
        try writer.add(
            prefix + "coefficients", [model.intercept] + model.coefficients, shape: [terms.count + 1])
        try writer.add(prefix + "sizes", rows.sizes, shape: [rows.count])
        try writer.add(prefix + "terms", rows.terms, shape: [rows.terms.count])
        try writer.add(prefix + "counts", rows.counts, shape: [rows.counts.count])
    }

    /// Throws `corruptFile` for anything that `store` would not have written.
    init(from file: SafeTensors, prefix: String, rows count: Int, execution: Execution) throws {
        let types = try file.values(prefix + "types", as: Int32.self, shape: [nil])
        let codes = try file.values(prefix + "codes", as: Int32.self, shape: [nil])
        let weights = try file.values(prefix + "weights", as: Double.self, shape: [codes.count])
        let coefficients = try file.values(prefix + "coefficients", as: Double.self, shape: [codes.count + 1])
        guard EventTerms.isValid(types: types, codes: codes, weights: weights),
            coefficients.allSatisfy({ abs($0) < 1e9 })
        else { throw CoveyError.corruptFile("\(prefix): the event terms are not ones that fitting gives") }
        let sizes = try file.values(prefix + "sizes", as: Int32.self, shape: [count], execution)
        let terms: [UInt16] = try file.values(prefix + "terms", shape: [nil], execution)
        let counts: [UInt8] = try file.values(prefix + "counts", shape: [terms.count], execution)
        guard
            let rows = try TermRows(
                sizes: sizes, terms: terms, counts: counts, termCount: codes.count, execution: execution)
        else {
            throw CoveyError.corruptFile("\(prefix): the rows are not ones of \(codes.count) event terms")
        }
        self.init(
            EventTerms(types: types, codes: codes, weights: weights),
            LogisticModel(intercept: coefficients[0], coefficients: Array(coefficients.dropFirst())), rows)
    }
}
