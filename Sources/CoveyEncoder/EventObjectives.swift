import CCoveyKernels
import CoveyRuntime
import Glibc

/// The objectives that are a sum over the whole views of a chunk. Each returns its loss. If the run has a gradient,
/// each also adds to the gradient of the states or of the embeddings.
extension ChunkRun {
    /// After event t the forward state predicts the type and the gap of event t + 1; the backward state predicts those
    /// of event t - 1. So no state has read what it predicts. Two gaps are left out. The first event has none. In the
    /// forward direction the last gap is left out too: the state has read it as the time until the last event.
    func nextEvent() throws -> Double {
        guard isWhole, let next = layout.next, let previous = layout.previous, batch.pairs > 0 else { return 0 }
        let weight = options.objectives.nextEvent
        let typeScale = Float(weight / Double(batch.pairs))
        let gapScale = batch.gaps > 0 ? Float(weight / Double(batch.gaps)) : 0
        arrays.scales.update(repeating: typeScale, count: events)
        var total = 0.0
        if directions.contains(0) { total += try predictNext(next, gapScale) }
        if directions.contains(1) { total += try predictPrevious(previous, gapScale) }
        return total
    }

    private func predictNext(_ head: ParameterLayout.Head, _ gapScale: Float) throws -> Double {
        let gap = arrays.inputs[0] + shape.units
        for t in 0..<steps {
            let going = t + 1 < steps ? rows(t + 1) : 0
            let after = t + 2 < steps ? rows(t + 2) : 0
            for row in 0..<rows(t) {
                let event = starts[t] + row
                let target = going > row ? starts[t + 1] + row : event
                arrays.targets[event] = row < going ? arrays.outputTypes[target] : -1
                arrays.numbers[event] = gap[target * shape.inputs]
                arrays.numberScales[event] = row < after ? gapScale : 0
            }
        }
        // The rows of the last step have no next event.
        let inner = starts[steps - 1]
        return try OutputHead(run: self, head: head, purpose: 11).run(
            inner, arrays.states, arrays.stateGradient, stride: shape.states, targets: arrays.targets,
            scales: arrays.scales,
            numbers: arrays.numbers, numberScales: arrays.numberScales)
    }

    private func predictPrevious(_ head: ParameterLayout.Head, _ gapScale: Float) throws -> Double {
        let gap = arrays.inputs[0] + shape.units
        for t in 1..<max(1, steps) {
            for row in 0..<rows(t) {
                let (event, target) = (starts[t] + row, starts[t - 1] + row)
                arrays.targets[event] = arrays.outputTypes[target]
                arrays.numbers[event] = gap[target * shape.inputs]
                arrays.numberScales[event] = t > 1 ? gapScale : 0
            }
        }
        let first = rows(0)
        return try OutputHead(run: self, head: head, purpose: 12).run(
            events - first, arrays.states + first * shape.states + shape.units,
            arrays.stateGradient + first * shape.states + shape.units, stride: shape.states,
            targets: arrays.targets + first,
            scales: arrays.scales + first, numbers: arrays.numbers + first, numberScales: arrays.numberScales + first)
    }

    /// Predicts the types of masked events from the forward and backward state at the same event.
    func maskedEvent() throws -> Double {
        guard isWhole, let head = layout.masked, batch.masks > 0 else { return 0 }
        let width = shape.states
        var places: [Int32] = []
        for row in 0..<rows {
            let shown = batch.views[views.lowerBound + row].shown
            for step in shown.indices where shown[step] == .masked {
                let event = starts[step] + row
                (arrays.chosen + places.count * width).update(from: arrays.states + event * width, count: width)
                arrays.targets[places.count] = arrays.outputTypes[event]
                places.append(Int32(event))
            }
        }
        arrays.scales.update(
            repeating: Float(options.objectives.maskedEvent / Double(batch.masks)), count: places.count)
        try execution.clear(arrays.chosenGradient, places.count * width)
        let total = try OutputHead(run: self, head: head, purpose: 13).run(
            places.count, arrays.chosen, arrays.chosenGradient, stride: width, targets: arrays.targets,
            scales: arrays.scales)
        ck_add_rows(
            instructionSet, Int64(places.count), Int64(width), places, arrays.chosenGradient, Int64(width),
            arrays.stateGradient, Int64(width))
        return total
    }

