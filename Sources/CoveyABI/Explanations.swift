import CCovey
import CoveyEngine
import CoveyRuntime

// Section 11 of covey.h: explanations.

/// Explanations as the caller holds them.
final class ExplanationsBox: Sendable {
    let explanations: [Explanation]
    let explained: ExplainOptions.Explained

    init(_ explanations: [Explanation], _ explained: ExplainOptions.Explained) {
        self.explanations = explanations
        self.explained = explained
    }

    func explanation(_ transaction: Int64) throws -> Explanation {
        guard let found = element(explanations, transaction) else {
            throw CoveyError.invalidArgument(
                "transaction must be 0 to \(explanations.count - 1), got \(transaction)")
        }
        return found
    }
}

private func explainOptions(_ pointer: UnsafePointer<covey_explain_options>?) throws -> ExplainOptions {
    var options = ExplainOptions()
    guard let pointer else { return options }
    let given = try Versioned.read(pointer, "options", defaults: covey_explain_options())
    guard let explained = ExplainOptions.Explained(rawValue: given.explained) else {
        throw CoveyError.invalidArgument("options.explained must be a COVEY_EXPLAINED_..., got \(given.explained)")
    }
    guard let method = ExplainOptions.Method(rawValue: given.method) else {
        throw CoveyError.invalidArgument("options.method must be a COVEY_ATTRIBUTION_..., got \(given.method)")
    }
    options.explained = explained
    options.method = method
    options.cluster = Int(given.cluster)
    options.largestParts = Int(given.largest_parts)
    options.permutations = Int(given.permutations)
    options.largestSteps = Int(given.largest_steps)
    options.seed = given.seed
    options.explainsFeatures = try flag(given.features, "options.features")
    options.measuresFaithfulness = try flag(given.faithfulness, "options.faithfulness")
    options.measuresSensitivity = try flag(given.sensitivity, "options.sensitivity")
    return options
}

@c @implementation
public func covey_engine_explain(
    _ engine: OpaquePointer?, _ context: OpaquePointer?, _ sequences: UnsafePointer<covey_sequences>?,
    _ features: UnsafePointer<covey_table>?, _ options: UnsafePointer<covey_explain_options>?,
    _ explanations: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    explanations?.pointee = nil
    return boundary(error) {
        let explanations = try required(explanations, "explanations")
        let engine = try Handle.required(engine, "engine", as: EngineBox.self).engine
        let execution = execution(context)
        let options = try explainOptions(options)
        let found = try engine.explain(
            sequences.map { try sequenceBatch($0, "sequences", execution) },
            features.map { try featureTable($0, "features", execution) }, options: options, execution: execution)
        explanations.pointee = Handle.retain(ExplanationsBox(found, options.explained))
    }
}

@c @implementation
public func covey_explanations_count(_ explanations: OpaquePointer?) -> Int64 {
    guard let explanations else { return 0 }
    return Int64(Handle.object(explanations, as: ExplanationsBox.self).explanations.count)
}

@c @implementation
public func covey_explanations_get(
    _ explanations: OpaquePointer?, _ transaction: Int64, _ explanation: UnsafeMutablePointer<covey_explanation>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let box = try Handle.required(explanations, "explanations", as: ExplanationsBox.self)
        let found = try box.explanation(transaction)
        var result = covey_explanation()
        result.cluster = Int64(found.cluster)
        result.exemplar = Int64(found.exemplar)
        result.value = found.value
        result.base = found.base
        result.residual = found.residual
        result.events = Int64(found.parts.events)
        result.parts = Int64(found.parts.count)
        result.features = Int64(found.features.count)
        result.steps = Int64(found.steps)
        result.comprehensiveness = found.faithfulness.comprehensiveness
        result.sufficiency = found.faithfulness.sufficiency
        result.difference = found.faithfulness.difference
        result.preservation = found.faithfulness.preservation
        result.infidelity = found.faithfulness.infidelity
        result.sensitivity = found.faithfulness.sensitivity
        result.method = found.method.rawValue
        result.explained = box.explained.rawValue
        try Versioned.write(result, to: explanation, "explanation")
    }
}

@c @implementation
public func covey_explanations_events(
    _ explanations: OpaquePointer?, _ transaction: Int64, _ attributions: UnsafeMutablePointer<Double>?,
    _ errors: UnsafeMutablePointer<Double>?, _ capacity: Int64, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let found = try Handle.required(explanations, "explanations", as: ExplanationsBox.self)
            .explanation(transaction)
        let target = try output(attributions, "attributions", capacity: capacity, count: found.parts.events)
        for event in target.indices { target[event] = found.attribution(ofEvent: event) }
        guard let errors else { return }
        for event in target.indices { errors[event] = found.standardError(ofEvent: event) }
    }
}

@c @implementation
public func covey_explanations_features(
    _ explanations: OpaquePointer?, _ transaction: Int64, _ attributions: UnsafeMutablePointer<Double>?,
    _ capacity: Int64, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let found = try Handle.required(explanations, "explanations", as: ExplanationsBox.self)
            .explanation(transaction)
        let target = try output(attributions, "attributions", capacity: capacity, count: found.features.count)
        for feature in target.indices { target[feature] = found.features[feature] }
    }
}

@c @implementation
public func covey_explanations_destroy(_ explanations: OpaquePointer?) {
    Handle.release(explanations, as: ExplanationsBox.self)
}
