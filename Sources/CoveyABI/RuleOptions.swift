import CCovey
import CoveyRules
import CoveyRuntime

/// covey_rules_options as the search takes them.
func searchOptions(_ pointer: UnsafePointer<covey_rules_options>?, rows: Int) throws -> RuleSearchOptions {
    var result = RuleSearchOptions()
    guard let pointer else { return result }
    var defaults = covey_rules_options()
    defaults.max_conditions = Int64(result.maxConditions)
    defaults.max_rules = Int64(result.maxRules)
    defaults.min_support = Int64(result.minSupport)
    defaults.min_precision = result.minPrecision
    defaults.min_lift = result.minLift
    defaults.max_bins = Int64(result.maxBins)
    defaults.beam_width = Int64(result.beamWidth)
    defaults.held_out = result.heldOut
    defaults.confidence = result.confidence
    // Fields that came later are 0 in an older struct.
    let options = try Versioned.read(
        pointer, "options", defaults: defaults, firstSize: MemoryLayout<covey_rules_options>.offset(of: \.weights)!)
    result.maxConditions = Int(options.max_conditions)
    result.maxRules = Int(options.max_rules)
    result.minSupport = Int(options.min_support)
    result.minPrecision = options.min_precision
    result.minLift = options.min_lift
    result.maxBins = Int(options.max_bins)
    result.beamWidth = Int(options.beam_width)
    result.heldOut = options.held_out
    result.confidence = options.confidence
    result.times = try options.times.map { try strided($0, "options.times", count: rows) }
    result.seed = options.seed
    if let name = options.target_name { result.targetName = try string(name, "options.target_name") }
    result.weights = try options.weights.map { try strided($0, "options.weights", count: rows) }
    result.amounts = try options.amounts.map { try strided($0, "options.amounts", count: rows) }
    guard let quality = RuleQuality(rawValue: options.quality) else {
        throw CoveyError.invalidArgument("options.quality must be a COVEY_QUALITY_, got \(options.quality)")
    }
    result.quality = quality
    try require(options.reserved == 0, "options.reserved must be 0, got \(options.reserved)")
    if options.beta != 0 { result.beta = options.beta }
    let features = try count(options.feature_count, "options.feature_count", in: 0...largestColumns)
    result.features = try versionedArray(
        options.features, features, "options.features", defaults: covey_rule_feature(), policy)
    let pinned = try count(options.pinned_count, "options.pinned_count", in: 0...8)
    // Before the array is read: its length is what may be wrong.
    try require(
        pinned <= max(1, result.maxConditions),
        "options.pinned_count must be 0 to max_conditions (\(result.maxConditions)), got \(pinned)")
    result.pinned = try versionedArray(
        options.pinned, pinned, "options.pinned", defaults: covey_condition(),
        firstSize: MemoryLayout<covey_condition>.offset(of: \.derived)!, condition)
    result.given = options.given.map { Handle.object($0, as: RulesBox.self).set }
    result.rounding = options.rounding
    result.significance = options.significance
    // The search checks the ranges; a number that Int32 does not hold is out of all of them.
    result.permutations = Int(options.permutations)
    result.resamples = Int(options.resamples)
    result.minStability = options.min_stability
    return result
}

/// The elements of an array of versioned structs, which lie as far apart as the first says that it is large.
private func versionedArray<Struct: BitwiseCopyable, Element>(
    _ pointer: UnsafePointer<Struct>?, _ count: Int, _ name: String, defaults: Struct,
    firstSize: Int = MemoryLayout<Struct>.size, _ read: (Struct, String) throws -> Element
) throws -> [Element] {
    if count == 0 { return [] }
    let base = UnsafeRawPointer(try required(pointer, name))
    let size = base.load(as: UInt.self)
    return try (0..<count).map { index in
        let field = "\(name)[\(index)]"
        let element = (base + index * Int(min(size, 4096))).assumingMemoryBound(to: Struct.self)
        // Before it is read: the memory of an element is as large as the first says.
        let own = UnsafeRawPointer(element).load(as: UInt.self)
        try require(own == size, "\(field).struct_size must be the same in all elements, \(size), got \(own)")
        let value = try Versioned.read(element, field, defaults: defaults, firstSize: firstSize)
        return try read(value, field)
    }
}

private func policy(_ feature: covey_rule_feature, _ field: String) throws -> FeaturePolicy {
    guard let use = FeaturePolicy.Use(rawValue: feature.use) else {
        throw CoveyError.invalidArgument("\(field).use must be a COVEY_FEATURE_, got \(feature.use)")
    }
    guard let direction = Direction(rawValue: feature.direction) else {
        throw CoveyError.invalidArgument("\(field).direction must be a COVEY_DIRECTION_, got \(feature.direction)")
    }
    return FeaturePolicy(feature: try string(feature.feature, "\(field).feature"), use: use, direction: direction)
}

private func condition(_ condition: covey_condition, _ field: String) throws -> Condition {
    let feature = try string(condition.feature, "\(field).feature")
    try require(condition.reserved == 0, "\(field).reserved must be 0, got \(condition.reserved)")
    func categories() throws -> [String] {
        let total = try count(condition.category_count, "\(field).category_count", in: 0...Int64(Int32.max))
        if total == 0 { return [] }
        let names = try required(condition.categories, "\(field).categories")
        return try (0..<total).map { try string(names[$0], "\(field).categories[\($0)]") }
    }
    let test: Condition.Test
    switch condition.kind {
    case COVEY_CONDITION_INTERVAL: test = .interval(low: condition.low, high: condition.high)
    case COVEY_CONDITION_IN: test = .isIn(try categories())
    case COVEY_CONDITION_NOT_IN: test = .isNotIn(try categories())
    case COVEY_CONDITION_TRUE: test = .isTrue
    case COVEY_CONDITION_FALSE: test = .isFalse
    case COVEY_CONDITION_MISSING: test = .isMissing
    case COVEY_CONDITION_PRESENT: test = .isPresent
    default: throw CoveyError.invalidArgument("\(field).kind must be a COVEY_CONDITION_, got \(condition.kind)")
    }
    return Condition(feature: feature, test: test)
}
