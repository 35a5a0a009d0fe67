import CoveyRuntime
import FoundationEssentials
import Glibc
import Synchronization
import Testing

@testable import CoveyFiles

/// Against Foundation's decoder and encoder.
@Suite struct JSONTests {
    private struct Value: Codable, Equatable {
        var flag: Bool
        var lists: [[String]]
        var name: String
        var numbers: [Double]
        var texts: [String: String]
        var whole: Int

        init(name: String, texts: [String: String], lists: [[String]], numbers: [Double], whole: Int, flag: Bool) {
            (self.name, self.texts, self.lists) = (name, texts, lists)
            (self.numbers, self.whole, self.flag) = (numbers, whole, flag)
        }

        init(_ reader: JSONReader) throws {
            var (name, texts, lists): (String?, [String: String]?, [[String]]?) = (nil, nil, nil)
            var (numbers, whole, flag): ([Double]?, Int?, Bool?) = (nil, nil, nil)
            try reader.object { member in
                switch member {
                case "name": name = try reader.string()
                case "texts":
                    var read: [String: String] = [:]
                    try reader.object { read[$0] = try reader.string() }
                    texts = read
                case "lists":
                    var read: [[String]] = []
                    try reader.array { _ in read.append(try reader.strings()) }
                    lists = read
                case "numbers":
                    var read: [Double] = []
                    try reader.array { _ in read.append(try reader.double()) }
                    numbers = read
                case "whole": whole = try reader.integer()
                case "flag": flag = try reader.bool()
                default: try reader.skip()
                }
            }
            self.name = try reader.required(name, "name")
            self.texts = try reader.required(texts, "texts")
            self.lists = try reader.required(lists, "lists")
            self.numbers = try reader.required(numbers, "numbers")
            self.whole = try reader.required(whole, "whole")
            self.flag = try reader.required(flag, "flag")
        }

        func write(to writer: inout JSONWriter) throws {
            try writer.object { writer in
                try writer.member("flag", flag)
                try writer.name("lists")
                try writer.array(lists) { try $0.array($1) { try $0.write($1) } }
                try writer.member("name", name)
                try writer.name("numbers")
                try writer.array(numbers) { try $0.write($1) }
                try writer.name("texts")
                try writer.object {
                    for (key, text) in texts.sorted(by: { $0.key < $1.key }) { try $0.member(key, text) }
                }
                try writer.member("whole", whole)
            }
        }
    }

    private static func read(_ json: String, _ execution: Execution = Execution()) throws -> Value {
        try JSONReader.read(json, "", execution) { try Value($0) }
    }

    private static func whole(_ json: String) -> Value? { try? JSONDecoder().decode(Value.self, from: Data(json.utf8)) }

    private static func random() -> Value {
        let letters = [
            "a", ",", "\"", "\\", "\n", "\u{E9}", "\u{1F98A}", "[", "]", "{", ":", "\u{1}", " ", "/", "\\u00e9",
            "\u{7F}",
        ]
        func text() -> String { (0..<Int.random(in: 0...12)).map { _ in letters.randomElement()! }.joined() }
        func list() -> [String] { (0..<Int.random(in: 0...9)).map { _ in text() } }
        let numbers = [1, -2.5e30, 5e-324, .greatestFiniteMagnitude, 0.1, -0.0, Double(Int.random(in: -99...99)) / 8]
        return Value(
            name: text(), texts: ["a" + text(): text(), "b" + text(): text()],
            lists: (0..<Int.random(in: 0...4)).map { _ in list() },
            numbers: numbers.shuffled(), whole: .random(in: .min ... .max), flag: .random())
    }

    @Test func readsWhatTheDecoderReads() throws {
        let encoder = JSONEncoder()
        for round in 0..<600 {
            let value = Self.random()
            encoder.outputFormatting = round % 2 == 0 ? [.prettyPrinted] : [.withoutEscapingSlashes]
            var json = String(decoding: try encoder.encode(value), as: UTF8.self)
            if round % 4 > 1 {
                json = json.replacing("\u{1F98A}", with: "\\ud83e\\udd8a").replacing("\u{E9}", with: "\\u00E9")
            }
            #expect(try Self.read(json) == Self.whole(json), "\(json)")
        }
    }

    @Test(arguments: [false, true]) func writesWhatTheDecoderReads(pretty: Bool) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        for _ in 0..<300 {
            let value = Self.random()
            var writer = JSONWriter(pretty: pretty, Execution())
            try value.write(to: &writer)
            #expect(Self.whole(writer.string) == value, "\(writer.string)")
            if !pretty { #expect(writer.string == String(decoding: try encoder.encode(value), as: UTF8.self)) }
        }
    }

