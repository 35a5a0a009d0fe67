/// How neighbours are found. Raw values are those of `COVEY_SEARCH_...`.
public enum SearchMode: Int32, Sendable, CaseIterable {
    /// All true neighbours, at the exact float64 distance.
    case exact = 0
    /// Most of the true neighbours, at the exact float64 distance; euclidean only.
    case approximate = 1
}
