import CoveyClustering
import CoveyFiles
import CoveyHybrid
import CoveyRisk
import CoveyRules
import CoveyRuntime
import CoveyTables

// What an engine tells of itself, and new parts for it.

extension Engine {
    /// The bytes of its file.
    public func bytes(_ execution: Execution = Execution()) throws -> [UInt8] { try file(execution).bytes() }

    /// Reads the bytes of an engine's file, which are copied.
    public convenience init(bytes: UnsafeRawBufferPointer, execution: Execution = Execution()) throws {
        try self.init(SafeTensors(bytes: bytes, origin: "the engine's bytes", execution), execution: execution)
    }

    /// 16 hexadecimal digits, the same for engines of the same content: the checksum over all that its file says.
    /// O(size).
    public func hash(_ execution: Execution = Execution()) throws -> String {
        try file(execution).entry(SafeTensors.checksumEntry) ?? ""
    }

    /// The same engine with other labels of the rows that its clustering was made of: risk and the risky clusters are
    /// worked out again, what was found from the rows stays. So is evidence, forests included; rules stay.
    /// - Parameter options: nil = those of the engine's risk.
    public func rerated(
        fraud: Strided<Int8>, amounts: Strided<Double>?, times: Strided<Double>?, options: ClusterRisk.Options?,
        execution: Execution = Execution()
    ) throws -> Engine {
        let labels = parts.clustering.labels
        guard fraud.count == labels.count else {
            throw CoveyError.mismatch(
                "fraud has \(fraud.count) values, the engine's clustering has \(labels.count) rows")
        }
        var parts = self.parts
        let population = options?.population ?? .automatic
        var options = options ?? parts.risk.options
        if let evidence = parts.evidence {
            let known = try KnownLabels(fraud, population: population, execution: execution)
            guard known.fraud > 0, known.fraud < known.count else {
                throw CoveyError.invalidData(
                    "fraud must hold known fraud and other rows for an engine with evidence, got \(known.fraud) of "
                        + "\(known.count)")
            }
            let fitted = try evidence.fitted(to: known, execution: execution).evidence
            parts.evidence = fitted
            options.population = known.population
            options.knownShare = fitted.knownShare
        }
        parts.risk = try ClusterRisk(
            labels: Strided(labels), fraud: fraud, amounts: amounts, times: times, options: options,
            execution: execution)
        return try Engine(parts, execution: execution)
    }

    /// The feature columns that scoring needs, as a JSON Schema (draft 2020-12) of one transaction's features.
    /// Categories are those that occurred in fitting or that rules name; another one may come, and is no error.
    public func schema() throws -> String {
        var properties: [String: Schema.Property] = [:]
        let known = knownCategories()
        for feature in features {
            let type =
                switch feature.kind {
                case .numeric, .date: "number"
                case .categorical: "string"
                case .boolean: "boolean"
                }
            properties[feature.name] = Schema.Property(
                type: [type, "null"], covey_kind: feature.kind.name,
                examples: feature.kind == .categorical ? known[ExactName(feature.name)] ?? [] : nil,
                description: feature.kind == .date ? "Seconds since 1970-01-01 UTC." : nil)
        }
        return try JSONText.encode(
            Schema(
                schema: "https://json-schema.org/draft/2020-12/schema", title: "A transaction's features",
                type: "object",
                required: features.map(\.name), properties: properties))
    }

    /// The categories of each feature that any part of the engine tells from others: those that occurred in fitting, or
    /// that rules name.
    func knownCategories() -> [ExactName: [String]] {
        var known: [ExactName: (names: [String], seen: Set<ExactName>)] = [:]
        func add(_ feature: String, _ names: [String]) {
            for name in names where known[ExactName(feature), default: ([], [])].seen.insert(ExactName(name)).inserted {
                known[ExactName(feature)]?.names.append(name)
            }
        }
        for (name, categories) in parts.hybrid.categories { add(name, categories) }
        for set in parts.ruleSets {
            for condition in set.rules.rules.flatMap(\.conditions) {
                switch condition.test {
                case .isIn(let names), .isNotIn(let names): add(condition.feature, names)
                default: break
                }
            }
        }
        for (name, categories) in parts.evidence?.categories ?? [] { add(name, categories) }
        return known.mapValues(\.names)
    }

    private struct Schema: Encodable {
        struct Property: Encodable {
            let type: [String]
            let covey_kind: String
            let examples: [String]?
            let description: String?

            enum CodingKeys: String, CodingKey {
                case type, examples, description
                case covey_kind = "x-covey-kind"
            }
        }

        let schema: String
        let title: String
        let type: String
        let required: [String]
        let properties: [String: Property]

        enum CodingKeys: String, CodingKey {
            case title, type, required, properties
            case schema = "$schema"
        }
    }
}

extension FeatureColumn.Kind {
    fileprivate var name: String {
        switch self {
        case .numeric: "numeric"
        case .categorical: "categorical"
        case .boolean: "boolean"
        case .date: "date"
        }
    }
}
