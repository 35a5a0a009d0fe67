/// How far two rows are from each other. Raw values are those of `COVEY_METRIC_...`.
public enum Metric: Int32, Sendable, CaseIterable, Codable {
    /// sqrt(sum (a - b)^2).
    case euclidean = 0
    /// sum |a - b|.
    case manhattan = 1
    /// 1 - cosine similarity, 0 to 2. A row of zeros is at distance 1 from every other row.
    case cosine = 2
}