    /// Predicts each event's type, time features and numeric channels from the embedding and the event's relative
    /// position, and the number of events from the embedding.
    func autoencoder() throws -> Double {
        guard isWhole, let decoder = layout.decoder else { return 0 }
        let (width, hidden, positions) = (shape.output, shape.decoder, NetworkShape.positions)
        let weights = tables.values(decoder.hidden)
        try products.nn(rows, hidden, width, arrays.output, width, weights, hidden, 0, arrays.shared, hidden)
        let unit = options.objectives.autoencoder / Double(batch.sequences)
        for row in 0..<rows {
            if row & 0xF == 0 { try execution.report() }
            let length = length(row)
            for step in 0..<length {
                let event = starts[step] + row
                let position = Double(step) / Double(max(1, length - 1))
                for k in 0..<positions {
                    arrays.positions[event * positions + k] = Float(cos(Double(k + 1) * .pi * position))
                }
                // The last event is the one that is judged, so it gets an additional weight: that of all events
                // together.
                arrays.scales[event] = Float(unit / Double(length) + (step == length - 1 ? unit : 0))
                arrays.numberScales[event] = arrays.scales[event]
            }
        }
        try products.nn(
            events, hidden, positions, arrays.positions, positions, weights + width * hidden, hidden, 0, arrays.decoded,
            hidden)
        for t in 0..<steps {
            try execution.report()
            ck_rectify(
                instructionSet, Int64(rows(t)), Int64(hidden), tables.values(decoder.hiddenBias), arrays.shared,
                arrays.decoded + starts[t] * hidden)
        }
        try execution.clear(arrays.decodedGradient, events * hidden)
        var total = try OutputHead(run: self, head: decoder.head, purpose: 14).run(
            events, arrays.decoded, arrays.decodedGradient, stride: hidden, targets: arrays.outputTypes,
            scales: arrays.scales,
            numbers: arrays.inputs[0] + shape.units, numberStride: shape.inputs, numberScales: arrays.numberScales)
        total += predictLengths(decoder, unit)
        guard gradient != nil else { return total }
        ck_rectify_backward(instructionSet, Int64(events * hidden), arrays.decoded, arrays.decodedGradient)
        try execution.clear(arrays.sharedGradient, rows * hidden)
        for t in 0..<steps {
            try execution.report()
            ck_add(
                instructionSet, Int64(rows(t) * hidden), arrays.decodedGradient + starts[t] * hidden,
                arrays.sharedGradient)
        }
        let target = gradient(decoder.hidden)
        ck_column_sums(
            instructionSet, Int64(rows), Int64(hidden), Int64(hidden), arrays.sharedGradient,
            gradient(decoder.hiddenBias))
        try products.tn(width, hidden, rows, arrays.output, width, arrays.sharedGradient, hidden, target, hidden)
        try products.tn(
            positions, hidden, events, arrays.positions, positions, arrays.decodedGradient, hidden,
            target + width * hidden,
            hidden)
        try products.nt(
            rows, width, hidden, arrays.sharedGradient, hidden, weights, hidden, 1, arrays.outputGradient, width)
        return total
    }

    private func predictLengths(_ decoder: ParameterLayout.Decoder, _ unit: Double) -> Double {
        let width = shape.output
        let (weights, bias) = (tables.values(decoder.length), tables.values(decoder.lengthBias))
        var total = 0.0
        for row in 0..<rows {
            let output = arrays.output + row * width
            var sum = bias[0]
            for column in 0..<width { sum += output[column] * weights[column] }
            let error = sum - Float(log(Double(length(row))))
            total += unit * OutputHead.huber(error)
            guard gradient != nil else { continue }
            let slope = Float(unit) * min(1, max(-1, error))
            gradient(decoder.lengthBias)[0] += slope
            for column in 0..<width {
                gradient(decoder.length)[column] += slope * output[column]
                arrays.outputGradient[row * width + column] += slope * weights[column]
            }
        }
        return total
    }
}
