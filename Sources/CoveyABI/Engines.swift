import CCovey
import CoveyClustering
import CoveyEncoder
import CoveyEngine
import CoveyRuntime

// Section 11 of covey.h: engine.

/// An engine as the caller holds it: names and rules' sentences stay where C can read them.
final class EngineBox: Sendable {
    let engine: Engine
    let featureNames: [CText]
    /// By set, then by rule.
    private let sentences: [Published<CText>]

    init(_ engine: Engine) {
        self.engine = engine
        featureNames = engine.features.map { CText($0.name) }
        sentences = engine.parts.ruleSets.map { Published(count: $0.rules.rules.count) }
    }

    func sentence(_ fired: FiredRule) -> UnsafePointer<CChar> {
        sentences[fired.set].object(fired.rule) { CText(standardArithmetic { engine.text(fired) }) }.pointer
    }
}

/// Scores as the caller holds them. Reasons are put into words when they are first asked for: scoring does not wait for
/// them.
final class ScoresBox: Sendable {
    let box: EngineBox
    let scores: [Score]
    let warnings: [CText]
    /// Why a transaction has no score, by its index.
    let failures: [Int: (code: StatusCode, text: CText)]
    /// By transaction.
    private let reasons: Published<Texts>

    private final class Texts: Sendable {
        let texts: [CText]

        init(_ texts: [String]) { self.texts = texts.map { CText($0) } }
    }

    init(_ scores: [Score], _ box: EngineBox, alarms: [DataAlarm] = [], failures: [Int: CoveyError] = [:]) {
        self.scores = scores
        self.failures = failures.mapValues { ($0.code, CText($0.message)) }
        warnings = alarms.map { CText($0.text) }
        self.box = box
        reasons = Published(count: scores.count)
    }

    func reasonCount(_ transaction: Int) -> Int {
        failures[transaction] == nil ? standardArithmetic { box.engine.reasonCount(scores[transaction]) } : 0
    }

    func reason(_ transaction: Int, _ index: Int) -> UnsafePointer<CChar> {
        let made = reasons.object(transaction) { Texts(standardArithmetic { box.engine.reasons(scores[transaction]) }) }
        return made.texts[index].pointer
    }
}

@c @implementation
public func covey_engine_build(
    _ context: OpaquePointer?, _ parts: UnsafePointer<covey_engine_parts>?,
    _ engine: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    engine?.pointee = nil
    return boundary(error) {
        let engine = try required(engine, "engine")
        let given = try Versioned.read(try required(parts, "parts"), "parts", defaults: covey_engine_parts())
        let execution = execution(context)
        let parts = EngineParts(
            encoder: given.encoder.map { Handle.object($0, as: Encoder.self) },
            hybrid: try Handle.required(given.hybrid, "parts.hybrid", as: HybridBox.self).hybrid,
            clustering: try Handle.required(given.clustering, "parts.clustering", as: Clustering.self),
            risk: try Handle.required(given.risk, "parts.risk", as: RiskBox.self).risk,
            ruleSets: try clusterRules(given, execution))
        let built = try Engine(parts, execution: execution)
        try parts.validateRisk()
        engine.pointee = Handle.retain(EngineBox(built))
    }
}

private func clusterRules(_ given: covey_engine_parts, _ execution: Execution) throws -> [ClusterRules] {
    let total = try count(given.rule_count, "parts.rule_count", in: 0...Int64(EngineParts.largestRuleSets))
    if total == 0 { return [] }
    let handles = try required(given.rules, "parts.rules")
    let clusters = try required(given.rule_clusters, "parts.rule_clusters")
    return try (0..<total).map { index in
        let box = try Handle.required(handles[index], "parts.rules[\(index)]", as: RulesBox.self)
        try execution.report()
        return try ClusterRules(cluster: Int(clusters[index]), rules: box.set, execution)
    }
}

@c @implementation
public func covey_engine_load(
    _ context: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ engine: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    engine?.pointee = nil
    return boundary(error) {
        let engine = try required(engine, "engine")
        engine.pointee = Handle.retain(
            EngineBox(try Engine(path: CoveyABI.path(path), execution: execution(context))))
    }
}

