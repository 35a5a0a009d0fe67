import CoveyRuntime

/// A table of expert features. Its names are unique and not empty, and every column has one value for each row.
public struct FeatureTable: Sendable {
    public let rows: Int
    public let columns: [FeatureColumn]

    public init(rows: Int, columns: [FeatureColumn]) throws {
        var names = Set<ExactName>()
        for (index, column) in columns.enumerated() {
            try require(!column.name.isEmpty, "columns[\(index)].name must not be empty")
            let name = ExactName(column.name)
            let isNew =
                columns.count <= FeatureTable.few
                ? !columns[..<index].contains { ExactName($0.name) == name } : names.insert(name).inserted
            guard isNew else {
                throw CoveyError.invalidData("the column name \(quoted: column.name) occurs twice")
            }
            guard column.values.count == rows else {
                throw CoveyError.mismatch(
                    "column \(quoted: column.name) has \(column.values.count) values, the table has \(rows) rows")
            }
        }
        self.rows = rows
        self.columns = columns
    }

    /// So few names are compared with each other faster than they are hashed.
    public static let few = 16

    /// Some of the rows, which share the memory.
    public func part(_ rows: Range<Int>) throws -> FeatureTable {
        try FeatureTable(
            rows: rows.count,
            columns: columns.map { column in
                switch column.values {
                case .numeric(let values): FeatureColumn(name: column.name, values: .numeric(values.part(rows)))
                case .categorical(let codes, let names):
                    FeatureColumn(name: column.name, values: .categorical(codes.part(rows), categories: names))
                case .boolean(let values): FeatureColumn(name: column.name, values: .boolean(values.part(rows)))
                case .date(let values): FeatureColumn(name: column.name, values: .date(values.part(rows)))
                }
            })
    }

    public func column(named name: String) -> FeatureColumn? {
        columns.first { ExactName($0.name) == ExactName(name) }
    }

    /// Returns the columns with these names and kinds, in this order. Throws `mismatch` if some are missing, with their
    /// names, or if one is of another kind. Cost: O(names) if they are consecutive columns in this order, otherwise
    /// O(names + columns).
    public func columns(named wanted: [(name: String, kind: FeatureColumn.Kind)]) throws -> [FeatureColumn] {
        var next = 0
        var positions: [ExactName: Int]?
        func lookUp(_ name: ExactName) -> Int? {
            if columns.count <= FeatureTable.few { return columns.firstIndex { ExactName($0.name) == name } }
            let all =
                positions
                ?? Dictionary(
                    zip(columns.map { ExactName($0.name) }, columns.indices),
                    uniquingKeysWith: { first, _ in first })
            positions = all
            return all[name]
        }
        return try wanted.enumerated().map { index, column in
            let (name, kind) = column
            var position = next
            if position >= columns.count || ExactName(columns[position].name) != ExactName(name) {
                guard let found = lookUp(ExactName(name)) else {
                    throw FeatureTable.missing(wanted[index...].map(\.name).filter { lookUp(ExactName($0)) == nil })
                }
                position = found
            }
            next = position + 1
            let column = columns[position]
            guard column.values.kind == kind else {
                throw CoveyError.mismatch("column \(quoted: name) must be \(kind), got \(column.values.kind)")
            }
            return column
        }
    }

    /// Throws `mismatch` with the names of all columns that this table lacks.
    public func requireColumns(_ names: [String]) throws {
        let all = Set(columns.map { ExactName($0.name) })
        let missing = names.filter { !all.contains(ExactName($0)) }
        if !missing.isEmpty { throw FeatureTable.missing(missing) }
    }

    /// How many missing columns a message names.
    private static let mostNamed = 20

    private static func missing(_ names: [String]) -> CoveyError {
        .mismatch("features have no column \(listed(names))")
    }

    /// Names as a message lists them.
    public static func listed(_ names: [String]) -> String {
        names.prefix(mostNamed).map(PlainText.quoted).joined(separator: ", ")
            + (names.count > mostNamed ? " and \(names.count - mostNamed) others" : "")
    }
}

/// A column of expert features.
public struct FeatureColumn: Sendable {
    /// Raw values are those of `covey_column.kind`.
    public enum Kind: Int32, Sendable {
        case numeric = 0
        case categorical = 1
        case boolean = 2
        case date = 3
    }

    public enum Values: Sendable {
        /// NaN means missing.
        case numeric(Strided<Double>)
        /// Indices into `categories`; -1 means missing.
        case categorical(Strided<Int32>, categories: [String])
        /// 0 or 1; -1 means missing.
        case boolean(Strided<Int8>)
        /// Seconds since 1970-01-01 UTC, within `FeatureColumn.dates`; NaN means missing.
        case date(Strided<Double>)

        public var count: Int {
            switch self {
            case .numeric(let values): values.count
            case .categorical(let codes, _): codes.count
            case .boolean(let values): values.count
            case .date(let values): values.count
            }
        }

        public var kind: Kind {
            switch self {
            case .numeric: .numeric
            case .categorical: .categorical
            case .boolean: .boolean
            case .date: .date
            }
        }
    }

    public let name: String
    public let values: Values

    /// The range of dates: 100,000,000 days before and after 1970, as in ECMAScript. In it a double is exact to a
    /// millisecond.
    public static let dates = -8.64e12...8.64e12

    public init(name: String, values: Values) {
        self.name = name
        self.values = values
    }

    /// Throws if a number is infinite, a code is not an index of the categories, a boolean is not -1, 0 or 1, or a date
    /// is out of range.
    public func validate() throws {
        try validate(0..<values.count)
    }

    /// Does the same for a range of rows.
    public func validate(_ rows: Range<Int>) throws {
        switch values {
        case .numeric(let values):
            for row in rows where values[row].isInfinite {
                throw CoveyError.invalidData(
                    "column \(quoted: name), row \(row): must not be infinite, got \(values[row])")
            }
        case .categorical(let codes, let categories):
            for row in rows where codes[row] < -1 || Int(codes[row]) >= categories.count {
                throw CoveyError.invalidData(
                    "column \(quoted: name), row \(row): code must be -1 to \(categories.count - 1), got \(codes[row])")
            }
        case .boolean(let values):
            for row in rows where values[row] < -1 || values[row] > 1 {
                throw CoveyError.invalidData(
                    "column \(quoted: name), row \(row): must be -1, 0 or 1, got \(values[row])")
            }
        case .date(let values):
            for row in rows where !values[row].isNaN && !FeatureColumn.dates.contains(values[row]) {
                throw CoveyError.invalidData(
                    "column \(quoted: name), row \(row): must lie within 8.64e12 seconds of 1970, got \(values[row])")
            }
        }
    }
}
