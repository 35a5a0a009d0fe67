import CoveyNumerics
import CoveyRuntime

/// A rule set compiled for evaluation: distinct conditions once, categories as bit sets. Immutable; shared by threads.
public struct RuleEvaluator: Sendable {
    /// A condition on a column of the set's features.
    private struct Atom: Sendable {
        enum Test: Sendable {
            case interval(Double, Double)
            /// By category, as numbered by the evaluator, with one more place for categories that no rule names.
            case category([Bool])
            /// The same for few of many categories: the codes that rules name, ascending, and whether these match or all others.
            case fewCategories([Int32], inside: Bool)
            case equal(Int32)
            case missing
            case present
        }
        let column: Int
        let test: Test
    }

    private let features: [RuleFeature]
    private let atoms: [Atom]
    /// The atoms of each rule.
    private let rules: [[Int]]
    /// For each feature the categories that rules name.
    private let categories: [[ExactName: Int32]]

    /// Rows that are evaluated together.
    static let block = 1024
    private static let words = block / 64

    public var ruleCount: Int { rules.count }

    public init(_ set: RuleSet) {
        self.init(features: set.features, rules: set.rules.map(\.conditions))
    }

    /// The conditions must name these features and suit their kinds, as in a `RuleSet`.
    init(features: [RuleFeature], rules: [[Condition]]) {
        let places = Dictionary(
            zip(features.map { ExactName($0.name) }, features.indices), uniquingKeysWith: { first, _ in first })
        var named = [[ExactName: Int32]](repeating: [:], count: features.count)
        let conditions = rules.joined().map { (column: places[ExactName($0.feature)] ?? 0, test: $0.test) }
        for (column, test) in conditions {
            guard case .isIn(let names) = test else {
                if case .isNotIn(let names) = test { RuleEvaluator.number(names, &named[column]) }
                continue
            }
            RuleEvaluator.number(names, &named[column])
        }
        var atoms: [Atom] = []
        var known = [[Condition.Test: Int]](repeating: [:], count: features.count)
        var next = conditions.makeIterator()
        self.rules = rules.map { rule in
            rule.compactMap { _ in
                guard let (column, test) = next.next() else { return nil }
                if let atom = known[column][test] { return atom }
                known[column][test] = atoms.count
                atoms.append(Atom(column: column, test: RuleEvaluator.compile(test, named[column])))
                return atoms.count - 1
            }
        }
        self.features = features
        self.atoms = atoms
        categories = named
    }

    private static func number(_ names: [String], _ categories: inout [ExactName: Int32]) {
        for name in names where categories[ExactName(name)] == nil {
            categories[ExactName(name)] = Int32(categories.count)
        }
    }

    private static func compile(_ test: Condition.Test, _ categories: [ExactName: Int32]) -> Atom.Test {
        func members(_ names: [String], inside: Bool) -> Atom.Test {
            let codes = names.map { categories[ExactName($0)] ?? 0 }
            // A table for each condition would grow with the square of a file that names a new category in each.
            guard categories.count <= 256 + 16 * codes.count else {
                return .fewCategories(codes.sorted(), inside: inside)
            }
            var result = [Bool](repeating: !inside, count: categories.count + 1)
            for code in codes { result[Int(code)] = inside }
            return .category(result)
        }
        switch test {
        case .interval(let low, let high): return .interval(low, high)
        case .isIn(let names): return members(names, inside: true)
        case .isNotIn(let names): return members(names, inside: false)
        case .isTrue: return .equal(1)
        case .isFalse: return .equal(0)
        case .isMissing: return .missing
        case .isPresent: return .present
        }
    }

    // MARK: Tables

    /// The table's columns that the rules need, and each categorical column's codes in the evaluator's numbering.
    struct Bound {
        fileprivate let columns: [FeatureColumn]
        fileprivate let codes: [[Int32]]
    }

