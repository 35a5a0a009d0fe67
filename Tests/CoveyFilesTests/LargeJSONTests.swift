@testable import CoveyFiles
import CoveyRuntime
import FoundationEssentials
import Glibc
import Synchronization
import Testing


/// Against the decoder at one go.
@Suite struct LargeJSONTests {
    private struct Value: Codable, Equatable {
        var name: String
        var texts: [String: String]
        var lists: [[String]]
        var numbers: [Double]
    }

    private static func strings(_ json: String, large: Int, piece: Int, _ execution: Execution = Execution()) throws -> Value {
        var json = json
        return try json.withUTF8 {
            let cut = try LargeJSON($0, cutting: .strings, large: large, piece: piece, execution)
            var value = try cut.decode(Value.self)
            value.name = try cut.string(value.name, execution)
            value.texts = try value.texts.mapValues { try cut.string($0, execution) }
            value.lists = try value.lists.map { try $0.map { try cut.string($0, execution) } }
            return value
        }
    }

    private static func arrays(_ json: String, large: Int, piece: Int, _ execution: Execution = Execution()) throws -> Value {
        var json = json
        return try json.withUTF8 {
            let cut = try LargeJSON($0, cutting: .arraysOfStrings, large: large, piece: piece, execution)
            var value = try cut.decode(Value.self)
            value.lists = try value.lists.map { list in
                var result: [String] = []
                try cut.forEach(of: list, execution) { result.append($0) }
                return result
            }
            return value
        }
    }

    private static func whole(_ json: String) -> Value? { try? JSONDecoder().decode(Value.self, from: Data(json.utf8)) }

    private static func random() -> Value {
        let letters = ["a", ",", "\"", "\\", "\n", "é", "🦊", "[", "]", "{", ":", "\u{1}", " ", "/", "\\u00e9", "e\u{301}"]
        func text() -> String { (0..<Int.random(in: 0...12)).map { _ in letters.randomElement()! }.joined() }
        func list() -> [String] { (0..<Int.random(in: 0...9)).map { _ in text() } }
        return Value(
            name: text(), texts: ["a" + text(): text(), "b" + text(): text()], lists: (0..<Int.random(in: 0...4)).map { _ in list() },
            numbers: [1, -2.5e30])
    }

    @Test(arguments: [(0, 1), (3, 2), (8, 5), (20, 11)]) func readsWhatTheDecoderReads(large: Int, piece: Int) throws {
        let encoder = JSONEncoder()
        for round in 0..<400 {
            let value = Self.random()
            encoder.outputFormatting = round % 2 == 0 ? [.prettyPrinted] : [.withoutEscapingSlashes]
            var json = String(decoding: try encoder.encode(value), as: UTF8.self)
            if round % 4 > 1 { json = json.replacing("🦊", with: "\\ud83e\\udd8a").replacing("é", with: "\\u00E9") }
            #expect(try Self.strings(json, large: large, piece: piece) == Self.whole(json), "\(json)")
            #expect(try Self.arrays(json, large: large, piece: piece) == Self.whole(json), "\(json)")
        }
    }

    /// Whatever byte was changed, added or taken away: what the decoder refuses is refused, and nothing else is read than by it. Less
    /// may be read: a comma after the last string.
    @Test func refusesWhatTheDecoderRefuses() throws {
        let json = Array(
            #"{"name":"abc,\"\u00e9\ud83e\udd8a,def","texts":{"k":"x,\\,y"},"lists":[["one","two\n","three, \"four\""],[]],"numbers":[1]}"#
                .utf8)
        func compare(_ bytes: [UInt8]) {
            // The decoder takes text that is not UTF-8 as it likes.
            guard let text = String(validating: bytes, as: UTF8.self) else { return }
            let expected = Self.whole(text)
            #expect((try? Self.strings(text, large: 2, piece: 3)) ?? expected == expected, "\(text)")
            #expect((try? Self.arrays(text, large: 2, piece: 3)) ?? expected == expected, "\(text)")
        }
        for place in json.indices {
            compare(Array(json[..<place] + json[(place + 1)...]))
            for byte in #","\[]{}: u1"#.utf8 {
                compare(Array(json[..<place] + [byte] + json[(place + 1)...]))
                compare(Array(json[..<place] + [byte] + json[place...]))
            }
        }
    }

    @Test func tellsTheHostAndIsStopped() throws {
        let names = (0..<40).map { "name \($0)" }
        let json = String(
            decoding: try JSONEncoder().encode(Value(name: names.joined(separator: ","), texts: [:], lists: [names], numbers: [])),
            as: UTF8.self)
        for read in [Self.strings, Self.arrays] {
            let heard = Atomic<Int>(0)
            let stopAt = Atomic<Int>(.max)
            let context = try Context(threads: 1) { _, _ in
                usleep(21_000)  // Reports within 20 ms of the last are not passed on.
                return heard.add(1, ordering: .relaxed).newValue == stopAt.load(ordering: .relaxed)
            }
            #expect(try read(json, 64, 32, Execution(context)).lists == [names])
            let total = heard.exchange(0, ordering: .relaxed)
            #expect(total > 8)
            stopAt.store(total, ordering: .relaxed)
            #expect(throws: CoveyError.cancelled) { try read(json, 64, 32, Execution(context)) }
        }
    }
}
