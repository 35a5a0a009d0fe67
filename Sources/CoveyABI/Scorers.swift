import CCovey
import CoveyEngine
import CoveyRuntime
import Glibc
import Synchronization

// Section 11 of covey.h: one transaction after another in memory that is used again.

/// A scorer as the caller holds it.
private final class ScorerBox: @unchecked Sendable {
    let box: EngineBox
    let scorer: Scorer
    var channels = ChannelRoom()
    private let isUsed = Atomic<Bool>(false)

    init(_ box: EngineBox, _ context: Context) throws {
        self.box = box
        scorer = try Scorer(box.engine, context)
    }

    /// Runs `body` for one thread at a time: a second one gets an error, and finds no memory in disorder.
    @inline(__always)
    func use(_ body: () throws -> Void) throws {
        guard !isUsed.exchange(true, ordering: .acquiring) else {
            throw CoveyError.invalidArgument("scorer: two threads must not use one at once")
        }
        defer { isUsed.store(false, ordering: .releasing) }
        try body()
    }

    static func required(_ scorer: OpaquePointer?) throws -> ScorerBox {
        try Handle.required(scorer, "scorer", as: ScorerBox.self)
    }
}

@c @implementation
public func covey_engine_feature_index(_ engine: OpaquePointer?, _ name: UnsafePointer<CChar>?) -> Int64 {
    guard let engine, let name else { return -1 }
    let names = Handle.object(engine, as: EngineBox.self).featureNames
    return names.firstIndex { strcmp($0.pointer, name) == 0 }.map { Int64($0) } ?? -1
}

@c @implementation
public func covey_scorer_create(
    _ engine: OpaquePointer?, _ context: OpaquePointer?, _ scorer: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    scorer?.pointee = nil
    return boundary(error) {
        let scorer = try required(scorer, "scorer")
        let box = try Handle.required(engine, "engine", as: EngineBox.self)
        let context = context.map { Handle.object($0, as: Context.self) } ?? .standard
        scorer.pointee = Handle.retain(try ScorerBox(box, context))
    }
}

@c @implementation
public func covey_scorer_clear(
    _ scorer: OpaquePointer?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let object = try ScorerBox.required(scorer)
        try object.use { object.scorer.clear() }
    }
}

@c @implementation
public func covey_scorer_set_number(
    _ scorer: OpaquePointer?, _ feature: Int64, _ value: Double, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let object = try ScorerBox.required(scorer)
        try object.use { try object.scorer.set(Int(feature), number: value) }
    }
}

@c @implementation
public func covey_scorer_set_category(
    _ scorer: OpaquePointer?, _ feature: Int64, _ category: UnsafePointer<CChar>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let object = try ScorerBox.required(scorer)
        let bytes = category.map { text in
            UnsafeRawBufferPointer(start: text, count: strlen(text)).assumingMemoryBound(to: UInt8.self)
        }
        try object.use { try object.scorer.set(Int(feature), category: bytes) }
    }
}

@c @implementation
public func covey_scorer_score(
    _ scorer: OpaquePointer?, _ sequences: UnsafePointer<covey_sequences>?,
    _ options: UnsafePointer<covey_score_options>?, _ score: UnsafeMutablePointer<covey_score>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let object = try ScorerBox.required(scorer)
        let target = try required(score, "score")
        let (options, seconds) = try scoreOptions(options)
        try object.use {
            let found = try object.scorer.score(options, seconds: seconds) { execution in
                try sequences.map { try sequenceBatch($0, "sequences", &object.channels, execution) }
            }
            let reasons = object.box.engine.reasonCount(found)
            try Versioned.write(covey_score(found, reasons: reasons), to: target, "score")
        }
    }
}

@c @implementation
public func covey_scorer_scores(
    _ scorer: OpaquePointer?, _ scores: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    scores?.pointee = nil
    return boundary(error) {
        let scores = try required(scores, "scores")
        let object = try ScorerBox.required(scorer)
        try object.use {
            guard let score = object.scorer.score else {
                throw CoveyError.invalidArgument("scorer: it has no score yet, or the last one failed")
            }
            scores.pointee = Handle.retain(ScoresBox([score], object.box))
        }
    }
}

@c @implementation
public func covey_scorer_destroy(_ scorer: OpaquePointer?) {
    Handle.release(scorer, as: ScorerBox.self)
}
