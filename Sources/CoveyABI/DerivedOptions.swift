import CCovey
import CoveyRules
import CoveyRuntime
import CoveyTables

// Section 10 of covey.h: what a rule search derives from dates and pairs of columns.

func derivedTable(
    _ table: FeatureTable, _ pointer: UnsafePointer<covey_rules_options>?, _ search: RuleSearchOptions,
    _ execution: Execution
) throws -> DerivedTable {
    guard let pointer else { return try DerivedTable(table, options: search, execution: execution) }
    let options = try Versioned.read(
        pointer, "options", defaults: covey_rules_options(),
        firstSize: MemoryLayout<covey_rules_options>.offset(of: \.weights)!)
    let count = try count(options.pair_count, "options.pair_count", in: 0...largestColumns)
    let pairs = try (0..<count).map { index in
        let field = "options.pairs[\(index)]"
        let pair = try required(options.pairs, "options.pairs")[index]
        try require(pair.reserved == 0, "\(field).reserved must be 0, got \(pair.reserved)")
        let (first, second) = (try string(pair.first, "\(field).first"), try string(pair.second, "\(field).second"))
        switch pair.kind {
        case COVEY_DERIVED_RATIO: return DerivedFeature(ratioOf: first, to: second)
        case COVEY_DERIVED_DIFFERENCE: return DerivedFeature(differenceOf: first, and: second)
        default:
            throw CoveyError.invalidArgument(
                "\(field).kind must be COVEY_DERIVED_RATIO or COVEY_DERIVED_DIFFERENCE, got \(pair.kind)")
        }
    }
    return try DerivedTable(
        table, ageTo: options.age_to.map { try string($0, "options.age_to") }, pairs: pairs, options: search,
        execution: execution)
}
