import CoveyClustering
import CoveyEncoder
import CoveyHybrid
import CoveyRisk
import CoveyRules
import CoveyRuntime
import CoveySequences
import CoveyTables

@testable import CoveyEngine

/// Transactions of three groups that differ in amount, device and events; the parts of an engine made of them.
struct Sample {
    static let countries = ["NL", "BE", "FR"]
    static let perGroup = 30
    static let rows = 3 * perGroup

    let amounts: [Double]
    let countries: [Int32]
    let devices: [Int8]
    /// Of each transaction.
    let types: [[Int32]]
    let times: [[Double]]

    init(seed: UInt64 = 1) {
        var random = SeededRandom(seed: seed)
        let group = (0..<Sample.rows).map { $0 % 3 }
        amounts = group.map { Double($0) * 100 + random.uniform() * 10 }
        countries = group.map { Int32($0) }
        devices = group.map { $0 == 2 ? -1 : Int8($0) }
        types = group.map { group in (0..<3 + Int(random.next() % 5)).map { Int32(1 + (group + $0) % 4) } }
        times = types.map { types in
            var clock = 1e9
            return types.map { _ in
                clock += random.uniform() * 30
                return clock
            }
        }
    }

    func table(_ chosen: some Collection<Int> = 0..<Sample.rows) throws -> FeatureTable {
        try FeatureTable(
            rows: chosen.count,
            columns: [
                FeatureColumn(name: "amount", values: .numeric(Strided(chosen.map { amounts[$0] }))),
                FeatureColumn(
                    name: "country",
                    values: .categorical(Strided(chosen.map { countries[$0] }), categories: Sample.countries)),
                FeatureColumn(name: "known_device", values: .boolean(Strided(chosen.map { devices[$0] }))),
            ])
    }

    func sequences(_ chosen: some Collection<Int> = 0..<Sample.rows) throws -> SequenceBatch {
        var offsets: [Int64] = [0]
        for row in chosen { offsets.append(offsets.last! + Int64(types[row].count)) }
        return try SequenceBatch(
            offsets: SequenceOffsets(Strided(offsets)), types: Strided(chosen.flatMap { types[$0] }),
            times: Strided(chosen.flatMap { times[$0] }))
    }

    /// The encoder that PyTorch made for the encoder's tests.
    static func encoder() throws -> Encoder {
        let folder = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        return try Encoder(path: "/\(folder)/Fixtures/encoder/small.model.safetensors")
    }

    /// - Parameter labels: what is known of each row; -1 = nothing.
    func parts(
        withEncoder: Bool, withFeatures: Bool = true, rules: Bool = true, fraud: ((Int) -> Int8)? = nil
    ) throws -> EngineParts {
        let encoder = withEncoder ? try Sample.encoder() : nil
        let embeddings = try encoder?.embed(sequences())
        let table = withFeatures ? try table() : nil
        func with<Result>(_ body: (MatrixView?) throws -> Result) rethrows -> Result {
            guard let embeddings else { return try body(nil) }
            return try embeddings.withView { try body($0) }
        }
        var options = HybridOptions()
        options.embeddingComponents = withEncoder ? 3 : 0
        let hybrid = try with { try HybridFeatures(fitting: $0, table, options: options) }
        let rows = try with { try hybrid.transform($0, table) }
        var clusterOptions = ClusterOptions()
        clusterOptions.minClusterSize = 8
        clusterOptions.prediction = true
        let clustering = try rows.withView { try Clustering($0, clusterOptions) }
        // Most of the third group is known as fraud, the first as legitimate, of the second nothing is known.
        let known = (0..<Sample.rows).map { row in
            fraud?(row) ?? (row % 3 == 2 ? (row % 2 == 0 ? 1 : row % 5 == 0 ? 0 : -1) : row % 3 == 0 ? 0 : -1)
        }
        let risk = try ClusterRisk(
            labels: Strided(clustering.labels), fraud: Strided(known), options: ClusterRisk.Options(),
            execution: Execution())
        let described = rules && withFeatures ? [Int(clustering.labels[2]), -1] : []
        let sets = try described.map { try ClusterRules(cluster: $0, rules: try Sample.rules(cluster: $0)) }
        return EngineParts(encoder: encoder, hybrid: hybrid, clustering: clustering, risk: risk, ruleSets: sets)
    }

    /// Two rules on amount and country with counts that are simple to check by hand.
    static func rules(cluster: Int) throws -> RuleSet {
        try RuleSet(
            targetName: cluster < 0 ? "fraud" : "cluster \(cluster)", confidence: 0.95,
            features: [RuleFeature(name: "amount", kind: .numeric), RuleFeature(name: "country", kind: .categorical)],
            rules: [
                Rule(
                    conditions: [Condition(feature: "amount", test: .interval(low: 150, high: .infinity))],
                    search: .init(matched: 50, support: 45), unseen: .init(matched: 20, support: 16)),
                Rule(
                    conditions: [
                        Condition(feature: "country", test: .isIn(["FR"])),
                        Condition(feature: "amount", test: .interval(low: 205, high: .infinity)),
                    ], search: .init(matched: 40, support: 40), unseen: .init(matched: 10, support: 9)),
            ], search: .init(rows: 500, target: 100), unseen: .init(rows: 200, target: 40), tried: 10, fallen: 0)
    }
}

func error(_ body: () throws -> Void) -> CoveyError? {
    do {
        try body()
        return nil
    } catch {
        return error as? CoveyError
    }
}
