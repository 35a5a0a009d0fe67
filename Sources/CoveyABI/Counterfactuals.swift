import CCovey
import CoveyEngine
import CoveyRuntime
import CoveyTables

// Section 11 of covey.h: counterfactuals.

/// Counterfactuals as the caller holds them: texts stay where C can read them.
final class CounterfactualsBox: Sendable {
    let result: Counterfactuals
    let scores: ScoresBox
    let text: CText
    let texts: [CText]
    /// By answer, then by change.
    let names: [[CText]]
    let fromCategories: [[CText?]]
    let toCategories: [[CText?]]

    init(_ result: Counterfactuals, _ engine: EngineBox) {
        self.result = result
        scores = ScoresBox(result.scores, engine)
        text = CText(result.text)
        texts = result.answers.indices.map { CText(result.text($0)) }
        names = result.answers.map { $0.changes.map { CText($0.feature.name) } }
        fromCategories = result.answers.map { $0.changes.map { $0.fromCategory.map { CText($0) } } }
        toCategories = result.answers.map { $0.changes.map { $0.toCategory.map { CText($0) } } }
    }

    func answer(_ index: Int64) throws -> Counterfactuals.Answer {
        guard let answer = element(result.answers, index) else {
            throw CoveyError.invalidArgument(
                "answer must be at least 0 and below \(result.answers.count), got \(index)")
        }
        return answer
    }
}

@c @implementation
public func covey_counterfactuals_find(
    _ engine: OpaquePointer?, _ context: OpaquePointer?, _ sequences: UnsafePointer<covey_sequences>?,
    _ features: UnsafePointer<covey_table>?, _ options: UnsafePointer<covey_counterfactual_options>?,
    _ result: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    result?.pointee = nil
    return boundary(error) {
        let result = try required(result, "result")
        let box = try Handle.required(engine, "engine", as: EngineBox.self)
        let execution = execution(context)
        let options = try options.map { try counterfactualOptions($0) } ?? CounterfactualOptions()
        let found = try Counterfactuals(
            box.engine, sequences.map { try sequenceBatch($0, "sequences", execution) },
            features.map { try featureTable($0, "features", execution) }, options, execution: execution)
        result.pointee = Handle.retain(CounterfactualsBox(found, box))
    }
}

private func counterfactualOptions(_ pointer: UnsafePointer<covey_counterfactual_options>) throws
    -> CounterfactualOptions
{
    let given = try Versioned.read(pointer, "options", defaults: covey_counterfactual_options())
    var options = CounterfactualOptions()
    let total = try count(given.limit_count, "options.limit_count", in: 0...largestColumns)
    let size = MemoryLayout<covey_change_limit>.size
    try require(
        given.limit_size >= size && given.limit_size <= 4096 && given.limit_size % 8 == 0,
        "options.limit_size must be \(size) to 4096 and a multiple of 8, got \(given.limit_size)")
    if total > 0 {
        let base = UnsafeRawPointer(try required(given.limits, "options.limits"))
        options.limits = try (0..<total).map { index in
            try changeLimit(
                base.loadUnaligned(fromByteOffset: index * Int(given.limit_size), as: covey_change_limit.self),
                "options.limits[\(index)]")
        }
    }
    options.goal = CounterfactualOptions.Goal(rawValue: given.goal)
    options.riskBelow = given.risk_below
    options.answers = try count(given.answers, "options.answers", in: 1...100)
    options.largestChanges = try count(given.max_changes, "options.max_changes", in: 0...Int64(Int32.max))
    options.largestRemoved = try count(given.max_removed, "options.max_removed", in: 0...Int64(Int32.max))
    options.eventCost = given.event_cost
    options.largestEvaluations = try count(given.max_evaluations, "options.max_evaluations", in: 100...1_000_000)
    options.isElseImmutable = try flag(given.others_immutable, "options.others_immutable")
    return options
}

