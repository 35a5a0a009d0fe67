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
        try hybrid.store(in: &writer, prefix: "hybrid.")
        return try writer.bytes()
    }

    private func read(_ bytes: [UInt8]) throws -> HybridFeatures {
        try HybridFeatures(
            from: bytes.withUnsafeBytes { try SafeTensors(bytes: $0, origin: "test") }, prefix: "hybrid.")
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
}
