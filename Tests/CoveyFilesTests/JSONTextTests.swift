import CoveyRuntime
import Testing

@testable import CoveyFiles

/// Objects with one long list, which is encoded and decoded in parts.
@Suite struct JSONTextTests {
    private struct Item: Codable, Equatable {
        let name: String
        let number: Double
    }

    private struct Whole: Codable, Equatable {
        var after: String
        var items: [Item]
        var before: Int?
    }

    private func items(_ count: Int) -> [Item] {
        (0..<count).map { Item(name: "item ] } \" \($0)", number: Double($0) / 7) }
    }

    @Test(arguments: [0, 1, 255, 256, 257, 1000]) func listsInPartsAreTheSameText(count: Int) throws {
        let empty = Whole(after: "\"items\":[1]", items: [], before: 3)
        var whole = empty
        whole.items = items(count)
        let text = try JSONText.encode(empty, list: "items", whole.items, Execution())
        #expect(try text == JSONText.encode(whole))
        let (value, list) = try JSONText.decode(
            Whole.self, list: "items", of: Item.self, from: text, "it", Execution())
        #expect(value == empty && list == whole.items)
        let spaced = text.replacing(",{", with: " ,\n {").replacing("\"items\":[", with: "\"items\" : [ ")
        let again = try JSONText.decode(Whole.self, list: "items", of: Item.self, from: spaced, "it", Execution())
        #expect(again.value == empty && again.list == whole.items)
    }

    private func message(_ text: String) -> String {
        do {
            _ = try JSONText.decode(Whole.self, list: "items", of: Item.self, from: text, "it", Execution())
            return "none"
        } catch { return (error as? CoveyError)?.message ?? "another" }
    }

    @Test func errorsNameTheElement() throws {
        let good = try JSONText.encode(Whole(after: "", items: items(700), before: nil))
        let name = "\"name\":\"item ] } \\\" 600\""
        #expect(good.contains(name))
        #expect(message(good.replacing(name, with: "\"name\":5")) == "it: items.[600].name must be a string")
        #expect(message("{\"after\":\"\",\"items\":7}") == "it: items must be an array")
        #expect(message("{\"after\":\"\"}") == "it: items is missing")
        #expect(message("{\"items\":[]}") == "it: after is missing")
        #expect(message("{\"items\":[{]}").hasPrefix("it: items: not valid JSON at byte"))
    }

    @Test func theHostIsAskedBetweenParts() throws {
        let whole = Whole(after: "", items: items(20_000), before: nil)
        let text = try JSONText.encode(whole)
        let context = try Context(threads: 1) { _, _ in true }
        #expect(throws: CoveyError.cancelled) {
            try JSONText.decode(Whole.self, list: "items", of: Item.self, from: text, "it", Execution(context))
        }
        #expect(throws: CoveyError.cancelled) {
            try JSONText.encode(
                Whole(after: "", items: [], before: nil), list: "items", whole.items, Execution(context))
        }
    }
}
