import CCovey
import CoveyFiles
import CoveyRules
import CoveyRuntime
import CoveyTables

// Section 10 of covey.h: rules.

/// The object behind a `covey_rules`: the set, and its sentences where C can read them.
final class RulesBox: @unchecked Sendable {
    let set: RuleSet
    let evaluator: RuleEvaluator
    let rows: RuleRows?
    private let sentences: Published<CText>
    /// By rule, then by condition.
    private let conditions: [Published<ConditionText>]
    private let derived: [ExactName: DerivedFeature]
    let note: CText?

    init(_ set: RuleSet, _ execution: Execution) throws {
        try execution.hold(set.categoryBytes, for: "the categories of rules")
        self.set = set
        note = set.note.map { CText($0) }
        evaluator = try RuleEvaluator(set) { try execution.report() }
        rows = RuleRows(evaluator)
        sentences = Published(count: set.rules.count)
        derived = Dictionary(
            set.features.compactMap { feature in feature.derived.map { (ExactName(feature.name), $0) } },
            uniquingKeysWith: { first, _ in first })
        conditions = set.rules.map { Published(count: $0.conditions.count) }
    }

    /// A rule as a sentence; nil outside.
    func sentence(_ rule: Int64) -> CText? {
        guard rule >= 0, rule < Int64(set.rules.count) else { return nil }
        let rule = Int(rule)
        return sentences.object(rule) { CText(standardArithmetic { Narrative(set).sentence(set.rules[rule]) }) }
    }

    /// A condition as the header's struct shows it.
    final class ConditionText: @unchecked Sendable {
        let feature: CText
        let words: CText
        let derived: DerivedFeature?
        let first: CText?
        let second: CText?
        private let categories: [CText]
        let pointers: UnsafeMutableBufferPointer<UnsafePointer<CChar>?>

        init(_ condition: Condition, _ derived: DerivedFeature?) {
            feature = CText(condition.feature)
            self.derived = derived
            first = derived.map { CText($0.first) }
            second = derived?.second.map { CText($0) }
            words = CText(Narrative.text(condition))
            switch condition.test {
            case .isIn(let names), .isNotIn(let names): categories = names.map { CText($0) }
            default: categories = []
            }
            pointers = .allocate(capacity: categories.count)
            _ = pointers.initialize(from: categories.map(\.pointer))
        }

        deinit { pointers.deallocate() }
    }

    func condition(_ rule: Int64, _ index: Int64) -> (Condition, ConditionText)? {
        guard rule >= 0, rule < Int64(set.rules.count) else { return nil }
        let conditions = set.rules[Int(rule)].conditions
        guard index >= 0, index < Int64(conditions.count) else { return nil }
        let found = conditions[Int(index)]
        return (
            found,
            self.conditions[Int(rule)].object(Int(index)) {
                standardArithmetic { ConditionText(found, derived[ExactName(found.feature)]) }
            }
        )
    }
}

@c @implementation
public func covey_extract_rules(
    _ context: OpaquePointer?, _ features: UnsafePointer<covey_table>?, _ target: UnsafePointer<UInt8>?,
    _ options: UnsafePointer<covey_rules_options>?, _ rules: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    rules?.pointee = nil
    return boundary(error) {
        let rules = try required(rules, "rules")
        let execution = execution(context)
        let table = try featureTable(features, "features", execution)
        let derived = try derivedTable(table, options, searchOptions(options, rows: table.rows), execution)
        let set = try RuleSearch.run(
            derived.table, target: strided(target, "target", count: table.rows), options: derived.options,
            execution: execution)
        rules.pointee = Handle.retain(try RulesBox(derived.restored(set), execution))
    }
}

@c @implementation
public func covey_rules_count(_ rules: OpaquePointer?) -> Int64 {
    guard let rules else { return 0 }
    return Int64(Handle.object(rules, as: RulesBox.self).set.rules.count)
}

@c @implementation
public func covey_rules_tried(_ rules: OpaquePointer?) -> Int64 {
    guard let rules else { return 0 }
    return Int64(Handle.object(rules, as: RulesBox.self).set.tried)
}

