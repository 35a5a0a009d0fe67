import CoveyFiles
import CoveyNeighbors
import CoveyRuntime
import CoveyTables

// A clustering in a safetensors file, under a prefix:
//
//   entry  options                 JSON: ClusterOptions, the shape of the caller's matrix, recall
//   I32    spanning_tree.from, .to [used - 1]
//   F64    spanning_tree.distance  [used - 1]
//   U8     used                    [rows], only where some rows were not used: 1 = used
//   I32    weights                 [rows], only where rows stand for several
//   F64    copies                  [used], likewise: where those join
//   F32 or F64  rows               [used, columns], with prediction data only
//   F64    core_distances          [used], likewise
//   I32    cells.order, .starts    likewise, where the index for prediction has several cells: `CellOrder`
//
// All else follows from the spanning tree and the rows, and is built anew, so that a file cannot contradict itself.

/// The JSON of the entry "options".
private struct StoredClustering {
    let options: ClusterOptions
    let rows: Int
    let columns: Int
    let recall: Double

    func write(to json: inout JSONWriter) throws {
        try json.object { json in
            try json.member("columns", columns)
            try json.name("options")
            try options.write(to: &json)
            try json.member("recall", recall)
            try json.member("rows", rows)
        }
    }

    init(options: ClusterOptions, rows: Int, columns: Int, recall: Double) {
        self.options = options
        self.rows = rows
        self.columns = columns
        self.recall = recall
    }

    init(_ reader: JSONReader) throws {
        var (options, rows, columns, recall): (ClusterOptions?, Int?, Int?, Double?)
        try reader.object { name in
            switch name {
            case "columns": columns = try reader.integer()
            case "options": options = try ClusterOptions(reader)
            case "recall": recall = try reader.double()
            case "rows": rows = try reader.integer()
            default: try reader.skip()
            }
        }
        try self.init(
            options: reader.required(options, "options"), rows: reader.required(rows, "rows"),
            columns: reader.required(columns, "columns"), recall: reader.required(recall, "recall"))
    }
}

extension Clustering {
    /// What this version reads, and writes where rows stand for several; otherwise the files are those of version 1.
    static let formatVersion = 2
    static let entryName = "covey.clustering"
    private static let filePrefix = "clustering."

    /// A file of the clustering alone: the entries "covey.clustering" (JSON: format_version) and "covey.checksum", and
    /// what `store` writes under "clustering.".
    public func file(_ execution: Execution = Execution()) throws -> SafeTensorsWriter {
        var writer = SafeTensorsWriter()
        var version = JSONWriter(execution)
        try version.object { try $0.member("format_version", rows.weights == nil ? 1 : Clustering.formatVersion) }
        writer.setEntry(Clustering.entryName, version.string)
        try store(into: &writer, prefix: Clustering.filePrefix, execution)
        try writer.setChecksum(execution)
        return writer
    }

    /// Reads a file of the clustering alone. Throws as `init(from:prefix:)`; `corruptFile` for a wrong checksum;
    /// `unsupported` for a newer format.
    public convenience init(_ file: SafeTensors, execution: Execution = Execution()) throws {
        try JSONText.checkVersion(
            file.entry(Clustering.entryName), "metadata entry \(Clustering.entryName)",
            newest: Clustering.formatVersion, execution)
        guard try file.hasValidChecksum(execution) else {
            throw CoveyError.corruptFile("the file is damaged: its checksum is missing or wrong")
        }
        try self.init(from: file, prefix: Clustering.filePrefix, execution: execution)
    }