    /// Throws `mismatch` for a column that is missing or of another kind.
    func bind(_ table: FeatureTable) throws -> Bound {
        let columns = try table.columns(named: features.map { ($0.name, $0.kind) })
        let codes = columns.enumerated().map { index, column -> [Int32] in
            // With fewer rows than categories, names are looked up row by row.
            guard case .categorical(_, let names) = column.values, names.count <= 4 * table.rows else { return [] }
            return names.map { self.categories[index][ExactName($0)] ?? Int32(self.categories[index].count) }
        }
        return Bound(columns: columns, codes: codes)
    }

    /// Space for one block of rows; one for each thread.
    struct Scratch {
        fileprivate var numbers = [Double](repeating: 0, count: RuleEvaluator.block)
        fileprivate var codes = [Int32](repeating: 0, count: RuleEvaluator.block)
        fileprivate var masks: [UInt64]
        /// Bit r of word r / 64 of rule i, from i * words: whether the block's row r matches.
        fileprivate(set) var matches: [UInt64]

        init(_ evaluator: RuleEvaluator) {
            masks = Array(repeating: 0, count: evaluator.atoms.count * RuleEvaluator.words)
            matches = Array(repeating: 0, count: evaluator.rules.count * RuleEvaluator.words)
        }

        func word(_ rule: Int, _ word: Int) -> UInt64 { matches[rule * RuleEvaluator.words + word] }
    }

    /// Evaluates rows.count <= block rows into `scratch.matches`. Throws `invalidData` for values that cannot be.
    func evaluate(_ rows: Range<Int>, of bound: Bound, _ scratch: inout Scratch) throws {
        let words = (rows.count + 63) / 64
        // Atoms of one column stand together only by chance; each column is loaded once for all of its atoms.
        for column in features.indices {
            switch bound.columns[column].values {
            case .numeric(let values): try loadNumbers(values, rows, bound.columns[column], &scratch)
            case .boolean(let values): try loadBooleans(values, rows, bound.columns[column], &scratch)
            case .categorical(let values, let names):
                try loadCodes(values, names, rows, column, bound, &scratch)
            }
            for (index, atom) in atoms.enumerated() where atom.column == column {
                test(atom.test, numeric: features[column].kind == .numeric, rows.count, index, &scratch)
            }
        }
        for (index, rule) in rules.enumerated() {
            for word in 0..<words {
                var all = ~UInt64(0)
                for atom in rule { all &= scratch.masks[atom * RuleEvaluator.words + word] }
                scratch.matches[index * RuleEvaluator.words + word] = all
            }
        }
    }

    private func loadNumbers(
        _ values: Strided<Double>, _ rows: Range<Int>, _ column: FeatureColumn, _ scratch: inout Scratch
    ) throws {
        var sum = 0.0
        scratch.numbers.withUnsafeMutableBufferPointer { numbers in
            for (place, row) in rows.enumerated() {
                let value = values[row]
                numbers[place] = value
                sum += value - value
            }
        }
        // inf - inf and NaN - NaN are both NaN; only then is a closer look needed.
        if sum.isNaN { try column.validate(rows) }
    }

    private func loadBooleans(
        _ values: Strided<Int8>, _ rows: Range<Int>, _ column: FeatureColumn, _ scratch: inout Scratch
    ) throws {
        var outside = false
        for (place, row) in rows.enumerated() {
            let value = values[row]
            outside = outside || value < -1 || value > 1
            scratch.codes[place] = Int32(value)
        }
        if outside { try column.validate(rows) }
    }

    private func loadCodes(
        _ values: Strided<Int32>, _ names: [String], _ rows: Range<Int>, _ column: Int, _ bound: Bound,
        _ scratch: inout Scratch
    ) throws {
        let codes = bound.codes[column]
        let unknown = Int32(categories[column].count)
        for (place, row) in rows.enumerated() {
            let code = values[row]
            if code < 0 || Int(code) >= names.count {
                if code != -1 { try bound.columns[column].validate(rows) }
                scratch.codes[place] = -1
            } else if codes.isEmpty {
                scratch.codes[place] = categories[column][ExactName(names[Int(code)])] ?? unknown
            } else {
                scratch.codes[place] = codes[Int(code)]
            }
        }
    }

