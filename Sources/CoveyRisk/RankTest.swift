import CoveyRuntime

/// Whether one kind of rows ranks above the other by more than chance: the rank sum of Wilcoxon (1945), by its normal
/// approximation with the correction for ties.
public struct RankTest {
    /// The area under the ROC curve: the chance that a row of the kind ranks above one that is not; ties count half.
    public let area: Double
    /// How many standard deviations the rank sum lies above what chance would give.
    public let deviations: Double

    /// - Parameter value: that of each of `count` rows, and whether it is of the kind.
    public init(
        _ count: Int, _ execution: Execution, _ value: (Int) -> (value: Double, isOfKind: Bool)
    ) throws {
        var sorted = try execution.map(count, for: "a rank test of \(count) rows") { value($0) }
        defer { execution.memory.release(count * MemoryLayout<(value: Double, isOfKind: Bool)>.stride) }
        try execution.sort(&sorted) { $0.value < $1.value }
        let kind = Double(sorted.reduce(0) { $0 + ($1.isOfKind ? 1 : 0) })
        let others = Double(count) - kind
        guard kind > 0, others > 0 else {
            area = 0.5
            deviations = 0
            return
        }
        var sum = 0.0
        var ties = 0.0
        var start = 0
        while start < sorted.count {
            var end = start + 1
            while end < sorted.count, sorted[end].value == sorted[start].value { end += 1 }
            let rank = Double(start + end + 1) / 2
            for place in start..<end where sorted[place].isOfKind { sum += rank }
            let size = Double(end - start)
            ties += size * size * size - size
            start = end
        }
        let all = kind + others
        area = (sum - kind * (kind + 1) / 2) / (kind * others)
        let variance = kind * others / 12 * (all + 1 - ties / (all * max(1, all - 1)))
        deviations = variance > 0 ? (area - 0.5) * kind * others / variance.squareRoot() : 0
    }
}
