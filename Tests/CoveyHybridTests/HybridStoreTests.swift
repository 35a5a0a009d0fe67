import CoveyRuntime
import Testing

@testable import CoveyFiles
@testable import CoveyHybrid
@testable import CoveyTables

@Suite struct HybridStoreTests {
    private func fitted(components: Int) throws -> (hybrid: HybridFeatures, rows: Matrix<Double>, table: FeatureTable) {
        var random = SeededRandom(seed: 11)
        let rows = Matrix(rows: 40, columns: 5, elements: (0..<200).map { _ in random.uniform() * 1e-3 + 7 })
        let table = try FeatureTable(
            rows: 40,
            columns: [
                numeric("n\u{1F600}/\"\\", (0..<40).map { $0 == 3 ? .nan : 1 / Double($0 + 1) }),
                boolean("b", (0..<40).map { Int8($0 % 3) - 1 }),
                categorical("c", (0..<40).map { Int32($0 % 4) - 1 }, ["x", "e\u{301}", "\u{E9}"]),
            ])
        var options = HybridOptions()
        options.embeddingComponents = components
        options.missing = .indicator
        options.clip = .infinity
        return (try rows.withView { try HybridFeatures(fitting: $0, table, options: options) }, rows, table)
    }

    private func bytes(_ hybrid: HybridFeatures) throws -> [UInt8] {
        var writer = SafeTensorsWriter()
        try hybrid.store(in: &writer, prefix: "hybrid.", Execution())
        return try writer.bytes()
    }

    private func read(_ bytes: [UInt8]) throws -> HybridFeatures {
        try HybridFeatures(
            from: bytes.withUnsafeBytes { try SafeTensors(bytes: $0, origin: "test") }, prefix: "hybrid.", Execution())
    }

    @Test(arguments: [0, 2, 5]) func comesBackTheSame(components: Int) throws {
        let (hybrid, rows, table) = try fitted(components: components)
        let again = try read(bytes(hybrid))
        #expect(again == hybrid)
        #expect(again.columnNames == hybrid.columnNames)
        let first = try rows.withView { try hybrid.transform($0, table) }
        #expect(try rows.withView { try again.transform($0, table) }.elements == first.elements)
        #expect(try bytes(again) == bytes(hybrid))
    }

    @Test func featuresOrEmbeddingsAlone() throws {
        let table = try FeatureTable(rows: 2, columns: [numeric("a", [1, 2])])
        let features = try HybridFeatures(fitting: nil, table)
        #expect(try read(bytes(features)) == features)
        let rows = Matrix<Float>(rows: 2, columns: 2, elements: [1, 2, 3, 5])
        let embeddings = try rows.withView { try HybridFeatures(fitting: $0, nil) }
        #expect(try read(bytes(embeddings)) == embeddings)
    }

