extension Rows {
    /// The metric's distance between rows i and j.
    public func distance(_ i: Int, _ j: Int) -> Double { metric.distance(reduced: reduced(i, j)) }
}