    /// Whatever byte was changed, added or taken away: what the decoder refuses is refused, and nothing else is read
    /// than by it.
    @Test func refusesWhatTheDecoderRefuses() throws {
        let json = Array(
            (#"{"name":"abc,\"\u00e9\ud83e\udd8a,def","texts":{"k":"x,\\,y"},"lists":[["one","two\n"],[]],"#
                + #""numbers":[1,-0.5e2],"whole":-12,"flag":true}"#).utf8)
        var compared = 0
        func compare(_ bytes: [UInt8]) {
            // The decoder takes text that is not UTF-8 as it likes.
            guard let text = String(validating: bytes, as: UTF8.self) else { return }
            let found = try? Self.read(text)
            let expected = Self.whole(text)
            // Which takes a comma after the last element as well; JSON does not.
            let isLoose = text.contains(",]") || text.contains(",}")
            #expect(found == expected || isLoose && found == nil, "\(text)")
            compared += 1
        }
        for place in json.indices {
            compare(Array(json[..<place] + json[(place + 1)...]))
            compare(Array(json[..<place]))
            for byte in #","\[]{}: u1-.e"#.utf8 {
                compare(Array(json[..<place] + [byte] + json[(place + 1)...]))
                compare(Array(json[..<place] + [byte] + json[place...]))
            }
        }
        #expect(compared > 3000)
    }

    @Test(arguments: [
        ("[1", "not valid JSON at byte 2: a comma or the end of an array"),
        (#"{"a":{"b":[true,nul]}}"#, "not valid JSON at byte 16"),
        ("{\"a\":\"\u{1}\"}", "not valid JSON at byte 6: a control"),
        (String(repeating: "[", count: 65) + String(repeating: "]", count: 65), "nested more than 64 deep"),
        (String(repeating: #"{"a":"#, count: 100_000), "nested more than 64 deep"), ("{}{}", "goes on after its end"),
    ]) func refusesWhatItPassesOver(json: String, message: String) {
        do {
            try JSONReader.read(json, "", Execution()) { try $0.skip() }
            Issue.record("accepted \(json.prefix(40))")
        } catch let error as CoveyError {
            #expect(error.code == .corruptFile && error.message.contains(message), "\(error.message)")
        } catch { Issue.record("\(error)") }
    }

    @Test(arguments: [
        (#"{"a":[""],"a":[]}"#, "the member \"a\" occurs twice"),
        (#"{"a":["","\#u{1}"]}"#, "a[1]: not valid JSON at byte 10: a control"),
        (#"{"a":["\ud800"]}"#, "a[0]: not valid JSON at byte 13: half a surrogate pair"),
        (#"{"a":["\ud800\u0041"]}"#, "half a surrogate pair"),
        (#"{"a":[1]}"#, "a[0] must be a string"), (#"{"a":["\x"]}"#, "an escape sequence is not known"),
        (#"{"a":["b]"#, "a string has no end"),
        ("[]", "the text must be an object"),
    ]) func saysWhere(json: String, message: String) {
        do {
            try JSONReader.read(json, "", Execution()) { reader in try reader.object { _ in _ = try reader.strings() } }
            Issue.record("accepted \(json.prefix(40))")
        } catch let error as CoveyError {
            #expect(error.code == .corruptFile && error.message.contains(message), "\(error.message)")
        } catch { Issue.record("\(error)") }
    }

    @Test func tellsTheHostAndIsStopped() throws {
        let names = (0..<300_000).map { "name \($0)" }
        let value = Value(
            name: names.joined(separator: ",\n"), texts: [:], lists: [names], numbers: [], whole: 1, flag: true)
        var writer = JSONWriter(Execution())
        try value.write(to: &writer)
        let json = writer.string
        #expect(try Self.read(json) == value)
        let works: [(Execution) throws -> Void] = [
            { if try Self.read(json, $0) != value { throw CoveyError.internalError("another value") } },
            {
                var writer = JSONWriter($0)
                try value.write(to: &writer)
            },
        ]
        for work in works {
            let heard = Atomic<Int>(0)
            let stopAt = Atomic<Int>(.max)
            let context = try Context(threads: 1) { _, _ in
                usleep(21_000)  // Reports within 20 ms of the last are not passed on.
                return heard.add(1, ordering: .relaxed).newValue == stopAt.load(ordering: .relaxed)
            }
            try work(Execution(context))
            let total = heard.exchange(0, ordering: .relaxed)
            #expect(total > 8)
            stopAt.store(total, ordering: .relaxed)
            #expect(throws: CoveyError.cancelled) { try work(Execution(context)) }
            #expect(throws: CoveyError.self) { try work(Execution(Context(memoryBudget: 1 << 20))) }
        }
    }
}
