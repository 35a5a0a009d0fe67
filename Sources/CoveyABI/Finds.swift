import CCovey
import CoveyEncoder
import CoveyEngine
import CoveyHybrid
import CoveyNeighbors
import CoveyRisk
import CoveyRuntime
import CoveySequences

// Section 12 of covey.h: find.

/// What was found as the caller holds it: texts and borrowed handles stay where C can reach them.
final class FoundBox: Sendable {
    let found: Found
    let engine: EngineBox
    let rules: RulesBox?
    let groups: [CText]
    let findings: [CText]
    let settings: CText

    init(_ found: Found, _ execution: Execution) throws {
        self.found = found
        engine = EngineBox(found.engine)
        rules = try found.rules.map { try RulesBox($0, execution) }
        groups = found.groups.map { CText($0.text) }
        findings = found.findings.map { CText($0.text) }
        settings = CText(found.settings)
    }
}

@c @implementation
public func covey_find(
    _ context: OpaquePointer?, _ sequences: UnsafePointer<covey_sequences>?, _ vocabulary: OpaquePointer?,
    _ features: UnsafePointer<covey_table>?, _ fraud: UnsafePointer<Int8>?, _ amounts: UnsafePointer<Double>?,
    _ times: UnsafePointer<Double>?, _ rows: Int64, _ encoder: OpaquePointer?,
    _ options: UnsafePointer<covey_find_options>?, _ found: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    found?.pointee = nil
    return boundary(error) {
        let found = try required(found, "found")
        let defaults = findDefaults
        let given = try options.map { try Versioned.read($0, "options", defaults: defaults) } ?? defaults
        let execution = execution(context)
        let rows = try count(rows, "rows", in: 1...largestRows)
        var inputs = FindInputs()
        inputs.sequences = try sequences.map { try sequenceBatch($0, "sequences", execution) }
        inputs.vocabulary = vocabulary.map { Handle.object($0, as: Vocabulary.self) }
        inputs.table = try features.map { try featureTable($0, "features", execution) }
        inputs.fraud = try fraud.map { try strided($0, "fraud", count: rows) }
        inputs.amounts = try amounts.map { try strided($0, "amounts", count: rows) }
        inputs.times = try times.map { try strided($0, "times", count: rows) }
        inputs.encoder = encoder.map { Handle.object($0, as: Encoder.self) }
        for (name, own) in [("sequences", inputs.sequences?.count), ("features", inputs.table?.rows)] {
            if let own, own != rows { throw CoveyError.mismatch("\(name) has \(own) rows, rows is \(rows)") }
        }
        found.pointee = Handle.retain(
            try FoundBox(Finder.run(inputs, options: try findOptions(given), execution: execution), execution))
    }
}

/// COVEY_FIND_OPTIONS_INIT.
private var findDefaults: covey_find_options {
    let defaults = FindOptions()
    var options = covey_find_options()
    options.significance = defaults.groups.significance
    options.confidence = defaults.groups.confidence
    options.min_share = defaults.groups.minShare
    options.min_fraud = Int64(defaults.groups.minFraud)
    options.permutations = Int64(defaults.groups.permutations)
    options.trees = Int64(defaults.trees)
    options.max_rules = Int64(defaults.maxRules)
    options.min_cluster_size = Int64(defaults.minClusterSize)
    options.scaling = defaults.scaling.rawValue
    options.search = COVEY_SEARCH_AUTO
    options.embedding_weight = defaults.embeddingWeight
    options.feature_weight = defaults.featureWeight
    return options
}

private func findOptions(_ given: covey_find_options) throws -> FindOptions {
    var options = FindOptions()
    options.seed = given.seed
    options.knownShare = given.known_share == 0 ? nil : given.known_share
    options.population = try population(given.shares_over)
    guard let rate = RiskyGroups.Options.ErrorRate(rawValue: given.error_rate) else {
        throw CoveyError.invalidArgument(
            "options.error_rate must be a COVEY_ERROR_RATE_ value, got \(given.error_rate)")
    }
    options.groups.errorRate = rate
    options.groups.significance = given.significance
    options.groups.confidence = given.confidence
    options.groups.minShare = given.min_share
    options.groups.minFraud = Int(given.min_fraud)
    options.groups.permutations = Int(given.permutations)
    options.trees = Int(given.trees)
    options.maxRules = Int(given.max_rules)
    options.minClusterSize = Int(given.min_cluster_size)
    guard let scaling = FeatureScaling(rawValue: given.scaling) else {
        throw CoveyError.invalidArgument("options.scaling must be a COVEY_SCALING_ value, got \(given.scaling)")
    }
    options.scaling = scaling
    if given.search != COVEY_SEARCH_AUTO {
        guard let search = SearchMode(rawValue: given.search) else {
            throw CoveyError.invalidArgument("options.search must be a COVEY_SEARCH_ value, got \(given.search)")
        }
        options.search = search
    }
    options.embeddingWeight = given.embedding_weight
    options.featureWeight = given.feature_weight
    if let training = given.training { options.training = try readTrainingOptions(training, "options.training") }
    return options
}

// MARK: - Rows

@c @implementation
public func covey_found_rows(_ found: OpaquePointer?) -> Int64 {
    guard let found else { return 0 }
    return Int64(Handle.object(found, as: FoundBox.self).found.labels.count)
}

