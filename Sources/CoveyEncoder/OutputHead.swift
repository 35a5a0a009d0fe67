import CCoveyKernels
import CoveyRuntime

/// A linear map from states to the logits of the types and to additional numbers, with its loss. The loss of the type
/// is the cross-entropy; its softmax is over all types or over those of the step. The loss of a number is Huber's
/// (1964), with slopes limited to 1.
struct OutputHead {
    let run: ChunkRun
    let head: ParameterLayout.Head
    /// Selects the random numbers of the dropout.
    let purpose: UInt64

    /// Adds the gradient of the inputs to `inputGradient`, and that of the weights to the run's gradient.
    /// - Parameters:
    ///   - inputs: [count][width]. `stride` is the number of floats from one row to the next, here and in
    ///     `inputGradient`.
    ///   - targets: the index of each row's type among the outputs. If it is below 0, the row has no loss of the type.
    ///   - scales: the weight of each row's cross-entropy in the loss.
    ///   - numbers: the targets of the additional numbers, `numberStride` floats from one row to the next; nil if there
    ///     are none.
    ///   - numberScales: the weight of each row's losses of numbers. 0 means that the row has none.
    /// - Returns: the weighted sum of the cross-entropies and of the losses of numbers.
    func run(
        _ count: Int, _ inputs: UnsafePointer<Float>, _ inputGradient: UnsafeMutablePointer<Float>, stride: Int,
        targets: UnsafePointer<Int32>, scales: UnsafePointer<Float>, numbers: UnsafePointer<Float>? = nil,
        numberStride: Int = 1, numberScales: UnsafePointer<Float>? = nil
    ) throws -> Double {
        let arrays = run.arrays!
        let outputs = run.tables.rowCount(head.weight)
        let types = outputs - head.extras
        let columns = ChunkArrays.stride(outputs)
        let weights = run.tables.values(head.weight)
        let turned = run.tables.turned[head.weight]!
        let width = head.width
        let dropout = run.gradient == nil ? 0 : run.options.dropout
        let threshold = UInt32((dropout * 65_536).rounded())
        let scale = Float(1 / (1 - Double(threshold) / 65_536))
        var key = SeededRandom(seed: run.batch.key, purpose, UInt64(run.views.lowerBound))
        let mask = key.next()
        var total = 0.0
        let block = arrays.block
        for start in Swift.stride(from: 0, to: count, by: block) {
            try run.execution.report()
            let size = min(block, count - start)
            var source = inputs + start * stride
            var sourceStride = stride
            if threshold > 0 {
                ck_dropout(
                    run.instructionSet, mask, Int64(start), Int64(size), Int64(width), threshold, scale, source,
                    Int64(stride),
                    arrays.dropped, Int64(width))
                source = UnsafePointer(arrays.dropped)
                sourceStride = width
            }
            try run.products.nn(
                size, columns, width, source, sourceStride, turned.pointer, columns,
                bias: turned.pointer + width * columns, 0, arrays.logits, columns)
            ck_softmax_loss(
                run.instructionSet, Int64(size), Int64(types), Int64(columns), arrays.logits, targets + start,
                scales + start, arrays.losses)
            for row in 0..<size where targets[start + row] >= 0 {
                total += Double(scales[start + row]) * arrays.losses[row]
            }
            for row in 0..<size {
                for extra in 0..<head.extras {
                    let place = row * columns + types + extra
                    let factor = numberScales![start + row]
                    let error = arrays.logits[place] - numbers![(start + row) * numberStride + extra]
                    total += Double(factor) * Self.huber(error)
                    arrays.logits[place] = factor == 0 ? 0 : factor * min(1, max(-1, error))
                }
            }
            guard run.gradient != nil else { continue }
            if threshold > 0 {
                try run.products.nn(
                    size, width, outputs, arrays.logits, columns, weights, width, 0, arrays.droppedGradient, width)
                ck_dropout(
                    run.instructionSet, mask, Int64(start), Int64(size), Int64(width), threshold, scale,
                    arrays.droppedGradient,
                    Int64(width), arrays.droppedGradient, Int64(width))
                for row in 0..<size {
                    ck_add(
                        run.instructionSet, Int64(width), arrays.droppedGradient + row * width,
                        inputGradient + (start + row) * stride)
                }
            } else {
                try run.products.nn(
                    size, width, outputs, arrays.logits, columns, weights, width, 1, inputGradient + start * stride,
                    stride)
            }
            try run.products.tn(
                outputs, width, size, arrays.logits, columns, source, sourceStride, run.gradient(head.weight), width)
            ck_column_sums(
                run.instructionSet, Int64(size), Int64(outputs), Int64(columns), arrays.logits, run.gradient(head.bias))
        }
        return total
    }

    static func huber(_ error: Float) -> Double {
        let size = Double(abs(error))
        return size <= 1 ? size * size / 2 : size - 0.5
    }
}