    private func test(_ test: Atom.Test, numeric: Bool, _ count: Int, _ atom: Int, _ scratch: inout Scratch) {
        let start = atom * RuleEvaluator.words
        scratch.numbers.withUnsafeBufferPointer { numbers in
            scratch.codes.withUnsafeBufferPointer { codes in
                scratch.masks.withUnsafeMutableBufferPointer { masks in
                    @inline(__always) func fill(_ matches: (Int) -> Bool) {
                        for word in 0..<(count + 63) / 64 {
                            var bits: UInt64 = 0
                            let first = word &* 64
                            for bit in 0..<min(64, count &- first) {
                                bits |= (matches(first &+ bit) ? 1 : 0) &<< UInt64(bit)
                            }
                            masks[start &+ word] = bits
                        }
                    }
                    switch test {
                    case .interval(let low, let high): fill { numbers[$0] >= low && numbers[$0] < high }
                    case .category(let members): fill { codes[$0] >= 0 && members[Int(codes[$0])] }
                    case .fewCategories(let named, let inside):
                        fill { codes[$0] >= 0 && RuleEvaluator.contains(codes[$0], named) == inside }
                    case .equal(let value): fill { codes[$0] == value }
                    case .missing: numeric ? fill { numbers[$0].isNaN } : fill { codes[$0] < 0 }
                    case .present: numeric ? fill { !numbers[$0].isNaN } : fill { codes[$0] >= 0 }
                    }
                }
            }
        }
    }

    /// Whether a code is among ascending ones.
    private static func contains(_ code: Int32, _ codes: [Int32]) -> Bool {
        var (low, high) = (0, codes.count)
        while low < high {
            let middle = (low &+ high) &>> 1
            if codes[middle] < code { low = middle &+ 1 } else { high = middle }
        }
        return low < codes.count && codes[low] == code
    }

    /// Evaluates all rules on all rows.
    /// - Parameters:
    ///   - fired: nil, or rows x ruleCount, row-major: 1 where the rule matches.
    ///   - any: nil, or one a row: 1 where a rule matches.
    public func evaluate(
        _ table: FeatureTable, fired: UnsafeMutableBufferPointer<UInt8>? = nil,
        any: UnsafeMutableBufferPointer<UInt8>? = nil, execution: Execution
    ) throws {
        let bound = try bind(table)
        let blocks = table.rows == 0 ? 0 : (table.rows - 1) / RuleEvaluator.block + 1
        let grain = 16
        let words = (atoms.count + rules.count) * RuleEvaluator.words
        try execution.reserve(min(execution.threads, (blocks + grain - 1) / grain), of: words * 8, for: "evaluating rules")
        nonisolated(unsafe) let (fired, any) = (fired, any)
        try execution.parallel(blocks, grain: grain, stage: "rules") { chunk, _ in
            var scratch = Scratch(self)
            for block in chunk {
                try execution.check()
                let start = block * RuleEvaluator.block
                let rows = start..<min(table.rows, start + RuleEvaluator.block)
                try evaluate(rows, of: bound, &scratch)
                write(rows, scratch.matches, fired, any)
            }
        }
    }

    private func write(
        _ rows: Range<Int>, _ matches: [UInt64], _ fired: UnsafeMutableBufferPointer<UInt8>?,
        _ any: UnsafeMutableBufferPointer<UInt8>?
    ) {
        for (place, row) in rows.enumerated() {
            var one: UInt8 = 0
            for rule in rules.indices {
                let bit = UInt8(truncatingIfNeeded: matches[rule &* RuleEvaluator.words &+ place / 64] &>> UInt64(place % 64)) & 1
                one |= bit
                fired?[row &* rules.count &+ rule] = bit
            }
            any?[row] = one
        }
    }
}
