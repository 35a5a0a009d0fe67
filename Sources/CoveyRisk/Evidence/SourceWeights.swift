import CoveyRuntime

/// How much each source of the evidence counts: a logistic regression of known fraud on the sources, with weights that
/// are not negative and are pulled towards equal ones. So with few known frauds all sources count about the same, and
/// with more of them a source without signal fades.
///
/// If all count the same, the best weight of their sum is t (`Calibration`). A source's weight is t u, with the
/// smallest
///
///     sum of losses(level + t x sum of u x) + pull / 2 sum of (u - 1)^2,    u >= 0
///
/// A loss is log(1 + exp(-z)) of a known fraud and log(1 + exp(z)) of another row.
struct SourceWeights: Sendable, Equatable {
    /// By `EvidenceSources.Source`.
    let values: [Double]

    static let count = EvidenceSources.Source.allCases.count
    /// Chosen on the choosing halves of the sets of bench-fraud; 0.3 to 3 differ little.
    static let pull = 1.0
    /// The weights are fitted to at most this number of other rows, or as many as there are known frauds. A sample of
    /// them changes the level alone (Prentice and Pyke 1979).
    private static let mostOthers = 100_000
    private static let most = 1e6
    private static let mostSteps = 100
    private static let tolerance = 1e-12
    private static let shortest = 1e-11

    init(values: [Double]) { self.values = values }

    var isValid: Bool {
        values.count == SourceWeights.count && values.allSatisfy { (0...SourceWeights.most).contains($0) }
    }

    /// The parts of the evidence, by `Evidence.Part`.
    func parts(_ sources: EvidenceSources) -> [Double] {
        var parts = [Double](repeating: 0, count: Evidence.Part.allCases.count)
        for source in EvidenceSources.Source.allCases {
            parts[Int(source.part.rawValue)] += values[source.rawValue] * sources[source]
        }
        return parts
    }

    /// The weights that all rows give, and for each part of the rows those that the other parts give, but with t of all
    /// rows, so that the rows of all parts can be put in one order.
    ///
    /// O(rows) for each part and step.
    static func fitted(
        to sources: [EvidenceSources], _ labels: KnownLabels, _ folds: RowFolds, seed: UInt64, execution: Execution
    ) throws -> (whole: SourceWeights, byFold: [SourceWeights]) {
        let (frauds, others) = folds.members(labels, mostOthers: mostOthers, seed: seed)
        let rows = frauds + others
        let (unit, all) = try relative(sources, rows, labels, execution)
        func weights(_ relative: [Double]) -> SourceWeights {
            SourceWeights(values: relative.map { min(most, $0 * unit) })
        }
        try execution.hold(rows.count, of: 8 + 16 * min(folds.count, execution.threads), for: "weights of the evidence")
        var byFold = [SourceWeights](repeating: weights(all), count: folds.count)
        try byFold.withUnsafeMutableBufferPointer { byFold in
            nonisolated(unsafe) let byFold = byFold
            try execution.parallel(folds.count, stage: "weights of the evidence") { chunk, _ in
                for fold in chunk where !folds.hidesNothing(from: fold) {
                    let seen = rows.filter { Int(folds.folds[$0]) != fold }
                    guard seen.contains(where: { labels.isFraud($0) }), seen.contains(where: { !labels.isFraud($0) })
                    else { continue }
                    byFold[fold] = weights(try relative(sources, seen, labels, execution).weights)
                }
            }
        }
        return (weights(all), byFold)
    }

    /// t, and u by source, by some of the rows.
    private static func relative(
        _ sources: [EvidenceSources], _ seen: [Int], _ labels: KnownLabels, _ execution: Execution
    ) throws -> (unit: Double, weights: [Double]) {
        let equal = SourceWeights(values: [Double](repeating: 1, count: count))
        var sums: [Double] = []
        sums.reserveCapacity(seen.count)
        try execution.forEach(seen.indices) { sums.append(equal.parts(sources[seen[$0]]).reduce(0, +)) }
        let known = seen.count { labels.isFraud($0) }
        let unit = try Calibration(
            sums, fraud: { labels.isFraud(seen[$0]) }, known: known, execution: execution
        ).slope
        let level = logit(Double(known) / Double(seen.count))
        let point = try minimum(
            WeightLoss(sources, seen, labels, unit: unit), from: [level] + equal.values, execution)
        return (min(most, unit), Array(point.dropFirst()))
    }

