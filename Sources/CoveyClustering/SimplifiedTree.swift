import CoveyRuntime

extension CondensedTree {
    /// The tree without leaves that live for less than `persistence` in lambda: hdbscan's cluster_selection_persistence
    /// (simplify_hierarchy), which compares in single precision. From the leaves up, two siblings of which the weaker
    /// lives too short a time become part of their parent: its rows then leave when it was born, those of the stronger
    /// stay as long as they did, with the clusters below it. O(n).
    func simplified(_ persistence: Double, execution: Execution) throws -> CondensedTree {
        guard persistence > 0, clusters.count > 1 else { return self }
        // The largest lambda below each node.
        var peaks = clusters.map { Float($0.death) }
        var isLeaf = clusters.map(\.isLeaf)
        /// The node that each becomes part of.
        var target = clusters.indices.map { $0 }
        var departures = [Double?](repeating: nil, count: clusters.count)
        for parent in clusters.indices.reversed() where !clusters[parent].isLeaf {
            let first = Int(clusters[parent].firstChild)
            let birth = Float(clusters[first].birth)
            let (a, b) = (peaks[first], peaks[first + 1])
            peaks[parent] = max(peaks[parent], a, b)
            if min(a, b) - birth >= Float(persistence) { continue }
            let stronger = a <= b ? 1 : 0
            if isLeaf[first + stronger] {
                isLeaf[parent] = true
            } else {
                departures[first + 1 - stronger] = clusters[first].birth
            }
            target[first] = parent
            target[first + 1] = parent
        }
        for node in clusters.indices { target[node] = target[target[node]] }
        return try rebuilt(target, departures, execution)
    }

    /// - Parameters:
    ///   - target: for each node, itself or the node above that it becomes part of.
    ///   - departures: for nodes whose rows all leave at one lambda, that lambda.
    private func rebuilt(_ target: [Int], _ departures: [Double?], _ execution: Execution) throws -> CondensedTree {
        var numbers = [Int32](repeating: 0, count: clusters.count)
        var kept: [Cluster] = []
        for node in clusters.indices {
            if target[node] == node {
                numbers[node] = Int32(kept.count)
                let parent = Int(clusters[node].parent)
                var cluster = Cluster(
                    parent: parent < 0 ? -1 : numbers[target[parent]], size: clusters[node].size,
                    birth: clusters[node].birth)
                if parent >= 0, kept[Int(cluster.parent)].firstChild < 0 {
                    kept[Int(cluster.parent)].firstChild = numbers[node]
                }
                cluster.death = 0
                kept.append(cluster)
            } else {
                numbers[node] = numbers[target[node]]
            }
        }
        var parents: [Int32] = []
        var children: [Int32] = []
        var sizes: [Int32] = []
        var lambdas: [Double] = []
        for edge in self.parents.indices {
            if edge & 0xFFFFF == 0 { try execution.report() }
            let parent = Int(self.parents[edge]) - pointCount
            let child = Int(self.children[edge])
            if child >= pointCount, target[child - pointCount] != child - pointCount { continue }
            let lambda = departures[parent] ?? self.lambdas[edge]
            let number = Int(numbers[parent])
            parents.append(Int32(pointCount + number))
            children.append(child < pointCount ? Int32(child) : Int32(pointCount) + numbers[child - pointCount])
            sizes.append(self.sizes[edge])
            lambdas.append(lambda)
            kept[number].death = max(kept[number].death, lambda)
            if lambda < .infinity { kept[number].finiteDeath = max(kept[number].finiteDeath, lambda) }
        }
        return CondensedTree(
            pointCount: pointCount, parents: parents, children: children, lambdas: lambdas, sizes: sizes,
            clusters: kept,
            rowClusters: rowClusters.map { numbers[Int($0)] },
            rowLambdas: rowLambdas.indices.map { departures[Int(rowClusters[$0])] ?? rowLambdas[$0] }, weights: weights)
    }
}
