import CoveyNeighbors
import CoveyRuntime
import CoveyTables
import Testing

/// Mutual reachability of every pair of rows, and Prim's algorithm on it.
struct SlowReference {
    let matrix: Matrix<Double>
    let metric: Metric
    let alpha: Double
    let cores: [Double]
    /// Ascending.
    private(set) var weights: [Double] = []

    init(_ matrix: Matrix<Double>, _ metric: Metric, _ minSamples: Int, _ alpha: Double) {
        self.matrix = matrix
        self.metric = metric
        self.alpha = alpha
        let n = matrix.rows
        let lengths = (0..<n).map { SlowReference.length(matrix, $0) }
        cores = (0..<n).map { i in
            (0..<n).filter { $0 != i }
                .map { SlowReference.distance(matrix, metric, lengths, i, $0) }.sorted()[minSamples - 1]
        }
        var best = [Double](repeating: .infinity, count: n)
        var outside = Set(0..<n)
        var current = 0
        while true {
            outside.remove(current)
            if outside.isEmpty { break }
            var next = -1
            for j in outside {
                let distance = SlowReference.distance(matrix, metric, lengths, current, j)
                best[j] = min(best[j], max(cores[current], cores[j], distance / alpha))
                if next < 0 || best[j] < best[next] { next = j }
            }
            weights.append(best[next])
            current = next
        }
        weights.sort()
    }

    func reach(_ i: Int, _ j: Int) -> Double {
        var lengths = [Double](repeating: 0, count: matrix.rows)
        lengths[i] = SlowReference.length(matrix, i)
        lengths[j] = SlowReference.length(matrix, j)
        return max(cores[i], cores[j], SlowReference.distance(matrix, metric, lengths, i, j) / alpha)
    }

    private static func length(_ matrix: Matrix<Double>, _ i: Int) -> Double {
        var sum = 0.0
        for c in 0..<matrix.columns { sum += matrix[i, c] * matrix[i, c] }
        return sum.squareRoot()
    }

    /// The metric as it is defined; cosine by the halved square of the difference of directions, which is exact near 0.
    private static func distance(_ matrix: Matrix<Double>, _ metric: Metric, _ lengths: [Double], _ i: Int, _ j: Int)
        -> Double
    {
        if metric == .cosine && (lengths[i] == 0 || lengths[j] == 0) { return 1 }
        return matrix.elements.withUnsafeBufferPointer { numbers in
            let a = numbers.baseAddress! + i * matrix.columns
            let b = numbers.baseAddress! + j * matrix.columns
            var sum = 0.0
            for c in 0..<matrix.columns {
                switch metric {
                case .euclidean: sum += (a[c] - b[c]) * (a[c] - b[c])
                case .manhattan: sum += abs(a[c] - b[c])
                case .cosine:
                    let difference = a[c] / lengths[i] - b[c] / lengths[j]
                    sum += difference * difference / 2
                }
            }
            return metric == .euclidean ? sum.squareRoot() : sum
        }
    }
}

/// Sets of rows that are hard in different ways.
struct PointSet: CustomTestStringConvertible, Sendable {
    let name: String
    let matrix: Matrix<Double>

    var testDescription: String { name }

    static let all: [PointSet] = [
        PointSet("clusters 600 x 2", clusters(600, 2)),
        PointSet("clusters 500 x 3", clusters(500, 3)),
        PointSet("clusters 600 x 16", clusters(600, 16)),
        PointSet("clusters 300 x 64", clusters(300, 64)),
        PointSet("clusters 120 x 768", clusters(120, 768)),
        PointSet("line of 400", clusters(400, 1)),
        PointSet("far apart 400 x 16", clusters(400, 16, spread: 1e4, noise: 0)),
        PointSet("scaled by 1e-6", scaled(clusters(400, 16), 1e-6)),
        PointSet("scaled by 1e6", scaled(clusters(400, 20), 1e6)),
        PointSet("shifted by 1e6", shifted(clusters(400, 16), 1e6)),
        PointSet("shifted by 1e6, 2 columns", shifted(clusters(400, 2), 1e6)),
        PointSet("grid 20 x 20", grid(400, 2)),
        PointSet("grid in 14 dimensions", grid(400, 14)),
        PointSet("duplicates 300 x 2", duplicated(clusters(60, 2), 5)),
        PointSet("duplicates 300 x 20", duplicated(clusters(60, 20), 5)),
        PointSet("all equal", Matrix(rows: 100, columns: 15, repeating: 3)),
        PointSet("all zero", Matrix(rows: 50, columns: 2, repeating: 0)),
        PointSet("some rows of zeros", someZero(clusters(200, 16))),
        PointSet("two rows", clusters(2, 5)),
        PointSet("fourteen rows", clusters(14, 30)),
    ]

    init(_ name: String, _ matrix: Matrix<Double>) {
        self.name = name
        self.matrix = matrix
    }

    static func normal(_ random: inout SeededRandom) -> Double {
        (0..<12).reduce(-6.0) { sum, _ in sum + random.uniform() }
    }

    /// Gaussian clusters of unequal size, and noise.
    static func clusters(_ rows: Int, _ columns: Int, spread: Double = 8, noise: Double = 0.2) -> Matrix<Double> {
        var random = SeededRandom(seed: UInt64(rows * 1000 + columns))
        let centres = (0..<5).map { _ in (0..<columns).map { _ in random.uniform() * spread } }
        var matrix = Matrix(rows: rows, columns: columns, repeating: 0.0)
        for i in 0..<rows {
            let isNoise = random.uniform() < noise
            let centre = centres[min(Int(random.uniform() * 5), Int(random.uniform() * 5))]
            for c in 0..<columns {
                matrix[i, c] = isNoise ? random.uniform() * spread : centre[c] + normal(&random)
            }
        }
        return matrix
    }

    private static func scaled(_ matrix: Matrix<Double>, _ factor: Double) -> Matrix<Double> {
        Matrix(rows: matrix.rows, columns: matrix.columns, elements: matrix.elements.map { $0 * factor })
    }

    private static func shifted(_ matrix: Matrix<Double>, _ offset: Double) -> Matrix<Double> {
        Matrix(rows: matrix.rows, columns: matrix.columns, elements: matrix.elements.map { $0 + offset })
    }

    private static func grid(_ rows: Int, _ columns: Int) -> Matrix<Double> {
        var matrix = Matrix(rows: rows, columns: columns, repeating: 0.0)
        for i in 0..<rows {
            matrix[i, 0] = Double(i % 20)
            matrix[i, 1] = Double(i / 20)
            for c in 2..<columns { matrix[i, c] = Double((i >> (c - 2)) & 1) }
        }
        return matrix
    }

    private static func duplicated(_ matrix: Matrix<Double>, _ times: Int) -> Matrix<Double> {
        Matrix(
            rows: matrix.rows * times, columns: matrix.columns,
            elements: (0..<times).flatMap { _ in matrix.elements })
    }

    private static func someZero(_ matrix: Matrix<Double>) -> Matrix<Double> {
        var matrix = matrix
        for i in stride(from: 0, to: matrix.rows, by: 40) {
            for c in 0..<matrix.columns { matrix[i, c] = 0 }
        }
        return matrix
    }
}
