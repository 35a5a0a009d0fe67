import CoveyRuntime
import CoveyTables

/// A rule set as a Java class (Java 11), without a library. A class file holds 65,535 constants and a method 65,535
/// bytes: rules are methods, in nested classes of some hundred.
struct JavaWriter {
    private let set: RuleSet
    private let columns: ExportColumns
    private let package: String?
    private let name: String
    private let execution: Execution

    init(_ set: RuleSet, name: String, execution: Execution) {
        self.set = set
        self.execution = execution
        let parts = name.split(separator: ".")
        package = parts.count > 1 ? parts.dropLast().joined(separator: ".") : nil
        self.name = parts.last.map(String.init) ?? name
        columns = ExportColumns(set)
    }

    func text() throws -> String {
        var lines = ["// Rules that describe \(Comments.text(set.targetName)), written by Covey."]
        if let package { lines += ["package \(package);"] }
        lines += [
            "", "public final class \(name) {",
            "    /** A row; what is not set is missing. Dates are seconds since 1970-01-01 UTC. */",
            "    public static final class Row {",
        ]
        for (column, name) in zip(columns.columns, columns.names) {
            let declaration =
                switch column.kind {
                case .numeric, .date: "double \(name) = Double.NaN"
                case .categorical: "String \(name)"
                case .boolean: "Boolean \(name)"
                }
            lines += ["        /** \(Comments.text(column.name)) */", "        public \(declaration);"]
        }
        lines += [
            "    }", "", "    /** The number of rules. */", "    public static final int COUNT = \(set.rules.count);",
            "",
        ]
        lines += ["    private \(name)() {}", ""]
        let parts = try self.parts()
        lines += ["    /** Whether a rule matches the row. */", "    public static boolean matches(Row row) {"]
        lines += ["        for (int part = 0; part < \(parts.count); part++) if (any(row, part)) return true;"]
        lines += ["        return false;", "    }", ""]
        lines += ["    private static boolean any(Row row, int part) {", "        switch (part) {"]
        lines += parts.indices.map { "        case \($0): return Part\($0).any(row);" }
        lines += ["        default: return false;", "        }", "    }", ""]
        lines += ["    /** Whether each rule matches the row. */", "    public static boolean[] fired(Row row) {"]
        lines += ["        boolean[] fired = new boolean[COUNT];"]
        lines += parts.indices.map { "        Part\($0).fired(row, fired);" }
        lines += ["        return fired;", "    }", "", JavaWriter.helpers]
        for (index, part) in parts.enumerated() {
            lines += ["    private static final class Part\(index) {"]
            lines += ["        static boolean any(Row row) {"]
            lines += [
                "            return " + part.rules.map { "rule\($0)(row)" }.joined(separator: "\n                || ")
                    + ";"
            ]
            lines += ["        }", "", "        static void fired(Row row, boolean[] fired) {"]
            lines += part.rules.map { "            fired[\($0)] = rule\($0)(row);" }
            lines += ["        }", ""] + part.lines + ["    }", ""]
        }
        return (lines + ["}", ""]).joined(separator: "\n")
    }

    private struct Part {
        var rules: [Int] = []
        var lines: [String] = []
        var constants = 0
    }

    private func parts() throws -> [Part] {
        var parts: [Part] = []
        for (index, rule) in set.rules.enumerated() {
            if index & 0xFF == 0 { try execution.report() }
            let size = rule.conditions.reduce(0) { $0 + ($1.names?.count ?? 0) + 8 }
            if parts.isEmpty || parts[parts.count - 1].constants + size > 8192
                || parts[parts.count - 1].rules.count == 256
            {
                parts.append(Part())
            }
            guard size < 30_000 else {
                throw CoveyError.unsupported("rule \(index) names too many categories for a Java class: \(size)")
            }
            var (helpers, conditions): ([String], [String]) = ([], [])
            for (place, condition) in rule.conditions.enumerated() {
                conditions.append(try text(condition, "rule\(index)_\(place)", &helpers))
            }
            var lines = Comments.lines(Narrative(set).sentence(rule)).map { "        // " + $0 }
            lines += ["        static boolean rule\(index)(Row row) {"]
            lines += ["            return \(conditions.joined(separator: "\n                && "));", "        }", ""]
            parts[parts.count - 1].rules.append(index)
            parts[parts.count - 1].lines += lines + helpers
            parts[parts.count - 1].constants += size
        }
        return parts
    }

