import Testing

@testable import CoveyRuntime

@Suite struct PlainTextTests {
    @Test(arguments: [
        ("amount", "amount"), ("device_age", "device_age"), ("days from opened to paid", "days from opened to paid"),
        ("amount / limit", "amount / limit"), ("cluster 7", "cluster 7"), ("NL", "NL"), ("p\u{E9}age", "p\u{E9}age"),
        ("\u{652F}\u{4ED8}", "\u{652F}\u{4ED8}"),
        ("", #""""#), (" a", #"" a""#), ("a  b", #""a  b""#), ("NL or BE", #""NL or BE""#), ("missing", #""missing""#),
        ("TRUE", #""TRUE""#),
        ("x: 99% of them", #""x: 99% of them""#), ("one two three four five six", #""one two three four five six""#),
        ("a.", #""a.""#), ("a, b", #""a, b""#), (#"say "a""#, #""say \"a\"""#), ("a\nb", #""a\nb""#),
        ("a\r\tb", #""a\r\tb""#),
        ("\u{1B}[31mred", #""\u{1b}[31mred""#), ("a\u{202E}b", #""a\u{202e}b""#), ("a\u{2028}b", #""a\u{2028}b""#),
        ("a\u{200F}", #""a\u{200f}""#), ("\u{0}\u{7F}\u{9B}", #""\u{0}\u{7f}\u{9b}""#), ("\u{FEFF}a", #""\u{feff}a""#),
        (#"a\nb"#, #""a\\nb""#),
        (String(repeating: "a", count: 300), "\"" + String(repeating: "a", count: 300) + "\""),
    ]) func names(name: String, expected: String) {
        #expect(PlainText.name(name) == expected)
    }

    /// The quotes of a name in a message end where the name ends.
    @Test(arguments: [
        ("amount", #""amount""#), ("", #""""#), ("a, b", #""a, b""#), (#"a" is "b"#, #""a\" is \"b""#),
        (#"a\"#, #""a\\""#), (#"\""#, #""\\\"""#), ("a\n\"", #""a\n\"""#), ("\u{E9}\"", "\"\u{E9}\\\"\""),
    ]) func quotedNames(name: String, expected: String) {
        #expect(PlainText.quoted(name) == expected && "\(quoted: name)" == expected)
    }

    /// Whatever stands in a name: the shown one has no character without a shape, and begins and ends with quotes if
    /// it is not plain.
    @Test func nothingUnseenComesThrough() {
        for value in UInt32(0)...0x3FFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let name = "a\(scalar)b"
            for shown in [PlainText.name(name), PlainText.escaped(name)] {
                for scalar in shown.unicodeScalars {
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator: Issue.record("\(value)")
                    default: break
                    }
                }
            }
        }
        #expect(PlainText.escaped("plain \"text\" \\ \u{E9}") == "plain \"text\" \\ \u{E9}")
    }
}
