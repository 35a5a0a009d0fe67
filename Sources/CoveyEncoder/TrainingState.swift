import CoveyFiles
import CoveyRuntime
import Glibc

/// The complete state of a training between two steps. The same state always leads to the same weights.
final class TrainingState {
    let layout: ParameterLayout
    let parameters: FloatBlock
    let first: FloatBlock
    let second: FloatBlock
    /// A copy of the encoder's best weights: those of step `bestStep`, with the smallest held-out loss so far, or those
    /// of the last step if nothing is held out. They are in `parameters` until the next step is done, and in `kept`
    /// after it. `kept` is an array, so that the encoder can take it without a copy.
    private var kept: [Float]
    private var keptStep = 0
    var bestLoss = Double.infinity
    var bestStep = 0
    /// The number of steps done in total and in this epoch, of epochs done, and of epochs in a row without an
    /// improvement.
    var step = 0
    var stepInEpoch = 0
    var epoch = 0
    var patience = 0
    var isDone = false
    /// The sum of the losses of this epoch's sequences so far, and the seconds it took.
    var lossSum = 0.0
    var seconds = 0.0
    var history: [TrainingReport.Epoch] = []

    init(_ layout: ParameterLayout, _ execution: Execution) throws {
        self.layout = layout
        parameters = try FloatBlock(layout.count, for: "the weights", execution)
        first = try FloatBlock(layout.count, for: "the moments of the weights", execution)
        second = try FloatBlock(layout.count, for: "the moments of the weights", execution)
        kept = try largeArray(layout.encoderCount, execution)
    }

    static func bytes(_ layout: ParameterLayout) -> Int { 4 * (3 * layout.count + layout.encoderCount) }

    /// Call this before a step. If the parameters are the best weights, it copies them to `kept`. If it is stopped,
    /// they are still in `parameters`.
    /// - Parameter rows: for each region the entries that the last step changed; nil means all. If `kept` has the
    ///   weights of the step before, only these entries are copied.
    func preserveBest(moved rows: [[Int32]?]?, _ execution: Execution) throws {
        guard step > 0, bestStep == step, keptStep != step else { return }
        let isNext = keptStep > 0 && keptStep == step - 1
        keptStep = -1
        try kept.withUnsafeMutableBufferPointer { kept in
            func copy(_ start: Int, _ count: Int) {
                (kept.baseAddress! + start).update(from: parameters.pointer + start, count: count)
            }
            if let rows, isNext {
                for (region, rows) in zip(layout.regions, rows) where region.offset < layout.encoderCount {
                    try execution.report()
                    if let rows {
                        for row in rows { copy(region.offset + Int(row) * region.stride, region.stride) }
                    } else {
                        copy(region.offset, region.count)
                    }
                }
            } else {
                let grain = 1 << 20
                for start in stride(from: 0, to: kept.count, by: grain) {
                    try execution.report()
                    copy(start, min(grain, kept.count - start))
                }
            }
        }
        keptStep = step
    }

    /// Calls `body` with the best weights.
    func withBest<Result>(_ body: (UnsafePointer<Float>) throws -> Result) rethrows -> Result {
        if bestStep == step { return try body(parameters.pointer) }
        return try kept.withUnsafeBufferPointer { try body($0.baseAddress!) }
    }

    /// Returns the best weights. The state cannot be used after this.
    /// - Parameter execution: must not be cancelled with the call.
    func takeBest(_ execution: Execution) throws -> [Float] {
        try preserveBest(moved: nil, execution)
        let result = kept
        kept = []
        return result
    }

    // MARK: The file

    static let entryName = "covey.training"
    private static let formatVersion = 1

    private struct Form: Codable {
        let format_version: Int
        let fingerprint: String
        let best_step: Int
        let step: Int
        let step_in_epoch: Int
        let epoch: Int
        let patience: Int
        let done: Bool
    }

    private typealias Part = (
        prefix: String, values: UnsafeMutablePointer<Float>, tensors: ArraySlice<ParameterLayout.Tensor>
    )

    private func parts(_ best: UnsafeMutablePointer<Float>) -> [Part] {
        [
            ("weight.", parameters.pointer, layout.tensors[...]), ("first_moment.", first.pointer, layout.tensors[...]),
            ("second_moment.", second.pointer, layout.tensors[...]),
            ("best.", best, layout.tensors.prefix(layout.encoderTensors)),
        ]
    }

    /// Writes the state to a file. The write is atomic.
    /// - Parameter fingerprint: a hash of the options and the data. They must be the same when the training continues.
    func save(
        to path: String, fingerprint: String, _ configuration: EncoderConfiguration, _ execution: Execution
    ) throws {
        try withBest { best in
            try save(UnsafeMutablePointer(mutating: best), to: path, fingerprint: fingerprint, configuration, execution)
        }
    }

