import CoveyRuntime
import CoveySequences
import Glibc

/// The mean and standard deviation of a column, in one pass (Welford 1962). Missing values are left out.
private struct RunningScaling {
    private var count = 0.0
    private var mean = 0.0
    private var squares = 0.0

    mutating func add(_ value: Double) {
        guard !value.isNaN else { return }
        count += 1
        let difference = value - mean
        mean += difference / count
        squares += difference * (value - mean)
    }

    /// The deviation is 1 if the column is constant, has no value, or has squares that are too large for float64.
    var scaling: Scaling {
        let deviation = (squares / max(1, count)).squareRoot()
        let isUsable = mean.isFinite && deviation.isFinite && deviation > 1e-12 * abs(mean) && deviation > 1e-300
        return Scaling(mean: mean.isFinite ? mean : 0, deviation: isUsable ? deviation : 1)
    }
}

extension EncoderConfiguration {
    /// Returns the configuration of an encoder that is trained on the batch. Time features and numeric channels are
    /// standardised by the mean and deviation of the batch. Cost: O(events).
    static func measured(
        _ batch: SequenceBatch, vocabulary: Vocabulary, numericNames: Vocabulary, categoricalNames: Vocabulary,
        categoricalVocabularies: [Vocabulary], _ execution: Execution
    ) throws -> EncoderConfiguration {
        var times = [RunningScaling](repeating: RunningScaling(), count: batch.dwell == nil ? 2 : 3)
        var numbers = [RunningScaling](repeating: RunningScaling(), count: batch.numeric.count)
        func logarithm(_ seconds: Double) -> Double { log1p(min(seconds, Double(Float.greatestFiniteMagnitude))) }
        for sequence in 0..<batch.count {
            if sequence & 0xFF == 0 { try execution.report() }
            let range = batch.offsets[sequence]
            guard !range.isEmpty else { continue }
            let order = try batch.timeOrder(sequence, execution)
            func event(_ step: Int) -> Int { range.lowerBound + (order.map { Int($0[step]) } ?? step) }
            let last = batch.times[event(range.count - 1)]
            var before = batch.times[event(0)]
            for step in 0..<range.count {
                if step & 0xFFFF == 0xFFFF { try execution.report() }
                let place = event(step)
                let time = batch.times[place]
                times[0].add(logarithm(time - before))
                times[1].add(logarithm(last - time))
                if let dwell = batch.dwell { times[2].add(logarithm(dwell[place])) }
                for channel in numbers.indices { numbers[channel].add(batch.numeric[channel][place]) }
                before = time
            }
        }
        return EncoderConfiguration(
            vocabulary: vocabulary, timeScaling: times.map(\.scaling), numericNames: numericNames,
            numericScaling: numbers.map(\.scaling), categoricalNames: categoricalNames,
            categoricalVocabularies: categoricalVocabularies)
    }
}
