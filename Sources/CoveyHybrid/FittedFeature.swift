import CoveyRuntime
import CoveyTables

/// What becomes of missing values. Raw values are those of the header.
public enum MissingValues: Int32, Sendable {
    /// Refused.
    case reject = 0
    /// The fitted column's median.
    case median = 1
    /// The median, and a 0/1 column for each feature that had a missing value in fitting.
    case indicator = 2
}

/// A feature column as fitting found it, and what it becomes in a hybrid row: one number, or one for each category;
/// then, if asked, whether the value is missing.
struct FittedFeature: Sendable, Equatable {
    let name: String
    let kind: FeatureColumn.Kind
    /// Numeric columns only; of the others it changes nothing.
    let scaling: ColumnScaling
    /// What stands for a missing number or boolean.
    let median: Double
    /// The categories that occurred in fitting.
    let categories: [String]
    let hasIndicator: Bool
    /// The feature's weight in the row.
    let factor: Double
    private let positions: [ExactName: Int]

    /// Two rows of different categories lie at distance 1, before weights.
    private static let categoryValue = 0.5.squareRoot()
    private static let unscaled = ColumnScaling(halfCentre: 0, halfScale: 0.5)

    init(
        name: String, kind: FeatureColumn.Kind, scaling: ColumnScaling, median: Double, categories: [String],
        hasIndicator: Bool, factor: Double
    ) {
        self.name = name
        self.kind = kind
        self.scaling = scaling
        self.median = median
        self.categories = categories
        self.hasIndicator = hasIndicator
        self.factor = factor
        positions = Dictionary(
            zip(categories.map { ExactName($0) }, categories.indices), uniquingKeysWith: { first, _ in first })
    }

    init(
        fitting column: FeatureColumn, scaling: FeatureScaling, missing: MissingValues, factor: Double,
        execution: Execution
    ) throws {
        let name = column.name
        var fitted = FittedFeature.unscaled
        var median = 0.0
        var occurring: [String] = []
        let absent: Int
        switch column.values {
        case .date: throw FittedFeature.refused(name)
        case .numeric(let values):
            let summary = try ColumnSummary(values, name: name, execution: execution)
            fitted = try ColumnScaling(scaling, summary, values, execution)
            median = summary.halfMedian * 2
            absent = summary.missing
        case .boolean(let values):
            let counts = try FittedFeature.countBooleans(values, name, execution)
            let present = counts[0] + counts[1]
            func value(_ rank: Int) -> Double { rank < counts[0] ? 0 : 1 }
            if present > 0 { median = (value((present - 1) / 2) + value(present / 2)) / 2 }
            absent = values.count - present
        case .categorical(let codes, let categories):
            let (found, missing) = try FittedFeature.findCategories(codes, categories, name, execution)
            // Three arrays that grow, of which two stay, and a dictionary.
            let count = found.reduce(0) { $1 ? $0 + 1 : $0 }
            try execution.hold(FittedFeature.bytes(categories: count), for: "categories of \(quoted: name)")
            try execution.reserve(count, of: 128, for: "categories of \(quoted: name)")
            occurring = zip(categories, found).filter(\.1).map(\.0)
            absent = missing
        }
        if absent > 0, missing == .reject {
            throw CoveyError.invalidData(
                "column \(quoted: name) has \(absent) missing values, which options.missing rejects")
        }
        self.init(
            name: name, kind: column.values.kind, scaling: fitted, median: median, categories: occurring,
            hasIndicator: missing == .indicator && absent > 0, factor: factor)
    }

    /// What the categories take beside their strings: an array of them and a dictionary.
    static func bytes(categories count: Int) -> Int {
        let entry = MemoryLayout<(ExactName, Int)>.stride
        return count == 0 ? 0 : 2 * count * MemoryLayout<String>.stride + HashTableSize.bytes(count, of: entry)
    }

    /// How old it is, or its hour, is for the host to say: the clock that ages count from is not in the table.
    private static func refused(_ name: String) -> CoveyError {
        .unsupported(
            "column \(quoted: name) is a date, which hybrid features do not take: give an age or an hour as a number")
    }

    private static func countBooleans(_ values: Strided<Int8>, _ name: String, _ execution: Execution) throws -> [Int] {
        var counts = [0, 0]
        try execution.forEach(0..<values.count) { row in
            if let value = try boolean(values[row], name, row) { counts[value] += 1 }
        }
        return counts
    }