@c @implementation
public func covey_rules_fallen(_ rules: OpaquePointer?) -> Int64 {
    guard let rules else { return 0 }
    return Int64(Handle.object(rules, as: RulesBox.self).set.fallen)
}

@c @implementation
public func covey_rules_note(_ rules: OpaquePointer?) -> UnsafePointer<CChar>! {
    guard let rules else { return nil }
    return Handle.object(rules, as: RulesBox.self).note?.pointer
}

@c @implementation
public func covey_rules_get(
    _ rules: OpaquePointer?, _ rule: Int64, _ report: UnsafeMutablePointer<covey_rule_report>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let set = try Handle.required(rules, "rules", as: RulesBox.self).set
        try require(
            rule >= 0 && rule < Int64(set.rules.count),
            "rule must be at least 0 and below \(set.rules.count), got \(rule)")
        try Versioned.write(
            ruleReport(set.rules[Int(rule)], of: set), to: report, "report",
            firstSize: MemoryLayout<covey_rule_report>.offset(of: \.recall_low)!)
    }
}

private func ruleReport(_ found: Rule, of set: RuleSet) -> covey_rule_report {
    let (figures, search) = (set.figures(found), set.searchFigures(found))
    var result = covey_rule_report()
    result.condition_count = Int64(found.conditions.count)
    result.matched = Int64(figures.matched)
    result.support = Int64(figures.support)
    result.precision = figures.precision
    result.precision_low = figures.interval.low
    result.precision_high = figures.interval.high
    result.recall = figures.recall
    result.lift = figures.lift
    result.search_matched = Int64(search.matched)
    result.search_support = Int64(search.support)
    result.search_precision = search.precision
    result.search_recall = search.recall
    result.search_lift = search.lift
    result.recall_low = figures.recallInterval.low
    result.recall_high = figures.recallInterval.high
    result.search_precision_low = search.interval.low
    result.search_precision_high = search.interval.high
    result.search_recall_low = search.recallInterval.low
    result.search_recall_high = search.recallInterval.high
    result.matched_weight = found.unseen.matchedWeight
    result.support_weight = found.unseen.supportWeight
    result.search_matched_weight = found.search.matchedWeight
    result.search_support_weight = found.search.supportWeight
    result.amount = found.unseen.amount
    result.false_amount = found.unseen.falseAmount
    result.search_amount = found.search.amount
    result.search_false_amount = found.search.falseAmount
    result.p_value = found.pValue ?? .nan
    result.search_p_value = found.searchPValue ?? .nan
    result.stability = found.stability ?? .nan
    result.given = found.isGiven ? 1 : 0
    result.measured = set.isMeasured ? 1 : 0
    result.stated_precision = found.statedPrecision ?? .nan
    return result
}

@c @implementation
public func covey_rules_text(_ rules: OpaquePointer?, _ rule: Int64) -> UnsafePointer<CChar>! {
    guard let rules else { return nil }
    return Handle.object(rules, as: RulesBox.self).sentence(rule)?.pointer
}

@c @implementation
public func covey_rules_condition(
    _ rules: OpaquePointer?, _ rule: Int64, _ index: Int64, _ condition: UnsafeMutablePointer<covey_condition>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let box = try Handle.required(rules, "rules", as: RulesBox.self)
        try require(
            rule >= 0 && rule < Int64(box.set.rules.count),
            "rule must be at least 0 and below \(box.set.rules.count), got \(rule)")
        guard let (found, text) = box.condition(rule, index) else {
            throw CoveyError.invalidArgument(
                "index must be at least 0 and below \(box.set.rules[Int(rule)].conditions.count), got \(index)")
        }
        var result = covey_condition()
        result.feature = text.feature.pointer
        switch found.test {
        case .interval(let low, let high):
            result.kind = COVEY_CONDITION_INTERVAL
            result.low = low
            result.high = high
        case .isIn: result.kind = COVEY_CONDITION_IN
        case .isNotIn: result.kind = COVEY_CONDITION_NOT_IN
        case .isTrue: result.kind = COVEY_CONDITION_TRUE
        case .isFalse: result.kind = COVEY_CONDITION_FALSE
        case .isMissing: result.kind = COVEY_CONDITION_MISSING
        case .isPresent: result.kind = COVEY_CONDITION_PRESENT
        }
        if !text.pointers.isEmpty { result.categories = UnsafePointer(text.pointers.baseAddress) }
        result.category_count = Int64(text.pointers.count)
        result.derived = text.derived?.operation.rawValue ?? COVEY_DERIVED_NONE
        result.first = text.first?.pointer
        result.second = text.second?.pointer
        try Versioned.write(
            result, to: condition, "condition", firstSize: MemoryLayout<covey_condition>.offset(of: \.derived)!)
    }
}

