import CoveyRuntime

/// Shapley values of parts, by sampled permutations in pairs (Castro, Gomez and Tejada 2009; Mitchell et al. 2022): a
/// part's attribution is the mean change of the value when the part is added to the parts before it. The second
/// permutation of a pair is the first one backwards, which takes away much of the variance.
struct ShapleySampling {
    private let value: ExplainedValue
    private let permutations: Int
    private let seed: UInt64

    init(_ value: ExplainedValue, permutations: Int, seed: UInt64) {
        self.value = value
        self.permutations = permutations
        self.seed = seed
    }

    func run(_ explanations: inout [Explanation], _ block: Range<Int>) throws {
        for (index, transaction) in block.enumerated() {
            try value.execution.check()
            try run(&explanations[index], transaction)
        }
    }

    private func run(_ explanation: inout Explanation, _ transaction: Int) throws {
        let count = explanation.parts.count
        explanation.method = .shapley
        // A transaction's permutations do not depend on the batch.
        var random = SeededRandom(seed: seed)
        var means = [Double](repeating: 0, count: count)
        var squares = means
        let pairs = permutations / 2
        // Many pairs at once make good batches; few bound the memory.
        let together = max(1, min(pairs, (1 << 18) / max(1, 2 * count * count)))
        var done = 0
        while done < pairs, count > 0 {
            let orders = (done..<min(pairs, done + together)).map { _ in
                Array(0..<Int32(count)).shuffled(using: &random)
            }
            try value.execution.reserve(
                checkedProduct(2 * orders.count, count * count / 2, "sampled orders"), of: 4, for: "sampled orders")
            let values = try value.values(
                orders.flatMap { order in
                    [order, order.reversed()].flatMap { order in
                        (1..<max(1, count)).map { Variant(transaction: transaction, kept: order[..<$0].sorted()) }
                    }
                })
            var next = 0
            for order in orders {
                var added = [Double](repeating: 0, count: count)
                for order in [order, order.reversed()] {
                    var before = explanation.base
                    for (place, part) in order.enumerated() {
                        let after = place == count - 1 ? explanation.value : values[next + place]
                        added[Int(part)] += (after - before) / 2
                        before = after
                    }
                    next += count - 1
                }
                done += 1
                // Welford's means and sums of squares.
                for part in 0..<count {
                    let difference = added[part] - means[part]
                    means[part] += difference / Double(done)
                    squares[part] += difference * (added[part] - means[part])
                }
            }
        }
        explanation.attributions = means
        explanation.standardErrors = squares.map { ($0 / Double(pairs - 1) / Double(pairs)).squareRoot() }
    }
}
