import CoveyRuntime

/// What the sampled rows weigh in each bin of each feature: target rows, other rows, and amounts where they count.
struct BinHistograms: ~Copyable {
    private let counts: UnsafeMutableBufferPointer<Double>
    private let offsets: [Int]
    private let bins: Int
    private let withAmounts: Bool

    /// One feature's part: as many numbers as it has bins, and one more for missing values.
    struct Part {
        let positives: UnsafePointer<Double>
        let negatives: UnsafePointer<Double>
        let amounts: UnsafePointer<Double>
    }

    init(_ sample: borrowing SearchSample, withAmounts: Bool) {
        var offsets: [Int] = []
        var total = 0
        for bins in sample.bins {
            offsets.append(total)
            total += bins.count + 1
        }
        self.offsets = offsets
        bins = total
        self.withAmounts = withAmounts
        counts = .allocate(capacity: 3 * total + 1)
        counts.initialize(repeating: 0)
    }

    deinit { counts.deallocate() }

    static func bytes(_ features: Int) -> Int { 3 * 8 * 256 * features }

    subscript(feature: Int) -> Part {
        let start = UnsafePointer(counts.baseAddress!) + offsets[feature]
        return Part(positives: start, negatives: start + bins, amounts: start + 2 * bins)
    }

    mutating func count(_ rows: RowBits, _ sample: SearchSample, _ execution: Execution) throws {
        counts.update(repeating: 0)
        let features = sample.features
        // Cancel is looked at about every million counts.
        let words = max(1, (1 << 20) / (64 * max(features, 1)))
        for start in stride(from: 0, to: rows.words.count, by: words) {
            try execution.check()
            let range = start..<min(rows.words.count, start + words)
            if range.lowerBound * 64 < sample.positives {
                add(rows, range, sample, 0..<sample.positives, sample.weights, to: 0)
                if withAmounts { add(rows, range, sample, 0..<sample.positives, sample.amounts, to: 2 * bins) }
            }
            if range.upperBound * 64 > sample.positives {
                add(rows, range, sample, sample.positives..<Int.max, sample.weights, to: bins)
            }
        }
    }

    private func add(
        _ rows: RowBits, _ words: Range<Int>, _ sample: SearchSample, _ part: Range<Int>, _ weights: [Double],
        to first: Int
    ) {
        let features = sample.features
        let counts = self.counts.baseAddress! + first
        sample.codes.withUnsafeBufferPointer { codes in
            offsets.withUnsafeBufferPointer { offsets in
                weights.withUnsafeBufferPointer { weights in
                    rows.forEach(words: words) { row in
                        guard part.contains(row) else { return }
                        let weight = weights[row]
                        let start = row &* features
                        for feature in 0..<features {
                            counts[offsets[feature] &+ Int(codes[start &+ feature])] += weight
                        }
                    }
                }
            }
        }
    }
}
