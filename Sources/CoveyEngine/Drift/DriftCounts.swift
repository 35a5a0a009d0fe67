import CoveyHybrid
import CoveyRuntime
import CoveySequences
import CoveyTables
import Glibc

/// What was counted of scored transactions: whole numbers alone, so that counts of threads and machines add up to the
/// same, in any order.
struct DriftCounts: Sendable, Equatable {
    /// Bins of log(1 + seconds), each this wide; the last one takes all above.
    static let timeBins = 96
    static let timeWidth = 0.25
    static let riskBins = 20

    var transactions = 0
    var events = 0
    var unknownEvents = 0
    var scored = 0
    var risky = 0
    /// By index in the vocabulary; empty where events are not counted by their type.
    var types: [Int]
    var gaps = [Int](repeating: 0, count: timeBins)
    var dwell = [Int](repeating: 0, count: timeBins)
    /// By column of `DriftReference.columns`, then by bin.
    var columns: [[Int]]
    /// Of each categorical feature: values, and those that fitting did not see.
    var categories: [Int]
    var unknownCategories: [Int]
    /// The first for transactions without a cluster.
    var clusters: [Int]
    var risks = [Int](repeating: 0, count: riskBins)

    init(types: Int, columns: [Int], categories: Int, clusters: Int) {
        self.types = [Int](repeating: 0, count: types)
        self.columns = columns.map { [Int](repeating: 0, count: $0) }
        self.categories = [Int](repeating: 0, count: categories)
        unknownCategories = self.categories
        self.clusters = [Int](repeating: 0, count: clusters + 1)
    }

    /// All counts, in one order.
    var numbers: [Int] {
        [transactions, events, unknownEvents, scored, risky] + types + gaps + dwell + columns.flatMap { $0 }
            + categories + unknownCategories + clusters + risks
    }

    /// How many `numbers` has.
    var size: Int {
        5 + types.count + gaps.count + dwell.count + columns.reduce(0) { $0 + $1.count } + 2 * categories.count
            + clusters.count + risks.count
    }

    /// Adds the counts of `numbers`, of which there are as many.
    mutating func add(_ numbers: [Int]) {
        var next = 0
        func take(_ count: inout Int) {
            count = Self.sum(count, numbers[next])
            next += 1
        }
        for path in [\Self.transactions, \.events, \.unknownEvents, \.scored, \.risky] { take(&self[keyPath: path]) }
        for index in types.indices { take(&types[index]) }
        for index in gaps.indices { take(&gaps[index]) }
        for index in dwell.indices { take(&dwell[index]) }
        for column in columns.indices { for bin in columns[column].indices { take(&columns[column][bin]) } }
        for index in categories.indices { take(&categories[index]) }
        for index in unknownCategories.indices { take(&unknownCategories[index]) }
        for index in clusters.indices { take(&clusters[index]) }
        for index in risks.indices { take(&risks[index]) }
    }

    /// A count that comes from a file may be as large as an Int.
    private static func sum(_ left: Int, _ right: Int) -> Int {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? Int.max : sum
    }

    /// - Parameter vocabulary: the number of its entries.
    mutating func add(_ batch: SequenceBatch, vocabulary: Int, _ execution: Execution) throws {
        events += batch.offsets.events.count
        try execution.forEach(0..<batch.count, every: 256) { sequence in
            let range = batch.offsets[sequence]
            let order = try batch.timeOrder(sequence, execution)
            var before: Double?
            try execution.forEach(0..<range.count) { step in
                let event = range.lowerBound + (order.map { Int($0[step]) } ?? step)
                let type = Int(batch.types[event])
                let known = type > 0 && type < vocabulary
                if !known { unknownEvents += 1 }
                if types.count == vocabulary { types[known ? type : 0] += 1 }
                let time = batch.times[event]
                if let before { gaps[Self.timeBin(time - before)] += 1 }
                before = time
                if let spent = batch.dwell?[event], !spent.isNaN { dwell[Self.timeBin(spent)] += 1 }
            }
        }
    }

    static func timeBin(_ seconds: Double) -> Int {
        // `min` and `max` give 0 for NaN, whichever comes first.
        let bin = log1p(max(0, seconds)) / timeWidth
        return bin >= 0 ? Int(min(bin, Double(timeBins - 1))) : 0
    }

    mutating func add(_ table: FeatureTable, _ reference: DriftReference, _ execution: Execution) throws {
        for (index, feature) in reference.categorical.enumerated() {
            guard case .categorical(let codes, let names)? = table.column(named: feature.name)?.values else { continue }
            let known = try execution.array(names.count) { feature.categories.contains(ExactName(names[$0])) }
            try execution.forEach(0..<codes.count) { row in
                guard codes[row] >= 0, Int(codes[row]) < known.count else { return }
                categories[index] += 1
                if !known[Int(codes[row])] { unknownCategories[index] += 1 }
            }
        }
    }

    mutating func add(_ rows: Matrix<Float>, _ reference: DriftReference, _ execution: Execution) throws {
        for (place, column) in reference.columns.enumerated() {
            try execution.forEach(0..<rows.rows) { row in
                columns[place][column.bin(rows[row, column.index])] += 1
            }
        }
    }

    mutating func add(_ score: Score) {
        // A transaction that could not be scored.
        guard score.risk.isFinite else { return }
        scored += 1
        if score.isRisky { risky += 1 }
        if score.cluster + 1 < clusters.count { clusters[score.cluster + 1] += 1 }
        risks[min(Self.riskBins - 1, max(0, Int(score.risk * Double(Self.riskBins))))] += 1
    }

    /// The mean of log(1 + seconds), by the bins' middles.
    static func mean(_ bins: [Int]) -> (mean: Double, count: Int) {
        var (sum, count) = (0.0, 0.0)
        for (bin, number) in bins.enumerated() {
            sum += Double(number) * (Double(bin) + 0.5) * timeWidth
            count += Double(number)
        }
        return (count > 0 ? sum / count : 0, Int(min(count, 1e18)))
    }
}
