import CCoveyKernels
import CoveyRuntime
import CoveySequences
import Glibc
import Testing

@testable import CoveyEncoder

@Suite struct GradientTests {
    /// Loss and gradient of every weight, against PyTorch's autograd in float64 on the same weights.
    @Test(arguments: TrainingFixture.names, Fixture.instructionSets)
    func equalsAutograd(name: String, instructionSet: Int32) throws {
        let fixture = try TrainingFixture(name)
        for objective in TrainingFixture.objectives where fixture.file.contains("loss.\(objective)") {
            let objectives = TrainingFixture.objectives(objective, weight: 0.5)
            let network = try fixture.network(fixture.options(objectives), instructionSet: instructionSet)
            let batch = try fixture.batch(objectives)
            let (loss, gradient) = try network.gradient(batch)
            let expected = try fixture.file.values("loss.\(objective)", as: Double.self, shape: [1])[0]
            #expect(abs(loss - 0.5 * expected) < 1e-5 * expected, "\(objective): \(loss) and \(0.5 * expected)")
            for tensor in network.layout.tensors {
                let values = try gradient.withUnsafeBufferPointer {
                    try network.layout.values(tensor, from: $0.baseAddress!, Execution())
                }
                let key = "gradient.\(objective).\(tensor.name)"
                guard fixture.file.contains(key) else {
                    #expect(values.allSatisfy { $0 == 0 }, "\(key) is not 0")
                    continue
                }
                let reference = try fixture.file.values(key, as: Float.self, shape: tensor.shape)
                let size = reference.reduce(Float(0)) { max($0, abs($1)) }
                let error = largestDifference(values, reference.map { $0 / 2 })
                #expect(error <= 0.5e-4 * size + 1e-9, "\(key): off by \(error) of \(size)")
            }
        }
    }

