import CoveyFiles
import CoveyRuntime
import CoveySequences
import Glibc
import Testing

@testable import CoveyEncoder

@Suite struct CheckpointTests {
    /// A model's file with some of its tensors and its entry replaced; nil removes.
    private static func file(
        _ name: String, _ tensors: [String: (values: [Float], shape: [Int])?] = [:], entry: String? = nil
    ) throws -> SafeTensors {
        let source = try SafeTensors(path: Fixture.path("\(name).model.safetensors"))
        var writer = SafeTensorsWriter()
        writer.setEntry(EncoderConfiguration.entryName, try entry ?? source.entry(EncoderConfiguration.entryName))
        for name in source.names() where tensors[name] == nil {
            let shape = source.tensors[name]!.shape
            try writer.add(name, try source.values(name, as: Float.self, shape: shape), shape: shape)
        }
        for (name, tensor) in tensors { if let tensor { try writer.add(name, tensor.values, shape: tensor.shape) } }
        return try writer.bytes().withUnsafeBytes { try SafeTensors(bytes: $0, origin: "test") }
    }

    private static func message(_ code: StatusCode, _ body: () throws -> Void) -> String {
        do {
            try body()
        } catch let error as CoveyError {
            return error.code == code ? error.message : "\(error.code): \(error.message)"
        } catch {
            return "\(error)"
        }
        return "accepted"
    }

    @Test(arguments: Fixture.names) func savesWhatItLoads(name: String) throws {
        let fixture = try Fixture(name)
        let encoder = try fixture.encoder()
        let folder = "/tmp/covey-checkpoint-\(getpid())-\(name)"
        mkdir(folder, 0o700)
        defer { rmdir(folder) }
        let (first, second) = ("\(folder)/a", "\(folder)/b")
        defer { unlink(first) }
        defer { unlink(second) }
        try encoder.save(to: first)
        let loaded = try Encoder(path: first)
        try loaded.save(to: second)
        #expect(try Self.bytes(first) == Self.bytes(second))
        #expect(loaded.configuration == encoder.configuration)
        let (a, b) = (try encoder.run(fixture.batch), try loaded.run(fixture.batch))
        #expect(a.embeddings == b.embeddings)
        #expect(a.attention == b.attention)
    }

    private static func bytes(_ path: String) throws -> [UInt8] {
        let memory = try WholeFile.read(path, Execution())
        defer { free(memory.baseAddress) }
        return Array(memory)
    }

    /// An encoder inside of a larger file, beside tensors that are not its own.
    @Test func livesInALargerFile() throws {
        let fixture = try Fixture("channels")
        let encoder = try fixture.encoder()
        var writer = SafeTensorsWriter()
        try encoder.checkpoint.write(to: &writer, prefix: "encoder.")
        try writer.add("clustering.labels", [Int64(3)], shape: [1])
        let file = try writer.bytes().withUnsafeBytes { try SafeTensors(bytes: $0, origin: "test") }
        let loaded = try Encoder(Checkpoint(file, prefix: "encoder."))
        #expect(try loaded.run(fixture.batch).embeddings == encoder.run(fixture.batch).embeddings)
        #expect(Self.message(.corruptFile) { _ = try Checkpoint(file) } == "tensor event_embedding.weight is missing")
    }

    @Test(
        arguments: [
            ("event_embedding.weight", nil, "tensor event_embedding.weight is missing"),
            (
                "event_embedding.weight", [12, 8],
                "tensor event_embedding.weight must have the shape [13, any], got [12, 8]"
            ),
            (
                "event_embedding.weight", [13, 0],
                "tensor event_embedding.weight must have rows, and 1 to 65536 columns, got [13, 0]"
            ),
            ("lstm.weight_hh_l0", [60, 16], "tensor lstm.weight_hh_l0 must have the shape [64, 16], got [60, 16]"),
            (
                "lstm.weight_hh_l0", [0, 0],
                "tensor lstm.weight_hh_l0 must have rows, and 1 to 65536 columns, got [0, 0]"
            ),
            ("lstm.weight_ih_l0", [64, 10], "tensor lstm.weight_ih_l0 must have the shape [64, 11], got [64, 10]"),
            ("lstm.weight_ih_l0_reverse", nil, "tensor lstm.weight_ih_l0_reverse is missing"),
            ("lstm.bias_ih_l0", [63], "tensor lstm.bias_ih_l0 must have the shape [64], got [63]"),
            (
                "lstm.bias_hh_l0_reverse", [64, 1],
                "tensor lstm.bias_hh_l0_reverse must have the shape [64], got [64, 1]"
            ),
            (
                "attention.time.weight", [20, 2],
                "tensor attention.time.weight must have the shape [20, 3], got [20, 2]"
            ),
            (
                "attention.score.weight", [1, 19],
                "tensor attention.score.weight must have the shape [1, 20], got [1, 19]"
            ),
            ("projection.bias", nil, "tensor projection.bias is missing"),
            ("projection.weight", nil, "tensor projection.weight is missing"),
            ("projection.wieght", [1], "tensor projection.wieght is not one of an encoder's"),
            ("lstm.weight_ih_l1", [64, 32], "tensor lstm.weight_hh_l1 is missing"),
        ] as [(String, [Int]?, String)]) func namesTheTensor(name: String, shape: [Int]?, message: String) throws
    {
        let tensor = shape.map { (values: [Float](repeating: 0, count: $0.reduce(1, *)), shape: $0) }
        let file = try Self.file("projected", [name: tensor])
        #expect(Self.message(.corruptFile) { _ = try Checkpoint(file) } == message)
    }

