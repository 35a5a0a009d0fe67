import CCoveyKernels
import CoveyRuntime
import CoveyTables

// Rules on blocks of rows: each column becomes the bits of its tests, and rules are conjunctions of these.

extension RuleEvaluator {
    /// The table's columns that the rules need, and each feature's category numbers by the table's codes.
    struct Bound {
        let columns: [FeatureColumn]
        fileprivate let codes: [[Int32]]
    }

    /// Throws `mismatch` for a column that is missing or of another kind.
    func bind(_ table: FeatureTable) throws -> Bound {
        let columns = try table.columns(named: columns.map { ($0.name, $0.kind) })
        let codes = features.map { feature -> [Int32] in
            // With fewer rows than categories, names are looked up row by row.
            guard case .categorical(_, let names) = columns[feature.first].values, names.count <= 4 * table.rows else {
                return []
            }
            return names.map { feature.categories[ExactName($0)] ?? Int32(feature.categories.count) }
        }
        return Bound(columns: columns, codes: codes)
    }

    /// Space for one block of rows; one for each thread.
    struct Scratch {
        fileprivate let set: Int32
        /// Of a test or rule.
        fileprivate let words: Int
        fileprivate var numbers: [Double]
        fileprivate var codes: [Int32]
        fileprivate var tests: [UInt64]
        /// Bit r of word r / 64 of rule i, from i * words: whether the block's row r matches.
        fileprivate var matches: [UInt64]

        /// - Parameter block: rows, a multiple of `RuleEvaluator.block`.
        init(
            _ evaluator: RuleEvaluator, block: Int = RuleEvaluator.block, set: Int32 = ck_rules_instruction_set()
        ) {
            self.set = set
            words = block / 64
            numbers = Array(repeating: 0, count: 2 * block)
            codes = Array(repeating: 0, count: block)
            tests = Array(repeating: 0, count: evaluator.tests * words)
            for word in 0..<words { tests[Int(RuleEvaluator.always) * words + word] = ~0 }
            matches = Array(repeating: 0, count: evaluator.ruleCount * words)
        }

        func word(_ rule: Int, _ word: Int) -> UInt64 { matches[rule * words + word] }

        func write(
            _ rows: Range<Int>, _ rules: Int, _ fired: UnsafeMutableBufferPointer<UInt8>?,
            _ any: UnsafeMutableBufferPointer<UInt8>?
        ) {
            matches.withUnsafeBufferPointer { matches in
                if let fired = fired?.baseAddress, let matches = matches.baseAddress {
                    ck_rules_bytes(
                        set, matches, Int64(words), Int64(rules), Int64(rows.count), fired + rows.lowerBound * rules)
                }
                guard let any = any?.baseAddress else { return }
                var one = [UInt64](repeating: 0, count: words)
                for rule in 0..<rules {
                    for word in 0..<words { one[word] |= matches[rule &* words &+ word] }
                }
                ck_rules_spread(set, one, Int64(rows.count), any + rows.lowerBound)
            }
        }
    }

    /// Evaluates rows.count <= block rows into `scratch.matches`, bits behind the last row 0. Throws `invalidData` for
    /// values that cannot be.
    func evaluate(
        _ rows: Range<Int>, of bound: Bound, _ scratch: inout Scratch, _ execution: Execution? = nil
    ) throws {
        for (index, feature) in features.enumerated() {
            let column = bound.columns[feature.first]
            switch column.values {
            case .numeric, .date:
                try compare(feature, bound, rows, &scratch)
            case .boolean(let values): try testBooleans(values, feature, column, rows, &scratch)
            case .categorical(let values, let names):
                try loadCodes(values, names, feature, bound.codes[index], column, rows, &scratch)
                testCategories(feature, rows.count, &scratch)
            }
        }
        let words = scratch.words
        let last = UInt64(truncatingIfNeeded: rows.count % 64)
        try scratch.tests.withUnsafeBufferPointer { tests in
            try scratch.matches.withUnsafeMutableBufferPointer { matches in
                for rule in 0..<ruleCount {
                    if rule & 0xFFF == 0 { try execution?.check() }
                    let (start, count) = (starts[rule], starts[rule + 1] - starts[rule])
                    let result = matches.baseAddress! + rule * words
                    with.withUnsafeBufferPointer { with in
                        without.withUnsafeBufferPointer { without in
                            ck_rules_conjunction(
                                scratch.set, tests.baseAddress, Int64(words), with.baseAddress.map { $0 + start },
                                without.baseAddress.map { $0 + start }, Int64(count), result)
                        }
                    }
                    // That a value is missing holds behind the last row too.
                    if last > 0 { result[rows.count / 64] &= (1 &<< last) &- 1 }
                    for word in (rows.count + 63) / 64..<words { result[word] = 0 }
                }
            }
        }
    }

    // MARK: Numbers

