import CoveyRuntime
import Testing

@testable import CoveyHybrid
@testable import CoveyNumerics
@testable import CoveyTables

@Suite struct PrincipalComponentsTests {
    let fixture: NumericsFixture

    init() throws { fixture = try NumericsFixture.load() }

    @Test func axesAndVariancesEqualScikitLearn() throws {
        let found = try matrix(fixture.embeddings).withView { view in
            let execution = Execution()
            return try PrincipalComponents(
                CentredRows(view, "rows", execution: execution), count: 3, execution: execution)
        }
        for component in 0..<3 {
            let axis = (0..<7).map { found.axes[$0 * 3 + component] }
            let expected = fixture.components[component]
            let product = zip(axis, expected).map(*).reduce(0, +)
            #expect(abs(abs(product) - 1) < 1e-10)
            #expect(axis.max { abs($0) < abs($1) }! > 0)
        }
        // Variances come in the unit of the rows, a power of two.
        let ratio = fixture.variances[0] / found.variances[0]
        for component in 0..<3 {
            #expect(abs(fixture.variances[component] / found.variances[component] / ratio - 1) < 1e-10)
        }
    }

    @Test func projectionEqualsScikitLearn() throws {
        let total = fixture.variances.reduce(0, +)
        for (rows, expected) in [
            (fixture.embeddings, fixture.projected), (fixture.new_embeddings, fixture.new_projected),
        ] {
            let result = try embed(matrix(fixture.embeddings), matrix(rows), components: 3)
            for component in 0..<3 {
                let wanted = expected.map { $0[component] / total.squareRoot() }
                let actual = (0..<rows.count).map { Double(result[$0, component]) }
                let sign = zip(wanted, actual).map(*).reduce(0, +) < 0 ? -1.0 : 1
                for (a, b) in zip(wanted, actual) { #expect(abs(a * sign - b) < 1e-6) }
            }
        }
    }

    @Test func allComponentsKeepDistances() throws {
        let rows = matrix(fixture.embeddings)
        let plain = try embed(rows, rows)
        let rotated = try embed(rows, rows, components: 7)
        func distance(_ matrix: Matrix<Float>, _ a: Int, _ b: Int) -> Double {
            (0..<7).map { Double(matrix[a, $0] - matrix[b, $0]) }.map { $0 * $0 }.reduce(0, +).squareRoot()
        }
        for a in 0..<20 {
            for b in 0..<a { #expect(abs(distance(plain, a, b) - distance(rotated, a, b)) < 1e-5) }
        }
    }

    @Test(arguments: [0, 1, 5, 19]) func blockHasVarianceOne(components: Int) throws {
        var random = SeededRandom(seed: 3)
        let rows = Matrix(rows: 500, columns: 19, elements: (0..<9500).map { _ in 1e20 + random.uniform() * 1e15 })
        let result = try embed(rows, rows, components: components)
        var total = 0.0
        for column in 0..<result.columns {
            let values = (0..<500).map { Double(result[$0, column]) }
            #expect(abs(values.reduce(0, +)) < 1e-3)
            total += values.map { $0 * $0 }.reduce(0, +) / 500
        }
        #expect(abs(total - 1) < 1e-5)
    }

    @Test(arguments: [0, 4]) func extremeEmbeddingsStayFinite(components: Int) throws {
        let extremes = [
            -Double.greatestFiniteMagnitude, -1e308, -1, -.leastNonzeroMagnitude, 0, .leastNonzeroMagnitude, 1, 1e308,
            .greatestFiniteMagnitude,
        ]
        let equal = [[Double]](repeating: [0.1, 0.2, 1e308, -5], count: 9)
        let mixed = extremes.map { [$0, -$0, 1, $0 * 0.5] }
        let tiny = (0..<9).map { [Double($0) * .leastNonzeroMagnitude, 0, 0, 0] }
        for fitted in [equal, mixed, tiny, [[1, 2, 3, 4]]] {
            for new in [equal, mixed, tiny] {
                let result = try embed(matrix(fitted), matrix(new), components: components)
                let finite = result.elements.allSatisfy(\.isFinite)
                #expect(finite, "\(fitted) -> \(new)")
            }
        }
        let flat = try embed(matrix(equal), matrix(mixed), components: components).elements
        #expect(flat == [Float](repeating: 0, count: flat.count))
    }

    @Test(arguments: [0, 6]) func sameBytesForAnyThreadsAndBatch(components: Int) throws {
        var random = SeededRandom(seed: 5)
        let rows = Matrix(rows: 3001, columns: 24, elements: (0..<3001 * 24).map { _ in random.uniform() })
        let one = try embed(rows, rows, components: components)
        for threads in [2, 5] {
            #expect(try embed(rows, rows, components: components, threads: threads).elements == one.elements)
        }
        var options = HybridOptions()
        options.embeddingComponents = components
        try rows.withView { view in
            let hybrid = try HybridFeatures(fitting: view, nil, options: options)
            for row in [0, 1, 255, 256, 3000] {
                let alone = MatrixView(base: view.base + row * view.rowStride, rows: 1, columns: 24, scalar: .float64)
                let result = try hybrid.transform(alone, nil)
                #expect(result.elements == Array(one.elements[row * one.columns..<(row + 1) * one.columns]))
            }
        }
    }

    @Test func memoryBudgetHolds() throws {
        var options = HybridOptions()
        options.embeddingComponents = 2
        let execution = Execution(try Context(memoryBudget: 1 << 20))
        let rows = Matrix<Float>(rows: 2, columns: 2000, repeating: 1)
        let found = error {
            _ = try rows.withView { try HybridFeatures(fitting: $0, nil, options: options, execution: execution) }
        }
        #expect(found?.code == .outOfMemory)
    }
}