    private func save(
        _ best: UnsafeMutablePointer<Float>, to path: String, fingerprint: String,
        _ configuration: EncoderConfiguration,
        _ execution: Execution
    ) throws {
        var file = SafeTensorsWriter()
        file.setEntry(EncoderConfiguration.entryName, try configuration.json(execution))
        file.setEntry(
            Self.entryName,
            try JSONText.encode(
                Form(
                    format_version: Self.formatVersion, fingerprint: fingerprint, best_step: bestStep, step: step,
                    step_in_epoch: stepInEpoch, epoch: epoch, patience: patience, done: isDone)))
        for (prefix, values, tensors) in parts(best) {
            for tensor in tensors {
                try execution.report()
                if tensor.isContiguous {
                    try file.add(
                        prefix + tensor.name, at: UnsafePointer(values + tensor.place(0, 0)), shape: tensor.shape)
                } else {
                    try file.add(
                        prefix + tensor.name, layout.values(tensor, from: values, execution), shape: tensor.shape)
                }
            }
        }
        try file.add("sums", [bestLoss, lossSum, seconds], shape: [3])
        try file.add(
            "history", history.flatMap { [$0.loss, $0.heldOutLoss, $0.seconds, $0.sequencesPerSecond] },
            shape: [history.count, 4])
        try file.setChecksum(execution)
        try file.write(to: path, execution)
    }

    /// Continues from the state in a file.
    /// - Throws: `corruptFile`, with the name of the tensor; `mismatch` if the options or the data are others;
    ///   `unsupported`; `io`.
    func load(
        from path: String, fingerprint: String, epochs: Int, stepsPerEpoch: Int, _ execution: Execution
    ) throws {
        try SafeTensors.read(path: path, execution) {
            try load($0, path, fingerprint: fingerprint, epochs: epochs, stepsPerEpoch: stepsPerEpoch, execution)
        }
    }

    private func load(
        _ file: SafeTensors, _ path: String, fingerprint: String, epochs: Int, stepsPerEpoch: Int,
        _ execution: Execution
    ) throws {
        let form: Form = try JSONText.decode(
            from: file.entry(Self.entryName), "metadata entry \(Self.entryName)", execution)
        guard form.format_version <= Self.formatVersion else {
            throw CoveyError.unsupported(
                "format_version is \(form.format_version), this version reads up to \(Self.formatVersion)")
        }
        guard form.fingerprint == fingerprint else {
            throw CoveyError.mismatch("\(path) was written with other options, another vocabulary or other sequences")
        }
        var known: Set<String> = ["sums", "history"]
        try kept.withUnsafeMutableBufferPointer { best in
            for (prefix, values, tensors) in parts(best.baseAddress!) {
                for tensor in tensors {
                    try execution.report()
                    let name = prefix + tensor.name
                    known.insert(name)
                    try layout.put(
                        file.finiteValues(name, shape: tensor.shape, execution), tensor, into: values, execution)
                }
            }
        }
        let sums = try file.values("sums", as: Double.self, shape: [3])
        let rows = try file.values("history", as: Double.self, shape: [nil, 4])
        if let other = file.names().first(where: { !known.contains($0) }) {
            throw CoveyError.corruptFile("tensor \(other) does not belong to the state of a training")
        }
        guard try file.hasValidChecksum(execution) else {
            throw CoveyError.corruptFile("the checksum is wrong")
        }
        guard (0...epochs).contains(form.epoch), (0...stepsPerEpoch).contains(form.step_in_epoch),
            form.step == form.epoch * stepsPerEpoch + form.step_in_epoch, (0...form.step).contains(form.best_step),
            (0...form.epoch).contains(form.patience), rows.count / 4 == form.epoch, form.epoch < epochs || form.done
        else {
            throw CoveyError.corruptFile("metadata entry \(Self.entryName): the numbers of steps contradict each other")
        }
        (bestStep, step, stepInEpoch, epoch) = (form.best_step, form.step, form.step_in_epoch, form.epoch)
        keptStep = bestStep
        (patience, isDone) = (form.patience, form.done)
        (bestLoss, lossSum, seconds) = (sums[0], sums[1], sums[2])
        history = stride(from: 0, to: rows.count, by: 4).map {
            TrainingReport.Epoch(
                loss: rows[$0], heldOutLoss: rows[$0 + 1], seconds: rows[$0 + 2], sequencesPerSecond: rows[$0 + 3])
        }
    }
}
