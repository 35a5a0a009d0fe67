import CCoveyKernels
import Glibc
import Testing

@testable import CoveyEncoder

@Suite struct KernelTests {
    /// log1p against the C library's in float64, from the smallest to the largest float.
    @Test(arguments: Fixture.instructionSets) func timeFeatureIsLog1p(instructionSet: Int32) {
        var seconds: [Float] = [0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1, 0x1p24, 0x1p24 - 1]
        for exponent in stride(from: -40.0, through: 38.0, by: 0.01) { seconds.append(Float(pow(10.0, exponent))) }
        var result = [Float](repeating: 7, count: 2 * seconds.count)
        ck_time_feature(instructionSet, Int64(seconds.count), seconds, 0, 1, 1e4, &result, 2)
        for (index, value) in seconds.enumerated() {
            let expected = log1p(Double(value))
            #expect(abs(Double(result[2 * index]) - expected) <= 2.5e-7 * expected + 1e-45, "log1p(\(value))")
            #expect(result[2 * index + 1] == 7)
        }
    }

    @Test(arguments: Fixture.instructionSets) func timeFeatureIsStandardised(instructionSet: Int32) {
        var result = [Float](repeating: 7, count: 4)
        ck_time_feature(instructionSet, 4, [.nan, Float(M_E) - 1, 0, 1e30], -1, 2, 100, &result, 1)
        #expect(result[0] == 0)
        #expect(abs(result[1] - 4) < 1e-6)
        #expect(abs(result[2] - 2) < 1e-6)
        #expect(result[3] == 100)
    }

