import CoveyNumerics
import CoveyRuntime

/// A risky group's figures.
public struct RiskyGroup: Sendable, Equatable, Codable {
    /// The tree that it is of, and its merge there; -1 if all evidence together makes the group.
    public let tree: Int
    public let merge: Int
    /// Its rows by what is known of them.
    public let fraud: Int
    public let legitimate: Int
    public let unknown: Int
    /// The statistic of its merge (`ScanStatistic`), and its p value, corrected for all candidates.
    public let statistic: Double
    public let pValue: Double

    /// The whole merge, or the whole beginning of the order, with the rows that groups of a higher statistic have.
    /// Shares are of it: what is left of a group says little by itself.
    public let wholeRows: Int
    public let wholeFraud: Int

    enum CodingKeys: String, CodingKey {
        case tree, merge, fraud, legitimate, unknown, statistic, pValue, wholeRows, wholeFraud
    }

    public var isOfEvidence: Bool { tree == -1 && merge == -1 }

    /// Rows that no group with a higher statistic has.
    public var rows: Int { fraud + legitimate + unknown }
    /// The share of the whole group that is known to be fraud.
    public var knownShare: Double { Double(wholeFraud) / Double(max(1, wholeRows)) }

    /// The largest possible share of fraud: rows that are known to be legitimate are none.
    private var largestShare: Double { 1 - Double(legitimate) / Double(max(1, wholeRows)) }

    /// The estimated share of fraud, if the share `known` of all fraud is known.
    public func share(known: Double) -> Double { min(largestShare, knownShare / known) }

    /// The Wilson interval of the share of known fraud, likewise; its ends are taken by the ends of what is known.
    ///
    /// A group can hold more known fraud than `known` allows for: then more of its own fraud is known than of all, at
    /// least so much as makes every row that is not known to be legitimate a fraud, and the lower end says so.
    public func interval(known: ClosedRange<Double>, z: Double) -> (low: Double, high: Double) {
        let interval = WilsonInterval(successes: wholeFraud, trials: wholeRows, z: z)
        let most = largestShare > 0 ? max(known.upperBound, knownShare / largestShare) : known.upperBound
        return (
            min(largestShare, interval.low / most),
            known.lowerBound > 0 ? min(largestShare, interval.high / known.lowerBound) : largestShare
        )
    }

    init(tree: Int, merge: Int, rows: [Int32], whole: [Int32], labels: KnownLabels, statistic: Double, pValue: Double) {
        self.tree = tree
        self.merge = merge
        var counts = [0, 0, 0]
        for row in rows { counts[Int(labels.values[Int(row)]) + 1] += 1 }
        (unknown, legitimate, fraud) = (counts[0], counts[1], counts[2])
        wholeRows = whole.count
        wholeFraud = whole.count { labels.isFraud(Int($0)) }
        self.statistic = statistic
        self.pValue = pValue
    }

    var isValid: Bool {
        fraud >= 0 && legitimate >= 0 && unknown >= 0 && max(fraud, legitimate, unknown) <= 1 << 31
            && rows >= 1 && wholeRows >= rows && wholeRows <= 3 << 31 && wholeFraud >= fraud
            && wholeFraud <= wholeRows && statistic.isFinite && (0...1).contains(pValue)
    }
}

extension RiskyGroup {
    /// Files of before the whole group was kept have the group alone.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        tree = try values.decode(Int.self, forKey: .tree)
        merge = try values.decode(Int.self, forKey: .merge)
        fraud = try values.decode(Int.self, forKey: .fraud)
        legitimate = try values.decode(Int.self, forKey: .legitimate)
        unknown = try values.decode(Int.self, forKey: .unknown)
        statistic = try values.decode(Double.self, forKey: .statistic)
        pValue = try values.decode(Double.self, forKey: .pValue)
        let (rows, overflow) = fraud.addingReportingOverflow(legitimate)
        let (all, isTooLarge) = rows.addingReportingOverflow(unknown)
        guard !overflow, !isTooLarge else { throw CoveyError.corruptFile("a risky group has too many rows") }
        wholeRows = try values.decodeIfPresent(Int.self, forKey: .wholeRows) ?? all
        wholeFraud = try values.decodeIfPresent(Int.self, forKey: .wholeFraud) ?? fraud
    }
}
