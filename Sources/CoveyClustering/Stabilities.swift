import CoveyRuntime

/// How stable each node of the condensed tree is (Campello, Moulavi, Sander 2013, section 5), in a unit near the
/// largest finite lambda, so that rows of any size give finite numbers. The unit is a power of two: the numbers' digits
/// do not depend on it.
struct Stabilities: Sendable {
    /// For every node: the sum over its edges of (lambda - birth) * size, or, where excess of mass prefers the nodes
    /// below it, the sum of theirs.
    private(set) var values: [Double]
    /// The same with lambdas that are not above the largest finite one.
    private var bounded: [Double]
    private let strengths: ClusterOptions.Strengths
    /// The largest lambda, and the largest finite one, in the unit.
    private let most: Double
    private let finiteMost: Double

    /// O(n).
    init(_ tree: CondensedTree, _ strengths: ClusterOptions.Strengths, execution: Execution) throws {
        let finiteMost = tree.clusters.reduce(0) { max($0, $1.finiteDeath) }
        let unit = finiteMost > 0 ? Double(sign: .plus, exponent: -max(finiteMost.exponent, -1023), significand: 1) : 1
        var values = [Double](repeating: 0, count: tree.clusters.count)
        var bounded = values
        for edge in tree.parents.indices {
            if edge & 0xFFFFF == 0 { try execution.report() }
            let node = Int(tree.parents[edge]) - tree.pointCount
            // A birth is finite, so that infinite lambdas give infinity and never NaN.
            let birth = tree.clusters[node].birth * unit
            values[node] += (tree.lambdas[edge] * unit - birth) * Double(tree.sizes[edge])
            bounded[node] += (min(tree.lambdas[edge], finiteMost) * unit - birth) * Double(tree.sizes[edge])
        }
        self.values = values
        self.bounded = bounded
        self.strengths = strengths
        most = tree.clusters.reduce(0) { max($0, $1.death) } * unit
        self.finiteMost = finiteMost * unit
    }

    /// From the leaves up, a node is chosen unless those chosen below it are more stable together, or it is too large
    /// or born too early. Writes the sums of nodes that are not chosen.
    mutating func excessOfMass(_ tree: CondensedTree, _ options: ClusterOptions) -> [Bool] {
        let clusters = tree.clusters
        var chosen = [Bool](repeating: false, count: clusters.count)
        let last = options.allowSingleCluster ? 0 : 1
        for node in stride(from: clusters.count - 1, through: last, by: -1) {
            let below = clusters[node].children
            let sum = below.reduce(0.0) { Stabilities.single($0 + values[$1]) }
            // hdbscan takes the root to be as large as the clusters born from it, and to be born at the largest
            // distance.
            let size = node > 0 ? Int(clusters[node].size) : below.reduce(0) { $0 + Int(clusters[$1].size) }
            let birth = node > 0 ? clusters[node].birth : tree.lambdas.first ?? .infinity
            let refused =
                options.maxClusterSize > 0 && size > options.maxClusterSize
                || options.clusterSelectionEpsilonMax > 0 && 1 / birth > options.clusterSelectionEpsilonMax
            if sum > values[node] || refused {
                values[node] = sum
                bounded[node] = below.reduce(0) { $0 + bounded[$1] }
            } else {
                chosen[node] = true
            }
        }
        // Only the uppermost of those chosen stay; parents come before their children.
        var covered = [Bool](repeating: false, count: clusters.count)
        for node in clusters.indices.dropFirst() {
            let parent = Int(clusters[node].parent)
            covered[node] = covered[parent] || chosen[parent]
            if covered[node] { chosen[node] = false }
        }
        return chosen
    }

    /// A node's stability relative to the largest that `rows` rows could have, 0 to 1; 1 if that is infinite or 0.
    func persistence(of node: Int, rows: Int) -> Double {
        let (values, most) = strengths == .bounded ? (bounded, finiteMost) : (values, most)
        guard most.isFinite, most > 0, rows > 0 else { return 1 }
        // The sum over a root has edges of rows that are noise, so it can exceed what the rows of the cluster could
        // have. Sums in single precision can exceed it by their rounding.
        return min(1, max(0, values[node] / (Double(rows) * most)))
    }

    /// Rounds to the 24 digits of single precision, in which hdbscan adds stabilities, but in any range: near ties then
    /// fall to the same side.
    private static func single(_ value: Double) -> Double {
        guard value.isFinite, value != 0 else { return value }
        let power = Double(sign: .plus, exponent: value.exponent, significand: 1)
        guard power.isNormal else { return value }
        return Double(Float(value / power)) * power
    }
}