private func changeLimit(_ given: covey_change_limit, _ field: String) throws -> CounterfactualOptions.Limit {
    var limit = CounterfactualOptions.Limit(name: try string(given.name, "\(field).name"))
    try require(given.reserved == 0, "\(field).reserved must be 0, got \(given.reserved)")
    limit.cost = given.cost
    limit.low = try flag(given.has_low, "\(field).has_low") ? given.low : nil
    limit.high = try flag(given.has_high, "\(field).has_high") ? given.high : nil
    limit.isImmutable = try flag(given.immutable, "\(field).immutable")
    let total = try count(given.category_count, "\(field).category_count", in: 0...largestColumns)
    if total > 0 {
        let names = try required(given.categories, "\(field).categories")
        limit.categories = try (0..<total).map { try string(names[$0], "\(field).categories[\($0)]") }
    }
    return limit
}

@c @implementation
public func covey_counterfactuals_outcome(_ result: OpaquePointer?) -> Int32 {
    guard let result else { return 0 }
    return Handle.object(result, as: CounterfactualsBox.self).result.outcome.rawValue
}

@c @implementation
public func covey_counterfactuals_count(_ result: OpaquePointer?) -> Int64 {
    guard let result else { return 0 }
    return Int64(Handle.object(result, as: CounterfactualsBox.self).result.answers.count)
}

@c @implementation
public func covey_counterfactuals_evaluations(_ result: OpaquePointer?) -> Int64 {
    guard let result else { return 0 }
    return Int64(Handle.object(result, as: CounterfactualsBox.self).result.evaluations)
}

@c @implementation
public func covey_counterfactuals_scores(_ result: OpaquePointer?) -> OpaquePointer! {
    guard let result else { return nil }
    return Handle.borrow(Handle.object(result, as: CounterfactualsBox.self).scores)
}

@c @implementation
public func covey_counterfactuals_get(
    _ result: OpaquePointer?, _ answer: Int64, _ counterfactual: UnsafeMutablePointer<covey_counterfactual>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let found = try Handle.required(result, "result", as: CounterfactualsBox.self).answer(answer)
        var written = covey_counterfactual()
        written.cost = found.cost
        written.changes = Int64(found.changes.count)
        written.removed = Int64(found.removed.count)
        try Versioned.write(written, to: counterfactual, "counterfactual")
    }
}

@c @implementation
public func covey_counterfactuals_change(
    _ result: OpaquePointer?, _ answer: Int64, _ index: Int64, _ change: UnsafeMutablePointer<covey_change>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let box = try Handle.required(result, "result", as: CounterfactualsBox.self)
        let changes = try box.answer(answer).changes
        guard let found = element(changes, index) else {
            throw CoveyError.invalidArgument("index must be at least 0 and below \(changes.count), got \(index)")
        }
        let (row, place) = (Int(answer), Int(index))
        var written = covey_change()
        written.name = box.names[row][place].pointer
        written.kind = found.feature.kind.rawValue
        written.old_value = found.from
        written.new_value = found.to
        written.old_category = box.fromCategories[row][place]?.pointer
        written.new_category = box.toCategories[row][place]?.pointer
        written.cost = found.cost
        written.unit = found.unit
        try Versioned.write(written, to: change, "change")
    }
}

@c @implementation
public func covey_counterfactuals_removed(
    _ result: OpaquePointer?, _ answer: Int64, _ events: UnsafeMutablePointer<Int64>?, _ capacity: Int64,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let found = try Handle.required(result, "result", as: CounterfactualsBox.self).answer(answer)
        let target = try output(events, "events", capacity: capacity, count: found.removed.count)
        for (index, event) in found.removed.enumerated() { target[index] = Int64(event) }
    }
}

@c @implementation
public func covey_counterfactuals_text(_ result: OpaquePointer?, _ answer: Int64) -> UnsafePointer<CChar>! {
    guard let result else { return nil }
    let box = Handle.object(result, as: CounterfactualsBox.self)
    return answer == -1 ? box.text.pointer : element(box.texts, answer)?.pointer
}

@c @implementation
public func covey_counterfactuals_destroy(_ result: OpaquePointer?) {
    Handle.release(result, as: CounterfactualsBox.self)
}
