import CoveyRuntime
import CoveyTables
import Testing

@testable import CoveyRules

@Suite struct NarrativeTests {
    @Test func sentenceWithFigures() throws {
        let rule = Rule(
            conditions: [
                Condition(feature: "amount", test: .interval(low: 100, high: 250)),
                Condition(feature: "country", test: .isIn(["NL", "BE"])),
                Condition(feature: "device_age", test: .isMissing),
            ], search: .init(), unseen: .init(matched: 214, support: 178))
        let set = try RuleSet(
            targetName: "cluster 7", confidence: 0.95,
            features: [
                RuleFeature(name: "amount", kind: .numeric), RuleFeature(name: "country", kind: .categorical),
                RuleFeature(name: "device_age", kind: .numeric), RuleFeature(name: "unused", kind: .boolean),
            ], rules: [rule], search: .init(rows: 10, target: 5), unseen: .init(rows: 14_400, target: 292), tried: 1,
            fallen: 0)
        #expect(
            Narrative(set).sentence(set.rules[0])
                == "amount is at least 100 and below 250, country is NL or BE, and device_age is missing: 83.2% of "
                + "the 214 matching transactions are cluster 7 (95% interval 77.6% to 87.6%), 41 times the base "
                + "rate; it covers 61.0% of cluster 7.")
        #expect(set.features.map(\.name) == ["amount", "country", "device_age"])
    }

    @Test func conditionsInWords() {
        func text(_ test: Condition.Test) -> String { Narrative.text(Condition(feature: "x", test: test)) }
        #expect(text(.interval(low: 12_500, high: .infinity)) == "x is at least 12,500")
        #expect(text(.interval(low: -.infinity, high: -0.25)) == "x is below -0.25")
        #expect(text(.isIn(["NL"])) == "x is NL")
        #expect(text(.isIn(["a", "b", ""])) == "x is a, b or \"\"")
        #expect(text(.isNotIn(["a", "b"])) == "x is something other than a or b")
        #expect(text(.isIn((1...15).map(String.init))) == "x is 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 or 5 others")
        #expect(text(.isIn((1...11).map(String.init))) == "x is 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 or 11")
        #expect(text(.isTrue) == "x is true" && text(.isFalse) == "x is false")
        #expect(text(.isMissing) == "x is missing" && text(.isPresent) == "x is known")
        let a = Condition(feature: "a", test: .isTrue)
        #expect(Narrative.conjunction([a, a]) == "a is true and a is true")
        let b = Condition(feature: "b", test: .interval(low: 1, high: 2))
        #expect(Narrative.conjunction([b, a]) == "b is at least 1 and below 2, and a is true")
    }

    @Test func numbersInWords() {
        #expect(
            [0, 999, 1000, 9999, 10_000, 1_234_567].map(Words.count) == [
                "0", "999", "1000", "9999", "10,000", "1,234,567",
            ])
        #expect(Words.number(-12_345.5) == "-12,345.5" && Words.number(1e300) == "1e+300" && Words.number(-0.0) == "0")
        #expect(Words.number(.leastNonzeroMagnitude) == "5e-324" && Words.number(1e15) == "1,000,000,000,000,000")
        #expect(
            [0, 1, 0.8321, 0.99999, 0.0001, 0.5].map(Words.percent) == [
                "0%", "100%", "83.2%", "more than 99.9%", "less than 0.1%", "50.0%",
            ])
        #expect(
            [0.95, 0.5, 0.999, 0.9999, 0.9905].map(Words.confidence) == ["95%", "50%", "99.9%", "99.99%", "99.05%"])
        #expect([41.3, 2.54, 3.0, 9.96, 12_345].map(Words.factor) == ["41", "2.5", "3", "10", "12,345"])
    }

    /// Every conjunction on every row, for block sizes around the edges and any number of threads.
    @Test(arguments: [0, 1, 63, 64, 65, 1023, 1024, 1025, 33_000]) func evaluatorIsTheDefinition(rows: Int) throws {
        var random = SeededRandom(seed: UInt64(rows))
        let x = (0..<rows).map { _ in random.uniform() < 0.1 ? .nan : random.uniform() }
        let c = (0..<rows).map { _ in Int32.random(in: -1...2, using: &random) }
        let b = (0..<rows).map { _ in Int8.random(in: -1...1, using: &random) }
        let table = try FeatureTable(
            rows: rows,
            columns: [
                FeatureColumn(name: "b", values: .boolean(Strided(b))),
                FeatureColumn(name: "x", values: .numeric(Strided(x))),
                FeatureColumn(name: "c", values: .categorical(Strided(c), categories: ["p", "q", "r"])),
            ])
        let set = try PlantedTable.set(
            [
                [
                    Condition(feature: "x", test: .interval(low: 0.2, high: 0.7)),
                    Condition(feature: "c", test: .isIn(["q", "z"])),
                ],
                [Condition(feature: "c", test: .isNotIn(["p", "z"])), Condition(feature: "b", test: .isFalse)],
                [Condition(feature: "x", test: .isMissing), Condition(feature: "c", test: .isMissing)],
                [Condition(feature: "b", test: .isPresent), Condition(feature: "x", test: .isPresent)],
            ], table)
        for threads in [1, 3] {
            var fired = [UInt8](repeating: 9, count: rows * 4)
            var any = [UInt8](repeating: 9, count: rows)
            try fired.withUnsafeMutableBufferPointer { fired in
                try any.withUnsafeMutableBufferPointer { any in
                    try RuleEvaluator(set).evaluate(
                        table, fired: fired, any: any, execution: Execution(Context(threads: threads)))
                }
            }
            for row in 0..<rows {
                let expected = [
                    x[row] >= 0.2 && x[row] < 0.7 && c[row] == 1, c[row] >= 1 && b[row] == 0,
                    x[row].isNaN && c[row] < 0,
                    b[row] >= 0 && !x[row].isNaN,
                ]
                #expect((0..<4).map { fired[row * 4 + $0] == 1 } == expected)
                #expect((any[row] == 1) == expected.contains(true))
            }
        }
    }

    /// As above, for so many categories that a condition keeps only those that it names.
    @Test func evaluatorIsTheDefinitionForManyCategories() throws {
        let names = (0..<2000).map { "c\($0)" }
        let codes = (-1..<2000).map { Int32($0) }
        let table = try FeatureTable(
            rows: codes.count,
            columns: [FeatureColumn(name: "c", values: .categorical(Strided(codes), categories: names))])
        let tests: [Condition.Test] =
            stride(from: 0, to: 1900, by: 3).map { .isIn(["c\($0 + 2)", "c\($0)"]) }
            + [.isNotIn(["c7", "c1999"]), .isIn(Array(names[..<1500])), .isNotIn(Array(names[100...]))]
        let set = try PlantedTable.set(tests.map { [Condition(feature: "c", test: $0)] }, table)
        var fired = [UInt8](repeating: 9, count: codes.count * tests.count)
        try fired.withUnsafeMutableBufferPointer {
            try RuleEvaluator(set).evaluate(table, fired: $0, execution: Execution())
        }
        for (row, code) in codes.enumerated() {
            for (rule, test) in tests.enumerated() {
                let expected =
                    switch test {
                    case .isIn(let named): code >= 0 && named.contains(names[Int(code)])
                    case .isNotIn(let named): code >= 0 && !named.contains(names[Int(code)])
                    default: false
                    }
                if (fired[row * tests.count + rule] == 1) != expected { Issue.record("rule \(rule), row \(row)") }
            }
        }
    }
}