    private func text(_ condition: Condition, _ method: String, _ helpers: inout [String]) throws -> String {
        let value = value(condition.feature)
        switch condition.test {
        case .interval(let low, let high):
            var parts: [String] = []
            if low > -.infinity { parts.append("\(value) >= \(Decimals.literal(low))") }
            if high < .infinity { parts.append("\(value) < \(Decimals.literal(high))") }
            return parts.joined(separator: " && ")
        case .isIn(let names): return try isIn(value, names, method, &helpers)
        case .isNotIn(let names): return "\(value) != null && !(\(try isIn(value, names, method, &helpers)))"
        case .isTrue: return "Boolean.TRUE.equals(\(value))"
        case .isFalse: return "Boolean.FALSE.equals(\(value))"
        case .isMissing, .isPresent:
            let isNumber = columns.kind(condition.feature) == .numeric
            if condition.test == .isMissing { return isNumber ? "Double.isNaN(\(value))" : "\(value) == null" }
            return isNumber ? "!Double.isNaN(\(value))" : "\(value) != null"
        }
    }

    /// Long lists in methods of their own.
    private func isIn(_ value: String, _ names: [String], _ method: String, _ helpers: inout [String]) throws -> String
    {
        func test(_ names: ArraySlice<String>, _ value: String) throws -> String {
            try names.map { "\(try JavaWriter.string($0)).equals(\(value))" }.joined(separator: " || ")
        }
        if names.count <= 16 { return "(\(try test(names[...], value)))" }
        var calls: [String] = []
        for start in stride(from: 0, to: names.count, by: 512) {
            let own = "\(method)_\(calls.count)"
            helpers += ["        private static boolean \(own)(String value) {"]
            helpers += [
                "            return \(try test(names[start..<min(names.count, start + 512)], "value"));", "        }",
                "",
            ]
            calls.append("\(own)(\(value))")
        }
        return "(\(calls.joined(separator: " || ")))"
    }

    private func value(_ feature: String) -> String {
        guard let derived = columns.derived(feature) else { return "row.\(columns.name(feature))" }
        let arguments = [derived.first, derived.second].compactMap { $0 }.map { "row." + columns.name($0) }
        let function =
            switch derived.operation {
            case .hour: "hour"
            case .days: "days"
            case .ratio: "ratio"
            case .difference: "difference"
            }
        return "\(function)(\(arguments.joined(separator: ", ")))"
    }

    static let helpers = """
            private static double hour(double first) {
                double rest = first % 86400.0;
                return (rest < 0 ? rest + 86400.0 : rest) / 3600.0;
            }

            private static double days(double first, double second) {
                return (second - first) / 86400.0;
            }

            private static double ratio(double first, double second) {
                return second == 0 ? Double.NaN : first / second;
            }

            private static double difference(double first, double second) {
                return first - second;
            }

        """

    /// A text; throws where a class file cannot hold it.
    static func string(_ text: String) throws -> String {
        guard text.utf16.count <= 20_000 else {
            throw CoveyError.unsupported(
                "a name has \(text.utf16.count) letters, a Java class file holds 20000 in one text")
        }
        var result = "\""
        for unit in text.utf16 {
            let isPlain = (0x20..<0x7F).contains(unit) && unit != 0x22 && unit != 0x5C
            if isPlain, let scalar = Unicode.Scalar(unit) {
                result.unicodeScalars.append(scalar)
            } else if unit < 0x80 {
                // Java replaces \\u before it looks for the end of a text: a line break must not be written so.
                let digits = String(unit, radix: 8)
                result += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
            } else {
                let digits = String(unit, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return result + "\""
    }
}

extension Condition {
    /// The categories that it names.
    var names: [String]? {
        switch test {
        case .isIn(let names), .isNotIn(let names): names
        default: nil
        }
    }
}
