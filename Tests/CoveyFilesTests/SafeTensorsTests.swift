import CoveyRuntime
import Glibc
import Testing

@testable import CoveyFiles

@Suite struct SafeTensorsTests {
    /// A file of the given header text and data, by hand.
    private static func file(_ header: String, data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
        let length = length ?? UInt64(header.utf8.count)
        return withUnsafeBytes(of: length.littleEndian) { Array($0) } + Array(header.utf8) + data
    }

    private static func open(_ bytes: [UInt8], budget: UInt64 = 0) throws -> SafeTensors {
        try bytes.withUnsafeBytes {
            try SafeTensors(bytes: $0, origin: "test", Execution(Context(memoryBudget: budget)))
        }
    }

    @Test func readsAFileWrittenByHand() throws {
        let values: [Float] = [1.5, -2, 0.25, 3, 4, 5]
        let data = values.withUnsafeBytes { Array($0) } + [7, 8, 9]
        let file = Self.file(
            #"{"__metadata__":{"note":"a \"b\": {c}"},"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"#
                + #""u":{"shape":[3],"data_offsets":[24,27],"dtype":"U8"},"#
                + #""none":{"dtype":"F64","shape":[0,9],"data_offsets":[24,24]}}  "#,
            data: data)
        let tensors = try Self.open(file)
        #expect(tensors.metadata == ["note": #"a "b": {c}"#])
        #expect(tensors.names() == ["none", "u", "w"])
        #expect(try tensors.values("w", as: Float.self, shape: [2, 3]) == values)
        #expect(try tensors.values("u", as: UInt8.self, shape: [nil]) == [7, 8, 9])
        #expect(try tensors.values("none", as: Double.self, shape: [nil, 9]) == [])
    }

