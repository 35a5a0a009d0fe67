/// The share of known fraud among a row's nearest rows, nearest first; the t-th counts 1 / t. Rows at one distance have
/// no order: each of them counts as the mean of those that stand there.
struct RankedShare {
    private let most: Int
    private var sum = 0.0
    private var weights = 0.0
    private var taken = 0
    private var groups = 0
    private var first = 0.0
    /// The rows at the distance that was added last.
    private var distance = -1.0
    private var rows = 0
    private var fraud = 0

    /// - Parameter most: how many rows are asked.
    init(most: Int) { self.most = most }

    /// Whether rows farther away do not count.
    var isFull: Bool { taken >= most }

    /// Adds rows, `fraud` of them known to be fraud. Distances do not fall.
    mutating func add(_ rows: Int, fraud: Int, at distance: Double) {
        if distance != self.distance {
            close()
            self.distance = distance
        }
        self.rows += rows
        self.fraud += fraud
    }

    private mutating func close() {
        defer { (rows, fraud) = (0, 0) }
        guard rows > 0, taken < most else { return }
        let share = Double(fraud) / Double(rows)
        let end = min(most, taken + rows)
        var weight = 0.0
        while taken < end {
            taken += 1
            weight += 1 / Double(taken)
        }
        sum += weight * share
        weights += weight
        first = groups == 0 ? share : first
        groups += 1
    }

    /// nil if no row was added.
    mutating func value() -> Double? {
        close()
        // The mean of one share is that share, without rounding.
        return groups == 0 ? nil : groups == 1 ? first : sum / weights
    }
}
