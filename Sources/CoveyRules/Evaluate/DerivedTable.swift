import CoveyRuntime
import CoveyTables

/// A table in which dates and pairs of columns have become numbers, for a search that knows numbers alone.
///
/// Every date takes part by its hour, and where a date to count to is named, every other one as days to it; pairs take
/// part as they are given, and so does what rules that are given by hand derive, for them alone. Dates themselves are
/// no features.
public struct DerivedTable {
    public let table: FeatureTable
    /// Those of a search on `table`.
    public let options: RuleSearchOptions
    private let derived: [DerivedFeature]

    /// - Parameters:
    ///   - ageTo: a date column that ages count to; nil = no ages.
    ///   - pairs: ratios and differences of numeric columns.
    ///   - options: of a search on `source`: what experts say of a column holds for what is derived of it.
    /// Throws `invalidArgument` for columns that do not suit, `invalidData` for a name that occurs twice.
    public init(
        _ source: FeatureTable, ageTo: String? = nil, pairs: [DerivedFeature] = [],
        options: RuleSearchOptions = RuleSearchOptions(), execution: Execution
    ) throws {
        let policies = try DerivedPolicies(source, options.features)
        var wanted = try DerivedTable.wanted(source, ageTo, pairs).filter { !policies.isBarred($0) }
        let known = Set(wanted.map { ExactName($0.name) })
        let given = (options.given?.features ?? []).compactMap(\.derived).filter { !known.contains(ExactName($0.name)) }
        var own = options
        wanted += given
        for feature in wanted {
            if let policy = policies.policy(feature, isGiven: given.contains(feature)) { own.features.append(policy) }
        }
        for (index, feature) in (options.given?.features ?? []).enumerated() {
            guard let sensitive = feature.derived.flatMap({ policies.sensitive($0) }) else { continue }
            throw CoveyError.invalidArgument(
                "options.given: feature \(index) is made of \(quoted: sensitive), which is sensitive")
        }
        own.features.removeAll { policies.isDate($0.feature) }
        own.given = options.given?.plain
        self.options = own
        derived = wanted
        let plain = source.columns.filter { $0.values.kind != .date }
        if wanted.isEmpty {
            table = plain.count == source.columns.count ? source : try FeatureTable(rows: source.rows, columns: plain)
            return
        }
        try execution.hold(
            checkedProduct(source.rows, wanted.count, "derived features"), of: MemoryLayout<Double>.stride,
            for: "\(wanted.count) derived features")
        let made = try wanted.map { feature in
            FeatureColumn(name: feature.name, values: .numeric(try DerivedTable.values(feature, source, execution)))
        }
        table = try FeatureTable(rows: source.rows, columns: plain + made)
    }

    /// Hours, ages and pairs, each once.
    private static func wanted(
        _ source: FeatureTable, _ ageTo: String?, _ pairs: [DerivedFeature]
    ) throws -> [DerivedFeature] {
        func check(_ name: String, _ kind: FeatureColumn.Kind, _ option: String) throws {
            guard let column = source.column(named: name) else {
                throw CoveyError.mismatch("\(option) names \(quoted: name), which is no column of the table")
            }
            guard column.values.kind == kind else {
                throw CoveyError.mismatch(
                    "\(option): column \(quoted: name) must be \(kind), got \(column.values.kind)")
            }
        }
        var result: [DerivedFeature] = []
        if let ageTo { try check(ageTo, .date, "options.age_to") }
        for date in source.columns where date.values.kind == .date {
            result.append(DerivedFeature(hourOf: date.name))
            guard let ageTo, ExactName(ageTo) != ExactName(date.name) else { continue }
            result.append(DerivedFeature(daysFrom: date.name, to: ageTo))
        }
        var names = Set<ExactName>()
        for (index, pair) in pairs.enumerated() {
            for column in pair.columns { try check(column.name, column.kind, "options.pairs[\(index)]") }
            try require(
                names.insert(ExactName(pair.name)).inserted, "options.pairs[\(index)] is \(quoted: pair.name) again")
            result.append(pair)
        }
        return result
    }

    private static func values(
        _ feature: DerivedFeature, _ source: FeatureTable, _ execution: Execution
    ) throws -> Strided<Double> {
        let columns = try source.columns(named: feature.columns.map { ($0.name, $0.kind) })
        let numbers = columns.map { column -> Strided<Double> in
            switch column.values {
            case .numeric(let values), .date(let values): values
            default: Strided([])
            }
        }
        let (first, second) = (numbers[0], numbers[numbers.count - 1])
        let operation = feature.operation
        let grain = 1 << 15
        return try Strided(count: source.rows) { result in
            nonisolated(unsafe) let result = result
            try execution.parallel(source.rows, grain: grain, stage: "derived features") { chunk, _ in
                for column in columns { try column.validate(chunk) }
                // Bounds of intervals are finite: what is infinite is told from the rest by the largest number too.
                let largest = Double.greatestFiniteMagnitude
                for row in chunk {
                    let value = operation.value(first[row], second[row])
                    result[row] = value > largest ? largest : value < -largest ? -largest : value
                }
            }
        }
    }

    /// Rules of a search on `table`, as rules on the table that it was made of.
    public func restored(_ set: RuleSet) throws -> RuleSet {
        try set.deriving(derived)
    }
}

/// What experts say of columns, for what is derived of them.
private struct DerivedPolicies {
    private var uses: [ExactName: FeaturePolicy.Use] = [:]
    private var dates = Set<ExactName>()
    private let isListed: Bool

    init(_ table: FeatureTable, _ policies: [FeaturePolicy]) throws {
        for column in table.columns where column.values.kind == .date { dates.insert(ExactName(column.name)) }
        for (index, policy) in policies.enumerated() {
            let name = ExactName(policy.feature)
            let isKnown = uses.updateValue(policy.use, forKey: name) != nil
            // The search refuses other columns that are named twice or wrongly.
            guard dates.contains(name) else { continue }
            try require(!isKnown, "options.features[\(index)] names \(quoted: policy.feature) again")
            try require(
                policy.direction == .any,
                "options.features[\(index)]: the date \(quoted: policy.feature) has no direction, its hour and age may "
                    + "have one"
            )
        }
        isListed = uses.values.contains(.allowed)
    }

    private func uses(_ feature: DerivedFeature) -> [FeaturePolicy.Use] {
        feature.columns.map { uses[ExactName($0.name)] ?? .free }
    }

    func isDate(_ name: String) -> Bool { dates.contains(ExactName(name)) }

    /// Whether the search must do without it.
    func isBarred(_ feature: DerivedFeature) -> Bool { uses(feature).contains { $0 == .forbidden || $0 == .sensitive } }

    func sensitive(_ feature: DerivedFeature) -> String? {
        feature.columns.map(\.name).first { uses[ExactName($0)] == .sensitive }
    }

    /// What is to be said of it, beside what is.
    func policy(_ feature: DerivedFeature, isGiven: Bool) -> FeaturePolicy? {
        if uses[ExactName(feature.name)] != nil { return nil }
        if isGiven { return FeaturePolicy(feature: feature.name, use: .forbidden) }
        guard isListed, uses(feature).allSatisfy({ $0 == .allowed }) else { return nil }
        return FeaturePolicy(feature: feature.name, use: .allowed)
    }
}
