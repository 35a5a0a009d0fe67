import CoveyFiles
import CoveyRuntime

// The part of a clustering's file that says which rows stand for several: see ClusteringStorage.swift.

extension Clustering {
    static let weightsName = "weights"
    private static let copiesName = "copies"

    func storeCopies(into writer: inout SafeTensorsWriter, prefix: String) throws {
        guard let weights = rows.weights, let copies = spanningTree.copies else { return }
        try writer.add(prefix + Clustering.weightsName, weights, shape: [weights.count])
        try writer.add(prefix + Clustering.copiesName, copies.distances, shape: [copies.distances.count])
    }

    static func storedWeights(
        _ file: SafeTensors, _ prefix: String, rows: Int, _ used: [Int32]?, _ execution: Execution
    ) throws -> [Int32]? {
        let name = prefix + weightsName
        guard file.contains(name) else { return nil }
        let weights = try file.values(name, as: Int32.self, shape: [rows], execution)
        var total = 0
        for (row, weight) in weights.enumerated() {
            if row & 0xFFFFF == 0 { try execution.report() }
            total += Int(weight)
            guard weight >= 0, total <= RowCopies.mostRows else {
                throw CoveyError.corruptFile("tensor \(name): row \(row) cannot stand for \(weight) rows")
            }
        }
        guard used?.allSatisfy({ weights[Int($0)] > 0 }) ?? !weights.contains(0) else {
            throw CoveyError.corruptFile("tensor \(name) must be above 0 for rows that were used")
        }
        return weights
    }

    static func storedCopies(
        _ file: SafeTensors, _ prefix: String, _ weights: [Int32]?, _ used: [Int32]?, _ tree: SpanningTree,
        _ execution: Execution
    ) throws -> RowCopies? {
        guard let weights else { return nil }
        let name = prefix + copiesName
        let distances = try file.values(name, as: Double.self, shape: [tree.pointCount], execution)
        guard distances.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
            throw CoveyError.corruptFile("tensor \(name) must hold distances")
        }
        for (index, edge) in tree.edges.enumerated() {
            if index & 0xFFFFF == 0 { try execution.report() }
            guard max(distances[Int(edge.from)], distances[Int(edge.to)]) <= edge.distance else {
                throw CoveyError.corruptFile("tensor \(name): edge \(index) is shorter than its rows' copies are apart")
            }
        }
        return RowCopies(counts: used.map { $0.map { weights[Int($0)] } } ?? weights, distances: distances)
    }
}
