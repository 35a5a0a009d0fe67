import CoveyRuntime

/// What a rule set is written as. Raw values are those of `COVEY_RULES_...`.
public enum ExportFormat: Int32, Sendable, CaseIterable {
    case json = 0
    case sql = 1
    case drl = 2
    case dmn = 3
    case pmml = 4
    case python = 5
    case c = 6
    case java = 7
    /// The JSON Schema that describes `json`.
    case jsonSchema = 8
}

/// Whose SQL is written. Raw values are those of `COVEY_SQL_...`.
public enum SQLDialect: Int32, Sendable, CaseIterable {
    case ansi = 0
    case postgresql = 1
    case sqlite = 2
    case duckdb = 3
    case spark = 4
    case bigquery = 5
}

/// How a rule set is written.
public struct ExportOptions: Sendable, Equatable {
    /// SQL alone.
    public var dialect: SQLDialect = .ansi
    /// SQL alone: dates are timestamps, not numbers of seconds since 1970-01-01 UTC.
    public var hasTimestamps = false
    /// SQL alone: the zone in which timestamps without a zone were written; nil = UTC.
    public var timeZone: String?
    /// SQL alone: with a table, the text is the SELECT that finds its rows; without, an expression.
    public var table: String?
    public var schema: String?
    public var catalog: String?
    /// Of the function, the package or the class; nil = "rules", in Java "Rules".
    public var name: String?

    public init() {}
}

extension RuleSet {
    /// The set in another language. Throws `invalidArgument` for options that make no sense, `unsupported` for what the
    /// format cannot hold.
    public func export(_ format: ExportFormat, _ options: ExportOptions = ExportOptions(), execution: Execution) throws
        -> String
    {
        try options.validate(format)
        try execution.report()
        return switch format {
        case .json: try json(execution)
        case .sql: try SQLWriter(self, options, execution).text()
        case .drl: try DRLWriter(self, name: options.name ?? "rules", execution: execution).text()
        case .dmn: try DMNWriter(self, name: options.name ?? "rules", execution: execution).text()
        case .pmml: try PMMLWriter(self, name: options.name ?? "rules", execution: execution).text()
        case .python: try PythonWriter(self, name: options.name ?? "rules", execution: execution).text()
        case .c: try CWriter(self, name: options.name ?? "rules", execution: execution).text()
        case .java: try JavaWriter(self, name: options.name ?? "Rules", execution: execution).text()
        case .jsonSchema: RuleSet.jsonSchema
        }
    }
}

extension ExportOptions {
    fileprivate func validate(_ format: ExportFormat) throws {
        if format != .sql {
            let isPlain =
                dialect == .ansi && !hasTimestamps && timeZone == nil && table == nil && schema == nil && catalog == nil
            try require(isPlain, "options: dialect, timestamps, time_zone, table, schema and catalog are for SQL")
        }
        if let name {
            try require(
                format != .sql && format != .json && format != .jsonSchema, "options.name is not for SQL and JSON")
            let isPackage = format == .drl || format == .java
            let parts = isPackage ? name.split(separator: ".", omittingEmptySubsequences: false) : [name[...]]
            try require(
                parts.allSatisfy { Identifiers.isFree(String($0)) } && name.utf8.count <= 255,
                "options.name must be an identifier of at most 255 letters of ASCII, digits and underscores that no "
                    + "language reserves\(isPackage ? ", or several with dots between them" : ""), got \(quoted: name)")
        }
        for (field, text) in [("table", table), ("schema", schema), ("catalog", catalog), ("time_zone", timeZone)] {
            try require(text.map { !$0.isEmpty } ?? true, "options.\(field) must not be empty")
        }
        try require(schema == nil || table != nil, "options.schema needs options.table")
        try require(catalog == nil || schema != nil, "options.catalog needs options.schema")
        guard timeZone != nil else { return }
        try require(hasTimestamps, "options.time_zone needs options.timestamps = 1")
        guard [.postgresql, .duckdb, .bigquery].contains(dialect) else {
            throw CoveyError.unsupported("options.time_zone is for PostgreSQL, DuckDB and BigQuery")
        }
    }
}
