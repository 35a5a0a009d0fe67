import CCoveyKernels
import CoveyRuntime
import CoveySequences

/// Writes the inputs of a chunk. A view is treated as a complete sequence: the gap of its first event is 0, and its
/// last event is the one to which the time until the last event is measured.
struct TrainingInputs {
    let run: ChunkRun
    let source: SequenceBatch
    let configuration: EncoderConfiguration

    private var arrays: ChunkArrays { run.arrays }
    private var shape: NetworkShape { run.shape }

    /// Writes the inputs. Returns the number of distinct types.
    func fill() throws -> Int {
        let (events, inputs) = (run.events, shape.inputs)
        for direction in 0..<2 { try run.execution.clear(arrays.inputs[direction], events * inputs) }
        try run.execution.clear(arrays.stateGradient, events * shape.states)
        if run.options.objectives.readEmbedding {
            try run.execution.clear(arrays.outputGradient, run.rows * shape.output)
        }
        // For each type its row in `tableGradient`; -1 means that the type has not occurred yet.
        var rows = [Int32](repeating: -1, count: run.tables.types.rows.count)
        var count = 0
        for row in 0..<run.rows {
            try run.execution.report()
            let view = run.batch.views[run.views.lowerBound + row]
            try run.starts.withUnsafeBufferPointer { starts in
                types(view, row, starts, &rows, &count)
                times(view, row, starts)
                try channels(view, row, starts)
            }
        }
        for event in 0..<events {
            (arrays.inputs[1] + event * inputs + shape.units).update(
                from: arrays.inputs[0] + event * inputs + shape.units, count: inputs - shape.units)
        }
        try run.execution.clear(arrays.tableGradient, count * run.directions.count * shape.gates)
        return count
    }

    private func types(
        _ view: TrainingBatch.View, _ row: Int, _ starts: UnsafeBufferPointer<Int>, _ rows: inout [Int32],
        _ count: inout Int
    ) {
        let outputs = run.layout.next?.weight ?? run.layout.masked?.weight ?? run.layout.decoder?.head.weight
        for step in view.shown.indices {
            let place = starts[step] + row
            let type = TrainingBatch.known(source.types[view.event(step, source.offsets)], shape.vocabulary)
            if let outputs { arrays.outputTypes[place] = run.tables.place(type, outputs) }
            let row = run.tables.place(view.shown[step] == .asIs ? type : 0, run.layout.events)
            let shown = run.tables.types.places[Int(row)]
            if rows[Int(shown)] < 0 {
                rows[Int(shown)] = Int32(count)
                arrays.types[count] = shown
                count += 1
            }
            arrays.tableRows[place] = shown
            arrays.indices[place] = rows[Int(shown)]
        }
    }

    private func times(_ view: TrainingBatch.View, _ row: Int, _ starts: UnsafeBufferPointer<Int>) {
        let steps = view.shown.count
        var before = source.times[view.event(0, source.offsets)]
        for step in 0..<steps {
            let time = source.times[view.event(step, source.offsets)]
            arrays.feature[step] = EventInputs.seconds(time - before)
            before = time
        }
        scale(row, steps, starts, 0)
        let last = before
        for step in 0..<steps {
            arrays.feature[step] = EventInputs.seconds(last - source.times[view.event(step, source.offsets)])
        }
        scale(row, steps, starts, 1)
        if configuration.usesDwell, let dwell = source.dwell {
            for step in 0..<steps {
                arrays.feature[step] = EventInputs.seconds(dwell[view.event(step, source.offsets)])
            }
            scale(row, steps, starts, 2)
        }
    }

    private func scale(_ row: Int, _ steps: Int, _ starts: UnsafeBufferPointer<Int>, _ index: Int) {
        let scaling = configuration.timeScaling[index]
        ck_time_feature(
            run.instructionSet, Int64(steps), arrays.feature, Float(scaling.mean), Float(1 / scaling.deviation),
            Float(Scaling.limit), arrays.feature, 1)
        let target = arrays.inputs[0] + shape.units + index
        for step in 0..<steps { target[(starts[step] + row) * shape.inputs] = arrays.feature[step] }
    }

    private func channels(_ view: TrainingBatch.View, _ row: Int, _ starts: UnsafeBufferPointer<Int>) throws {
        let first = shape.units + shape.times
        for (channel, values) in source.numeric.enumerated() {
            let scaling = configuration.numericScaling[channel]
            for step in view.shown.indices where view.shown[step] != .masked {
                arrays.inputs[0][(starts[step] + row) * shape.inputs + first + channel] =
                    scaling.apply(values[view.event(step, source.offsets)])
            }
        }
        let width = shape.categoryEmbedding
        for (channel, codes) in source.categorical.enumerated() {
            let region = run.layout.categories[channel]
            let embedding = run.tables.values(region)
            for step in view.shown.indices {
                let code = TrainingBatch.known(codes[view.event(step, source.offsets)], shape.categories[channel])
                let place = run.tables.place(view.shown[step] == .masked ? 0 : code, region)
                let event = starts[step] + row
                arrays.categories[channel * run.events + event] = place
                (arrays.inputs[0] + event * shape.inputs + shape.firstCategory + channel * width).update(
                    from: embedding + Int(place) * width, count: width)
            }
        }
    }
}
