import CoveyRuntime

/// Logistic regression on sparse rows: z = intercept + row x coefficients, with the smallest
///
///     1/2 |coefficients|^2 + strength (sum of losses of frauds + frauds / others x sum of losses of others)
///
/// A loss is log(1 + exp(-z)) of a fraud, log(1 + exp(z)) of another. So frauds weigh as much as all others together,
/// and z is a likelihood ratio: 0 says nothing.
struct LogisticModel: Sendable, Equatable {
    let intercept: Double
    let coefficients: [Double]

    init(intercept: Double, coefficients: [Double]) {
        self.intercept = intercept
        self.coefficients = coefficients
    }

    /// Newton's method, its steps found by conjugate gradients and halved if they overshoot. The order of the rows
    /// changes the result by rounding alone.
    /// - Parameters:
    ///   - frauds, others: rows; at least one of each.
    ///   - columns: above those of the rows.
    init(
        _ rows: SparseRows, frauds: [Int], others: [Int], columns: Int, strength: Double, execution: Execution
    ) throws {
        let problem = Problem(
            rows: rows,
            members: frauds.map { ($0, strength, true) }
                + others.map { ($0, strength * Double(frauds.count) / Double(others.count), false) })
        // The intercept comes last.
        var point = [Double](repeating: 0, count: columns + 1)
        var (loss, gradient, curvature) = try problem.value(at: point, execution)
        let first = norm(gradient)
        for _ in 0..<LogisticModel.mostSteps {
            let size = norm(gradient)
            guard size > LogisticModel.tolerance * first else { break }
            let step = try problem.step(
                gradient, curvature, tolerance: min(0.5, (size / first).squareRoot()) * size, execution)
            let slope = zip(step, gradient).reduce(0) { $0 + $1.0 * $1.1 }
            var scale = 1.0
            var isBetter = false
            for _ in 0..<40 {
                let next = zip(point, step).map { $0 + scale * $1 }
                let (nextLoss, nextGradient, nextCurvature) = try problem.value(at: next, execution)
                if nextLoss <= loss + 1e-4 * scale * slope {
                    isBetter = nextLoss < loss
                    (point, loss, gradient, curvature) = (next, nextLoss, nextGradient, nextCurvature)
                    break
                }
                scale /= 2
            }
            if !isBetter { break }
        }
        intercept = point[columns]
        coefficients = Array(point.dropLast())
    }

    private static let mostSteps = 100
    private static let tolerance = 1e-7
}

private func norm(_ vector: [Double]) -> Double { vector.reduce(0) { $0 + $1 * $1 }.squareRoot() }

private struct Problem {
    let rows: SparseRows
    let members: [(row: Int, weight: Double, isFraud: Bool)]

    /// The rows, of up to some thousand terms each, between two polls.
    private static let few = 1024

    /// The function, its gradient, and the weight of each member's row in the Hessian.
    func value(
        at point: [Double], _ execution: Execution
    ) throws -> (loss: Double, gradient: [Double], curvature: [Double]) {
        let last = point.count - 1
        var gradient = point
        gradient[last] = 0
        var loss = gradient.reduce(0) { $0 + $1 * $1 } / 2
        var curvature = [Double](repeating: 0, count: members.count)
        try execution.forEach(members.indices, every: Problem.few) { place in
            let member = members[place]
            let z = point[last] + rows.product(member.row, point)
            let share = logistic(z)
            // log(1 + exp(z)) without overflow.
            loss += member.weight * (max(z, 0) + naturalLogarithm(1 + exponential(-abs(z))) - (member.isFraud ? z : 0))
            let error = member.weight * (share - (member.isFraud ? 1 : 0))
            rows.add(member.row, times: error, to: &gradient)
            gradient[last] += error
            curvature[place] = member.weight * share * (1 - share)
        }
        return (loss, gradient, curvature)
    }

    /// About -Hessian^-1 gradient (Hestenes and Stiefel 1952).
    func step(
        _ gradient: [Double], _ curvature: [Double], tolerance: Double, _ execution: Execution
    ) throws -> [Double] {
        var step = [Double](repeating: 0, count: gradient.count)
        var residual = gradient.map { -$0 }
        var direction = residual
        var square = residual.reduce(0) { $0 + $1 * $1 }
        for _ in 0..<200 where square.squareRoot() > tolerance {
            let image = try hessian(direction, curvature, execution)
            let along = zip(direction, image).reduce(0) { $0 + $1.0 * $1.1 }
            guard along > 0 else { break }
            let length = square / along
            for place in step.indices {
                step[place] += length * direction[place]
                residual[place] -= length * image[place]
            }
            let next = residual.reduce(0) { $0 + $1 * $1 }
            for place in direction.indices { direction[place] = residual[place] + next / square * direction[place] }
            square = next
        }
        return step
    }

    private func hessian(
        _ vector: [Double], _ curvature: [Double], _ execution: Execution
    ) throws -> [Double] {
        let last = vector.count - 1
        var result = vector
        result[last] = 0
        try execution.forEach(members.indices, every: Problem.few) { place in
            let member = members[place]
            let value = curvature[place] * (vector[last] + rows.product(member.row, vector))
            rows.add(member.row, times: value, to: &result)
            result[last] += value
        }
        return result
    }
}
