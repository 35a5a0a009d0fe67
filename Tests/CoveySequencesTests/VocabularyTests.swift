import CoveyRuntime
import Testing

@testable import CoveySequences

@Suite struct VocabularyTests {
    @Test func unknownEntryComesFirst() throws {
        let vocabulary = try Vocabulary(["login", "pay"])
        #expect(vocabulary.count == 3)
        #expect(vocabulary.names == ["login", "pay"])
        #expect(vocabulary[0] == "")
        #expect(["pay", "login", "", "Pay", "pay "].map { vocabulary.index(of: $0) } == [2, 1, 0, 0, 0])
        #expect((-1...3).map { vocabulary.cString($0).map { String(cString: $0) } } == [nil, "", "login", "pay", nil])
    }

    @Test func emptyVocabularyKnowsNothing() throws {
        let vocabulary = try Vocabulary([])
        #expect(vocabulary.count == 1)
        #expect(vocabulary.index(of: "a") == 0)
        #expect(vocabulary.cString(0).map { String(cString: $0) } == "")
    }

    /// é as one letter and as two: equal for Swift's String, two names here.
    @Test func namesAreBytes() throws {
        let vocabulary = try Vocabulary(["caf\u{e9}", "cafe\u{301}"])
        #expect(vocabulary.index(of: "caf\u{e9}") == 1)
        #expect(vocabulary.index(of: "cafe\u{301}") == 2)
        #expect(try Vocabulary(["caf\u{e9}"]) != Vocabulary(["cafe\u{301}"]))
    }

    @Test(arguments: [
        (["a", ""], "names[1] must not be empty"),
        (["a", "b", "a"], "names[2]: \"a\" occurs twice"),
        (["a\u{0}b"], "names[0] must not contain NUL"),
    ]) func refusesNames(names: [String], message: String) {
        #expect(throws: CoveyError.invalidArgument(message)) { try Vocabulary(names) }
    }

    private static func build(_ events: [String], minCount: Int = 1, maxSize: Int = 0) throws -> [String] {
        try Vocabulary.build(count: events.count, minCount: minCount, maxSize: maxSize) { index, body in
            var name = events[index]
            try name.withUTF8 { try body($0) }
        }.names
    }

    @Test func buildsByFrequencyThenBytes() throws {
        let events = ["b", "z", "a", "z", "", "b", "é", "e\u{301}", "z", ""]
        #expect(try Self.build(events) == ["z", "b", "a", "e\u{301}", "é"])
        #expect(try Self.build(events, minCount: 2) == ["z", "b"])
        #expect(try Self.build(events, maxSize: 3) == ["z", "b", "a"])
        #expect(try Self.build(events, minCount: 4) == [])
        #expect(try Self.build([]) == [])
        #expect(throws: CoveyError.self) { try Self.build(events, minCount: 0) }
        #expect(throws: CoveyError.self) { try Self.build(events, maxSize: -1) }
    }

    @Test func buildRefusesInvalidUTF8() {
        #expect(throws: CoveyError.invalidArgument("events[0] must be valid UTF-8")) {
            try Vocabulary.build(count: 1) { _, body in
                try [0xC3, 0x28].withUnsafeBufferPointer(body)
            }
        }
    }

    /// Against a dictionary, through several growths of the table.
    @Test func findsManyNames() throws {
        var random = SeededRandom(seed: 3)
        let names = (0..<20_000).map { "event-\($0 % 7)-\(random.next() % 1_000_000)" }
        var expected: [String: Int] = [:]
        for name in names where expected[name] == nil { expected[name] = expected.count + 1 }
        let vocabulary = try Vocabulary(expected.sorted { $0.value < $1.value }.map(\.key))
        #expect(names.allSatisfy { vocabulary.index(of: $0) == expected[$0] })
        #expect(vocabulary.index(of: "event-7-0") == 0)
    }
}
