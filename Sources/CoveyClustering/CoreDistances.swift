/// Each row's distance to its k-th nearest neighbour, the row itself not counted (Campello, Moulavi, Sander 2013):
/// small where rows lie densely.
public struct CoreDistances: Sendable, Equatable {
    /// `min_samples`, at least 1.
    public let k: Int
    /// One distance a row used, in the metric's own unit, not divided by alpha; not negative.
    public let values: [Double]
    /// Likewise to the neighbour before, k - 1; 0 for a `k` of 1. Prediction uses these, as hdbscan does.
    public let before: [Double]

    public init(k: Int, values: [Double], before: [Double]) {
        self.k = k
        self.values = values
        self.before = before
    }
}