    /// Adds the clustering to a file, under names that begin with `prefix`.
    public func store(
        into writer: inout SafeTensorsWriter, prefix: String, _ execution: Execution
    ) throws {
        var json = JSONWriter(execution)
        try StoredClustering(options: options, rows: rowCount, columns: columnCount, recall: recall).write(to: &json)
        writer.setEntry(prefix + "options", json.string)
        try execution.report()
        let edges = spanningTree.edges
        try execution.hold(edges.count, of: 16, for: "a spanning tree's edges")
        try writer.add(
            prefix + "spanning_tree.from", execution.array(edges.count) { edges[$0].from }, shape: [edges.count])
        try writer.add(
            prefix + "spanning_tree.to", execution.array(edges.count) { edges[$0].to }, shape: [edges.count])
        try writer.add(
            prefix + "spanning_tree.distance", execution.array(edges.count) { edges[$0].distance },
            shape: [edges.count])
        if let usedRows {
            try execution.hold(rowCount, of: 1, for: "the rows that were used")
            var used = [UInt8](repeating: 0, count: rowCount)
            for row in usedRows { used[Int(row)] = 1 }
            try writer.add(prefix + "used", used, shape: [rowCount])
        }
        try storeCopies(into: &writer, prefix: prefix)
        try predictor?.reference.store(into: &writer, prefix: prefix)
        if let order = rows.nearest?.order {
            try writer.add(prefix + "cells.order", order.rows, shape: [order.rows.count])
            try writer.add(prefix + "cells.starts", order.starts, shape: [order.starts.count])
        }
    }

    /// Reads a clustering back. Throws `corruptFile`, naming what is wrong, for anything that `store` would not have
    /// written; `outOfMemory`, `cancelled`. Cost: O(n log n + n columns).
    public convenience init(from file: SafeTensors, prefix: String, execution: Execution) throws {
        let stored = try Clustering.storedOptions(file, prefix, execution)
        try execution.hold(stored.rows, of: Clustering.bytesPerRow, for: "a clustering of \(stored.rows) rows")
        let used = try Clustering.storedUse(file, prefix, stored, execution)
        let count = used?.count ?? stored.rows
        var tree = try Clustering.storedTree(file, prefix, points: count, execution)
        let weights = try Clustering.storedWeights(file, prefix, rows: stored.rows, used, execution)
        tree = tree.with(try Clustering.storedCopies(file, prefix, weights, used, tree, execution))
        do {
            let minSamples = stored.options.resolvedMinSamples(rows: tree.rowCount)
            let reference =
                stored.options.prediction
                ? try ReferenceRows(
                    from: file, prefix: prefix, rows: count, columns: stored.columns, metric: stored.options.metric,
                    minSamples: minSamples, execution: execution) : nil
            let rows = try FittedRows(
                rowCount: stored.rows, columnCount: stored.columns, usedRows: used, weights: weights,
                minSamples: minSamples, recall: stored.recall, spanningTree: tree, reference: reference,
                order: reference == nil ? nil : Clustering.storedOrder(file, prefix, execution), execution: execution)
            try self.init(rows, stored.options, execution: execution)
        } catch let error as CoveyError where [.internalError, .invalidArgument, .invalidData].contains(error.code) {
            // What would be a defect or a caller's mistake elsewhere is the file's here.
            throw CoveyError.corruptFile("\(prefix): \(error.message)")
        }
    }

    private static func storedOptions(
        _ file: SafeTensors, _ prefix: String, _ execution: Execution
    ) throws -> StoredClustering {
        let name = prefix + "options"
        let stored: StoredClustering
        do {
            stored = try JSONReader.read(file.entry(name), "metadata entry \(name)", execution) {
                try StoredClustering($0)
            }
        } catch let error as CoveyError where error.code == .invalidArgument {
            throw CoveyError.corruptFile("metadata entry \(name): \(error.message)")
        }
        guard (0...SingleLinkageTree.largestPointCount).contains(stored.rows), (1...65_536).contains(stored.columns),
            (0.0...1.0).contains(stored.recall)
        else {
            throw CoveyError.corruptFile(
                "metadata entry \(name): \(stored.rows) rows, \(stored.columns) columns or a recall of "
                    + "\(stored.recall) cannot be")
        }
        return stored
    }