    @Test func writesWhatItReads() throws {
        var writer = SafeTensorsWriter()
        try writer.add("b.bytes", [UInt8](0..<7), shape: [7])
        try writer.add("a", [Float](repeating: 0.1, count: 6), shape: [3, 2])
        try writer.add("z", [Double.pi], shape: [])
        try writer.add("i", [Int64.min, Int64.max], shape: [2])
        try writer.add("é/\"\n", [Int32](), shape: [0])
        writer.setEntry("config", #"{"names":["x","\u00e9"]}"#)
        let bytes = try writer.bytes()
        let tensors = try Self.open(bytes)
        #expect(tensors.metadata == ["config": #"{"names":["x","\u00e9"]}"#])
        #expect(try tensors.values("b.bytes", as: UInt8.self, shape: [7]) == [UInt8](0..<7))
        #expect(try tensors.values("a", as: Float.self, shape: [3, 2]) == [Float](repeating: 0.1, count: 6))
        #expect(try tensors.values("z", as: Double.self, shape: []) == [.pi])
        #expect(try tensors.values("i", as: Int64.self, shape: [2]) == [.min, .max])
        #expect(try tensors.values("é/\"\n", as: Int32.self, shape: [0]) == [])
        for (_, tensor) in tensors.tensors { #expect(tensor.bytes.lowerBound % tensor.type.size == 0) }

        let folder = "/tmp/covey-safetensors-\(getpid())"
        mkdir(folder, 0o700)
        defer { rmdir(folder) }
        let path = folder + "/a.safetensors"
        defer { unlink(path) }
        try writer.write(to: path)
        #expect(try SafeTensors(path: path).tensors == tensors.tensors)
        #expect(throws: CoveyError.self) { try SafeTensors(path: path, Execution(Context(memoryBudget: 100))) }
    }

    @Test(
        arguments: [
            ("", 0, "length"),
            ("{}", 1 << 63, "the header's length is"),
            ("{}", 100, "the header's length is"),
            ("[]", nil, "the header must be an object"),
            ("{", nil, "the header's length is 1"),
            ("{ ", nil, "not valid"),
            (#"{"a":1}"#, nil, "the header: a must be an object"),
            (#"{"a":{"shape":[0],"data_offsets":[0,0]}}"#, nil, "a.dtype is missing"),
            (
                #"{"a":{"dtype":"F17","shape":[0],"data_offsets":[0,0]}}"#, nil,
                "a.dtype is not a type that is known: F17"
            ),
            (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,0]}}"#, nil, "tensor a: the shape [-1]"),
            (
                #"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#, nil,
                "tensor a: the shape"
            ),
            (#"{"a":{"dtype":"F32","shape":[1e40],"data_offsets":[0,0]}}"#, nil, "a.shape[0] must be a whole number"),
            (#"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,0]}}"#, nil, "a.shape[0] must be a whole number"),
            (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, nil, "tensor a: data_offsets [0] are outside"),
            (
                #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, nil,
                "tensor a: data_offsets [4, 0] are outside"
            ),
            (
                #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#, nil,
                "tensor a: data_offsets [-4, 0] are outside"
            ),
            (
                #"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}"#, nil,
                "tensor a: data_offsets [0, 12] are outside"
            ),
            (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}"#, nil, "do not span the 4 bytes"),
            (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, nil, "4 bytes of data belong to no tensor"),
            (
                #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, nil,
                "tensor a: data_offsets [4, ...] leaves a gap"
            ),
            (
                #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"#
                    + #""b":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#,
                nil, "tensor b: data_offsets [0, ...] overlaps"
            ),
            (
                #"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"#
                    + #""a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#,
                nil, "a name occurs twice"
            ),
            (#"{"a":{"dtype":"F64","dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#, nil, "\"dtype\" occurs twice"),
            (
                #"{"__metadata__":{"k":"1","k":"2"},"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#, nil,
                "a name occurs twice"
            ),
            (
                #"{"__metadata__":{"k":1},"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#, nil,
                "__metadata__.k must be a string"
            ),
            (#"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8],"more":1}}"#, nil, "a.more is not known"),
            ("{\"\u{0}\":", nil, "not valid"),
        ] as [(String, UInt64?, String)])
    func refusesHostileFiles(header: String, length: UInt64?, message: String) throws {
        do {
            _ = try Self.open(Self.file(header, data: [UInt8](repeating: 0, count: 8), length: length))
            Issue.record("accepted \(header.prefix(80))")
        } catch let error as CoveyError {
            #expect(error.code == .corruptFile)
            #expect(error.message.contains(message), "\(error.message)")
        }
    }

    @Test func refusesDeepJSON() throws {
        for unit in ["[", #"{"a":"#] {
            let header = #"{"a":"# + String(repeating: unit, count: 100_000)
            #expect(throws: CoveyError.self) { try Self.open(Self.file(header)) }
        }
    }

    @Test func refusesInvalidUTF8AndEveryTruncation() throws {
        var writer = SafeTensorsWriter()
        try writer.add("weight", [Float](repeating: 1, count: 5), shape: [5])
        writer.setEntry("a", "b")
        let bytes = try writer.bytes()
        for count in 0..<bytes.count {
            #expect(throws: CoveyError.self) { try Self.open(Array(bytes[..<count])) }
        }
        var broken = bytes
        broken[bytes.firstIndex(of: UInt8(ascii: "w"))!] = 0xFF
        #expect(throws: CoveyError.self) { try Self.open(broken) }
    }

    /// Each byte of a header, changed in several ways: an error or a file that still reads in bounds, never a trap.
    @Test func survivesChangedBytes() throws {
        var writer = SafeTensorsWriter()
        try writer.add("a", [Float](repeating: 1, count: 5), shape: [5])
        try writer.add("b", [Int64](repeating: 1, count: 4), shape: [2, 2])
        let bytes = try writer.bytes()
        var random = SeededRandom(seed: 1)
        var opened = 0
        for _ in 0..<5000 {
            var changed = bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                changed[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let tensors = try? Self.open(changed) else { continue }
            opened += 1
            for (name, tensor) in tensors.tensors where tensor.type == .f32 {
                #expect(try tensors.values(name, as: Float.self, shape: tensor.shape).count == tensor.count)
            }
        }
        #expect(opened > 0)
    }

    @Test func namesTheTensorThatDoesNotFit() throws {
        var writer = SafeTensorsWriter()
        try writer.add("lstm.weight", [Float.nan, 1], shape: [1, 2])
        let tensors = try Self.open(try writer.bytes())
        func message(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return ""
        }
        #expect(message { _ = try tensors.values("x", as: Float.self, shape: [1]) } == "tensor x is missing")
        #expect(
            message { _ = try tensors.values("lstm.weight", as: Double.self, shape: [1, 2]) }
                == "tensor lstm.weight must be F64, got F32")
        #expect(
            message { _ = try tensors.values("lstm.weight", as: Float.self, shape: [nil, 3]) }
                == "tensor lstm.weight must have the shape [any, 3], got [1, 2]")
        #expect(
            message { _ = try tensors.finiteValues("lstm.weight", as: Float.self, shape: [1, 2]) }
                == "tensor lstm.weight, element 0: must be finite, got nan")
    }

    @Test func refusesWhatIsNoFile() throws {
        #expect(throws: CoveyError.self) { try SafeTensors(path: "/tmp") }
        #expect(throws: CoveyError.self) { try SafeTensors(path: "/nonexistent/file") }
        let pipe = "/tmp/covey-pipe-\(getpid())"
        mkfifo(pipe, 0o600)
        defer { unlink(pipe) }
        #expect(throws: CoveyError.self) { try SafeTensors(path: pipe) }
    }

    /// Texts of megabytes, which are written in pieces, with what has to be escaped and characters of several bytes.
    @Test func largeEntriesComeBack() throws {
        for shift in 0..<4 {
            let text =
                String(repeating: "x", count: shift) + String(repeating: "a\u{E9}\"\\\n\u{1}\u{1F600}/", count: 300_000)
            var writer = SafeTensorsWriter()
            writer.setEntry("first", text)
            writer.setEntry("second \"quoted\"", text + "end")
            writer.setEntry("third", "small")
            try writer.add("values", [Float(1), 2], shape: [2])
            let file = try writer.bytes().withUnsafeBytes { try SafeTensors(bytes: $0, origin: "test") }
            #expect(try file.entry("first") == text && file.entry("second \"quoted\"") == text + "end")
            #expect(try file.entry("third") == "small" && file.values("values", as: Float.self, shape: [2]) == [1, 2])
        }
    }

    /// More axes and more tensors than any model has are refused where they are met, not when all were read.
    @Test func capsAxesAndTensors() throws {
        func message(_ header: String) -> String {
            do { _ = try Self.open(Self.file(header)) } catch { return "\(error)" }
            return ""
        }
        func shape(_ axes: Int) -> String {
            #"{"a":{"dtype":"F32","data_offsets":[0,0],"shape":["#
                + repeatElement("0", count: axes).joined(separator: ",") + "]}}"
        }
        #expect(try Self.open(Self.file(shape(64))).tensors["a"]?.shape.count == 64)
        #expect(message(shape(65)).contains("a.shape[64]: there must be at most 64"))
        let tensors = (0...65_536).map { #""\#($0)":{"dtype":"F32","data_offsets":[0,0],"shape":[0]}"# }
        #expect(message("{" + tensors.joined(separator: ",") + "}").contains("more than 65536 tensors"))
        #expect(try Self.open(Self.file("{" + tensors.dropLast().joined(separator: ",") + "}")).tensors.count == 65_536)
    }
}
