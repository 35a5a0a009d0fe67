import CCovey
import CoveyRules
import CoveyRuntime
import CoveyTables
import Glibc

/// Rules on a few rows of the caller's memory, without a copy of the table's names: what a payment page asks for.
///
/// It takes on only what is beyond doubt. Anything else, mistakes among it, is left to `featureTable` and
/// `RuleEvaluator`.
final class RuleRows: Sendable {
    private let rules: RowRules
    /// The columns' names by their hash: an open table, -1 if it is empty.
    private let places: [Int32]
    private let hashes: [UInt64]
    private let names: [CText]

    /// Columns of a table that are looked at; a table of more is for the long way.
    private static let largestTable = 1024

    init?(_ evaluator: RuleEvaluator) {
        guard let rules = evaluator.rows, !rules.columns.isEmpty else { return nil }
        self.rules = rules
        names = rules.columns.map { CText($0.name) }
        var size = 16
        while size < 4 * names.count { size *= 2 }
        var places = [Int32](repeating: -1, count: size)
        let hashes = names.map { RuleRows.hash($0.pointer) }
        for (index, hash) in hashes.enumerated() {
            var place = RuleRows.slot(hash, size)
            while places[place] >= 0 { place = (place + 1) & (size - 1) }
            places[place] = Int32(index)
        }
        self.places = places
        self.hashes = hashes
    }

    /// Odd, so never 0.
    @inline(__always)
    private static func hash(_ text: UnsafePointer<CChar>) -> UInt64 {
        var left = strlen(text)
        var from = UnsafeRawPointer(text)
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(left)
        while left >= 8 {
            hash = (hash ^ from.loadUnaligned(as: UInt64.self)) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash &>> 29
            from += 8
            left &-= 8
        }
        var rest: UInt64 = 0
        for byte in 0..<left { rest |= UInt64(from.load(fromByteOffset: byte, as: UInt8.self)) &<< UInt64(8 &* byte) }
        hash = (hash ^ rest) &* 0x9E37_79B9_7F4A_7C15
        return (hash ^ hash &>> 29) | 1
    }

    /// Where to look for a hash in a table of a power of two.
    @inline(__always)
    private static func slot(_ hash: UInt64, _ size: Int) -> Int { Int(truncatingIfNeeded: hash &>> 1) & (size &- 1) }

    /// Evaluates all rules on all rows of a table; false if that is for the long way, with nothing said of the
    /// output.
    func evaluate(
        _ table: UnsafePointer<covey_table>, fired: UnsafeMutablePointer<UInt8>?, any: UnsafeMutablePointer<UInt8>?
    ) -> Bool {
        guard table.pointee.struct_size == MemoryLayout<covey_table>.size else { return false }
        let (rows, count) = (table.pointee.rows, table.pointee.column_count)
        guard table.pointee.column_size == MemoryLayout<covey_column>.size, let columns = table.pointee.columns,
            rows >= 1, rows <= Int64(RowRules.most), count >= Int64(names.count), count <= Int64(RuleRows.largestTable)
        else { return false }
        return withUnsafeTemporaryAllocation(of: Int32.self, capacity: names.count) { found in
            guard find(columns, Int(count), found) else { return false }
            return withUnsafeTemporaryAllocation(of: Double.self, capacity: names.count) { values in
                for row in 0..<Int(rows) {
                    for (place, column) in found.enumerated() {
                        guard let value = value(columns + Int(column), row, place) else { return false }
                        values[place] = value
                    }
                    rules.evaluate(
                        values.baseAddress!, fired: fired.map { $0 + row * rules.ruleCount }, any: any.map { $0 + row })
                }
                return true
            }
        }
    }

    /// The table's columns that the rules need; false if a name is missing, occurs twice or may do so.
    private func find(
        _ columns: UnsafePointer<covey_column>, _ count: Int, _ found: UnsafeMutableBufferPointer<Int32>
    ) -> Bool {
        found.update(repeating: -1)
        var size = 64
        while size < 2 * count { size *= 2 }
        return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: size) { seen in
            seen.update(repeating: 0)
            var left = names.count
            for index in 0..<count {
                guard let name = columns[index].name, columns[index].reserved == 0 else { return false }
                let hash = RuleRows.hash(name)
                var slot = RuleRows.slot(hash, size)
                while seen[slot] != 0 {
                    if seen[slot] == hash { return false }
                    slot = (slot &+ 1) & (size &- 1)
                }
                seen[slot] = hash
                guard let place = self.place(name, hash) else { continue }
                guard columns[index].kind == rules.columns[place].kind.rawValue else { return false }
                found[place] = Int32(index)
                left &-= 1
            }
            return left == 0
        }
    }

    @inline(__always)
    private func place(_ name: UnsafePointer<CChar>, _ hash: UInt64) -> Int? {
        var slot = RuleRows.slot(hash, places.count)
        while places[slot] >= 0 {
            let place = Int(places[slot])
            if hashes[place] == hash, strcmp(names[place].pointer, name) == 0 { return place }
            slot = (slot &+ 1) & (places.count &- 1)
        }
        return nil
    }

    /// A row's value as `RowRules` takes it; nil if it is for the long way.
    @inline(__always)
    private func value(_ column: UnsafePointer<covey_column>, _ row: Int, _ place: Int) -> Double? {
        guard let values = column.pointee.values else { return nil }
        let (kind, stride) = (rules.columns[place].kind, Int(column.pointee.stride))
        switch kind {
        case .numeric, .date:
            guard stride == 0 || stride >= 8 && stride % 8 == 0 else { return nil }
            let value = values.loadUnaligned(fromByteOffset: row * (stride == 0 ? 8 : stride), as: Double.self)
            return value.isInfinite || kind == .date && !value.isNaN && !FeatureColumn.dates.contains(value)
                ? nil : value
        case .boolean:
            guard stride >= 0 else { return nil }
            let value = values.load(fromByteOffset: row * (stride == 0 ? 1 : stride), as: Int8.self)
            return value < -1 || value > 1 ? nil : value < 0 ? .nan : Double(value)
        case .categorical:
            guard stride == 0 || stride >= 4 && stride % 4 == 0 else { return nil }
            let code = values.loadUnaligned(fromByteOffset: row * (stride == 0 ? 4 : stride), as: Int32.self)
            if code == -1 { return .nan }
            guard code >= 0, Int64(code) < column.pointee.category_count, let names = column.pointee.categories,
                let name = names[Int(code)], let text = String(validatingCString: name),
                column.pointee.category_count <= Int64(Int32.max)
            else { return nil }
            return rules.category(text, column: place)
        }
    }
}
