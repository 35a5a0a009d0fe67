import CoveyRuntime
import CoveySequences

/// Integrated gradients (Sundararajan, Taly and Yan 2017) of a number that depends on the embedding of a sequence,
/// along the straight line from the baseline of `InputPath`.
public struct IntegratedGradients: Sendable {
    /// One for each event, in the order as given.
    public let attributions: [Double]
    /// The number at the baseline.
    public let base: Double
    /// The points on the line.
    public let steps: Int
}

extension Encoder {
    /// The attributions are complete if their sum differs from `value - base` by at most this share of it, or by at
    /// most `rounding` of the larger of the two numbers, which is the error of float32.
    static let incomplete = 0.01
    private static let rounding = 1e-5

    /// Explains `value(embedding) - value(embedding of the baseline)`. The points on the line are doubled until the
    /// attributions add up to it within 1 %, or until there are `largestSteps`.
    ///
    /// Cost: about three times that of embedding the sequence, for each point. Memory: O(events x points), at most 32
    /// MB if one point needs less.
    /// - Parameters:
    ///   - whole: the value of the sequence.
    ///   - arena: memory that a thread's calls share.
    ///   - value: the number and its gradient for an embedding.
    /// - Throws: `outOfMemory`, `cancelled`.
    public func integratedGradients(
        _ batch: SequenceBatch, _ sequence: Int, whole: Double, largestSteps: Int, _ arena: GradientMemory,
        _ execution: Execution, value: (_ embedding: [Float]) throws -> (value: Double, gradient: [Double])
    ) throws -> IntegratedGradients {
        let network = try gradientNetwork(execution)
        try Line.check(network, events: batch.offsets[sequence].count, execution)
        let path = try InputPath(checkpoint, network, batch, sequence, execution)
        let events = batch.offsets[sequence].count
        let line = Line(network: network, path: path, events: events, arena: arena.arena, execution: execution)
        let base = try line.base(value)
        guard events > 0 else { return IntegratedGradients(attributions: [], base: base, steps: 0) }
        var panels = 2
        while true {
            let attributions = try line.integrate(panels: panels, value)
            let steps = panels * Line.nodes.count
            let (difference, residual) = (whole - base, whole - base - attributions.reduce(0, +))
            let allowed = max(
                Self.incomplete * abs(difference), Self.rounding * max(abs(whole), abs(base)))
            // Half of the limit, so that the error is also within 1 % of the sum of the attributions.
            if abs(residual) <= allowed / 2 || 2 * steps > largestSteps {
                var given = attributions
                if let order = path.order {
                    for (step, place) in order.enumerated() { given[Int(place)] = attributions[step] }
                }
                return IntegratedGradients(attributions: given, base: base, steps: steps)
            }
            panels *= 2
        }
    }
}

/// Memory for gradients that the calls of one thread share, one after the other.
public final class GradientMemory: @unchecked Sendable {
    let arena = TrainingArena()

    public init() {}
}

/// The straight line from a baseline to a sequence.
private struct Line {
    let network: GradientNetwork
    let path: InputPath
    let events: Int
    let arena: TrainingArena
    let execution: Execution

    /// The four nodes of Gauss and Legendre on 0...1, and their weights: exact for polynomials of degree 7.
    static let nodes: [(place: Double, weight: Double)] = [
        (0.069_431_844_202_973_7, 0.173_927_422_568_726_9), (0.330_009_478_207_571_9, 0.326_072_577_431_273_1),
        (0.669_990_521_792_428_1, 0.326_072_577_431_273_1), (0.930_568_155_797_026_3, 0.173_927_422_568_726_9),
    ]
    /// The bytes of the points that run at once, if more than one fits.
    private static let bytes = 32 << 20

    /// The value at the baseline.
    func base(_ value: (_ embedding: [Float]) throws -> (value: Double, gradient: [Double])) throws -> Double {
        guard events > 0 else { return try value([Float](repeating: 0, count: network.dimension)).value }
        let run = try GradientRun(network, events: events, points: 1, arena, execution)
        fill(run, [0])
        try run.forward()
        return try value(embedding(run, 0)).value
    }

    /// Refuses a sequence whose arrays do not fit in the memory budget, before any is allocated.
    static func check(_ network: GradientNetwork, events: Int, _ execution: Execution) throws {
        guard events <= GradientRun.largestRows / 4096 else {
            throw CoveyError.outOfMemory("the gradients of \(events) events need too much memory")
        }
        let path = try checkedProduct(events, network.width + 8, "the inputs of \(events) events")
        try execution.reserve(path, of: 8, for: "the inputs of \(events) events")
        try execution.reserve(
            GradientRun.bytes(network, events: events, points: 1), for: "the gradients of \(events) events")
    }

    /// The attributions of the events in the order of time, from four points in each of `panels` equal parts of the
    /// line.
    func integrate(
        panels: Int, _ value: (_ embedding: [Float]) throws -> (value: Double, gradient: [Double])
    ) throws -> [Double] {
        let points = (0..<panels).flatMap { panel in
            Line.nodes.map { (place: (Double(panel) + $0.place) / Double(panels), weight: $0.weight / Double(panels)) }
        }
        let one = GradientRun.bytes(network, events: events, points: 1)
        let together = max(1, min(points.count, Line.bytes / one))
        var sums = [Double](repeating: 0, count: events)
        for start in stride(from: 0, to: points.count, by: together) {
            let chosen = points[start..<min(points.count, start + together)]
            let run = try GradientRun(network, events: events, points: chosen.count, arena, execution)
            fill(run, chosen.map(\.place))
            try run.forward()
            for (point, weight) in chosen.map(\.weight).enumerated() {
                let gradient = try value(embedding(run, point)).gradient
                let target = run.outputGradient + point * network.output
                target.update(repeating: 0, count: network.output)
                for (column, number) in gradient.enumerated() {
                    target[network.output(column)] = Float(number * weight)
                }
            }
            try run.backward()
            add(run, chosen.count, &sums)
        }
        return sums
    }

    /// Adds what the gradients say of each event: their product with its input less the baseline.
    private func add(_ run: GradientRun, _ points: Int, _ sums: inout [Double]) {
        let width = network.width
        path.differences.withUnsafeBufferPointer { differences in
            for event in 0..<events {
                var sum = 0.0
                for point in 0..<points {
                    let gradient = run.gradient + (event * points + point) * width
                    var part: Float = 0
                    for place in 0..<width { part += gradient[place] * differences[event * width + place] }
                    sum += Double(part)
                }
                sums[event] += sum
            }
        }
    }

    private func fill(_ run: GradientRun, _ places: [Double]) {
        let width = network.width
        path.differences.withUnsafeBufferPointer { differences in
            path.baseline.withUnsafeBufferPointer { baseline in
                for event in 0..<events {
                    for (point, place) in places.enumerated() {
                        let target = run.firstInputs + (event * places.count + point) * run.inputStride
                        let share = Float(place)
                        for column in 0..<width {
                            target[column] = baseline[column] + share * differences[event * width + column]
                        }
                    }
                }
            }
        }
    }

    private func embedding(_ run: GradientRun, _ point: Int) -> [Float] {
        (0..<network.dimension).map { run.output[point * network.output + network.output($0)] }
    }
}