    private func compare(_ feature: Feature, _ bound: Bound, _ rows: Range<Int>, _ scratch: inout Scratch) throws {
        let first = bound.columns[feature.first]
        let count = rows.count
        let (set, words) = (scratch.set, scratch.words)
        var suspicious = false
        scratch.numbers.withUnsafeMutableBufferPointer { numbers in
            scratch.tests.withUnsafeMutableBufferPointer { tests in
                let numbers = numbers.baseAddress!
                let present = tests.baseAddress! + feature.test * words
                func compare(_ values: UnsafePointer<Double>) -> Bool {
                    ck_rules_compare(
                        set, values, Int64(count), Int64(words), feature.thresholds, Int64(feature.thresholds.count),
                        present, present + words) != 0
                }
                guard let operation = feature.operation else {
                    suspicious = compare(RuleEvaluator.numbers(first, rows, numbers))
                    return
                }
                let a = RuleEvaluator.numbers(first, rows, numbers)
                let b =
                    feature.second == feature.first
                    ? a : RuleEvaluator.numbers(bound.columns[feature.second], rows, numbers + 64 * words)
                // inf - inf and NaN - NaN are both NaN; only then is a closer look needed. Dates have a range of their
                // own.
                var sum = operation == .hour || operation == .days ? Double.nan : 0
                switch operation {
                case .hour: for row in 0..<count { numbers[row] = DerivedFeature.Operation.hour.value(a[row], 0) }
                case .days: for row in 0..<count { numbers[row] = DerivedFeature.Operation.days.value(a[row], b[row]) }
                case .ratio:
                    for row in 0..<count {
                        sum += (a[row] - a[row]) + (b[row] - b[row])
                        numbers[row] = DerivedFeature.Operation.ratio.value(a[row], b[row])
                    }
                case .difference:
                    for row in 0..<count {
                        sum += (a[row] - a[row]) + (b[row] - b[row])
                        numbers[row] = DerivedFeature.Operation.difference.value(a[row], b[row])
                    }
                }
                suspicious = sum.isNaN
                _ = compare(numbers)
            }
        }
        guard suspicious else { return }
        try first.validate(rows)
        if feature.second != feature.first { try bound.columns[feature.second].validate(rows) }
    }

    /// A block of numbers: where they are, or as a copy.
    @inline(__always)
    private static func numbers(
        _ column: FeatureColumn, _ rows: Range<Int>, _ copy: UnsafeMutablePointer<Double>
    ) -> UnsafePointer<Double> {
        let values: Strided<Double>
        switch column.values {
        case .numeric(let found), .date(let found): values = found
        default: return UnsafePointer(copy)
        }
        if let contiguous = values.contiguous { return contiguous + rows.lowerBound }
        for (place, row) in rows.enumerated() { copy[place] = values[row] }
        return UnsafePointer(copy)
    }

    // MARK: Booleans and categories

    private func testBooleans(
        _ values: Strided<Int8>, _ feature: Feature, _ column: FeatureColumn, _ rows: Range<Int>,
        _ scratch: inout Scratch
    ) throws {
        var outside = false
        let words = scratch.words
        scratch.tests.withUnsafeMutableBufferPointer { tests in
            let present = tests.baseAddress! + feature.test * words
            for word in 0..<(rows.count + 63) / 64 {
                var (known, yes) = (UInt64(0), UInt64(0))
                let first = rows.lowerBound &+ word &* 64
                for bit in 0..<min(64, rows.upperBound &- first) {
                    let value = values[first &+ bit]
                    outside = outside || value < -1 || value > 1
                    known |= (value >= 0 ? 1 : 0) &<< UInt64(bit)
                    yes |= (value == 1 ? 1 : 0) &<< UInt64(bit)
                }
                present[word] = known
                present[words &+ word] = known & ~yes
                present[2 &* words &+ word] = yes
            }
        }
        if outside { try column.validate(rows) }
    }

    private func loadCodes(
        _ values: Strided<Int32>, _ names: [String], _ feature: Feature, _ codes: [Int32], _ column: FeatureColumn,
        _ rows: Range<Int>, _ scratch: inout Scratch
    ) throws {
        for (place, row) in rows.enumerated() {
            let code = values[row]
            if code < 0 || Int(code) >= names.count {
                if code != -1 { try column.validate(rows) }
                scratch.codes[place] = -1
            } else if codes.isEmpty {
                scratch.codes[place] = feature.code(names[Int(code)])
            } else {
                scratch.codes[place] = codes[Int(code)]
            }
        }
    }

    private func testCategories(_ feature: Feature, _ count: Int, _ scratch: inout Scratch) {
        let words = scratch.words
        scratch.codes.withUnsafeBufferPointer { codes in
            scratch.tests.withUnsafeMutableBufferPointer { tests in
                @inline(__always) func fill(_ test: Int, _ matches: (Int32) -> Bool) {
                    for word in 0..<(count + 63) / 64 {
                        var bits: UInt64 = 0
                        let first = word &* 64
                        for bit in 0..<min(64, count &- first) {
                            let code = codes[first &+ bit]
                            bits |= (code >= 0 && matches(code) ? 1 : 0) &<< UInt64(bit)
                        }
                        tests[(feature.test &+ test) &* words &+ word] = bits
                    }
                }
                fill(0) { _ in true }
                for (index, members) in feature.members.enumerated() {
                    switch members {
                    case .all(let table): table.withUnsafeBufferPointer { table in fill(1 + index) { table[Int($0)] } }
                    case .few: fill(1 + index) { members.contains($0) }
                    }
                }
            }
        }
    }
}

extension RuleEvaluator.Feature {
    /// A category's number; one more than the last for those that no rule names.
    func code(_ name: String) -> Int32 { categories[ExactName(name)] ?? Int32(categories.count) }
}
