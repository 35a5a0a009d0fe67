import CoveyFiles
import CoveyRuntime
import CoveyTables
import Testing

@testable import CoveyRisk

@Suite struct ClusterRiskTests {
    private static func rate(
        _ labels: [Int32], _ fraud: [Int8], amounts: [Double]? = nil, times: [Double]? = nil,
        options: ClusterRisk.Options? = nil
    ) throws -> ClusterRisk {
        try ClusterRisk(
            labels: Strided(labels), fraud: Strided(fraud), amounts: amounts.map { Strided($0) },
            times: times.map { Strided($0) }, options: options ?? ClusterRisk.Options(), execution: Execution())
    }

    /// Every figure against the obvious way to get it, labels dense and sparse.
    @Test(arguments: [(1, 1), (1, 7), (2, 100_000_000)])
    func equalsFiltering(seed: UInt64, spread: Int32) throws {
        var random = SeededRandom(seed: seed)
        let n = 3000
        let labels = (0..<n).map { _ in Int32.random(in: 0...12, using: &random) }.map { $0 == 0 ? -1 : $0 * spread }
        let fraud = labels.map { label -> Int8 in
            let known = random.uniform() < 0.6
            let bad = random.uniform() < (label == 3 * spread ? 0.7 : label == 5 * spread ? 0.3 : 0.03)
            return known ? (bad ? 1 : 0) : -1
        }
        let amounts = (0..<n).map { _ in Double.random(in: 0...500, using: &random) }
        let times = (0..<n).map { _ in Double.random(in: -5...1e9, using: &random) }
        let risk = try Self.rate(labels, fraud, amounts: amounts, times: times)

        let known = fraud.filter { $0 >= 0 }.count
        let base = Double(fraud.filter { $0 == 1 }.count) / Double(known)
        #expect(risk.baseRate == base)
        #expect(Set(risk.reports.map(\.cluster)) == Set(labels.map(Int.init)))
        #expect(risk.reports.count == Set(labels).count)
        for report in risk.reports {
            let rows = (0..<n).filter { Int(labels[$0]) == report.cluster }
            let frauds = rows.filter { fraud[$0] == 1 }
            let labelled = rows.filter { fraud[$0] >= 0 }.count
            let share = Double(frauds.count) / Double(labelled)
            // Wilson 1927 in its other form: the roots of (1 + z²/n) p² - (2 s + z²/n) p + s² = 0.
            let q = 1.959963984540054 * 1.959963984540054 / Double(labelled)
            let root = ((2 * share + q) * (2 * share + q) - 4 * (1 + q) * share * share).squareRoot()
            #expect(report.size == rows.count)
            #expect(report.labelled == labelled)
            #expect(report.fraud == frauds.count)
            #expect(report.labelledShare == Double(labelled) / Double(rows.count))
            #expect(report.share == share)
            #expect(abs(report.low - (2 * share + q - root) / (2 * (1 + q))) < 1e-9)
            #expect(abs(report.high - (2 * share + q + root) / (2 * (1 + q))) < 1e-9)
            #expect(report.lift == share / base)
            #expect(abs(report.loss - frauds.reduce(0) { $0 + amounts[$1] }) < 1e-6)
            #expect(abs(report.amount - rows.reduce(0) { $0 + amounts[$1] }) < 1e-6)
            #expect(report.firstSeen == rows.map { times[$0] }.min())
            #expect(report.lastSeen == rows.map { times[$0] }.max())
            #expect(
                report.isRisky
                    == (report.cluster >= 0 && frauds.count >= 3
                        && report.low / (1 - report.low) >= 3 * base / (1 - base)))
        }
        #expect(risk.report(of: Int(3 * spread))?.isRisky == true)
        for (a, b) in zip(risk.reports, risk.reports.dropFirst()) {
            #expect(
                (-a.low, -a.loss, Double(a.cluster)) < (-b.low, -b.loss, Double(b.cluster)))
        }
    }

    @Test func tiesGoByLossThenByLabel() throws {
        // Clusters 0, 1, 2: one fraud of two each, losses 5, 9, 5. Cluster 3: nothing labelled, but seen.
        let risk = try Self.rate(
            [2, 2, 1, 1, 0, 0, 3], [1, 0, 1, 0, 1, 0, -1], amounts: [5, 1, 9, 1, 5, 1, 7])
        #expect(risk.reports.map(\.cluster) == [1, 0, 2, 3])
        let last = risk.reports[3]
        #expect(last.share == nil && last.lift == nil && last.low == 0 && last.high == 1)
        #expect(last.amount == 7 && last.loss == 0 && last.firstSeen == nil && !last.isRisky)
    }

    @Test func noiseIsRankedButNeverRisky() throws {
        let labels = [Int32](repeating: -1, count: 20) + [Int32](repeating: 0, count: 400)
        let fraud = [Int8](repeating: 1, count: 20) + [Int8](repeating: 0, count: 400)
        let risk = try Self.rate(labels, fraud)
        #expect(risk.reports[0].cluster == -1 && !risk.reports[0].isRisky)
        // The same rows as a cluster of their own are risky, unless more frauds are asked for, or more lift.
        let named = labels.map { $0 == -1 ? 1 : $0 }
        #expect(try Self.rate(named, fraud).reports[0].isRisky)
        #expect(try !Self.rate(named, fraud, options: .init(minFraud: 21)).reports[0].isRisky)
        #expect(try !Self.rate(named, fraud, options: .init(minLift: 120)).reports[0].isRisky)
    }

    @Test func nothingLabelledAndNoRows() throws {
        let risk = try Self.rate([0, 0, 1], [-1, -1, -1])
        #expect(risk.baseRate == nil && risk.reports.count == 2 && risk.reports.allSatisfy { !$0.isRisky })
        let empty = try Self.rate([], [])
        #expect(empty.reports.isEmpty && empty.baseRate == nil)
        let legitimate = try Self.rate([0, 0], [0, 0])
        #expect(legitimate.baseRate == 0 && legitimate.reports[0].lift == nil && !legitimate.reports[0].isRisky)
    }

    @Test func badInputNamesIndexAndValue() {
        func message(_ body: () throws -> ClusterRisk) -> String {
            do { _ = try body() } catch let error as CoveyError { return error.message } catch {}
            return ""
        }
        #expect(message { try Self.rate([0, -2], [0, 0]) } == "labels[1] must be at least -1, got -2")
        #expect(message { try Self.rate([0, 0], [0, 2]) } == "fraud[1] must be -1, 0 or 1, got 2")
        #expect(
            message { try Self.rate([0, 0], [0, 1], amounts: [1, -1]) }
                == "amounts[1] must be finite and at least 0, got -1.0")
        #expect(
            message { try Self.rate([0, 0], [0, 1], amounts: [.nan, 1]) }
                == "amounts[0] must be finite and at least 0, got nan")
        #expect(message { try Self.rate([0], [0], times: [.infinity]) } == "times[0] must be finite, got inf")
        #expect(message { try Self.rate([0, 1], [0]) } == "fraud has 1 values, labels 2")
        #expect(message { try Self.rate([0, 0], [0, 0], amounts: [1e308, 1e308]) }.contains("cluster 0"))
        #expect(throws: CoveyError.self) { try ClusterRisk.Options(confidence: .nan) }
        #expect(throws: CoveyError.self) { try ClusterRisk.Options(minLift: 0) }
        #expect(throws: CoveyError.self) { try ClusterRisk.Options(minFraud: 0) }
    }

    private static func json(_ risk: ClusterRisk) throws -> String {
        var writer = JSONWriter(Execution())
        try risk.write(to: &writer)
        return writer.string
    }

    private static func read(_ text: String, _ execution: Execution = Execution()) throws -> ClusterRisk {
        try JSONReader.read(text, "risk", execution) { try ClusterRisk($0) }
    }

    @Test func survivesJSONAndRefusesContradictions() throws {
        let risk = try Self.rate([0, 0, 1, -1], [1, 0, -1, 0], amounts: [1, 2, 3, 4], times: [4, 3, 2, 1])
        let text = try Self.json(risk)
        #expect(try Self.read(text) == risk)
        for (find, replacement) in [
            ("\"fraud\":1", "\"fraud\":9"), ("\"size\":2", "\"size\":-2"), ("\"cluster\":1", "\"cluster\":0"),
            ("0.95", "1.5"), ("\"size\":2", "\"size\":4611686018427387904"), ("\"size\":2", "\"size\":\"2\""),
            ("\"population\":0", "\"population\":7"), ("\"firstSeen\"", "\"first\""),
        ] {
            let bad = text.replacing(find, with: replacement)
            #expect(bad != text)
            #expect(throws: CoveyError.self) { try Self.read(bad) }
        }
    }

    /// The keys and their order are the file's: a property that is renamed must not change them.
    @Test func jsonHasTheKeysOfTheFormat() throws {
        let text = try Self.json(Self.rate([0, 0, -1], [1, 0, -1], amounts: [1, 2, 3], times: [4, 3, 2]))
        let options = "{\"confidence\":0.95,\"knownShare\":1,\"minFraud\":3,\"minLift\":3,\"population\":0}"
        #expect(
            text == "{\"clusters\":[{\"amount\":3,\"cluster\":0,\"firstSeen\":3,\"fraud\":1,\"labelled\":2,"
                + "\"lastSeen\":4,\"loss\":1,\"size\":2},{\"amount\":3,\"cluster\":-1,\"firstSeen\":2,"
                + "\"fraud\":0,\"labelled\":0,\"lastSeen\":2,\"loss\":0,\"size\":1}],\"options\":\(options)}")
        // As written before there was a population.
        let older = text.replacing("\"knownShare\":1,", with: "").replacing(",\"population\":0", with: "")
        let read = try Self.read(older)
        #expect(read.options.population == .labelled && read.options.knownShare == 1 && read.reports.count == 2)
    }

    @Test func readingManyClustersKeepsTheBudgetAndStops() throws {
        let text = try Self.json(Self.rate((0..<60_000).map { Int32($0) }, [Int8](repeating: 0, count: 60_000)))
        let budget = try Context(memoryBudget: 4 << 20)
        #expect {
            _ = try Self.read(text, Execution(budget))
        } throws: { ($0 as? CoveyError)?.code == .outOfMemory }
        let stops = try Context { _, _ in true }
        #expect {
            _ = try Self.read(text, Execution(stops))
        } throws: { ($0 as? CoveyError)?.code == .cancelled }
        #expect(try Self.read(text).reports.count == 60_000)
    }
}