    private static func findCategories(
        _ codes: Strided<Int32>, _ categories: [String], _ name: String, _ execution: Execution
    ) throws -> (found: [Bool], missing: Int) {
        var found = [Bool](repeating: false, count: categories.count)
        var missing = 0
        try execution.forEach(0..<codes.count) { row in
            if let code = try category(codes[row], of: categories.count, name, row) {
                found[code] = true
            } else {
                missing += 1
            }
        }
        return (found, missing)
    }

    // Each number is read once: the caller's memory may change under a second look.
    @inline(__always)
    private static func boolean(_ value: Int8, _ name: String, _ row: Int) throws -> Int? {
        guard value >= -1 && value <= 1 else {
            throw CoveyError.invalidData("column \(quoted: name), row \(row): must be -1, 0 or 1, got \(value)")
        }
        return value < 0 ? nil : Int(value)
    }

    @inline(__always)
    private static func category(_ code: Int32, of count: Int, _ name: String, _ row: Int) throws -> Int? {
        guard code >= -1 && Int(code) < count else {
            throw CoveyError.invalidData(
                "column \(quoted: name), row \(row): code must be -1 to \(count - 1), got \(code)")
        }
        return code < 0 ? nil : Int(code)
    }

    /// The columns that the feature takes in a hybrid row.
    var outputs: Int { (kind == .categorical ? categories.count : 1) + (hasIndicator ? 1 : 0) }

    /// The bytes of `outputNames`, without that of the indicator.
    var outputNameBytes: Int { categories.reduce(name.utf8.count) { $0 + name.utf8.count + 1 + $1.utf8.count } }

    var outputNames: [String] {
        (kind == .categorical ? categories.map { "\(name)=\($0)" } : [name]) + (hasIndicator ? ["\(name) missing"] : [])
    }

    /// Writes the feature's part of the rows in `range`, the first at `target`, `stride` floats apart.
    func transform(
        _ column: FeatureColumn, rows range: Range<Int>, missing: MissingValues, clip: Double,
        to target: UnsafeMutablePointer<Float>, stride: Int
    ) throws {
        func place(_ value: Double?, _ row: Int) throws {
            if value == nil, missing == .reject {
                throw CoveyError.invalidData(
                    "column \(quoted: name), row \(row): is missing, which the fitted options.missing rejects")
            }
            let output = target + (row - range.lowerBound) * stride
            var number = value ?? median
            if kind == .numeric { number = min(clip, max(-clip, scaling.scaled(number))) }
            output[0] = held(number * factor)
            if hasIndicator { output[1] = value == nil ? held(factor) : 0 }
        }
        switch column.values {
        case .date: throw FittedFeature.refused(name)
        case .numeric(let values):
            for row in range {
                let value = values[row]
                if value.isInfinite {
                    throw CoveyError.invalidData(
                        "column \(quoted: name), row \(row): must not be infinite, got \(value)")
                }
                try place(value.isNaN ? nil : value, row)
            }
        case .boolean(let values):
            for row in range { try place(FittedFeature.boolean(values[row], name, row).map(Double.init), row) }
        case .categorical(let codes, let names):
            try transform(codes, names, rows: range, missing: missing, to: target, stride: stride)
        }
    }

    private func transform(
        _ codes: Strided<Int32>, _ names: [String], rows range: Range<Int>, missing: MissingValues,
        to target: UnsafeMutablePointer<Float>, stride: Int
    ) throws {
        let value = held(FittedFeature.categoryValue * factor)
        // A long range looks every name up once; a short one only those that it meets.
        let known = range.count > names.count ? names.map { positions[ExactName($0)] } : nil
        for row in range {
            let output = target + (row - range.lowerBound) * stride
            output.update(repeating: 0, count: outputs)
            if let code = try FittedFeature.category(codes[row], of: names.count, name, row) {
                if let position = known.map({ $0[code] }) ?? positions[ExactName(names[code])] {
                    output[position] = value
                }
            } else if missing == .reject {
                throw CoveyError.invalidData(
                    "column \(quoted: name), row \(row): is missing, which the fitted options.missing rejects")
            } else if hasIndicator {
                output[categories.count] = value
            }
        }
    }
}
