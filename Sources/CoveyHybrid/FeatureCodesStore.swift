import CoveyFiles
import CoveyRuntime
import CoveyTables

// Codes in a safetensors file, under a prefix: the tensor PREFIXedges (float64, those of all columns one after another)
// and the entry PREFIXcolumns, a JSON array.

extension FeatureCodes {
    private struct Stored {
        let name: String
        let kind: FeatureColumn.Kind
        let edges: Int
        let categories: [String]

        init(_ reader: JSONReader) throws {
            var (name, kind, edges, categories): (String?, FeatureColumn.Kind?, Int?, [String]?)
            try reader.object { member in
                switch member {
                case "name": name = try reader.string()
                case "kind": kind = try reader.rawValue()
                case "edges": edges = try reader.integer()
                case "categories": categories = try reader.strings()
                default: try reader.skip()
                }
            }
            self.name = try reader.required(name, "name")
            self.kind = try reader.required(kind, "kind")
            self.edges = try reader.required(edges, "edges")
            self.categories = try reader.required(categories, "categories")
        }
    }

    public func store(
        in writer: inout SafeTensorsWriter, prefix: String, _ execution: Execution
    ) throws {
        var json = JSONWriter(execution)
        try json.array(columns) { json, column in
            try json.object { json in
                try json.member("categories", column.categories)
                try json.member("edges", column.edges.count)
                try json.member("kind", Int(column.kind.rawValue))
                try json.member("name", column.name)
            }
        }
        writer.setEntry(prefix + "columns", json.string)
        let edges = columns.flatMap(\.edges)
        try writer.add(prefix + "edges", edges, shape: [edges.count])
    }

    /// Throws `corruptFile` for anything that fitting cannot give.
    public init(from file: SafeTensors, prefix: String, _ execution: Execution) throws {
        let what = "metadata entry \(prefix)columns"
        let stored = try JSONReader.read(file.entry(prefix + "columns"), what, execution) { reader in
            var stored: [Stored] = []
            try reader.array { index in
                let most = HybridFeatures.largestDimension
                guard index < most else { throw reader.error("must not be there: there are at most \(most) columns") }
                let column = try Stored(reader)
                // The categories stand in a set and in a dictionary.
                try reader.count(
                    2 * MemoryLayout<Column>.stride
                        + 6 * column.categories.count * MemoryLayout<(ExactName, Int)>.stride)
                stored.append(column)
            }
            return stored
        }
        let edges = try file.finiteValues(prefix + "edges", as: Double.self, shape: [nil], execution)
        var next = 0
        var names = Set<ExactName>()
        var columns: [Column] = []
        for column in stored {
            let distinct = Set(column.categories.map { ExactName($0) })
            guard column.edges >= 0, column.edges < FeatureCodes.mostBins, column.edges <= edges.count - next,
                column.kind != .date, column.kind == .numeric || column.edges == 0,
                column.kind == .categorical || column.categories.isEmpty, distinct.count == column.categories.count,
                !column.name.isEmpty, !column.name.utf8.contains(0), names.insert(ExactName(column.name)).inserted
            else { throw CoveyError.corruptFile("\(what): column \(quoted: column.name) is not valid") }
            let own = Array(edges[next..<next + column.edges])
            guard zip(own, own.dropFirst()).allSatisfy({ $0 < $1 }) else {
                throw CoveyError.corruptFile("tensor \(prefix)edges: those of \(quoted: column.name) do not ascend")
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
