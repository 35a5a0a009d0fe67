import CoveyRuntime
import CoveyTables

/// A number that is worked out of one or two columns of a row, and can stand in a rule like a column.
///
/// Missing where a column of it is missing, and a ratio where its divisor is 0. A result too large for a double is
/// infinite.
public struct DerivedFeature: Sendable, Equatable {
    /// Raw values are those of `covey_condition.derived`.
    public enum Operation: Int32, Sendable {
        /// The hour of a date in UTC, 0 to 24.
        case hour = 1
        /// Days from one date to another.
        case days = 2
        case ratio = 3
        case difference = 4
    }

    public let operation: Operation
    public let first: String
    /// nil for an hour.
    public let second: String?

    public init(hourOf column: String) {
        (operation, first, second) = (.hour, column, nil)
    }

    public init(daysFrom first: String, to second: String) {
        self.init(.days, first, second)
    }

    public init(ratioOf first: String, to second: String) {
        self.init(.ratio, first, second)
    }

    public init(differenceOf first: String, and second: String) {
        self.init(.difference, first, second)
    }

    init(_ operation: Operation, _ first: String, _ second: String?) {
        self.operation = operation
        self.first = first
        self.second = second
    }

    /// "hour of opened", "days from opened to paid", "amount / limit", "amount - limit".
    public var name: String {
        let second = second ?? ""
        return switch operation {
        case .hour: "hour of \(first)"
        case .days: "days from \(first) to \(second)"
        case .ratio: "\(first) / \(second)"
        case .difference: "\(first) - \(second)"
        }
    }

    /// What it is made of.
    public var columns: [RuleFeature] {
        let kind: FeatureColumn.Kind = operation == .hour || operation == .days ? .date : .numeric
        return [first, second].compactMap { $0 }.map { RuleFeature(name: $0, kind: kind) }
    }

    public static func == (left: DerivedFeature, right: DerivedFeature) -> Bool {
        left.operation == right.operation && ExactName(left.first) == ExactName(right.first)
            && left.second.map { ExactName($0) } == right.second.map { ExactName($0) }
    }

    /// Throws where the columns do not suit the operation.
    func validate() throws {
        for column in columns {
            guard !column.name.isEmpty else {
                throw CoveyError.invalidData("the column of \(quoted: name) must have a name")
            }
            guard !column.name.utf8.contains(0) else {
                throw CoveyError.invalidData("the columns of \(quoted: name) must not contain a NUL")
            }
        }
        guard (second == nil) == (operation == .hour) else {
            throw CoveyError.invalidData(
                "\(quoted: name) must be made of \(operation == .hour ? "one column" : "two columns")")
        }
    }
}

extension DerivedFeature.Operation {
    /// The value of a row; NaN = missing.
    @inline(__always)
    func value(_ first: Double, _ second: Double) -> Double {
        switch self {
        case .hour:
            // As in SQL: the remainder is exact, whichever way the day is rounded.
            let rest = first - 86_400 * (first / 86_400).rounded(.towardZero)
            return (rest < 0 ? rest + 86_400 : rest) / 3600
        case .days: return (second - first) / 86_400
        case .ratio: return second == 0 ? .nan : first / second
        case .difference: return first - second
        }
    }
}