@c @implementation
public func covey_found_clusters(_ found: OpaquePointer?) -> Int64 {
    guard let found else { return 0 }
    return Int64(Handle.object(found, as: FoundBox.self).found.engine.parts.clustering.clusterCount)
}

/// Writes one number a row.
private func write<Element>(
    _ found: OpaquePointer?, _ buffer: UnsafeMutablePointer<Element>?, _ name: String, _ capacity: Int64,
    _ error: UnsafeMutablePointer<OpaquePointer?>?, _ value: (Found) throws -> (Int) -> Element
) -> covey_status {
    boundary(error) {
        let found = try Handle.required(found, "found", as: FoundBox.self).found
        let value = try value(found)
        let target = try output(buffer, name, capacity: capacity, count: found.labels.count)
        for row in target.indices { target[row] = value(row) }
    }
}

@c @implementation
public func covey_found_labels(
    _ found: OpaquePointer?, _ labels: UnsafeMutablePointer<Int32>?, _ capacity: Int64,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    write(found, labels, "labels", capacity, error) { found in { found.labels[$0] } }
}

@c @implementation
public func covey_found_row_groups(
    _ found: OpaquePointer?, _ groups: UnsafeMutablePointer<Int32>?, _ capacity: Int64,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    write(found, groups, "groups", capacity, error) { found in { found.rowGroups[$0] } }
}

@c @implementation
public func covey_found_risky(
    _ found: OpaquePointer?, _ risky: UnsafeMutablePointer<UInt8>?, _ capacity: Int64,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    write(found, risky, "risky", capacity, error) { found in { found.risky[$0] ? 1 : 0 } }
}

@c @implementation
public func covey_found_scores(
    _ found: OpaquePointer?, _ scores: UnsafeMutablePointer<Double>?, _ capacity: Int64,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    write(found, scores, "scores", capacity, error) { found in { found.scores[$0] } }
}

@c @implementation
public func covey_found_evidence(
    _ found: OpaquePointer?, _ part: Int32, _ values: UnsafeMutablePointer<Double>?, _ capacity: Int64,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    write(found, values, "values", capacity, error) { found in
        guard let part = Evidence.Part(rawValue: part) else {
            throw CoveyError.invalidArgument("part must be a COVEY_EVIDENCE_ value, got \(part)")
        }
        return { found.evidence?[$0][part] ?? 0 }
    }
}

// MARK: - Groups and findings

@c @implementation
public func covey_found_group_count(_ found: OpaquePointer?) -> Int64 {
    guard let found else { return 0 }
    return Int64(Handle.object(found, as: FoundBox.self).groups.count)
}

@c @implementation
public func covey_found_group(
    _ found: OpaquePointer?, _ index: Int64, _ group: UnsafeMutablePointer<covey_risky_group>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let groups = try Handle.required(found, "found", as: FoundBox.self).found.groups
        try require(
            index >= 0 && index < Int64(groups.count),
            "index must be at least 0 and below \(groups.count), got \(index)")
        let own = groups[Int(index)]
        var result = covey_risky_group()
        result.rows = Int64(own.figures.rows)
        result.fraud = Int64(own.figures.fraud)
        result.legitimate = Int64(own.figures.legitimate)
        result.unknown = Int64(own.figures.unknown)
        result.share = own.share
        result.share_low = own.low
        result.share_high = own.high
        result.lift = own.lift
        result.p_value = own.figures.pValue
        result.loss = own.loss
        result.amount = own.amount
        result.first_seen = own.firstSeen ?? .nan
        result.last_seen = own.lastSeen ?? .nan
        result.of_evidence = own.figures.isOfEvidence ? 1 : 0
        try Versioned.write(result, to: group, "group")
    }
}

@c @implementation
public func covey_found_group_text(_ found: OpaquePointer?, _ index: Int64) -> UnsafePointer<CChar>! {
    guard let found else { return nil }
    return element(Handle.object(found, as: FoundBox.self).groups, index)?.pointer
}

@c @implementation
public func covey_found_rules(_ found: OpaquePointer?) -> OpaquePointer! {
    guard let found else { return nil }
    return Handle.object(found, as: FoundBox.self).rules.map { Handle.borrow($0) }
}

@c @implementation
public func covey_found_engine(_ found: OpaquePointer?) -> OpaquePointer! {
    guard let found else { return nil }
    return Handle.borrow(Handle.object(found, as: FoundBox.self).engine)
}

@c @implementation
public func covey_found_finding_count(_ found: OpaquePointer?) -> Int64 {
    guard let found else { return 0 }
    return Int64(Handle.object(found, as: FoundBox.self).findings.count)
}

@c @implementation
public func covey_found_finding_code(_ found: OpaquePointer?, _ index: Int64) -> Int32 {
    guard let found else { return 0 }
    return element(Handle.object(found, as: FoundBox.self).found.findings, index)?.code.rawValue ?? 0
}

@c @implementation
public func covey_found_finding_text(_ found: OpaquePointer?, _ index: Int64) -> UnsafePointer<CChar>! {
    guard let found else { return nil }
    return element(Handle.object(found, as: FoundBox.self).findings, index)?.pointer
}

@c @implementation
public func covey_found_settings(_ found: OpaquePointer?) -> UnsafePointer<CChar>! {
    guard let found else { return nil }
    return Handle.object(found, as: FoundBox.self).settings.pointer
}

@c @implementation
public func covey_found_destroy(_ found: OpaquePointer?) {
    Handle.release(found, as: FoundBox.self)
}
