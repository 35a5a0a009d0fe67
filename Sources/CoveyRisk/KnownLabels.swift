import CoveyRuntime
import CoveyTables

/// What is known of fraud, one label a row, and which rows a share of fraud is counted over.
///
/// Labels come late and are a part of the truth. Two situations differ. Where many rows are known to be legitimate,
/// unknown rows say nothing and shares are counted over the labelled rows. Where hardly any row is known to be
/// legitimate, the unknown rows are the only comparison: shares are counted over all rows, and are a lower bound, for
/// some of the unknown rows are fraud (positive and unlabelled data: Elkan and Noto 2008).
public struct KnownLabels: Sendable, Equatable {
    /// The rows that shares are counted over.
    public enum Population: Int32, Sendable, Codable {
        /// `labelled` where at least `enoughLegitimate` of the rows are known to be legitimate, otherwise `all`.
        case automatic = 0
        /// Rows known to be fraud or legitimate.
        case labelled = 1
        /// All rows.
        case all = 2
    }

    /// The share of rows known to be legitimate from which on unknown rows are left out.
    public static let enoughLegitimate = 0.2

    /// -1 unknown, 0 legitimate, 1 fraud.
    public let values: [Int8]
    public let fraud: Int
    public let legitimate: Int
    /// Never `automatic`.
    public let population: Population

    public var count: Int { values.count }
    public var unknown: Int { values.count - fraud - legitimate }
    /// The rows that shares are counted over.
    public var counted: Int { population == .all ? values.count : fraud + legitimate }
    /// The share of known fraud among the counted rows; 0 if there are none.
    public var baseRate: Double { counted == 0 ? 0 : Double(fraud) / Double(counted) }

    /// Throws `invalidData` for a label that is none of -1, 0, 1. O(n).
    public init(_ labels: Strided<Int8>, population: Population = .automatic, execution: Execution) throws {
        var fraud = 0
        var legitimate = 0
        var values: [Int8] = []
        try execution.reserve(labels.count, of: 1, for: "\(labels.count) labels")
        values.reserveCapacity(labels.count)
        try execution.forEach(0..<labels.count) { row in
            let label = labels[row]
            guard label >= -1 && label <= 1 else {
                throw CoveyError.invalidData("fraud[\(row)] must be -1, 0 or 1, got \(label)")
            }
            fraud += label == 1 ? 1 : 0
            legitimate += label == 0 ? 1 : 0
            values.append(label)
        }
        self.init(values: values, fraud: fraud, legitimate: legitimate, population: population)
    }

    private init(values: [Int8], fraud: Int, legitimate: Int, population: Population) {
        self.values = values
        self.fraud = fraud
        self.legitimate = legitimate
        let enough = Double(legitimate) >= KnownLabels.enoughLegitimate * Double(max(1, values.count))
        self.population = population == .automatic ? (enough ? .labelled : .all) : population
    }

    /// The same labels, with shares counted over other rows.
    public func counted(over population: Population) -> KnownLabels {
        KnownLabels(values: values, fraud: fraud, legitimate: legitimate, population: population)
    }

    /// The same labels, of which those of some rows are not known. Shares are counted over the same kind of rows.
    public func hiding(_ rows: [Bool], execution: Execution) throws -> KnownLabels {
        guard rows.count == values.count else {
            throw CoveyError.internalError("\(rows.count) rows to hide, \(values.count) labels")
        }
        return try KnownLabels(
            Strided(values.indices.map { rows[$0] ? -1 : values[$0] }), population: population, execution: execution)
    }

    /// Whether a row is among those that shares are counted over.
    @inline(__always)
    public func isCounted(_ row: Int) -> Bool { population == .all || values[row] >= 0 }

    @inline(__always)
    public func isFraud(_ row: Int) -> Bool { values[row] == 1 }
}