    /// The slope along a random direction of each tensor, against central differences of the loss.
    @Test(arguments: TrainingFixture.objectives) func equalsFiniteDifferences(objective: String) throws {
        let fixture = try TrainingFixture("channels")
        let objectives = TrainingFixture.objectives(objective)
        let network = try fixture.network(fixture.options(objectives))
        let batch = try fixture.batch(objectives)
        let gradient = try network.gradient(batch).gradient
        var random = SeededRandom(seed: 3)
        let execution = Execution()
        for tensor in network.layout.tensors {
            let places = (0..<tensor.rows).flatMap { row in (0..<tensor.columns).map { tensor.place(row, $0) } }
            // Along the gradient, so that the slope is large beside the error of float32, and somewhat beside it.
            let size = places.reduce(0.0) { max($0, abs(Double(gradient[$1]))) }
            guard size > 0 else { continue }
            let direction = places.map { Double(gradient[$0]) / size + 0.1 * random.normal() }
            let length = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
            let step = 0.02 / length
            let slope = zip(places, direction).reduce(0) { $0 + Double(gradient[$1.0]) * $1.1 }
            let original = places.map { network.weights.pointer[$0] }
            func loss(_ factor: Double) throws -> Double {
                for (index, place) in places.enumerated() {
                    network.weights.pointer[place] = Float(Double(original[index]) + factor * step * direction[index])
                }
                return try network.step.run(batch, isLearning: false, execution).loss
            }
            let difference = (try loss(1) - loss(-1)) / (2 * step)
            for (index, place) in places.enumerated() { network.weights.pointer[place] = original[index] }
            #expect(
                abs(difference - slope) < 0.02 * abs(slope) + 1e-4,
                "\(objective) \(tensor.name): \(difference), \(slope)")
        }
    }

    /// All objectives at once: the gradient is the weighted sum of theirs, and the same bytes for any number of
    /// threads.
    @Test func sumsObjectives() throws {
        let fixture = try TrainingFixture("channels")
        let sum = TrainingOptions.Objectives(nextEvent: 1, maskedEvent: 0, autoencoder: 0.5, contrastive: 2)
        let network = try fixture.network(fixture.options(sum))
        let batch = try fixture.batch(sum)
        #expect(batch.chunks.count > 1)
        let all = try network.gradient(batch, threads: 1)
        for threads in [2, 5] {
            let other = try network.gradient(batch, threads: threads)
            #expect(other.loss == all.loss && other.gradient == all.gradient)
        }
        for tensor in network.layout.tensors {
            let values = try all.gradient.withUnsafeBufferPointer {
                try network.layout.values(tensor, from: $0.baseAddress!, Execution())
            }
            var expected = [Float](repeating: 0, count: tensor.count)
            for (objective, weight) in [("next_event", Float(1)), ("autoencoder", 0.5), ("contrastive", 2)] {
                let key = "gradient.\(objective).\(tensor.name)"
                guard fixture.file.contains(key) else { continue }
                let part = try fixture.file.values(key, as: Float.self, shape: tensor.shape)
                for index in expected.indices { expected[index] += weight * part[index] }
            }
            let size = expected.reduce(Float(0)) { max($0, abs($1)) }
            #expect(largestDifference(values, expected) <= 1e-4 * size + 1e-9, "\(tensor.name)")
        }
    }

    /// Where the directions are pieces of work of their own: the same bytes for any number of threads.
    @Test(arguments: ["small", "wide"]) func dividesDirections(name: String) throws {
        let fixture = try TrainingFixture(name)
        let objectives = TrainingFixture.objectives("next_event")
        let network = try fixture.network(fixture.options(objectives))
        let batch = try fixture.batch(objectives)
        let one = try network.gradient(batch, threads: 1)
        #expect(one.gradient.contains { $0 != 0 })
        for threads in [2, 3, 16] {
            let other = try network.gradient(batch, threads: threads)
            #expect(other.loss == one.loss && other.gradient == one.gradient)
        }
    }

    /// With the entries that occur alone, as for a large vocabulary, and so many others drawn that the softmax is over
    /// all.
    @Test(arguments: TrainingFixture.objectives) func gathersEntries(objective: String) throws {
        let fixture = try TrainingFixture("channels")
        let objectives = TrainingFixture.objectives(objective)
        let network = try fixture.network(fixture.options(objectives))
        let batch = try fixture.batch(objectives, largestSoftmax: 4)
        #expect(batch.outputs?.count == 31 && batch.categories[0] != nil)
        let execution = Execution()
        let outcome = try network.step.run(batch, isLearning: true, execution)
        let expected = try fixture.file.values("loss.\(objective)", as: Double.self, shape: [1])[0]
        #expect(abs(outcome.loss - expected) < 1e-5 * expected)
        let adam = AdamW(
            values: network.weights.pointer, first: network.weights.pointer, second: network.weights.pointer,
            instructionSet: network.step.instructionSet)
        _ = try adam.reduce(outcome.gradients, outcome.tables, execution)
        for (name, region) in [("event_embedding.weight", network.layout.events)]
            + network.layout.categories.enumerated().map({ ("categorical_embeddings.\($0).weight", $1) })
        {
            let stride = network.layout.regions[region].stride
            let rows = try #require(outcome.tables.rows[region])
            let reference = try fixture.file.values(
                "gradient.\(objective).\(name)", as: Float.self, shape: [network.layout.regions[region].rows, stride])
            var found = [Float](repeating: 0, count: reference.count)
            let gradient = outcome.gradients[0] + outcome.tables.gradients[region]
            for (place, row) in rows.enumerated() {
                for column in 0..<stride { found[Int(row) * stride + column] = gradient[place * stride + column] }
            }
            let size = reference.reduce(Float(0)) { max($0, abs($1)) }
            #expect(largestDifference(found, reference) < 1e-4 * size, "\(name)")
        }
    }

    /// Three steps against the equations in float64.
    @Test func stepsAsAdamW() throws {
        let fixture = try TrainingFixture("projected")
        var options = fixture.options(TrainingFixture.objectives("autoencoder"))
        options.clip = 0.25
        options.weightDecay = 0.1
        let network = try fixture.network(options)
        let count = network.layout.count
        let (first, second) = (try FloatBlock(count, for: "test"), try FloatBlock(count, for: "test"))
        let adam = AdamW(
            values: network.weights.pointer, first: first.pointer, second: second.pointer,
            instructionSet: network.step.instructionSet)
        var expected = (0..<count).map { Double(network.weights.pointer[$0]) }
        var m = [Double](repeating: 0, count: count)
        var v = m
        let execution = Execution()
        for number in 1...3 {
            let outcome = try network.step.run(fixture.batch(options.objectives), isLearning: true, execution)
            let norm = try adam.reduce(outcome.gradients, outcome.tables, execution)
            #expect(norm > 0.25)
            let gradient = outcome.gradients[0]
            var decays = [Bool](repeating: false, count: count)
            for region in network.layout.regions where region.decays {
                for place in region.offset..<region.offset + region.count { decays[place] = true }
            }
            var squares = 0.0
            for place in 0..<count { squares += Double(gradient[place]) * Double(gradient[place]) }
            #expect(abs(norm - squares.squareRoot()) < 1e-9 * norm)
            for place in 0..<count {
                let g = Double(gradient[place]) * 0.25 / (norm + 1e-6)
                m[place] = 0.9 * m[place] + 0.1 * g
                v[place] = 0.999 * v[place] + 0.001 * g * g
                if decays[place] { expected[place] *= 1 - 0.01 * 0.1 }
                let corrected = (m[place] / (1 - pow(0.9, Double(number))), v[place] / (1 - pow(0.999, Double(number))))
                expected[place] -= 0.01 * corrected.0 / (corrected.1.squareRoot() + 1e-8)
            }
            try adam.step(gradient, norm: norm, number: number, rate: 0.01, options, outcome.tables, execution)
            let found = (0..<count).map { network.weights.pointer[$0] }
            #expect(largestDifference(found, expected.map { Float($0) }) < 2e-5)
        }
    }
}