    private static func storedUse(
        _ file: SafeTensors, _ prefix: String, _ stored: StoredClustering, _ execution: Execution
    ) throws -> [Int32]? {
        let name = prefix + "used"
        guard file.contains(name) else { return nil }
        let used = try file.values(name, as: UInt8.self, shape: [stored.rows], execution)
        var rows: [Int32] = []
        rows.reserveCapacity(used.count)
        var valid = stored.options.missing == .noise || file.contains(prefix + Clustering.weightsName)
        for (row, mark) in used.enumerated() {
            if row & 0xFFFFF == 0 { try execution.report() }
            valid = valid && mark <= 1
            if mark == 1 { rows.append(Int32(row)) }
        }
        guard valid, rows.count < used.count else {
            throw CoveyError.corruptFile("tensor \(name) must hold 0 and 1, and stand only where rows were left out")
        }
        return rows
    }

    /// nil if the index has one cell.
    private static func storedOrder(
        _ file: SafeTensors, _ prefix: String, _ execution: Execution
    ) throws -> CellOrder? {
        guard file.contains(prefix + "cells.order") else { return nil }
        let rows = try file.values(prefix + "cells.order", as: Int32.self, shape: [nil], execution)
        let starts = try file.values(prefix + "cells.starts", as: Int32.self, shape: [nil], execution)
        return try CellOrder(rows: rows, starts: starts, count: rows.count, execution: execution)
    }

    private static func storedTree(
        _ file: SafeTensors, _ prefix: String, points: Int, _ execution: Execution
    ) throws -> SpanningTree {
        let count = max(0, points - 1)
        let from = try file.values(prefix + "spanning_tree.from", as: Int32.self, shape: [count], execution)
        let to = try file.values(prefix + "spanning_tree.to", as: Int32.self, shape: [count], execution)
        let distances = try file.values(prefix + "spanning_tree.distance", as: Double.self, shape: [count], execution)
        var edges: [SpanningTree.Edge] = []
        edges.reserveCapacity(count)
        for edge in 0..<count {
            if edge & 0xFFFF == 0 { try execution.report() }
            // That the edges make a tree is found out when it is built.
            guard from[edge] >= 0, to[edge] >= 0, from[edge] != to[edge], max(from[edge], to[edge]) < points,
                distances[edge] >= 0,
                edge == 0 || distances[edge] >= distances[edge - 1]
            else {
                throw CoveyError.corruptFile(
                    "\(prefix)spanning_tree: edge \(edge) from \(from[edge]) to \(to[edge]) at \(distances[edge]) "
                        + "cannot be"
                )
            }
            edges.append(SpanningTree.Edge(from: from[edge], to: to[edge], distance: distances[edge]))
        }
        return SpanningTree(pointCount: points, ordered: edges)
    }
}

extension ReferenceRows {
    func store(into writer: inout SafeTensorsWriter, prefix: String) throws {
        switch storage {
        case .float32(let rows): try writer.add(prefix + "rows", rows.elements, shape: [rows.rows, rows.columns])
        case .float64(let rows): try writer.add(prefix + "rows", rows.elements, shape: [rows.rows, rows.columns])
        }
        try writer.add(prefix + "core_distances", coreDistances, shape: [coreDistances.count])
    }

    init(
        from file: SafeTensors, prefix: String, rows: Int, columns: Int, metric: Metric, minSamples: Int,
        execution: Execution
    ) throws {
        let name = prefix + "rows"
        let shape: [Int?] = [rows, columns]
        let storage: Storage
        if file.tensors[name]?.type == .f32 {
            storage = .float32(
                Matrix(rows: rows, columns: columns, elements: try file.finiteValues(name, shape: shape, execution)))
        } else {
            storage = .float64(
                Matrix(rows: rows, columns: columns, elements: try file.finiteValues(name, shape: shape, execution)))
        }
        let distances = try file.values(prefix + "core_distances", as: Double.self, shape: [rows], execution)
        guard distances.allSatisfy({ $0 >= 0 }) else {
            throw CoveyError.corruptFile("tensor \(prefix)core_distances must not be negative")
        }
        self.init(storage: storage, metric: metric, minSamples: minSamples, coreDistances: distances)
    }
}
