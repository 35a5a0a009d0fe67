extension Rows {
    /// How far rows i and j are from each other, by the metric.
    public func distance(_ i: Int, _ j: Int) -> Double { metric.distance(reduced: reduced(i, j)) }
}
