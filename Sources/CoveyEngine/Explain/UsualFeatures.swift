import CoveyHybrid
import CoveyRuntime
import CoveySequences
import CoveyTables

/// Explains features: each by the value less that of the transaction with the feature's usual value. Features that only
/// rules read become missing.
struct UsualFeatures {
    private let engine: Engine
    /// The features that the value can depend on, by their number in `engine.features`.
    private let chosen: Range<Int>
    private let usual: [UsualValue]

    /// Numbers of the features and embeddings of the variants that are looked at together.
    private static let grain = 1 << 20

    init(_ engine: Engine, _ explained: ExplainOptions.Explained) {
        self.engine = engine
        usual = engine.explainCache.usualValues(engine.parts)
        // Those of the hybrid rows come first.
        chosen = 0..<(explained == .risk ? engine.features.count : usual.count)
    }

    func run(
        _ explanations: inout [Explanation], _ block: Range<Int>, _ value: ExplainedValue, _ embeddings: Matrix<Float>?
    ) throws {
        for index in explanations.indices {
            explanations[index].features = [Double](repeating: 0, count: engine.features.count)
        }
        guard !chosen.isEmpty, let table = value.batches.table else { return }
        let pairs = block.count * chosen.count
        let together = max(1, UsualFeatures.grain / (table.columns.count + (embeddings?.columns ?? 0)))
        for start in stride(from: 0, to: pairs, by: together) {
            try value.execution.check()
            let pairs = start..<min(pairs, start + together)
            let transactions = pairs.map { block.lowerBound + $0 / chosen.count }
            let features = pairs.map { $0 % chosen.count }
            let sequences = value.explained == .risk ? try whole(transactions, value) : nil
            let values = try value.values(
                transactions, rows(embeddings, transactions), sequences, changed(transactions, features, value))
            for (place, number) in values.enumerated() {
                let index = transactions[place] - block.lowerBound
                explanations[index].features[features[place]] = explanations[index].value - number
            }
        }
    }

    private func whole(_ transactions: [Int], _ value: ExplainedValue) throws -> SequenceBatch? {
        try value.batches.sequences(
            transactions.map {
                Variant(transaction: $0, kept: Array(0..<Int32(value.batches.parts($0).count)))
            }[...])
    }

    private func rows(_ embeddings: Matrix<Float>?, _ transactions: [Int]) -> Matrix<Float>? {
        embeddings.map { embeddings in
            let columns = embeddings.columns
            var elements: [Float] = []
            elements.reserveCapacity(transactions.count * columns)
            for row in transactions { elements += embeddings.elements[row * columns..<(row + 1) * columns] }
            return Matrix(rows: transactions.count, columns: columns, elements: elements)
        }
    }

    /// The rows of the transactions, each with one feature's usual value.
    private func changed(
        _ transactions: [Int], _ features: [Int], _ value: ExplainedValue
    ) throws -> FeatureTable? {
        guard let table = try value.batches.table(transactions) else { return nil }
        return try FeatureTable(
            rows: table.rows,
            columns: table.columns.enumerated().map { number, column in
                let usual = number < usual.count ? usual[number] : nil
                return FeatureColumn(
                    name: column.name, values: changed(column.values, usual) { features[$0] == number })
            })
    }

    private func changed(
        _ values: FeatureColumn.Values, _ usual: UsualValue?, _ isChanged: (Int) -> Bool
    ) -> FeatureColumn.Values {
        func with<Element>(_ values: Strided<Element>, _ value: Element) -> Strided<Element> {
            Strided(count: values.count) { target in
                for row in 0..<values.count {
                    target.initializeElement(at: row, to: isChanged(row) ? value : values[row])
                }
            }
        }
        switch (values, usual) {
        case (.numeric(let values), .number(let number)): return .numeric(with(values, number))
        case (.numeric(let values), _): return .numeric(with(values, .nan))
        case (.date(let values), _): return .date(with(values, .nan))
        case (.boolean(let values), .boolean(let value)): return .boolean(with(values, value))
        case (.boolean(let values), _): return .boolean(with(values, -1))
        case (.categorical(let codes, let categories), .category(let name?)):
            if let code = categories.firstIndex(where: { ExactName($0) == ExactName(name) }) {
                return .categorical(with(codes, Int32(code)), categories: categories)
            }
            return .categorical(with(codes, Int32(categories.count)), categories: categories + [name])
        case (.categorical(let codes, let categories), _):
            return .categorical(with(codes, -1), categories: categories)
        }
    }
}
