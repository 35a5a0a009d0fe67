/// Measures attributions: it leaves out parts in the order of their attributions' size and looks at the value. Parts go
/// in at most 16 steps of about equal size.
struct FaithfulnessMeasure {
    private let value: ExplainedValue
    private let block: Range<Int>

    private static let steps = 16

    init(_ value: ExplainedValue, _ block: Range<Int>) {
        self.value = value
        self.block = block
    }

    /// The steps of one transaction.
    private struct Plan {
        /// Parts, those with the largest attributions first; equal ones in their order.
        let order: [Int32]
        /// How many parts are gone after each step, up to at least half of them.
        let cuts: [Int]

        init(_ explanation: Explanation) {
            let sizes = explanation.attributions.map { abs($0) }
            order = sizes.indices.sorted { (sizes[$1], $0) < (sizes[$0], $1) }.map { Int32($0) }
            let count = sizes.count
            let steps = min(count, FaithfulnessMeasure.steps)
            cuts = count == 0 ? [] : (1...(steps + 1) / 2).map { $0 * count / steps }
        }

        /// - Parameters:
        ///   - down: the values without the most important parts, cut by cut.
        ///   - up: likewise without the least important ones.
        func infidelity(_ explanation: Explanation, down: ArraySlice<Double>, up: ArraySlice<Double>) -> Double {
            func errors(_ order: some Sequence<Int32>, _ values: ArraySlice<Double>) -> Double {
                let gone = order.map { explanation.attributions[Int($0)] }
                return zip(cuts, values).reduce(0) { sum, cut in
                    let error = explanation.value - cut.1 - gone[..<cut.0].reduce(0, +)
                    return sum + error * error
                }
            }
            return ((errors(order, down) + errors(order.reversed(), up)) / Double(2 * cuts.count)).squareRoot()
        }

        var kept: [ArraySlice<Int32>] {
            let count = order.count
            return cuts.map { order[$0...] } + cuts.map { order[..<(count - $0)] } + cuts.map { order[..<$0] }
        }
    }

    func run(_ explanations: inout [Explanation]) throws {
        let plans = explanations.map { Plan($0) }
        let values = try value.values(
            zip(block, plans).flatMap { transaction, plan in
                plan.kept.map { Variant(transaction: transaction, kept: $0.sorted()) }
            })
        var next = 0
        for (index, plan) in plans.enumerated() where !plan.cuts.isEmpty {
            let steps = plan.cuts.count
            let whole = explanations[index].value
            func curve(_ number: Int) -> ArraySlice<Double> {
                values[next + number * steps..<next + (number + 1) * steps]
            }
            func path(_ number: Int) -> Double {
                var before = whole
                return curve(number).reduce(0) { sum, after in
                    defer { before = after }
                    return sum + abs(before - after)
                }
            }
            func mean(_ number: Int) -> Double {
                curve(number).reduce(0) { $0 + abs(whole - $1) } / Double(steps)
            }
            explanations[index].faithfulness.difference = path(0)
            explanations[index].faithfulness.preservation = path(1)
            explanations[index].faithfulness.comprehensiveness = mean(0)
            explanations[index].faithfulness.sufficiency = mean(2)
            explanations[index].faithfulness.infidelity = plan.infidelity(
                explanations[index], down: curve(0), up: curve(1))
            next += 3 * steps
        }
    }
}