@c @implementation
public func covey_rules_condition_text(
    _ rules: OpaquePointer?, _ rule: Int64, _ index: Int64
) -> UnsafePointer<CChar>! {
    guard let rules else { return nil }
    return Handle.object(rules, as: RulesBox.self).condition(rule, index)?.1.words.pointer
}

@c @implementation
public func covey_rules_evaluate(
    _ rules: OpaquePointer?, _ context: OpaquePointer?, _ features: UnsafePointer<covey_table>?,
    _ fired: UnsafeMutablePointer<UInt8>?, _ any: UnsafeMutablePointer<UInt8>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let box = try Handle.required(rules, "rules", as: RulesBox.self)
        if let rows = box.rows, let features, rows.evaluate(features, fired: fired, any: any) { return }
        let evaluator = box.evaluator
        let execution = execution(context)
        let table = try featureTable(features, "features", execution)
        let cells = try checkedProduct(table.rows, evaluator.ruleCount, "fired")
        try evaluator.evaluate(
            table, fired: fired.map { UnsafeMutableBufferPointer(start: $0, count: cells) },
            any: any.map { UnsafeMutableBufferPointer(start: $0, count: table.rows) }, execution: execution)
    }
}

@c @implementation
public func covey_rules_export(
    _ rules: OpaquePointer?, _ context: OpaquePointer?, _ format: Int32,
    _ options: UnsafePointer<covey_export_options>?,
    _ text: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    text?.pointee = nil
    return boundary(error) {
        let set = try Handle.required(rules, "rules", as: RulesBox.self).set
        let text = try required(text, "text")
        guard let format = ExportFormat(rawValue: format) else {
            throw CoveyError.invalidArgument("format must be a COVEY_RULES_ format, got \(format)")
        }
        let execution = execution(context)
        let written = try set.export(format, exportOptions(options), execution: execution)
        text.pointee = Handle.retain(try OwnedBytes(written, execution))
    }
}

private func exportOptions(_ pointer: UnsafePointer<covey_export_options>?) throws -> ExportOptions {
    var result = ExportOptions()
    guard let pointer else { return result }
    let options = try Versioned.read(pointer, "options", defaults: covey_export_options())
    guard let dialect = SQLDialect(rawValue: options.dialect) else {
        throw CoveyError.invalidArgument("options.dialect must be a COVEY_SQL_ dialect, got \(options.dialect)")
    }
    result.dialect = dialect
    result.hasTimestamps = try flag(options.timestamps, "options.timestamps")
    result.timeZone = try options.time_zone.map { try string($0, "options.time_zone") }
    result.table = try options.table.map { try string($0, "options.table") }
    result.schema = try options.schema.map { try string($0, "options.schema") }
    result.catalog = try options.catalog.map { try string($0, "options.catalog") }
    result.name = try options.name.map { try string($0, "options.name") }
    return result
}

@c @implementation
public func covey_rules_parse(
    _ context: OpaquePointer?, _ json: UnsafePointer<CChar>?, _ length: Int64,
    _ rules: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    rules?.pointee = nil
    return boundary(error) {
        let rules = try required(rules, "rules")
        let execution = execution(context)
        let length = try count(length, "length", in: 0...Int64(RuleSet.largestJSON))
        let bytes = UnsafeRawBufferPointer(start: try required(json, "json"), count: length)
        rules.pointee = Handle.retain(try RulesBox(RuleSet(json: bytes, execution), execution))
    }
}

@c @implementation
public func covey_rules_destroy(_ rules: OpaquePointer?) {
    Handle.release(rules, as: RulesBox.self)
}