    @Test func refusesNumbersThatAreNotFinite() throws {
        var values = [Float](repeating: 0, count: 20)
        values[7] = .infinity
        let file = try Self.file("projected", ["attention.hidden.bias": (values, [20])])
        #expect(
            Self.message(.corruptFile) { _ = try Checkpoint(file) }
                == "tensor attention.hidden.bias, element 7: must be finite, got inf")
    }

    private static let valid =
        #"{"format_version":1,"vocabulary":["a"],"time_mean":[0,0],"time_deviation":[1,1],"#
        + #""dwell":false,"numeric":[],"categorical":[]}"#

    @Test(arguments: [
        ("{", ""),
        ("[]", ""),
        ("", ""),
        (valid.replacing("1,\"voc", "2,\"voc"), "format_version is 2, this version reads up to 1"),
        (valid.replacing("1,\"voc", "0,\"voc"), "format_version must be at least 1, got 0"),
        (valid.replacing("\"format_version\":1,", ""), "format_version is missing"),
        (valid.replacing("\"dwell\":false", "\"dwell\":1"), "dwell must be true or false"),
        (
            valid.replacing("\"dwell\":false", "\"dwell\":true"),
            "time_mean and time_deviation must have 3 numbers, got 2 and 2"
        ),
        (valid.replacing("\"time_deviation\":[1,1]", "\"time_deviation\":[1]"), "must have 2 numbers, got 2 and 1"),
        (valid.replacing("\"time_deviation\":[1,1]", "\"time_deviation\":[1,0]"), "deviation above 0, got 0.0 and 0.0"),
        (valid.replacing("\"time_mean\":[0,0]", "\"time_mean\":[1e999,0]"), ""),
        (valid.replacing("[\"a\"]", "[\"a\",\"a\"]"), "vocabulary: names[1]: \"a\" occurs twice"),
        (valid.replacing("[\"a\"]", "[\"\"]"), "vocabulary: names[0] must not be empty"),
        (valid.replacing("[\"a\"]", "[\"a\\u0000b\"]"), "vocabulary: names[0] must not contain NUL"),
        (valid.replacing("[\"a\"]", "[3]"), "vocabulary"),
        (valid.replacing("\"numeric\":[]", "\"numeric\":[{\"name\":\"x\",\"mean\":0,\"deviation\":-1}]"), "numeric[0]"),
        (valid.replacing("\"categorical\":[]", "\"categorical\":[{\"name\":\"x\"}]"), "vocabulary is missing"),
    ]) func refusesTheEntry(entry: String, message: String) {
        do {
            _ = try EncoderConfiguration(json: entry)
            Issue.record("accepted \(entry)")
        } catch let error as CoveyError {
            #expect(error.code == (message.contains("is 2,") ? .unsupported : .corruptFile))
            #expect(error.message.hasPrefix("metadata entry covey.encoder"))
            #expect(error.message.contains(message), "\(error.message)")
        } catch {
            Issue.record("\(error)")
        }
    }

    /// Headers and entries with a few bytes changed: an error, or an encoder that runs; never a trap.
    @Test func survivesChangedBytes() throws {
        let fixture = try Fixture("channels")
        let good = try Self.bytes(Fixture.path("channels.model.safetensors"))
        let header = 8 + Int(good.withUnsafeBytes { $0.load(as: UInt64.self) })
        var random = SeededRandom(seed: 5)
        var loaded = 0
        for _ in 0..<3000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                // Digits by digits now and then, so that the JSON stays valid.
                let place = Int.random(in: 8..<header, using: &random)
                let isDigit = (48...57).contains(bytes[place])
                bytes[place] =
                    isDigit ? UInt8.random(in: 48...57, using: &random) : UInt8.random(in: 32...126, using: &random)
            }
            let encoder = try? bytes.withUnsafeBytes { try Encoder(Checkpoint(SafeTensors(bytes: $0, origin: "test"))) }
            guard let encoder else { continue }
            loaded += 1
            if loaded % 20 == 0 { _ = try? encoder.run(fixture.batch) }
        }
        #expect(loaded > 100)
    }

    @Test func loadingKeepsToTheBudget() throws {
        let file = try SafeTensors(path: Fixture.path("channels.model.safetensors"))
        let checkpoint = try Checkpoint(file)
        #expect(throws: CoveyError.self) { try Encoder(checkpoint, Execution(Context(memoryBudget: 20_000))) }
        _ = try Encoder(checkpoint, Execution(Context(memoryBudget: 200_000)))
    }

    @Test func readsTheEntry() throws {
        let configuration = try EncoderConfiguration(json: Self.valid)
        #expect(configuration.vocabulary.names == ["a"])
        #expect(!configuration.usesDwell)
        #expect(try EncoderConfiguration(json: configuration.json()) == configuration)
        let newer = Self.valid.replacing("1,\"voc", "2,\"voc")
        #expect(
            Self.message(.unsupported) { _ = try Checkpoint(try Self.file("small", entry: newer)) }.contains(
                "format_version"))
    }
}

extension String {
    /// The text with every occurrence of `part` replaced.
    fileprivate func replacing(_ part: String, _ other: String) -> String {
        var result = ""
        var rest = self[...]
        while let range = rest.firstRange(of: part) {
            result += rest[..<range.lowerBound] + other
            rest = rest[range.upperBound...]
        }
        return result + rest
    }
}