    /// Products of all heights of tiles, widths of panels and depths, against a sum in float64; what lies beside stays.
    @Test(arguments: Fixture.instructionSets) func productIsTheSum(instructionSet: Int32) {
        var random = SystemRandomNumberGenerator()
        func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in Float.random(in: -1...1, using: &random) } }
        for m in [1, 2, 5, 6, 7, 13, 26] {
            for (n, k) in [(16, 3), (32, 1), (48, 64), (64, 128), (80, 129), (208, 300), (64, 0)] {
                let (stride, width) = (n + 16, max(m, k) + 3)
                let (a, b) = (numbers(width * width), numbers(k * stride + 16))
                let (bias, before) = (numbers(n), numbers(m * stride))
                for isTransposed in [false, true] {
                    for start in ["zero", "bias", "sum"] {
                        var c = before
                        ck_product(
                            instructionSet, Int64(m), Int64(n), Int64(k), a, Int64(isTransposed ? 1 : width),
                            Int64(isTransposed ? width : 1), b, Int64(stride), start == "bias" ? bias : nil,
                            start == "sum" ? 1 : 0, &c, Int64(stride))
                        for row in 0..<m {
                            for column in 0..<stride {
                                let place = row * stride + column
                                guard column < n else {
                                    #expect(c[place] == before[place])
                                    continue
                                }
                                var sum =
                                    start == "sum" ? Double(before[place]) : start == "bias" ? Double(bias[column]) : 0
                                for p in 0..<k {
                                    sum +=
                                        Double(a[isTransposed ? p * width + row : row * width + p])
                                        * Double(b[p * stride + column])
                                }
                                if abs(Double(c[place]) - sum) > 1e-6 + 1e-7 * Double(k) {
                                    Issue.record("\(m) x \(n) x \(k), \(start): \(place)")
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// One unit, one step: the gates against the C library's, over their whole range.
    @Test(arguments: Fixture.instructionSets) func gatesAreSigmoidAndTanh(instructionSet: Int32) {
        func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
        for i in stride(from: -40.0, through: 40.0, by: 0.37) {
            let gates = [i, -i / 3 + 1, i / 7, 2 - i / 2]
            for (cell, table) in [(0.0, gates), (3.0, [gates[3], gates[0], gates[1], gates[2]])] {
                var entry = [Float](repeating: 0, count: 64)
                for gate in 0..<4 { entry[gate * 16 + 5] = Float(table[gate]) }
                var cells = [Float](repeating: 0, count: 16)
                cells[5] = Float(cell)
                var states = [Float](repeating: 9, count: 16)
                entry.withUnsafeBufferPointer { entry in
                    var tables: UnsafePointer<Float>? = entry.baseAddress
                    withUnsafePointer(to: &tables) { tables in
                        var lstm = ck_lstm(
                            hidden: 1, blocks: 1, lookups: 1, inputs: 0, tables: tables,
                            input_weights: entry.baseAddress,
                            recurrent_weights: entry.baseAddress)
                        ck_lstm_step(
                            instructionSet, &lstm, 1, nil, entry.baseAddress, 0, nil, 0, &states, 16, &cells, 0)
                    }
                }
                let x = table.map { Double(Float($0)) }
                let expected = sigmoid(x[1]) * cell + sigmoid(x[0]) * tanh(x[2])
                #expect(abs(Double(cells[5]) - expected) < 4e-7 * max(1, abs(expected)), "gates \(table)")
                #expect(abs(Double(states[5]) - sigmoid(x[3]) * tanh(expected)) < 4e-7, "gates \(table)")
                #expect(states[4] == 0)
            }
        }
    }

    /// A sequence at once, whole and in pieces, has the bytes of its steps one by one.
    @Test(arguments: Fixture.instructionSets, [1, 15, 16, 17, 40, 64])
    func sequenceIsItsSteps(instructionSet: Int32, hidden: Int) throws {
        func numbers(_ count: Int) throws -> FloatBlock {
            let block = try FloatBlock(count, for: "a test")
            for index in 0..<count { block.pointer[index] = Float.random(in: -1...1) }
            return block
        }
        let (blocks, steps, entries, inputs) = ((hidden + 15) / 16, 7, 3, 2)
        let units = blocks * 16
        let tables = try (0..<2).map { _ in try numbers(entries * blocks * 64) }
        let weights = try numbers(blocks * inputs * 64)
        let recurrent = try numbers(blocks * hidden * 64)
        let values = try numbers(steps * inputs)
        let indices = (0..<steps * 2).map { _ in Int32.random(in: 0..<Int32(entries)) }
        let pointers = tables.map { UnsafePointer<Float>?($0.pointer) }

        /// - Parameter pieces: how many steps each call takes; nil = one by one.
        func run(_ direction: Int, _ pieces: [Int]?) throws -> [Float] {
            let states = try FloatBlock(steps * units, for: "a test")
            let cells = try FloatBlock(units, for: "a test")
            let sums = try numbers(blocks * 64)
            pointers.withUnsafeBufferPointer { pointers in
                indices.withUnsafeBufferPointer { indices in
                    var lstm = ck_lstm(
                        hidden: Int64(hidden), blocks: Int64(blocks), lookups: 2, inputs: Int64(inputs),
                        tables: pointers.baseAddress, input_weights: weights.pointer,
                        recurrent_weights: recurrent.pointer)
                    var step = 0
                    for piece in pieces ?? Array(repeating: 1, count: steps) {
                        let row = direction > 0 ? step : steps - 1 - step
                        let target = states.pointer + row * units
                        let previous = step > 0 ? UnsafePointer(target - direction * units) : nil
                        let entry = indices.baseAddress! + row * 2
                        let input = values.pointer + row * inputs
                        if pieces == nil {
                            ck_lstm_step(
                                instructionSet, &lstm, 1, entry, input, Int64(inputs), previous, Int64(units), target,
                                Int64(units), cells.pointer, Int32(row & 1))
                        } else {
                            ck_lstm_sequence(
                                instructionSet, &lstm, Int64(piece), Int64(direction), entry, input, Int64(inputs),
                                previous,
                                target, Int64(units), cells.pointer, sums.pointer, Int32(row & 1))
                        }
                        step += piece
                    }
                }
            }
            return [states, cells].flatMap { Array(UnsafeBufferPointer(start: $0.pointer, count: $0.count)) }
        }
        for direction in [1, -1] {
            let expected = try run(direction, nil)
            for pieces in [[7], [1, 6], [3, 2, 1, 1]] {
                #expect(try run(direction, pieces) == expected, "\(pieces), direction \(direction)")
            }
        }
        withExtendedLifetime((tables, weights, recurrent, values)) {}
    }

    @Test func finiteNumbersAreTold() {
        var values =
            (0..<37).map { Float($0) - 18 } + [
                .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude,
            ]
        #expect(ck_all_finite(Int64(values.count), values) != 0)
        for bad in [Float.infinity, -.infinity, .nan, -.nan, Float(bitPattern: 0x7F80_0001)] {
            for place in values.indices {
                let value = values[place]
                values[place] = bad
                #expect(ck_all_finite(Int64(values.count), values) == 0)
                values[place] = value
            }
        }
    }
}
