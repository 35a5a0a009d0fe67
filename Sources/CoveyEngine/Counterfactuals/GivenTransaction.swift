import CoveyRuntime
import CoveyTables

/// The one transaction that is to be changed: its values by feature of the engine, and the names of categories.
struct GivenTransaction: Sendable {
    struct Value: Sendable {
        let feature: EngineFeature
        /// A number, a date, 0 or 1, or an index of `names`; NaN = missing.
        let value: Double
        /// Of a categorical feature: the given one, then those that the engine knows; empty for other kinds.
        private(set) var names: [String]
        private var positions: [ExactName: Int]

        init(feature: EngineFeature, value: Double, names: [String]) {
            self.feature = feature
            self.value = value
            self.names = []
            positions = [:]
            for name in names { _ = index(of: name) }
        }

        /// The index of a category, which is added if it is new.
        mutating func index(of name: String) -> Int {
            if let known = positions[ExactName(name)] { return known }
            positions[ExactName(name)] = names.count
            names.append(name)
            return names.count - 1
        }
    }

    private(set) var values: [Value]

    /// - Parameter table: one row, which scoring has accepted; nil if the engine has no features.
    init(_ engine: Engine, _ table: FeatureTable?) throws {
        guard let table, !engine.features.isEmpty else {
            values = []
            return
        }
        let columns = try table.columns(named: engine.features.map { ($0.name, $0.kind) })
        values = zip(engine.features, columns).map { feature, column in
            switch column.values {
            case .numeric(let numbers), .date(let numbers):
                Value(feature: feature, value: numbers[0], names: [])
            case .boolean(let flags):
                Value(feature: feature, value: flags[0] < 0 ? .nan : Double(flags[0]), names: [])
            case .categorical(let codes, let names):
                codes[0] < 0
                    ? Value(feature: feature, value: .nan, names: [])
                    : Value(feature: feature, value: 0, names: [names[Int(codes[0])]])
            }
        }
    }

    /// The index of a category of a feature.
    mutating func index(of name: String, in feature: Int) -> Int { values[feature].index(of: name) }

    /// The table of alternatives.
    func table(_ alternatives: some Collection<Alternative>, _ features: [ChangeableFeature]) throws -> FeatureTable? {
        if values.isEmpty { return nil }
        var positions: [Int: Int] = [:]
        for (position, feature) in features.enumerated() { positions[feature.index] = position }
        let columns = values.enumerated().map { index, given in
            let numbers = alternatives.map { alternative in
                positions[index].flatMap { alternative.value(of: $0) } ?? given.value
            }
            return FeatureColumn(name: given.feature.name, values: GivenTransaction.column(numbers, given))
        }
        return try FeatureTable(rows: alternatives.count, columns: columns)
    }

    private static func column(_ numbers: [Double], _ given: Value) -> FeatureColumn.Values {
        switch given.feature.kind {
        case .numeric: .numeric(Strided(numbers))
        case .date: .date(Strided(numbers))
        case .boolean: .boolean(Strided(numbers.map { $0.isNaN ? -1 : Int8($0) }))
        case .categorical:
            .categorical(Strided(numbers.map { $0.isNaN ? -1 : Int32($0) }), categories: given.names)
        }
    }
}
