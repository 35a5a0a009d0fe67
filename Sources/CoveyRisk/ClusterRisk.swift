import CoveyNumerics
import CoveyRuntime
import CoveyTables

/// Which clusters are risky, from late and partial labels: one report for each label that occurs, riskiest first.
public struct ClusterRisk: Sendable, Equatable {
    /// What "risky" means and how sure the intervals are.
    public struct Options: Sendable, Equatable {
        /// Of the Wilson intervals, 0.5 to 0.9999.
        public var confidence: Double
        /// The odds of a risky cluster's lower bound are at least so many times those of the base rate: for small
        /// shares as good as so many times the base rate, and within reach for any base rate below 1.
        public var minLift: Double
        /// A risky cluster has at least so many rows labelled as fraud.
        public var minFraud: Int
        /// The rows that shares are counted over. `automatic`: all of them if no row is labelled as legitimate.
        public var population: KnownLabels.Population
        /// The share of all fraud that is labelled, where shares are counted over all rows: they are divided by it.
        /// Above 0, at most 1.
        public var knownShare: Double

        public init(
            confidence: Double = 0.95, minLift: Double = 3, minFraud: Int = 3,
            population: KnownLabels.Population = .automatic, knownShare: Double = 1
        ) throws {
            try require(
                WilsonInterval.confidences.contains(confidence),
                "options.confidence must be 0.5 to 0.9999, got \(confidence)")
            try require(
                minLift.isFinite && minLift > 0, "options.min_lift must be finite and above 0, got \(minLift)")
            try require(minFraud >= 1, "options.min_fraud must be at least 1, got \(minFraud)")
            try require(
                knownShare > 0 && knownShare <= 1,
                "options.known_share must be above 0 and at most 1, got \(knownShare)")
            self.confidence = confidence
            self.minLift = minLift
            self.minFraud = minFraud
            self.population = population
            self.knownShare = knownShare
        }
    }

    public let options: Options
    /// By rank: `reports[0]` is the riskiest.
    public let reports: [ClusterReport]
    /// Rows labelled as fraud, and rows labelled at all.
    public let fraud: Int
    public let labelled: Int

    /// The rows that shares are counted over, and what these are: never `automatic`.
    public let counted: Int
    public let population: KnownLabels.Population

    /// The share of fraud among all counted rows, where unknown rows are counted with those frauds that are to be
    /// expected among them; nil if no row is labelled.
    public var baseRate: Double? {
        labelled == 0 ? nil : ClusterReport.estimate(Double(fraud) / Double(counted), options, population)
    }

    /// The report of a cluster; nil if no row had that label.
    public func report(of cluster: Int) -> ClusterReport? {
        reports.first { $0.cluster == cluster }
    }

    /// Rates the clusters of n rows. O(n).
    ///
    /// - Parameters:
    ///   - labels: n cluster labels, -1 = noise.
    ///   - fraud: n of -1 (unknown), 0 (legitimate), 1 (fraud).
    ///   - amounts: n finite numbers >= 0, or nil.
    ///   - times: n finite numbers in seconds, or nil.
    public init(
        labels: Strided<Int32>, fraud: Strided<Int8>, amounts: Strided<Double>? = nil, times: Strided<Double>? = nil,
        options: Options, execution: Execution
    ) throws {
        let rows = labels.count
        for (name, count) in [("fraud", fraud.count), ("amounts", amounts?.count), ("times", times?.count)] {
            if let count, count != rows { throw CoveyError.mismatch("\(name) has \(count) values, labels \(rows)") }
        }
        let slots = try Slots(labels, execution)
        var tallies = slots.clusters.map { ClusterTally(cluster: $0) }
        let block = 1 << 15
        for start in stride(from: 0, to: rows, by: block) {
            try execution.report("cluster risk", Double(start) / Double(rows))
            for row in start..<min(rows, start + block) {
                let label = fraud[row]
                guard label >= -1 && label <= 1 else {
                    throw CoveyError.invalidData("fraud[\(row)] must be -1, 0 or 1, got \(label)")
                }
                let amount = amounts?[row] ?? 0
                guard amount >= 0 && amount.isFinite else {
                    throw CoveyError.invalidData("amounts[\(row)] must be finite and at least 0, got \(amount)")
                }
                let time = times?[row]
                if let time, !time.isFinite {
                    throw CoveyError.invalidData("times[\(row)] must be finite, got \(time)")
                }
                tallies[slots[labels[row]]].add(label: label, amount: amount, time: time)
            }
        }
        // Room that was held for labels that never came.
        tallies.removeAll { $0.size == 0 }
        try self.init(tallies: tallies, options: options, execution: execution)
    }

    /// Reports from counts: distinct clusters, numbers that fit together.
    init(tallies: [ClusterTally], options: Options, execution: Execution) throws {
        var seen = Set<Int>()
        var comparisons = 0
        var fraud = 0
        var labelled = 0
        var rows = 0
        for (index, tally) in tallies.enumerated() {
            if index & 0xFFF == 0 { try execution.report() }
            try tally.validate()
            rows += tally.size
            guard seen.insert(tally.cluster).inserted else {
                throw CoveyError.invalidData("cluster \(tally.cluster) occurs twice")
            }
            fraud += tally.fraud
            labelled += tally.labelled
            guard rows <= 1 << 48 else {
                throw CoveyError.invalidData("the clusters count more rows than there can be")
            }
        }
        let population: KnownLabels.Population =
            options.population == .automatic ? (fraud == labelled && fraud > 0 ? .all : .labelled) : options.population
        counted = population == .all ? rows : labelled
        let base =
            labelled == 0 ? nil : ClusterReport.estimate(Double(fraud) / Double(counted), options, population)
        let z = WilsonInterval.quantile(confidence: options.confidence)
        self.options = options
        self.population = population
        self.fraud = fraud
        self.labelled = labelled
        reports = try tallies.map {
            ClusterReport(
                tally: $0, population: labelled == 0 ? .labelled : population, baseRate: base, z: z, options: options)
        }
        .sorted { a, b in
            comparisons &+= 1
            if comparisons & 0xFFFF == 0 { try execution.report() }
            if a.low != b.low { return a.low > b.low }
            if a.loss != b.loss { return a.loss > b.loss }
            return a.cluster < b.cluster
        }
    }

    /// Where a label's tally stands: by the label itself if labels are dense, by a dictionary where they are not.
    private struct Slots {
        private(set) var clusters: [Int]
        private let sparse: [Int32: Int]?

        init(_ labels: Strided<Int32>, _ execution: Execution) throws {
            var largest = Int32(-1)
            try execution.forEach(0..<labels.count) { row in
                let label = labels[row]
                guard label >= -1 else {
                    throw CoveyError.invalidData("labels[\(row)] must be at least -1, got \(label)")
                }
                largest = max(largest, label)
            }
            if Int(largest) <= labels.count &+ 1024 {
                try execution.reserve(
                    Int(largest) + 2,
                    of: 3 * MemoryLayout<ClusterReport>.stride + 2 * MemoryLayout<ClusterTally>.stride + 64,
                    for: "cluster risk")
                clusters = Array(-1...Int(largest))
                sparse = nil
                return
            }
            var slots: [Int32: Int] = [:]
            var found: [Int] = []
            try execution.forEach(0..<labels.count) { row in
                guard slots[labels[row]] == nil else { return }
                slots[labels[row]] = found.count
                found.append(Int(labels[row]))
            }
            clusters = found
            sparse = slots
        }

        @inline(__always)
        subscript(label: Int32) -> Int {
            guard let sparse else { return Int(label) + 1 }
            return sparse[label, default: 0]
        }
    }
}