@c @implementation
public func covey_engine_save(
    _ engine: OpaquePointer?, _ context: OpaquePointer?, _ path: UnsafePointer<CChar>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let engine = try Handle.required(engine, "engine", as: EngineBox.self).engine
        try engine.save(to: CoveyABI.path(path), execution: execution(context))
    }
}

@c @implementation
public func covey_engine_destroy(_ engine: OpaquePointer?) {
    Handle.release(engine, as: EngineBox.self)
}

@c @implementation
public func covey_engine_encoder(_ engine: OpaquePointer?) -> OpaquePointer! {
    guard let engine, let encoder = Handle.object(engine, as: EngineBox.self).engine.parts.encoder else { return nil }
    return Handle.borrow(encoder)
}

@c @implementation
public func covey_engine_feature_count(_ engine: OpaquePointer?) -> Int64 {
    guard let engine else { return 0 }
    return Int64(Handle.object(engine, as: EngineBox.self).featureNames.count)
}

@c @implementation
public func covey_engine_feature_name(_ engine: OpaquePointer?, _ feature: Int64) -> UnsafePointer<CChar>! {
    guard let engine else { return nil }
    return element(Handle.object(engine, as: EngineBox.self).featureNames, feature)?.pointer
}

@c @implementation
public func covey_engine_feature_kind(_ engine: OpaquePointer?, _ feature: Int64) -> Int32 {
    guard let engine else { return -1 }
    return element(Handle.object(engine, as: EngineBox.self).engine.features, feature)?.kind.rawValue ?? -1
}

/// An element of the caller's number; nil outside.
func element<Element>(_ elements: [Element], _ index: Int64) -> Element? {
    index >= 0 && index < Int64(elements.count) ? elements[Int(index)] : nil
}

// MARK: - Scores

@c @implementation
public func covey_engine_score(
    _ engine: OpaquePointer?, _ context: OpaquePointer?, _ sequences: UnsafePointer<covey_sequences>?,
    _ features: UnsafePointer<covey_table>?, _ scores: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    covey_engine_score_with(engine, context, sequences, features, nil, scores, error)
}

@c @implementation
public func covey_engine_score_with(
    _ engine: OpaquePointer?, _ context: OpaquePointer?, _ sequences: UnsafePointer<covey_sequences>?,
    _ features: UnsafePointer<covey_table>?, _ options: UnsafePointer<covey_score_options>?,
    _ scores: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    scores?.pointee = nil
    return boundary(error) {
        let scores = try required(scores, "scores")
        let box = try Handle.required(engine, "engine", as: EngineBox.self)
        let (options, seconds) = try scoreOptions(options)
        let execution = execution(context, seconds: seconds)
        let batch = try sequences.map { try sequenceBatch($0, "sequences", execution) }
        let table = try features.map { try featureTable($0, "features", execution) }
        let found = try box.engine.score(batch, table, options, execution: execution)
        let alarms = try box.engine.alarms(batch, execution: execution)
        scores.pointee = Handle.retain(ScoresBox(found.scores, box, alarms: alarms, failures: found.failures))
    }
}

func scoreOptions(
    _ pointer: UnsafePointer<covey_score_options>?
) throws -> (options: ScoreOptions, seconds: Double?) {
    var options = ScoreOptions()
    guard let pointer else { return (options, nil) }
    let given = try Versioned.read(pointer, "options", defaults: covey_score_options())
    try require(
        given.bad_rows == COVEY_BAD_ROWS_FAIL || given.bad_rows == COVEY_BAD_ROWS_STATUS,
        "options.bad_rows must be COVEY_BAD_ROWS_FAIL or COVEY_BAD_ROWS_STATUS, got \(given.bad_rows)")
    options.keepsGoing = given.bad_rows == COVEY_BAD_ROWS_STATUS
    try require(given.reserved == 0, "options.reserved must be 0, got \(given.reserved)")
    let most = try count(given.max_events, "options.max_events", in: 0...Int64(Int32.max))
    options.mostEvents = most == 0 ? nil : most
    try require(
        given.seconds >= 0 && given.seconds <= 1e9, "options.seconds must be 0 to 1e9, got \(given.seconds)")
    return (options, given.seconds == 0 ? nil : given.seconds)
}

