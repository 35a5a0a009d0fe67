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
    public func bytes(_ execution: Execution = Execution()) throws -> OwnedBytes {
        try file(execution).owned(execution)
    }

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
    public func schema(_ execution: Execution = Execution()) throws -> String {
        let known = try knownCategories(execution)
        var writer = JSONWriter(execution)
        try writer.object { json in
            try json.member("$schema", "https://json-schema.org/draft/2020-12/schema")
            try json.name("properties")
            try json.object { json in
                for feature in features {
                    try json.name(feature.name)
                    try Engine.write(feature, known[ExactName(feature.name)] ?? [], to: &json)
                }
            }
            try json.member("required", features.map(\.name))
            try json.member("title", "A transaction's features")
            try json.member("type", "object")
        }
        return writer.string
    }

    private static func write(
        _ feature: EngineFeature, _ categories: [String], to json: inout JSONWriter
    ) throws {
        try json.object { json in
            if feature.kind == .date { try json.member("description", "Seconds since 1970-01-01 UTC.") }
            if feature.kind == .categorical { try json.member("examples", categories) }
            try json.member("type", [feature.kind.type, "null"])
            try json.member("x-covey-kind", feature.kind.name)
        }
    }

    /// The categories of each feature that any part of the engine tells from others: those that occurred in fitting, or
    /// that rules name.
    func knownCategories(_ execution: Execution) throws -> [ExactName: [String]] {
        try execution.report()
        var known: [ExactName: [String]] = [:]
        var seen: [ExactName: Set<ExactName>] = [:]
        // An array and a set, each of which may double.
        let bytes = 8 * MemoryLayout<String>.stride
        func add(_ names: [String], to feature: String) throws {
            try execution.hold(names.count, of: bytes, for: "the categories of \(PlainText.name(feature))")
            let feature = ExactName(feature)
            try execution.forEach(names.indices, every: 4096) { index in
                let name = names[index]
                guard seen[feature, default: []].insert(ExactName(name)).inserted else { return }
                known[feature, default: []].append(name)
            }
        }
        for (name, categories) in parts.hybrid.categories { try add(categories, to: name) }
        for condition in parts.ruleSets.lazy.flatMap(\.rules.rules).flatMap(\.conditions) {
            switch condition.test {
            case .isIn(let names), .isNotIn(let names): try add(names, to: condition.feature)
            default: break
            }
        }
        for (name, categories) in parts.evidence?.categories ?? [] { try add(categories, to: name) }
        return known
    }
}

extension FeatureColumn.Kind {
    /// In JSON Schema.
    fileprivate var type: String {
        switch self {
        case .numeric, .date: "number"
        case .categorical: "string"
        case .boolean: "boolean"
        }
    }

    fileprivate var name: String {
        switch self {
        case .numeric: "numeric"
        case .categorical: "categorical"
        case .boolean: "boolean"
        case .date: "date"
        }
    }
}
