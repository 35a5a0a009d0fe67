import CCoveyKernels
import CoveyRuntime

/// The contrastive objective CoLES (Babaev et al. 2022). It moves random slices of one sequence close to each other,
/// and slices of other sequences at least a margin away. Embeddings are scaled to length 1; D is the distance between
/// two of them. The loss is the mean, over all pairs, of D^2 for two views of one sequence, and of max(0, margin - D)^2
/// for a view and each of its five nearest views of other sequences (hard negatives; Hadsell, Chopra and LeCun 2006).
struct ContrastiveObjective {
    let runs: [ChunkRun]
    let weight: Double
    let margin: Float
    let execution: Execution

    static let negatives = 5
    private static let block = 64

    private struct View {
        let place: Int
        let output: UnsafeMutablePointer<Float>
        let gradient: UnsafeMutablePointer<Float>
    }

    /// The bytes that the objective needs for this number of views.
    static func bytes(_ views: Int, _ width: Int) -> Int { views * (8 * width + 4 * block + 64) }

    /// Returns the loss. If `isLearning`, adds the gradient to that of the embeddings.
    func run(isLearning: Bool) throws -> Double {
        guard let shape = runs.first?.shape else { return 0 }
        let width = shape.output
        // The views are in the order of the sequences, so that the result does not depend on the chunks.
        let views: [View] = runs.flatMap { run in
            (0..<run.rows).map {
                View(
                    place: run.batch.views[run.views.lowerBound + $0].place, output: run.arrays.output + $0 * width,
                    gradient: run.arrays.outputGradient + $0 * width)
            }
        }
        let count = views.count
        let units = try FloatBlock(count * width, for: "the contrastive objective")
        let gradients = try FloatBlock(count * width, for: "the contrastive objective")
        let products = try FloatBlock(Self.block * count, for: "the contrastive objective")
        var lengths = [Float](repeating: 0, count: count)
        var members: [Int: [Int]] = [:]
        for (index, view) in views.enumerated() {
            var sum = 0.0
            for column in 0..<width { sum += Double(view.output[column]) * Double(view.output[column]) }
            lengths[index] = max(1e-8, Float(sum.squareRoot()))
            for column in 0..<width { units.pointer[index * width + column] = view.output[column] / lengths[index] }
            members[view.place, default: []].append(index)
        }
        let perView = min(Self.negatives, count - (members.values.map(\.count).max() ?? 0))
        let positives = members.values.reduce(0) { $0 + $1.count * ($1.count - 1) / 2 }
        let pairs = positives + count * perView
        guard pairs > 0 else { return 0 }
        let unit = weight / Double(pairs)

        /// Adds factor * (a - b) to the gradient of a, and subtracts it from the gradient of b.
        func pull(_ a: Int, _ b: Int, _ factor: Float) {
            guard isLearning else { return }
            let (left, right) = (units.pointer + a * width, units.pointer + b * width)
            for column in 0..<width {
                let slope = factor * (left[column] - right[column])
                gradients.pointer[a * width + column] += slope
                gradients.pointer[b * width + column] -= slope
            }
        }
        func squared(_ a: Int, _ b: Int) -> Float {
            var sum: Float = 0
            for column in 0..<width {
                let difference = units.pointer[a * width + column] - units.pointer[b * width + column]
                sum += difference * difference
            }
            return sum
        }
        var total = 0.0
        let multiply = Products(instructionSet: runs[0].instructionSet, execution: execution)
        for start in stride(from: 0, to: count, by: Self.block) {
            let size = min(Self.block, count - start)
            try multiply.nt(
                size, count, width, units.pointer + start * width, width, units.pointer, width, 0, products.pointer,
                count)
            for row in 0..<size {
                try execution.check()
                let anchor = start + row
                for other in members[views[anchor].place]! where other > anchor {
                    total += unit * Double(squared(anchor, other))
                    pull(anchor, other, Float(2 * unit))
                }
                for other in nearest(anchor, products.pointer + row * count, views, perView) {
                    let distance = squared(anchor, other).squareRoot()
                    guard distance < margin else { continue }
                    total += unit * Double((margin - distance) * (margin - distance))
                    pull(anchor, other, Float(-2 * unit) * (margin - distance) / max(1e-6, distance))
                }
            }
        }
        guard isLearning else { return total }
        // The gradient passes through the division by the length.
        for (index, view) in views.enumerated() {
            let (point, gradient) = (units.pointer + index * width, gradients.pointer + index * width)
            var along: Float = 0
            for column in 0..<width { along += point[column] * gradient[column] }
            for column in 0..<width {
                view.gradient[column] += (gradient[column] - along * point[column]) / lengths[index]
            }
        }
        return total
    }

    /// Returns the views of other sequences with the largest products, in descending order. If products are equal, the
    /// lower index comes first.
    private func nearest(_ anchor: Int, _ products: UnsafePointer<Float>, _ views: [View], _ count: Int) -> [Int] {
        var best: [(product: Float, index: Int)] = []
        let place = views[anchor].place
        for index in views.indices where views[index].place != place {
            let product = products[index]
            guard best.count < count || product > best[count - 1].product else { continue }
            if best.count == count { best.removeLast() }
            var slot = best.count
            while slot > 0, best[slot - 1].product < product { slot -= 1 }
            best.insert((product, index), at: slot)
        }
        return best.map(\.index)
    }
}