@c @implementation
public func covey_scores_status(_ scores: OpaquePointer?, _ transaction: Int64) -> covey_status {
    guard let scores else { return StatusCode.invalidArgument.rawValue }
    let object = Handle.object(scores, as: ScoresBox.self)
    guard element(object.scores, transaction) != nil else { return StatusCode.invalidArgument.rawValue }
    return (object.failures[Int(transaction)]?.code ?? .ok).rawValue
}

@c @implementation
public func covey_scores_message(_ scores: OpaquePointer?, _ transaction: Int64) -> UnsafePointer<CChar>! {
    guard let scores else { return nil }
    let object = Handle.object(scores, as: ScoresBox.self)
    guard element(object.scores, transaction) != nil else { return nil }
    return object.failures[Int(transaction)]?.text.pointer
}

@c @implementation
public func covey_scores_warning(_ scores: OpaquePointer?, _ index: Int64) -> UnsafePointer<CChar>! {
    guard let scores else { return nil }
    return element(Handle.object(scores, as: ScoresBox.self).warnings, index)?.pointer
}

@c @implementation
public func covey_scores_count(_ scores: OpaquePointer?) -> Int64 {
    guard let scores else { return 0 }
    return Int64(Handle.object(scores, as: ScoresBox.self).scores.count)
}

@c @implementation
public func covey_scores_get(
    _ scores: OpaquePointer?, _ transaction: Int64, _ score: UnsafeMutablePointer<covey_score>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let object = try Handle.required(scores, "scores", as: ScoresBox.self)
        guard let found = element(object.scores, transaction) else {
            throw CoveyError.invalidArgument(
                "transaction must be 0 to \(object.scores.count - 1), got \(transaction)")
        }
        let reasons = object.reasonCount(Int(transaction))
        try Versioned.write(covey_score(found, reasons: reasons), to: score, "score")
    }
}

extension covey_score {
    init(_ score: Score, reasons: Int) {
        self.init()
        cluster = Int64(score.cluster)
        strength = score.strength
        risk = score.risk
        rule_count = Int64(score.rules.count)
        reason_count = Int64(reasons)
        risky = score.isRisky ? 1 : 0
        group = -1
        guard let found = score.evidence else { return }
        has_evidence = 1
        evidence = (found[.tree], found[.neighbours], found[.features], found[.events], found[.joint])
        group = Int64(found.group)
    }
}

@c @implementation
public func covey_scores_rule(
    _ scores: OpaquePointer?, _ transaction: Int64, _ index: Int64
) -> UnsafePointer<CChar>! {
    guard let scores else { return nil }
    let object = Handle.object(scores, as: ScoresBox.self)
    guard let score = element(object.scores, transaction), let fired = element(score.rules, index) else { return nil }
    return object.box.sentence(fired)
}

@c @implementation
public func covey_scores_rule_cluster(_ scores: OpaquePointer?, _ transaction: Int64, _ index: Int64) -> Int64 {
    guard let scores else { return -1 }
    let object = Handle.object(scores, as: ScoresBox.self)
    guard let score = element(object.scores, transaction), let fired = element(score.rules, index) else { return -1 }
    return Int64(object.box.engine.parts.ruleSets[fired.set].cluster)
}

@c @implementation
public func covey_scores_reason(
    _ scores: OpaquePointer?, _ transaction: Int64, _ index: Int64
) -> UnsafePointer<CChar>! {
    guard let scores else { return nil }
    let object = Handle.object(scores, as: ScoresBox.self)
    guard element(object.scores, transaction) != nil, index >= 0,
        index < Int64(object.reasonCount(Int(transaction)))
    else { return nil }
    return object.reason(Int(transaction), Int(index))
}

@c @implementation
public func covey_scores_destroy(_ scores: OpaquePointer?) {
    Handle.release(scores, as: ScoresBox.self)
}