    /// Newton's method. Each step is the best one of the second-order model that keeps u from being negative, and is
    /// halved if it overshoots. It ends with a step without a length, so that the order of the rows changes the result
    /// by rounding alone.
    private static func minimum(
        _ loss: WeightLoss, from start: [Double], _ execution: Execution
    ) throws -> [Double] {
        var point = start
        var current = try loss.value(at: point, execution)
        for _ in 0..<mostSteps {
            var step = try loss.model(at: point, execution).step(from: point)
            var isBetter = false
            for _ in 0..<40 {
                let next = zip(point, step).enumerated().map { place, value in
                    place == 0 ? value.0 + value.1 : min(most, max(0, value.0 + value.1))
                }
                let value = try loss.value(at: next, execution)
                // The last steps change the loss by less than its rounding.
                if value <= current + tolerance * max(1, abs(current)) {
                    isBetter = true
                    (point, current) = (next, value)
                    break
                }
                step = step.map { $0 / 2 }
            }
            let length = zip(step, point).map { abs($0) / max(1, abs($1)) }.max() ?? 0
            if !isBetter || length < shortest { break }
        }
        return point
    }
}

/// What is minimised, over a point: the level, then u of each source.
private struct WeightLoss {
    private let sources: [EvidenceSources]
    private let seen: [Int]
    private let labels: KnownLabels
    private let unit: Double

    init(_ sources: [EvidenceSources], _ seen: [Int], _ labels: KnownLabels, unit: Double) {
        self.sources = sources
        self.seen = seen
        self.labels = labels
        self.unit = unit
    }

    func value(at point: [Double], _ execution: Execution) throws -> Double {
        var sum = point.dropFirst().reduce(0) { $0 + SourceWeights.pull * ($1 - 1) * ($1 - 1) / 2 }
        try execution.forEach(seen.indices) { index in
            let row = seen[index]
            let z = argument(row, point)
            // log(1 + exp(z)) without overflow.
            sum += max(z, 0) + naturalLogarithm(1 + exponential(-abs(z))) - (labels.isFraud(row) ? z : 0)
        }
        return sum
    }

    func model(at point: [Double], _ execution: Execution) throws -> QuadraticModel {
        let size = point.count
        var model = QuadraticModel(size: size)
        for a in 1..<size {
            model.gradient[a] = SourceWeights.pull * (point[a] - 1)
            model.hessian[a * size + a] = SourceWeights.pull
        }
        var row = [Double](repeating: 1, count: size)
        try execution.forEach(seen.indices) { place in
            let index = seen[place]
            let share = logistic(argument(index, point))
            let error = share - (labels.isFraud(index) ? 1 : 0)
            for source in EvidenceSources.Source.allCases {
                row[source.rawValue + 1] = unit * sources[index][source]
            }
            model.add(row, error: error, spread: share * (1 - share))
        }
        return model
    }

    @inline(__always)
    private func argument(_ row: Int, _ point: [Double]) -> Double {
        let values = sources[row]
        let sum =
            point[1] * values.tree + point[2] * values.neighbours + point[3] * values.features
            + point[4] * values.eventForest + point[5] * values.eventModel + point[6] * values.joint
        return point[0] + unit * sum
    }
}

/// gradient x + 1/2 x^T hessian x.
private struct QuadraticModel {
    var gradient: [Double]
    /// Its lower triangle, row by row.
    var hessian: [Double]
    private static let mostSweeps = 20_000

    init(size: Int) {
        gradient = [Double](repeating: 0, count: size)
        hessian = [Double](repeating: 0, count: size * size)
    }

    @inline(__always)
    mutating func add(_ row: [Double], error: Double, spread: Double) {
        for a in row.indices {
            gradient[a] += error * row[a]
            for b in 0...a { hessian[a * row.count + b] += spread * row[a] * row[b] }
        }
    }

    /// The best step that leaves all but the first coordinate at 0 or above: coordinate descent, which ends at the
    /// minimum of a convex function over a box (Tseng 2001).
    func step(from point: [Double]) -> [Double] {
        let size = gradient.count
        var step = [Double](repeating: 0, count: size)
        for _ in 0..<QuadraticModel.mostSweeps {
            var largest = 0.0
            for a in 0..<size {
                var slope = gradient[a]
                for b in 0..<size { slope += hessian[max(a, b) * size + min(a, b)] * step[b] }
                let free = step[a] - slope / max(hessian[a * size + a], .leastNormalMagnitude)
                let next = a == 0 ? free : max(-point[a], free)
                largest = max(largest, abs(next - step[a]))
                step[a] = next
            }
            if largest < 1e-14 * (step.map { abs($0) }.max() ?? 0) { break }
        }
        return step
    }
}
