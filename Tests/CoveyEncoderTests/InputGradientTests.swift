import CCoveyKernels
import CoveyRuntime
import CoveySequences
import Testing

@testable import CoveyEncoder

@Suite struct InputGradientTests {
    static let names = ["small", "projected", "channels", "two_layers", "long"]

    /// A run of one sequence at two points of the path: the sequence itself, and half way to the baseline.
    private struct Runs {
        let network: GradientNetwork
        let path: InputPath
        let run: GradientRun
        let events: Int

        init(_ fixture: Fixture, _ encoder: Encoder, _ sequence: Int, instructionSet: Int32) throws {
            let execution = Execution()
            network = try GradientNetwork(encoder.checkpoint, execution, instructionSet: instructionSet)
            path = try InputPath(encoder.checkpoint, network, fixture.batch, sequence, execution)
            events = fixture.batch.offsets[sequence].count
            run = try GradientRun(network, events: events, points: 2, TrainingArena(), execution)
        }

        /// Fills the inputs; `change` is added to those of one event at the first point.
        func fill(event changed: Int = -1, _ change: [Float] = []) {
            let width = network.width
            for event in 0..<events {
                for point in 0..<2 {
                    let target = run.firstInputs + (event * 2 + point) * run.inputStride
                    for column in 0..<width {
                        target[column] =
                            path.baseline[column] + path.differences[event * width + column] / Float(point + 1)
                        if event == changed, point == 0 { target[column] += change[column] }
                    }
                }
            }
        }

        func embedding(_ point: Int) -> [Float] {
            (0..<network.dimension).map { run.output[point * network.output + network.output($0)] }
        }
    }

    private func sequences(_ fixture: Fixture) -> [Int] {
        Array((0..<fixture.batch.count).filter { (1...60).contains(fixture.batch.offsets[$0].count) }.prefix(6))
    }

    @Test(arguments: names, Fixture.instructionSets) func forwardEqualsEmbedding(
        name: String, instructionSet: Int32
    ) throws {
        let fixture = try Fixture(name)
        let encoder = try fixture.encoder(instructionSet: instructionSet)
        let d = encoder.dimension
        for sequence in sequences(fixture) {
            let runs = try Runs(fixture, encoder, sequence, instructionSet: instructionSet)
            runs.fill()
            try runs.run.forward()
            let expected = Array(fixture.embeddings[sequence * d..<(sequence + 1) * d])
            #expect(largestDifference(runs.embedding(0), expected) < 1e-5)
        }
    }

    /// The slope of a random projection of the embedding when the input of one event moves, against central
    /// differences.
    @Test(arguments: names, Fixture.instructionSets) func equalsFiniteDifferences(
        name: String, instructionSet: Int32
    ) throws {
        let fixture = try Fixture(name)
        let encoder = try fixture.encoder(instructionSet: instructionSet)
        var random = SeededRandom(seed: 5)
        for sequence in sequences(fixture) {
            let runs = try Runs(fixture, encoder, sequence, instructionSet: instructionSet)
            let (network, run) = (runs.network, runs.run)
            let projection = (0..<network.dimension).map { _ in random.normal() }
            func value() -> Double {
                zip(projection, runs.embedding(0)).reduce(0) { $0 + $1.0 * Double($1.1) }
            }
            runs.fill()
            try run.forward()
            run.outputGradient.update(repeating: 0, count: 2 * network.output)
            for (column, number) in projection.enumerated() {
                run.outputGradient[network.output(column)] = Float(number)
            }
            try run.backward()
            let gradient = Array(UnsafeBufferPointer(start: run.gradient, count: 2 * runs.events * network.width))
            let largest = gradient.reduce(Float(0)) { max($0, abs($1)) }
            for event in Set([0, runs.events / 2, runs.events - 1]) {
                let own = gradient[event * 2 * network.width..<(event * 2 + 1) * network.width]
                // Along the gradient, so that the slope is large beside the error of float32, and somewhat beside it.
                let direction = own.map { $0 + 0.1 * largest * Float(random.normal()) }
                let length = direction.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
                let step = 0.01 / length
                func moved(_ factor: Double) throws -> Double {
                    runs.fill(event: event, direction.map { Float(factor * step) * $0 })
                    try run.forward()
                    return value()
                }
                let slope = zip(own, direction).reduce(0) { $0 + Double($1.0) * Double($1.1) }
                let difference = (try moved(1) - moved(-1)) / (2 * step)
                #expect(
                    abs(difference - slope) < 0.02 * abs(slope) + 1e-4 * length,
                    "\(name) \(sequence) event \(event): \(difference), \(slope)")
            }
            // The second point has no gradient of its own and must not take part in that of the first.
            for event in 0..<runs.events {
                let other = gradient[(event * 2 + 1) * network.width..<(event * 2 + 2) * network.width]
                #expect(other.allSatisfy { $0 == 0 })
            }
        }
    }

    /// Attributions add up to the value less that of the baseline, whatever the number of points that run at once.
    @Test(arguments: names) func integratedGradientsAreComplete(name: String) throws {
        let fixture = try Fixture(name)
        let encoder = try fixture.encoder()
        let d = encoder.dimension
        for sequence in sequences(fixture) {
            let whole = Array(fixture.embeddings[sequence * d..<(sequence + 1) * d])
            func value(_ embedding: [Float]) -> (Double, [Double]) {
                (embedding.reduce(0) { $0 + Double($1) * Double($1) }, embedding.map { 2 * Double($0) })
            }
            let found = try encoder.integratedGradients(
                fixture.batch, sequence, whole: value(whole).0, largestSteps: 1024, GradientMemory(), Execution(),
                value: value)
            let difference = value(whole).0 - found.base
            #expect(found.attributions.count == fixture.batch.offsets[sequence].count)
            #expect(
                abs(difference - found.attributions.reduce(0, +)) <= 0.01 * abs(difference) + 2e-5 * value(whole).0)
            #expect(found.steps >= 8 && found.steps <= 1024)
        }
    }
}
