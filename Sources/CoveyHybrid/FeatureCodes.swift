import CoveyRuntime
import CoveyTables

/// Feature columns as small whole numbers in the order of their values, for models that ask for no more than that
/// order: the number of a quantile's bin, a category's rank by frequency. Missing values and categories that fitting
/// did not see come before all others.
public struct FeatureCodes: Sendable, Equatable {
    struct Column: Sendable, Equatable {
        let name: String
        let kind: FeatureColumn.Kind
        /// Numeric: a value is in the first bin whose edge it does not exceed; above the last edge in the last bin.
        let edges: [Double]
        /// Categorical: by frequency, the most frequent first.
        let categories: [String]
        fileprivate let ranks: [ExactName: Int]

        init(name: String, kind: FeatureColumn.Kind, edges: [Double], categories: [String]) {
            self.name = name
            self.kind = kind
            self.edges = edges
            self.categories = categories
            ranks = Dictionary(
                zip(categories.map { ExactName($0) }, categories.indices), uniquingKeysWith: { first, _ in first })
        }
    }

    /// The most bins of a column.
    static let mostBins = 254
    /// What stands for a missing value.
    public static let missing: Float = -1

    let columns: [Column]

    public var columnCount: Int { columns.count }
    public var columnNames: [String] { columns.map(\.name) }
    public var categories: [(name: String, categories: [String])] {
        columns.filter { $0.kind == .categorical }.map { ($0.name, $0.categories) }
    }
    public var featureColumns: [(name: String, kind: FeatureColumn.Kind)] { columns.map { ($0.name, $0.kind) } }

    init(columns: [Column]) {
        self.columns = columns
    }

    /// Columns of dates are refused. O(rows log rows) a column.
    public init(fitting table: FeatureTable, execution: Execution) throws {
        try execution.hold(
            table.rows, of: 16 * min(execution.threads, max(1, table.columns.count)), for: "features in bins")
        var fitted = [Column?](repeating: nil, count: table.columns.count)
        try fitted.withUnsafeMutableBufferPointer { fitted in
            nonisolated(unsafe) let fitted = fitted
            try execution.parallel(table.columns.count, stage: "features in bins") { chunk, _ in
                for index in chunk { fitted[index] = try FeatureCodes.fit(table.columns[index], execution) }
            }
        }
        columns = fitted.compactMap { $0 }
    }

    private static func fit(_ column: FeatureColumn, _ execution: Execution) throws -> Column {
        try column.validate()
        var edges: [Double] = []
        var names: [String] = []
        switch column.values {
        case .date: throw CoveyError.internalError("dates have no codes")
        case .boolean: break
        case .numeric(let values):
            try execution.check()
            edges = quantileEdges((0..<values.count).map { values[$0] }.filter { !$0.isNaN })
        case .categorical(let codes, let categories):
            var counts = [Int](repeating: 0, count: categories.count)
            for row in 0..<codes.count where codes[row] >= 0 { counts[Int(codes[row])] += 1 }
            let order = counts.indices.filter { counts[$0] > 0 }
                .sorted { counts[$0] != counts[$1] ? counts[$0] > counts[$1] : $0 < $1 }
            names = order.map { categories[$0] }
        }
        return Column(name: column.name, kind: column.values.kind, edges: edges, categories: names)
    }

    /// Between neighbouring values; if there are more values than bins, between as many quantiles.
    private static func quantileEdges(_ given: [Double]) -> [Double] {
        let values = given.sorted()
        var distinct: [Double] = []
        for value in values where value != distinct.last { distinct.append(value) }
        if distinct.count > mostBins {
            var chosen: [Double] = []
            for index in 0..<mostBins {
                let value = values[index * (values.count - 1) / (mostBins - 1)]
                if value != chosen.last { chosen.append(value) }
            }
            distinct = chosen
        }
        return zip(distinct, distinct.dropFirst()).map { low, high in
            let middle = low * 0.5 + high * 0.5
            // Rounding must not move an edge onto the upper value.
            return middle >= low && middle < high ? middle : low
        }
    }

    /// Writes the codes of the rows of a table, found by name, into the columns `offset`... of a matrix.
    public func write(_ table: FeatureTable, to matrix: inout Matrix<Float>, offset: Int, execution: Execution) throws {
        let matched = try table.columns(named: featureColumns)
        let width = matrix.columns
        guard table.rows == matrix.rows, offset >= 0, offset + columns.count <= width else {
            throw CoveyError.internalError("codes of \(columns.count) columns at \(offset) of \(width)")
        }
        try matrix.elements.withUnsafeMutableBufferPointer { elements in
            nonisolated(unsafe) let elements = elements
            // The chunk of a wide table takes as long as that of a narrow one.
            let grain = max(1, min(4096, (1 << 18) / max(1, columns.count)))
            try execution.parallel(table.rows, grain: grain, stage: "features in bins") { chunk, _ in
                for (index, column) in columns.enumerated() {
                    let target = elements.baseAddress! + offset + index
                    try FeatureCodes.write(matched[index], column, chunk) { target[$0 * width] = $1 }
                }
            }
        }
    }

    /// The same for columns of numbers, in the order of fitting and not infinite.
    public func write(
        _ numbers: Matrix<Double>, to matrix: inout Matrix<Float>, offset: Int, execution: Execution
    ) throws {
        guard numbers.rows == matrix.rows, numbers.columns == columns.count, offset >= 0,
            offset + columns.count <= matrix.columns
        else { throw CoveyError.internalError("codes of \(numbers.columns) columns at \(offset)") }
        try execution.forEach(0..<numbers.rows, every: 1024) { row in
            for (index, column) in columns.enumerated() {
                let value = numbers[row, index]
                matrix[row, offset + index] =
                    value.isNaN ? FeatureCodes.missing : Float(FeatureCodes.bin(value, column.edges))
            }
        }
    }

    private static func write(
        _ values: FeatureColumn, _ column: Column, _ rows: Range<Int>, _ put: (_ row: Int, _ code: Float) -> Void
    ) throws {
        try values.validate(rows)
        switch values.values {
        case .date: throw CoveyError.internalError("dates have no codes")
        case .boolean(let flags):
            for row in rows { put(row, Float(flags[row])) }
        case .numeric(let numbers):
            for row in rows {
                let value = numbers[row]
                put(row, value.isNaN ? missing : Float(bin(value, column.edges)))
            }
        case .categorical(let codes, let names):
            let ranks = rows.count > names.count ? names.map { column.ranks[ExactName($0)] } : nil
            for row in rows {
                let code = Int(codes[row])
                guard code >= 0 else {
                    put(row, missing)
                    continue
                }
                let rank = ranks.map { $0[code] } ?? column.ranks[ExactName(names[code])]
                put(row, rank.map { Float($0) } ?? missing)
            }
        }
    }

    @inline(__always)
    private static func bin(_ value: Double, _ edges: [Double]) -> Int {
        var (low, high) = (0, edges.count)
        while low < high {
            let middle = (low + high) / 2
            if value <= edges[middle] { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
