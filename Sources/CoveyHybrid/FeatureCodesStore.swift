import CoveyFiles
import CoveyRuntime
import CoveyTables

// Codes in a safetensors file, under a prefix: the tensor PREFIXedges (float64, those of all columns one after another)
// and the entry PREFIXcolumns, a JSON array.

extension FeatureCodes {
    private struct Stored: Codable {
        let name: String
        let kind: FeatureColumn.Kind
        let edges: Int
        let categories: [String]
    }

    public func store(in writer: inout SafeTensorsWriter, prefix: String) throws {
        let stored = columns.map {
            Stored(name: $0.name, kind: $0.kind, edges: $0.edges.count, categories: $0.categories)
        }
        writer.setEntry(prefix + "columns", try JSONText.encode(stored))
        let edges = columns.flatMap(\.edges)
        try writer.add(prefix + "edges", edges, shape: [edges.count])
    }

    /// Throws `corruptFile` for anything that fitting cannot give.
    public init(from file: SafeTensors, prefix: String) throws {
        let what = "metadata entry \(prefix)columns"
        let stored = try JSONText.decode([Stored].self, from: file.entry(prefix + "columns"), what)
        let edges = try file.finiteValues(prefix + "edges", as: Double.self, shape: [nil])
        var next = 0
        var names = Set<ExactName>()
        var columns: [Column] = []
        for column in stored {
            let distinct = Set(column.categories.map { ExactName($0) })
            guard column.edges >= 0, column.edges < FeatureCodes.mostBins, column.edges <= edges.count - next,
                column.kind != .date, column.kind == .numeric || column.edges == 0,
                column.kind == .categorical || column.categories.isEmpty, distinct.count == column.categories.count,
                !column.name.isEmpty, !column.name.utf8.contains(0), names.insert(ExactName(column.name)).inserted
            else { throw CoveyError.corruptFile("\(what): column \"\(column.name)\" is not valid") }
            let own = Array(edges[next..<next + column.edges])
            guard zip(own, own.dropFirst()).allSatisfy({ $0 < $1 }) else {
                throw CoveyError.corruptFile("tensor \(prefix)edges: those of \"\(column.name)\" do not ascend")
            }
            columns.append(Column(name: column.name, kind: column.kind, edges: own, categories: column.categories))
            next += column.edges
        }
        guard next == edges.count, !columns.isEmpty, columns.count <= HybridFeatures.largestDimension else {
            throw CoveyError.corruptFile("\(what): the columns do not fit the edges")
        }
        self.init(columns: columns)
    }
}
