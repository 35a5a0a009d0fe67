import CoveyNumerics
import CoveyRuntime

/// What is counted for one cluster.
struct ClusterTally: Sendable, Equatable {
    let cluster: Int
    var size = 0
    var labelled = 0
    var fraud = 0
    var loss = 0.0
    var amount = 0.0
    var firstSeen: Double?
    var lastSeen: Double?

    init(cluster: Int) {
        self.cluster = cluster
    }

    @inline(__always)
    mutating func add(label: Int8, amount: Double, time: Double?) {
        size += 1
        labelled += label >= 0 ? 1 : 0
        fraud += label == 1 ? 1 : 0
        self.amount += amount
        if label == 1 { loss += amount }
        if let time {
            firstSeen = min(firstSeen ?? time, time)
            lastSeen = max(lastSeen ?? time, time)
        }
    }

    func validate() throws {
        let largest = 1 << 48
        guard cluster >= -1, cluster <= Int(Int32.max), size >= 1, size <= largest,
            labelled >= 0, labelled <= size, fraud >= 0, fraud <= labelled
        else { throw CoveyError.invalidData("the counts of cluster \(cluster) do not fit together") }
        guard amount.isFinite && loss.isFinite && amount >= 0 && loss >= 0 else {
            throw CoveyError.invalidData("amounts: the sum over cluster \(cluster) is not a finite number")
        }
        guard (firstSeen ?? 0).isFinite && (lastSeen ?? 0).isFinite && (firstSeen == nil) == (lastSeen == nil)
        else { throw CoveyError.invalidData("the times of cluster \(cluster) are not finite numbers") }
    }
}

/// One cluster's figures; cluster -1 is the noise.
public struct ClusterReport: Sendable, Equatable {
    let tally: ClusterTally
    /// The rows that shares are counted over: those labelled, or all; see `KnownLabels.Population`.
    public let counted: Int
    /// fraud / counted, over the share of fraud that is labelled if all rows are counted; nil if nothing is
    /// counted.
    public let share: Double?
    /// Wilson interval of fraud / counted, likewise; 0 to 1 if nothing is counted.
    public let low: Double
    public let high: Double
    /// share / base rate; nil if either is undefined or the base rate is 0.
    public let lift: Double?
    /// At least `minFraud` frauds, the odds of the interval's low end at least `minLift` times those of the base rate,
    /// and not noise.
    public let isRisky: Bool

    public var cluster: Int { tally.cluster }
    /// Rows.
    public var size: Int { tally.size }
    /// Rows whose label is known.
    public var labelled: Int { tally.labelled }
    /// Rows labelled as fraud.
    public var fraud: Int { tally.fraud }
    /// labelled / size.
    public var labelledShare: Double { Double(labelled) / Double(size) }
    /// Sum of amounts of the rows labelled as fraud, and of all rows; 0 without amounts.
    public var loss: Double { tally.loss }
    public var amount: Double { tally.amount }
    /// Smallest and largest time; nil without times.
    public var firstSeen: Double? { tally.firstSeen }
    public var lastSeen: Double? { tally.lastSeen }

    init(
        tally: ClusterTally, population: KnownLabels.Population, baseRate: Double?, z: Double,
        options: ClusterRisk.Options
    ) {
        self.tally = tally
        let counted = population == .all ? tally.size : tally.labelled
        self.counted = counted
        func estimate(_ share: Double) -> Double { ClusterReport.estimate(share, options, population) }
        let share = counted == 0 ? nil : estimate(Double(tally.fraud) / Double(counted))
        self.share = share
        let interval = WilsonInterval(successes: tally.fraud, trials: counted, z: z)
        low = estimate(interval.low)
        high = estimate(interval.high)
        if let share, let baseRate, baseRate > 0 {
            lift = share / baseRate
        } else {
            lift = nil
        }
        isRisky =
            tally.cluster >= 0 && tally.fraud >= options.minFraud
            && low >= ClusterReport.leastShare(baseRate ?? 1, lift: options.minLift)
    }

    /// A share of labelled fraud as one of fraud.
    static func estimate(_ share: Double, _ options: ClusterRisk.Options, _ population: KnownLabels.Population)
        -> Double
    {
        population == .all ? min(1, share / options.knownShare) : share
    }

    /// The share whose odds are so many times those of the base rate.
    static func leastShare(_ baseRate: Double, lift: Double) -> Double {
        lift * baseRate / (1 + (lift - 1) * baseRate)
    }
}