    /// Every byte changed in every way that matters: what is read transforms without NaN, or is refused as corrupt.
    @Test func changedBytesNeverTrap() throws {
        let (hybrid, rows, table) = try fitted(components: 2)
        let whole = try bytes(hybrid)
        var refused = 0
        for position in whole.indices {
            for change: UInt8 in [0x01, 0x80, 0xFF, 0x11] {
                var changed = whole
                changed[position] ^= change
                do {
                    let result = try rows.withView { try self.read(changed).transform($0, table) }
                    let finite = result.elements.allSatisfy(\.isFinite)
                    #expect(finite, "byte \(position) ^ \(change)")
                } catch let error as CoveyError {
                    refused += 1
                    #expect(
                        [.corruptFile, .unsupported, .mismatch, .outOfMemory].contains(error.code),
                        "byte \(position) ^ \(change): \(error)")
                }
            }
        }
        #expect(refused > whole.count)
        for length in 0..<whole.count {
            #expect(error { _ = try self.read(Array(whole[..<length])) }?.code == .corruptFile)
        }
    }

    @Test func newerVersionsAreUnsupported() throws {
        let entry = "{\"format_version\":2}"
        var writer = SafeTensorsWriter()
        writer.setEntry("covey.hybrid", entry)
        #expect(error { _ = try self.read(writer.bytes()) }?.code == .unsupported)
        writer.setEntry("covey.hybrid", "{\"format_version\":1}")
        #expect(error { _ = try self.read(writer.bytes()) }?.code == .corruptFile)
        writer.setEntry("covey.hybrid", "[]")
        #expect(error { _ = try self.read(writer.bytes()) }?.code == .corruptFile)
        #expect(error { _ = try self.read(SafeTensorsWriter().bytes()) }?.code == .corruptFile)
    }

    private func entry(_ hybrid: HybridFeatures) throws -> String {
        var writer = SafeTensorsWriter()
        try hybrid.store(in: &writer, prefix: "hybrid.", Execution())
        return try #require(writer.entry("covey.hybrid"))
    }

    private func read(entry: String, _ execution: Execution = Execution()) throws -> HybridFeatures {
        var writer = SafeTensorsWriter()
        writer.setEntry("covey.hybrid", entry)
        let bytes = try writer.bytes()
        return try HybridFeatures(
            from: bytes.withUnsafeBytes { try SafeTensors(bytes: $0, origin: "test") }, prefix: "hybrid.", execution)
    }

    /// The keys and their order are the file's: a property that is renamed must not change them.
    @Test func theEntryHasTheKeysOfTheFormat() throws {
        var options = HybridOptions()
        options.scaling = .quantile
        let table = try FeatureTable(
            rows: 2, columns: [numeric("a", [1, 2]), categorical("c", [0, 0], ["x"]), boolean("b", [0, 1])])
        let text = try entry(HybridFeatures(fitting: nil, table, options: options))
        let hybrid = try read(entry: text)
        let factor = "\(hybrid.features!.columns[0].factor)"
        let places = hybrid.features!.columns[0].scaling.quantiles!.places.map { "\($0)" }.joined(separator: ",")
        let expected =
            "{\"features\":{\"clip\":10,\"columns\":["
            + "{\"categories\":[],\"factor\":\(factor),\"half_centre\":0,\"half_scale\":0.5,\"indicator\":false,"
            + "\"kind\":0,\"median\":1.5,\"name\":\"a\",\"quantiles\":{\"places\":[\(places)],\"values\":[1,2]}},"
            + "{\"categories\":[\"x\"],\"factor\":\(factor),\"half_centre\":0,\"half_scale\":0.5,"
            + "\"indicator\":false,\"kind\":1,\"median\":0,\"name\":\"c\"},"
            + "{\"categories\":[],\"factor\":\(factor),\"half_centre\":0,\"half_scale\":0.5,\"indicator\":false,"
            + "\"kind\":2,\"median\":0.5,\"name\":\"b\"}],\"missing\":1},\"format_version\":1}"
        #expect(text == expected)
    }

    /// What cannot be read is named by its path, in our words and not in those of a decoder.
    @Test func errorsNameThePath() throws {
        let table = try FeatureTable(rows: 2, columns: [numeric("a", [1, 2]), categorical("c", [0, 1], ["x", "y"])])
        let good = try entry(HybridFeatures(fitting: nil, table))
        func message(_ old: String, _ new: String) -> String {
            let changed = good.replacing(old, with: new)
            #expect(changed != good, "\(old) in \(good)")
            return error { _ = try self.read(entry: changed) }?.message ?? ""
        }
        let start = "metadata entry covey.hybrid: "
        #expect(message("\"clip\":10", "\"clip\":\"10\"") == start + "features.clip must be a number")
        #expect(message("\"clip\":10", "\"clip\":-1") == start + "features.clip must be above 0, got -1.0")
        #expect(message("\"clip\":10,", "") == start + "features.clip is missing")
        #expect(
            message("\"kind\":1", "\"kind\":8")
                == start + "features.columns[1].kind must be one of the known values, got 8")
        #expect(
            message("\"name\":\"c\"", "\"name\":\"a\"")
                == start + "features.columns[1] has a name that occurs twice: \"a\"")
        #expect(message("[\"x\",\"y\"]", "[\"x\",\"x\"]").contains("features.columns[1] is not what fitting gives"))
        #expect(message("[\"x\",\"y\"]", "[]").isEmpty)
        #expect(message("\"missing\":1", "\"missing\":1,\"missing\":1").contains("occurs twice"))
    }

    @Test func manyCategoriesKeepTheBudgetAndStop() throws {
        let names = (0..<60_000).map { "a category with a long name \($0)" }
        let table = try FeatureTable(
            rows: names.count, columns: [categorical("c", names.indices.map { Int32($0) }, names)])
        let hybrid = try HybridFeatures(fitting: nil, table)
        let text = try entry(hybrid)
        #expect(try read(entry: text) == hybrid)
        let small = Execution(try Context(memoryBudget: 4 << 20))
        #expect(error { _ = try self.read(entry: text, small) }?.code == .outOfMemory)
        let stops = Execution(try Context { _, _ in true })
        #expect(error { _ = try self.read(entry: text, stops) }?.code == .cancelled)
        let tooMany = text.replacing(
            "\"categories\":[", with: "\"categories\":[" + (0..<6000).map { "\"\($0)\"," }.joined())
        #expect(error { _ = try self.read(entry: tooMany) }?.message.contains("must be at most 65536") == true)
    }
}
