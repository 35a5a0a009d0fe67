import CoveyClustering
import CoveyRuntime
import CoveyTables

@testable import CoveyRisk

/// Rows of made data, their tree, and labels.
struct RandomTree {
    let matrix: Matrix<Float>
    let tree: SingleLinkageTree
    var labels: [Int8]

    /// Points in the plane; on a grid where `ties`, so that many distances are equal. A knot of known frauds where
    /// `knot` is above 0. The first `copies` rows are the same one.
    init(rows: Int, seed: UInt64, ties: Bool = false, knot: Int = 0, known: Double = 0.1, copies: Int = 0) throws {
        var random = SeededRandom(seed: seed)
        var elements: [Float] = []
        for row in 0..<rows {
            for _ in 0..<2 {
                let value = row < knot ? 5 + random.uniform() * 0.001 : random.uniform() * 4
                if row < copies { elements.append(1); continue }
                elements.append(ties && row >= knot ? Float(Int(value * 3)) : Float(value))
            }
        }
        matrix = Matrix(rows: rows, columns: 2, elements: elements)
        var options = ClusterOptions()
        options.minSamples = 1
        options.prediction = true
        tree = try matrix.withView { try Clustering($0, options) }.singleLinkageTree
        labels = (0..<rows).map { row in
            row < knot ? (row % 3 == 2 ? -1 : 1) : random.uniform() < known ? 1 : random.uniform() < 0.5 ? -1 : 0
        }
    }

    func known(_ population: KnownLabels.Population = .all) throws -> KnownLabels {
        try KnownLabels(Strided(labels), population: population, execution: Execution())
    }

    /// The rows below a node, by recursion.
    func rows(below node: Int) -> [Int] {
        node < tree.pointCount
            ? [node]
            : rows(below: Int(tree.left[node - tree.pointCount])) + rows(below: Int(tree.right[node - tree.pointCount]))
    }

    func parent(of node: Int) -> Int? {
        (0..<tree.mergeCount).first { Int(tree.left[$0]) == node || Int(tree.right[$0]) == node }
    }
}

func context(_ threads: Int) throws -> Execution { Execution(try Context(threads: threads)) }
