/// The distance between two rows. Raw values are those of `COVEY_METRIC_...`.
public enum Metric: Int32, Sendable, CaseIterable {
    /// sqrt(sum (a - b)^2).
    case euclidean = 0
    /// sum |a - b|.
    case manhattan = 1
    /// 1 - cosine similarity, 0 to 2. A row of zeros is at distance 1 from every other row.
    case cosine = 2

    /// Searches compare reduced distances, which grow with the distance and are cheaper. For `euclidean` it is the
    /// squared distance. For `cosine` it is the squared distance of the rows scaled to length 1, which is 2 (1 -
    /// cosine) without cancellation.
    @inline(__always)
    func distance(reduced: Double) -> Double {
        switch self {
        case .euclidean: reduced.squareRoot()
        case .manhattan: reduced
        case .cosine: min(2, reduced * 0.5)
        }
    }

    /// Smaller reduced distances are rounding errors and count as 0. The error for rows scaled to length 1 is about
    /// 2^-104.
    @inline(__always)
    var floor: Double { self == .cosine ? 0x1p-88 : 0 }

    @inline(__always)
    func told(_ reduced: Double) -> Double { reduced < floor ? 0 : reduced }

    /// An upper bound of the reduced distance of every pair of rows at `distance`.
    @inline(__always)
    func reducedBound(distance: Double) -> Double {
        switch self {
        case .euclidean: distance * distance * (1 + 0x1p-50)
        case .manhattan: distance
        // The distance is clipped to 2, so that the reduced distance of pairs at 2 has no upper bound.
        case .cosine: distance >= 2 ? .infinity : distance * 2
        }
    }
}
