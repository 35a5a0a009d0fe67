import CoveyRuntime
import CoveyTables

/// The names that a model knows. Index 0 is the unknown entry; the names follow from index 1. Names differ in their
/// UTF-8 bytes, are not empty and do not contain NUL.
public final class Vocabulary: Sendable, Equatable {
    /// The largest number of names. An index must fit in an Int32.
    public static let largest = Int(Int32.max) - 1

    private let table: NameTable
    /// A copy of the table's text for C. Its address never changes.
    private let text: Text

    /// - Throws: `invalidArgument`, with the name, if a name is empty, occurs twice or contains NUL.
    public convenience init(_ names: some Collection<String>, _ execution: Execution = Execution()) throws {
        try require(names.count <= Self.largest, "names must be at most \(Self.largest), got \(names.count)")
        try self.init(execution) { add in for name in names { try add(name) } }
    }

    /// - Parameter names: calls its argument with each name.
    /// - Throws: the errors of `init(_:)` of a collection, `outOfMemory`, `cancelled`, and the errors of `names`.
    public convenience init(
        _ execution: Execution = Execution(), _ names: (_ add: (String) throws -> Void) throws -> Void
    ) throws {
        var table = NameTable()
        try names { name in
            let index = table.count
            if Vocabulary.mayGrow(index) { try execution.checkRoom(for: table) }
            try require(index < Self.largest, "names must be at most \(Self.largest)")
            try require(!name.isEmpty, "names[\(index)] must not be empty")
            try require(!name.utf8.contains(0), "names[\(index)] must not contain NUL")
            var name = name
            let isNew = name.withUTF8 { table.insert($0).isNew }
            try require(isNew, "names[\(index)]: \(quoted: name) occurs twice")
        }
        try execution.checkRoom(for: table)
        try execution.hold(table.bytes, for: "a vocabulary of \(table.count) names")
        self.init(table)
    }

    /// Builds a vocabulary from the names of `count` events. It has the names that occur at least `minCount` times, the
    /// most frequent first, and at most `maxSize` of them (0 means no limit). Equally frequent names are ordered by
    /// their bytes. An empty name is the unknown entry. Cost: O(count) plus the sorting of the names.
    /// - Parameter event: calls its argument with the UTF-8 bytes of an event's name, without NUL.
    /// - Throws: `invalidArgument` if a name is not valid UTF-8, `outOfMemory`, `cancelled`, and the errors of `event`.
    public static func build(
        count: Int, minCount: Int = 1, maxSize: Int = 0, _ execution: Execution = Execution(),
        event: (_ index: Int, _ body: (UnsafeBufferPointer<UInt8>) throws -> Void) throws -> Void
    ) throws -> Vocabulary {
        try require(minCount >= 1, "min_count must be at least 1, got \(minCount)")
        try require(maxSize >= 0, "max_size must be at least 0, got \(maxSize)")
        var table = NameTable()
        var counts: [Int] = []
        for index in 0..<count {
            if Vocabulary.mayGrow(index) { try execution.checkRoom(for: table) }
            try event(index) { name in
                if name.isEmpty { return }
                let (entry, isNew) = table.insert(name)
                if isNew {
                    try require(String(validating: name, as: UTF8.self) != nil, "events[\(index)] must be valid UTF-8")
                    try require(table.count <= largest, "events have more than \(largest) names")
                    counts.append(0)
                }
                counts[entry] += 1
            }
        }
        // The selected names exist twice, and each has a count and an index to sort.
        try execution.reserve(table.count, of: 48, for: "the counts of \(table.count) names")
        return try table.text.withUnsafeBufferPointer { text in
            var kept = counts.indices.filter { counts[$0] >= minCount }
            var comparisons = 0
            try kept.sort {
                comparisons &+= 1
                if comparisons & 0xFFFF == 0 { try execution.report() }
                return counts[$0] != counts[$1]
                    ? counts[$0] > counts[$1]
                    : text[table.bytes($0)].lexicographicallyPrecedes(text[table.bytes($1)])
            }
            var result = NameTable()
            for (place, entry) in (maxSize == 0 ? kept[...] : kept.prefix(maxSize)).enumerated() {
                if mayGrow(place) { try execution.checkRoom(for: result, beside: table) }
                _ = result.insert(UnsafeBufferPointer(rebasing: text[table.bytes(entry)]))
            }
            try execution.hold(result.bytes, for: "a vocabulary of \(result.count) names")
            return Vocabulary(result)
        }
    }

    /// Whether the budget is to be looked at before the name of this index: each time that a small table doubles, and
    /// often enough for the host.
    private static func mayGrow(_ index: Int) -> Bool { index & 0xFFF == 0 || index & (index - 1) == 0 }

    private init(_ table: NameTable) {
        self.table = table
        text = Text(table.text)
    }

    /// The number of entries, including the unknown entry; at least 1.
    public var count: Int { table.count + 1 }

    /// The name of an entry; "" for the unknown entry. `index` is 0 to count - 1.
    public subscript(index: Int) -> String {
        index == 0 ? "" : String(cString: text.pointer + table.bytes(index - 1).lowerBound)
    }

    /// The names of the entries from index 1 on.
    public var names: [String] { (1..<count).map { self[$0] } }

    /// Returns the index of a name, given by its bytes; 0 if the name is unknown.
    public func index(of name: UnsafeBufferPointer<UInt8>) -> Int {
        table.find(name).map { $0 + 1 } ?? 0
    }

    /// Returns the index of a name; 0 if the name is unknown.
    public func index(of name: String) -> Int {
        var name = name
        return name.withUTF8 { index(of: $0) }
    }

    /// Returns the name of an entry as a C string: "" for the unknown entry, nil if the index is outside of the
    /// vocabulary. The string is valid as long as the vocabulary exists.
    public func cString(_ index: Int) -> UnsafePointer<CChar>? {
        guard (0..<count).contains(index) else { return nil }
        let offset = index == 0 ? table.text.count : table.bytes(index - 1).lowerBound
        return UnsafeRawPointer(text.pointer + offset).assumingMemoryBound(to: CChar.self)
    }

    public static func == (left: Vocabulary, right: Vocabulary) -> Bool { left.table.text == right.table.text }

    /// The text of the table, then one more NUL, which is the name of the unknown entry.
    private final class Text: @unchecked Sendable {
        let pointer: UnsafeMutablePointer<UInt8>

        init(_ source: [UInt8]) {
            pointer = .allocate(capacity: source.count + 1)
            pointer.initialize(repeating: 0, count: source.count + 1)
            pointer.update(from: source, count: source.count)
        }

        deinit { pointer.deallocate() }
    }
}

extension Execution {
    /// Reports progress, and checks that the memory budget is enough for the table to grow.
    fileprivate func checkRoom(for table: NameTable, beside other: NameTable? = nil) throws {
        try report()
        try reserve(table.bytesToGrow + (other?.bytesToGrow ?? 0), for: "a vocabulary of \(table.count) names")
    }
}
