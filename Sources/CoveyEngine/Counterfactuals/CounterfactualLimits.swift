import CoveyRuntime
import CoveyTables

/// The limits of a caller, by feature of the engine.
struct CounterfactualLimits {
    private let limits: [CounterfactualOptions.Limit]

    /// Throws `mismatch` for a feature that the engine does not have, `invalidArgument` for a limit that does not suit
    /// its kind.
    init(_ options: CounterfactualOptions, _ engine: Engine) throws {
        var own: [ExactName: CounterfactualOptions.Limit] = [:]
        for limit in options.limits { own[ExactName(limit.name)] = limit }
        limits = try engine.features.map { feature in
            guard let limit = own.removeValue(forKey: ExactName(feature.name)) else {
                var limit = CounterfactualOptions.Limit(name: feature.name)
                limit.isImmutable = options.isElseImmutable || feature.kind == .date
                return limit
            }
            try limit.check(feature.kind)
            return limit
        }
        for limit in options.limits where own[ExactName(limit.name)] != nil {
            throw CoveyError.mismatch(
                "options.limits: the engine has no feature \(PlainText.name(limit.name))")
        }
    }

    /// The features that may be changed. `given` learns the names of new categories.
    func features(
        _ given: inout GivenTransaction, _ known: KnownRows, _ engine: Engine, _ options: CounterfactualOptions
    ) throws -> [ChangeableFeature] {
        let open = max(1, limits.count { !$0.isImmutable })
        // Single changes may use half of the evaluations. A numeric feature has three lists of candidates.
        let count = min(64, max(4, options.largestEvaluations / (6 * open)))
        let changes = FeatureChanges(known, engine.parts, count: count)
        return try given.values.indices.compactMap { index in
            let (value, limit) = (given.values[index], limits[index])
            if limit.isImmutable { return nil }
            switch value.feature.kind {
            case .date: return nil
            case .numeric: return try changes.numeric(value, index, limit)
            case .boolean: return changes.other(value, index, limit, values: [0, 1])
            case .categorical:
                let values = changes.categories(value.feature.name, limit).map {
                    Double(given.index(of: $0, in: index))
                }
                return changes.other(given.values[index], index, limit, values: values)
            }
        }
    }
}
