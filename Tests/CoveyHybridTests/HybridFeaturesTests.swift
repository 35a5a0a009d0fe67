import CoveyRuntime
import Testing

@testable import CoveyHybrid
@testable import CoveyTables

@Suite struct HybridFeaturesTests {
    /// Numeric with a missing value, boolean with one, categorical with one and a category that does not occur.
    private func mixed() throws -> FeatureTable {
        try FeatureTable(
            rows: 5,
            columns: [
                numeric("amount", [1, 2, .nan, 4, 5]), boolean("weekend", [1, 0, 1, -1, 1]),
                categorical("country", [0, 2, -1, 0, 2], ["NL", "BE", "FR"]),
            ])
    }

    @Test func mixedTableComesOutAsDocumented() throws {
        var options = HybridOptions()
        options.missing = .indicator
        options.featureWeight = 2
        options.columnWeights = [1, 3, 0.5]
        let hybrid = try HybridFeatures(fitting: nil, mixed(), options: options)
        #expect(
            hybrid.columnNames == [
                "amount", "amount missing", "weekend", "weekend missing", "country=NL", "country=FR", "country missing",
            ])
        #expect(hybrid.featureColumns.map(\.name) == ["amount", "weekend", "country"])
        let block = 2 / 3.0.squareRoot()
        let half = 0.5.squareRoot()
        // amount: median 3, quartiles 1.75 and 4.25; weekend: median 1.
        let scaled: [[Double]] = [
            [-2 / 2.5, 0, 1, 0, half, 0, 0], [-1 / 2.5, 0, 0, 0, 0, half, 0], [0, 1, 1, 0, 0, 0, half],
            [1 / 2.5, 0, 1, 1, half, 0, 0], [2 / 2.5, 0, 1, 0, 0, half, 0],
        ]
        let weights = [1, 1, 3, 3, 0.5, 0.5, 0.5]
        let result = try hybrid.transform(nil, mixed())
        for row in 0..<5 {
            for column in 0..<7 {
                let wanted = scaled[row][column] * weights[column] * block
                #expect(abs(Double(result[row, column]) - wanted) < 1e-6, "row \(row), column \(column)")
            }
        }
    }

    @Test func columnsAndCategoriesAreFoundByName() throws {
        let hybrid = try HybridFeatures(fitting: nil, mixed())
        let expected = try hybrid.transform(nil, mixed())
        // Other order, another column, other category codes, and categories not seen in fitting.
        let other = try FeatureTable(
            rows: 5,
            columns: [
                categorical("country", [4, 3, -1, 4, 3], ["DE", "ES", "BE", "FR", "NL"]),
                numeric("other", [1, 2, 3, 4, 5]),
                boolean("weekend", [1, 0, 1, -1, 1]), numeric("amount", [1, 2, .nan, 4, 5]),
            ])
        #expect(try hybrid.transform(nil, other).elements == expected.elements)
        let unseen = try FeatureTable(
            rows: 2,
            columns: [
                numeric("amount", [3, 3]), boolean("weekend", [1, 1]), categorical("country", [0, 1], ["BE", "XX"]),
            ])
        let result = try hybrid.transform(nil, unseen)
        for row in 0..<2 { for column in 2..<4 { #expect(result[row, column] == 0) } }
    }

    @Test func whatDoesNotFitIsNamed() throws {
        let hybrid = try HybridFeatures(fitting: nil, mixed())
        let without = try FeatureTable(rows: 1, columns: [numeric("amount", [1]), boolean("weekend", [1])])
        #expect(
            error { _ = try hybrid.transform(nil, without) } == .mismatch("features have no column \"country\""))
        let only = try FeatureTable(rows: 1, columns: [boolean("weekend", [1])])
        #expect(
            error { _ = try hybrid.transform(nil, only) }
                == .mismatch("features have no column \"amount\", \"country\""))
        let kind = try FeatureTable(
            rows: 1, columns: [numeric("amount", [1]), numeric("weekend", [1]), categorical("country", [0], ["NL"])])
        #expect(
            error { _ = try hybrid.transform(nil, kind) }
                == .mismatch("column \"weekend\" must be boolean, got numeric"))
        #expect(error { _ = try hybrid.transform(nil, nil) }?.code == .mismatch)
        let rows = Matrix<Float>(rows: 5, columns: 2, repeating: 1)
        #expect(error { _ = try rows.withView { try hybrid.transform($0, self.mixed()) } }?.code == .mismatch)
        let both = try rows.withView { try HybridFeatures(fitting: $0, self.mixed()) }
        let wide = Matrix<Float>(rows: 5, columns: 3, repeating: 1)
        #expect(error { _ = try wide.withView { try both.transform($0, self.mixed()) } }?.code == .mismatch)
        #expect(error { _ = try both.transform(nil, self.mixed()) }?.code == .mismatch)
        let few = Matrix<Float>(rows: 4, columns: 2, repeating: 1)
        #expect(
            error { _ = try few.withView { try both.transform($0, self.mixed()) } }
                == .mismatch("embeddings have 4 rows, features have 5"))
    }

    @Test func namesAreToldApartByTheirBytes() throws {
        let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
        let table = try FeatureTable(
            rows: 2,
            columns: [
                numeric(composed, [1, 2]), numeric(decomposed, [5, 9]),
                categorical("c", [0, 1], [composed, decomposed]),
            ])
        let hybrid = try HybridFeatures(fitting: nil, table)
        let result = try hybrid.transform(nil, table)
        #expect(result[0, 2] > 0 && result[0, 3] == 0 && result[1, 2] == 0 && result[1, 3] > 0)
        let swapped = try FeatureTable(rows: 2, columns: [table.columns[1], table.columns[0], table.columns[2]])
        #expect(try hybrid.transform(nil, swapped).elements == result.elements)
        #expect(table.column(named: decomposed)?.name.utf8.count == decomposed.utf8.count)
    }

    @Test func missingValuesAreRejectedWhereAsked() throws {
        var options = HybridOptions()
        options.missing = .reject
        for (name, column) in [
            ("n", numeric("n", [1, .nan])), ("b", boolean("b", [0, -1])), ("c", categorical("c", [0, -1], ["x"])),
        ] {
            let bad = try FeatureTable(rows: 2, columns: [column])
            #expect(
                error { _ = try HybridFeatures(fitting: nil, bad, options: options) }
                    == .invalidData("column \"\(name)\" has 1 missing values, which options.missing rejects"))
        }
        let good = try FeatureTable(
            rows: 2, columns: [numeric("n", [1, 2]), boolean("b", [0, 1]), categorical("c", [0, 1], ["x", "y"])])
        let hybrid = try HybridFeatures(fitting: nil, good, options: options)
        for bad in [
            [numeric("n", [1, .nan]), boolean("b", [0, 1]), categorical("c", [0, 1], ["x", "y"])],
            [numeric("n", [1, 2]), boolean("b", [0, -1]), categorical("c", [0, 1], ["x", "y"])],
            [numeric("n", [1, 2]), boolean("b", [0, 1]), categorical("c", [0, -1], ["x", "y"])],
        ] {
            let found = error { _ = try hybrid.transform(nil, FeatureTable(rows: 2, columns: bad)) }
            #expect(found?.code == .invalidData)
            #expect(found?.message.contains("row 1: is missing") == true)
        }
    }

    @Test func badValuesAreNamedInFittingAndLater() throws {
        let good = try FeatureTable(
            rows: 3,
            columns: [numeric("n", [1, 2, 3]), boolean("b", [0, 1, 1]), categorical("c", [0, 1, 0], ["x", "y"])])
        let hybrid = try HybridFeatures(fitting: nil, good)
        let bad: [([FeatureColumn], String)] = [
            (
                [numeric("n", [1, .infinity, -.infinity]), good.columns[1], good.columns[2]],
                "column \"n\", row 1: must not be infinite, got inf"
            ),
            (
                [good.columns[0], boolean("b", [0, 1, 2]), good.columns[2]],
                "column \"b\", row 2: must be -1, 0 or 1, got 2"
            ),
            (
                [good.columns[0], good.columns[1], categorical("c", [0, 1, 2], ["x", "y"])],
                "column \"c\", row 2: code must be -1 to 1, got 2"
            ),
            (
                [good.columns[0], good.columns[1], categorical("c", [Int32.min, 1, 0], ["x", "y"])],
                "column \"c\", row 0: code must be -1 to 1, got -2147483648"
            ),
        ]
        for (columns, message) in bad {
            let table = try FeatureTable(rows: 3, columns: columns)
            #expect(error { _ = try HybridFeatures(fitting: nil, table) } == .invalidData(message))
            #expect(error { _ = try hybrid.transform(nil, table) } == .invalidData(message))
        }
        var rows = Matrix<Float>(rows: 600, columns: 2, repeating: 1)
        let plain = try rows.withView { try HybridFeatures(fitting: $0, nil) }
        // The first one is named, whichever thread meets another.
        rows[400, 1] = .nan
        rows[599, 0] = .infinity
        for threads in [1, 4] {
            let execution = Execution(try Context(threads: threads))
            let message = "embeddings, row 400, column 1: must be finite, got nan"
            #expect(
                error { _ = try rows.withView { try HybridFeatures(fitting: $0, nil, execution: execution) } }
                    == .invalidData(message))
            #expect(
                error { _ = try rows.withView { try plain.transform($0, nil, execution: execution) } }
                    == .invalidData(message))
        }
    }

    @Test func optionsOutOfRangeAreRejected() throws {
        let rows = Matrix<Float>(rows: 3, columns: 2, repeating: 1)
        func fit(_ change: (inout HybridOptions) -> Void) -> CoveyError? {
            var options = HybridOptions()
            change(&options)
            return error { _ = try rows.withView { try HybridFeatures(fitting: $0, nil, options: options) } }
        }
        #expect(fit { _ in } == nil)
        #expect(fit { $0.embeddingComponents = 2 } == nil)
        #expect(
            fit { $0.embeddingComponents = 3 } == .invalidArgument("options.embedding_components must be 0 to 2, got 3")
        )
        #expect(fit { $0.embeddingComponents = -1 }?.code == .invalidArgument)
        for bad in [-1, Double.nan, .infinity] {
            #expect(fit { $0.embeddingWeight = bad }?.code == .invalidArgument)
            #expect(fit { $0.featureWeight = bad }?.code == .invalidArgument)
        }
        for bad in [0, -1, Double.nan] { #expect(fit { $0.clip = bad }?.code == .invalidArgument) }
        #expect(fit { $0.columnWeights = [1] }?.code == .mismatch)
        var options = HybridOptions()
        options.columnWeights = [1, -2]
        let table = try FeatureTable(rows: 1, columns: [numeric("a", [1]), numeric("b", [1])])
        #expect(
            error { _ = try HybridFeatures(fitting: nil, table, options: options) }
                == .invalidArgument("options.column_weights[1] must be finite and at least 0, got -2.0"))
        options.columnWeights = [1e308, 1]
        options.featureWeight = 1e308
        #expect(error { _ = try HybridFeatures(fitting: nil, table, options: options) }?.code == .invalidArgument)
    }

    @Test func nothingToFitIsInvalidData() throws {
        let none = try FeatureTable(rows: 0, columns: [numeric("a", [])])
        #expect(error { _ = try HybridFeatures(fitting: nil, none) }?.code == .invalidData)
        let noRows = Matrix<Float>(rows: 0, columns: 3, repeating: 0)
        #expect(error { _ = try noRows.withView { try HybridFeatures(fitting: $0, nil) } }?.code == .invalidData)
        #expect(
            error { _ = try HybridFeatures(fitting: nil, FeatureTable(rows: 3, columns: [])) }?.code == .invalidData)
        let empty = try FeatureTable(rows: 2, columns: [categorical("c", [-1, -1], ["x"])])
        #expect(error { _ = try HybridFeatures(fitting: nil, empty) }?.code == .invalidData)
        #expect(error { _ = try HybridFeatures(fitting: nil, nil) }?.code == .invalidArgument)
    }

    @Test func oneRowAndNoRowsTransform() throws {
        let one = try FeatureTable(
            rows: 1, columns: [numeric("a", [3]), boolean("b", [-1]), categorical("c", [0], ["x"])])
        let hybrid = try HybridFeatures(fitting: nil, one)
        #expect(try hybrid.transform(nil, one).elements == [0, 0, Float(0.5.squareRoot() / 3.0.squareRoot())])
        let none = try FeatureTable(
            rows: 0, columns: [numeric("a", []), boolean("b", []), categorical("c", [], [])])
        #expect(try hybrid.transform(nil, none).elements.isEmpty)
    }

    @Test func tooManyColumnsAreRefused() throws {
        let names = (0..<65_537).map { "\($0)" }
        let wide = try FeatureTable(
            rows: names.count, columns: [categorical("c", (0..<65_537).map { Int32($0) }, names)])
        #expect(error { _ = try HybridFeatures(fitting: nil, wide) }?.code == .invalidData)
    }

    @Test func sameBytesForAnyThreadsAndBatch() throws {
        var random = SeededRandom(seed: 9)
        let rows = 1500
        func table(_ range: Range<Int>, _ all: [FeatureColumn]) throws -> FeatureTable {
            try FeatureTable(
                rows: range.count,
                columns: all.map { column in
                    switch column.values {
                    case .numeric(let values): numeric(column.name, range.map { values[$0] })
                    case .boolean(let values): boolean(column.name, range.map { values[$0] })
                    case .categorical(let codes, let names): categorical(column.name, range.map { codes[$0] }, names)
                    case .date(let values):
                        FeatureColumn(name: column.name, values: .date(Strided(range.map { values[$0] })))
                    }
                })
        }
        let all = [
            numeric("n", (0..<rows).map { $0 % 11 == 0 ? .nan : random.uniform() }),
            boolean("b", (0..<rows).map { Int8($0 % 3) - 1 }),
            categorical("c", (0..<rows).map { Int32($0 % 7) - 1 }, ["a", "b", "c", "d", "e", "f"]),
        ]
        let whole = try table(0..<rows, all)
        let hybrid = try HybridFeatures(fitting: nil, whole, execution: Execution(try Context(threads: 1)))
        let expected = try hybrid.transform(nil, whole, execution: Execution(try Context(threads: 1)))
        let execution = Execution(try Context(threads: 3))
        #expect(try HybridFeatures(fitting: nil, whole, execution: execution) == hybrid)
        #expect(try hybrid.transform(nil, whole, execution: execution).elements == expected.elements)
        for row in [0, 11, 500, 1499] {
            let alone = try hybrid.transform(nil, table(row..<row + 1, all))
            #expect(alone.elements == Array(expected.elements[row * expected.columns..<(row + 1) * expected.columns]))
        }
    }

    @Test func cancelStopsFitting() throws {
        let context = try Context(threads: 1) { _, _ in true }
        let execution = Execution(context)
        #expect(error { _ = try HybridFeatures(fitting: nil, self.mixed(), execution: execution) } == .cancelled)
    }

    @Test func refusesDates() throws {
        let date = FeatureColumn(name: "opened", values: .date(Strided([0, 1e9])))
        let error = #expect(throws: CoveyError.self) {
            try HybridFeatures(
                fitting: nil, FeatureTable(rows: 2, columns: [numeric("n", [1, 2]), date]), options: HybridOptions(),
                execution: Execution())
        }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("\"opened\" is a date") == true)
        // Beside the fitted columns it does no harm: rules may need it.
        let fitted = try HybridFeatures(
            fitting: nil, FeatureTable(rows: 2, columns: [numeric("n", [1, 2])]), options: HybridOptions(),
            execution: Execution())
        _ = try fitted.transform(
            nil, FeatureTable(rows: 2, columns: [date, numeric("n", [1, 2])]), execution: Execution())
    }
}
