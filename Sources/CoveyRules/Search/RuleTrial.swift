/// One test of a search: rows whose labels it does not see, and what it describes without them.
public struct RuleTrial: Sendable {
    /// One a row: whether the search of this trial does not see the row, which then tests its rules.
    public let isUnseen: [Bool]
    /// One a row: whether the search takes the row to be of the target. Rows that it does not see do not count.
    public let isDescribed: [Bool]
    /// The share of described rows that a rule must reach.
    public let minPrecision: Double

    public init(isUnseen: [Bool], isDescribed: [Bool], minPrecision: Double) {
        self.isUnseen = isUnseen
        self.isDescribed = isDescribed
        self.minPrecision = minPrecision
    }
}
