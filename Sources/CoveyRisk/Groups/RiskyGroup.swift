import CoveyNumerics

/// A risky group's figures.
public struct RiskyGroup: Sendable, Equatable, Codable {
    /// The tree that it is of, and its merge there; -1 where all evidence together makes the group.
    public let tree: Int
    public let merge: Int
    /// Its rows by what is known of them.
    public let fraud: Int
    public let legitimate: Int
    public let unknown: Int
    /// The statistic of its merge (`ScanStatistic`), and its p value, corrected for all candidates.
    public let statistic: Double
    public let pValue: Double

    public var isOfEvidence: Bool { tree == -1 && merge == -1 }

    /// Rows that no group with a higher statistic has.
    public var rows: Int { fraud + legitimate + unknown }
    /// The share of rows known to be fraud.
    public var knownShare: Double { Double(fraud) / Double(max(1, rows)) }

    /// The estimated share of fraud, where so much of all fraud is known.
    public func share(known: Double) -> Double { min(1, knownShare / known) }

    /// The Wilson interval of the rows' share of known fraud, likewise.
    public func interval(known: Double, z: Double) -> (low: Double, high: Double) {
        let interval = WilsonInterval(successes: fraud, trials: rows, z: z)
        return (min(1, interval.low / known), min(1, interval.high / known))
    }

    init(tree: Int, merge: Int, rows: [Int32], labels: KnownLabels, statistic: Double, pValue: Double) {
        self.tree = tree
        self.merge = merge
        var counts = [0, 0, 0]
        for row in rows { counts[Int(labels.values[Int(row)]) + 1] += 1 }
        (unknown, legitimate, fraud) = (counts[0], counts[1], counts[2])
        self.statistic = statistic
        self.pValue = pValue
    }

    var isValid: Bool {
        fraud >= 0 && legitimate >= 0 && unknown >= 0 && max(fraud, legitimate, unknown) <= 1 << 31
            && rows >= 1 && statistic.isFinite && (0...1).contains(pValue)
    }
}
