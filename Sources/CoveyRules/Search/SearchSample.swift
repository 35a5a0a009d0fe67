import CoveyRuntime
import CoveyTables

/// Rows that the beam search looks at: all or many of the target's, enough of the others, as bins.
struct SearchSample {
    /// The target's rows first, each part ascending.
    let rows: [Int32]
    let positives: Int
    /// How many rows of the target each sampled one of them stands for.
    let positiveScale: Double
    /// What each row weighs, with the rows that it stands for, and that times its amount in the target.
    private(set) var weights: [Double] = []
    private(set) var amounts: [Double] = []
    private(set) var bins: [FeatureBins] = []
    /// The bin of row r's feature f at r * features + f.
    private(set) var codes: [UInt8] = []

    var features: Int { bins.count }

    private static let largestPositives = 8192
    private static let largestNegatives = 32_768
    private static let largestCells = 1 << 28

    /// Draws rows of `active` and bins them: with the given bins, or with new ones.
    init(
        _ columns: [FeatureColumn], active: RowBits, measure: RowMeasure, bins known: [FeatureBins]?, maxBins: Int,
        seed: UInt64, execution: Execution
    ) throws {
        let target = measure.target
        let allPositives = active.count(and: target)
        let allNegatives = active.count - allPositives
        // Fewer rows where there are very many features.
        let most = max(4096, SearchSample.largestCells / max(columns.count, 1))
        let positives = min(allPositives, SearchSample.largestPositives, most / 4)
        let enough = min(max(12 * positives, 12_288), SearchSample.largestNegatives, most)
        let negatives = min(allNegatives, enough)
        try execution.reserve(positives + negatives, of: 3 * columns.count + 96, for: "the sample of a rule search")
        var random = SeededRandom(seed: seed ^ 0x5EED)
        var chosen: (positive: [Int32], negative: [Int32]) = ([], [])
        chosen.positive.reserveCapacity(positives)
        chosen.negative.reserveCapacity(negatives)
        var left = (positive: allPositives, negative: allNegatives)
        try SearchSample.blocks(active) { range in
            try execution.check()
            active.forEach(words: range) { row in
                if target[row] {
                    let wanted = positives - chosen.positive.count
                    if wanted == left.positive || random.uniform() * Double(left.positive) < Double(wanted) {
                        chosen.positive.append(Int32(row))
                    }
                    left.positive -= 1
                } else {
                    let wanted = negatives - chosen.negative.count
                    if wanted == left.negative || random.uniform() * Double(left.negative) < Double(wanted) {
                        chosen.negative.append(Int32(row))
                    }
                    left.negative -= 1
                }
            }
        }
        rows = chosen.positive + chosen.negative
        self.positives = positives
        positiveScale = positives == 0 ? 1 : Double(allPositives) / Double(positives)
        let negativeScale = negatives == 0 ? 1 : Double(allNegatives) / Double(negatives)
        let scales = (positiveScale, negativeScale)
        weights = rows.enumerated().map { measure.weight(Int($1)) * ($0 < positives ? scales.0 : scales.1) }
        if measure.amounts != nil {
            amounts = rows[..<positives].map { measure.amount(Int($0)) * scales.0 }
        }
        try fill(columns, known, maxBins, measure, execution)
    }

    private static func blocks(_ bits: RowBits, _ body: (Range<Int>) throws -> Void) rethrows {
        for start in stride(from: 0, to: bits.words.count, by: 1024) {
            try body(start..<min(bits.words.count, start + 1024))
        }
    }

    private mutating func fill(
        _ columns: [FeatureColumn], _ known: [FeatureBins]?, _ maxBins: Int, _ measure: RowMeasure,
        _ execution: Execution
    ) throws {
        let features = columns.count
        let rows = self.rows
        let positives = self.positives
        var found = [FeatureBins?](repeating: nil, count: features)
        var codes = [UInt8](repeating: 0, count: rows.count * features)
        try found.withUnsafeMutableBufferPointer { found in
            try codes.withUnsafeMutableBufferPointer { codes in
                nonisolated(unsafe) let (found, codes) = (found, codes)
                try execution.parallel(features, stage: "binning") { chunk, _ in
                    for feature in chunk {
                        let bins =
                            known?[feature]
                            ?? FeatureBins(
                                columns[feature], sample: rows, positives: positives, weights: measure.weights,
                                maxBins: maxBins)
                        found[feature] = bins
                        bins.bins(of: columns[feature], rows: rows.lazy.map { Int($0) }) { index, bin in
                            codes[index &* features &+ feature] = bin
                        }
                    }
                }
            }
        }
        bins = found.compactMap { $0 }
        self.codes = codes
    }

    /// What some of the sample's rows weigh.
    func tally(_ rows: RowBits) -> Tally {
        var result = Tally()
        rows.forEach { row in
            if row < positives {
                result.positives += weights[row]
                if !amounts.isEmpty { result.amount += amounts[row] }
            } else {
                result.negatives += weights[row]
            }
        }
        return result
    }

    /// The sample's rows for which a condition holds.
    func mask(_ term: BinTerm) -> RowBits {
        var matching = [Bool](repeating: false, count: 256)
        let missing = bins[term.feature].missing
        for bin in 0...missing { matching[Int(bin)] = term.test.matches(bin, missing: missing) }
        var result = RowBits(rows: rows.count)
        let features = self.features
        codes.withUnsafeBufferPointer { codes in
            matching.withUnsafeBufferPointer { matching in
                result.words.withUnsafeMutableBufferPointer { words in
                    for word in 0..<words.count {
                        var bits: UInt64 = 0
                        let first = word &* 64
                        for bit in 0..<min(64, rows.count &- first) {
                            let code = codes[(first &+ bit) &* features &+ term.feature]
                            bits |= (matching[Int(code)] ? 1 : 0) &<< UInt64(bit)
                        }
                        words[word] = bits
                    }
                }
            }
        }
        return result
    }
}
