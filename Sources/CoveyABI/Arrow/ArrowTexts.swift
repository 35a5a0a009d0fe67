import CCovey
import CoveyRuntime
import Glibc

/// The distinct strings of a column, over all its batches, in the order of their first appearance.
final class ArrowCategories {
    private(set) var texts: [CText] = []
    /// The same for the inner loop, which must not count references.
    private var entries = UnsafeMutablePointer<Entry>.allocate(capacity: 32)
    /// Open addressing: a code, or -1; twice as many as entries at the least.
    private var slots = UnsafeMutablePointer<Int32>.allocate(capacity: 64)
    private var mask = 63
    private var last: Int32 = -1

    private struct Entry {
        let text: UnsafePointer<CChar>
        let length: Int
        let hash: UInt64
    }

    init() {
        slots.update(repeating: -1, count: mask + 1)
    }

    deinit {
        entries.deallocate()
        slots.deallocate()
    }

    var count: Int { texts.count }

    /// The code of a string; equal bytes are one category. The name is what messages call it.
    @inline(__always)
    func code(_ bytes: UnsafeRawBufferPointer, _ name: () -> String) throws -> Int32 {
        let last = last
        if last >= 0 && Self.equals(entries[Int(last)], bytes) { return last }
        let hash = Self.hash(bytes)
        let (entries, slots, mask) = (entries, slots, mask)
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] >= 0 {
            let code = slots[slot]
            if entries[Int(code)].hash == hash && Self.equals(entries[Int(code)], bytes) {
                self.last = code
                return code
            }
            slot = (slot + 1) & mask
        }
        return try add(bytes, hash, slot, name())
    }

    private func add(_ bytes: UnsafeRawBufferPointer, _ hash: UInt64, _ slot: Int, _ name: String) throws -> Int32 {
        guard let code = Int32(exactly: texts.count) else {
            throw CoveyError.unsupported("\(name): there are more than \(Int32.max) categories")
        }
        guard let string = String(validating: bytes, as: UTF8.self) else {
            throw CoveyError.invalidData("\(name): must be valid UTF-8")
        }
        guard !bytes.contains(0) else { throw CoveyError.invalidData("\(name): must not hold a NUL character") }
        let text = CText(string)
        entries[texts.count] = Entry(text: text.pointer, length: bytes.count, hash: hash)
        texts.append(text)
        slots[slot] = code
        last = code
        if texts.count * 2 > mask { grow() }
        return code
    }

    @inline(__always)
    private static func equals(_ entry: Entry, _ bytes: UnsafeRawBufferPointer) -> Bool {
        guard entry.length == bytes.count else { return false }
        return entry.length == 0 || memcmp(entry.text, bytes.baseAddress!, entry.length) == 0
    }

    private func grow() {
        mask = mask * 2 + 1
        let larger = UnsafeMutablePointer<Entry>.allocate(capacity: (mask + 1) / 2)
        larger.update(from: entries, count: texts.count)
        entries.deallocate()
        entries = larger
        slots.deallocate()
        slots = .allocate(capacity: mask + 1)
        slots.update(repeating: -1, count: mask + 1)
        for code in 0..<texts.count {
            var slot = Int(truncatingIfNeeded: entries[code].hash) & mask
            while slots[slot] >= 0 { slot = (slot + 1) & mask }
            slots[slot] = Int32(code)
        }
    }

    /// Eight bytes at a time, each mixed by a multiplication of 64 x 64 bits.
    @inline(__always)
    private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        func mix(_ one: UInt64, _ other: UInt64) -> UInt64 {
            let product = one.multipliedFullWidth(by: other)
            return product.high ^ product.low
        }
        var state = UInt64(bytes.count) &+ 0x9E37_79B9_7F4A_7C15
        guard let base = bytes.baseAddress else { return state }
        var place = 0
        while place + 8 <= bytes.count {
            state = mix(state ^ base.loadUnaligned(fromByteOffset: place, as: UInt64.self), 0xA076_1D64_78BD_642F)
            place += 8
        }
        var rest: UInt64 = 0
        while place < bytes.count {
            rest = rest << 8 | UInt64(base.load(fromByteOffset: place, as: UInt8.self))
            place += 1
        }
        return mix(state ^ rest, 0xE703_7ED1_A0B4_28DB)
    }
}

extension ArrowInput {
    /// The code of each row's string; -1 = null.
    func writeCodes(
        _ target: UnsafeMutablePointer<Int32>, _ categories: ArrowCategories, _ execution: Execution
    ) throws {
        if schema.dictionary != nil {
            let codes = try dictionaryCodes(categories, execution)
            return try forEachIndex(below: codes.count, execution) { row, index in
                target[row] = index < 0 ? -1 : codes[index]
            }
        }
        if format == "+r" {
            return try writeRuns(target, execution) { try $0.writeCodes($1, categories, execution) }
        }
        try forEachText(execution) { row, text in
            guard let text else {
                target[row] = -1
                return
            }
            target[row] = try categories.code(text) { "\(name), row \(firstRow + row)" }
        }
    }

    /// The code of each entry of the dictionary.
    func dictionaryCodes(_ categories: ArrowCategories, _ execution: Execution) throws -> [Int32] {
        let values = try dictionary()
        try execution.reserve(values.length, of: MemoryLayout<Int32>.size, for: values.name)
        var codes: [Int32] = []
        codes.reserveCapacity(values.length)
        try values.forEachText(execution) { row, text in
            codes.append(try text.map { text in try categories.code(text) { "\(values.name), entry \(row)" } } ?? -1)
        }
        return codes
    }

    /// Calls `body` with each row's bytes; nil = null.
    @inline(__always)
    private func forEachText(_ execution: Execution, _ body: (Int, UnsafeRawBufferPointer?) throws -> Void) throws {
        switch format {
        case "u": try forEachText(offsets: Int32.self, execution, body)
        case "U": try forEachText(offsets: Int64.self, execution, body)
        case "vu": try forEachView(execution, body)
        default: throw unsupported(": a dictionary must hold strings")
        }
    }

    @inline(__always)
    private func forEachText<Offset: FixedWidthInteger & BitwiseCopyable>(
        offsets: Offset.Type, _ execution: Execution, _ body: (Int, UnsafeRawBufferPointer?) throws -> Void
    ) throws {
        guard length > 0 else { return }
        let size = MemoryLayout<Offset>.size
        guard let places = try values(1, of: 3, size: size) else { return }
        let bytes = try buffer(2, of: 3)
        let validity = try validity(of: 3)
        for row in 0..<length {
            if row & 0xFFF == 0 { try execution.check() }
            if let validity, !validity[row] {
                try body(row, nil)
                continue
            }
            let start = Int(places.loadUnaligned(fromByteOffset: row * size, as: Offset.self))
            let end = Int(places.loadUnaligned(fromByteOffset: (row + 1) * size, as: Offset.self))
            guard start >= 0, end >= start, end == start || bytes != nil else {
                throw CoveyError.invalidData(
                    "\(name), row \(firstRow + row): offsets \(start) to \(end) are not possible")
            }
            try body(row, UnsafeRawBufferPointer(start: bytes.map { $0 + start }, count: end - start))
        }
    }

    /// Views: 16 bytes each, with the text itself if it has at most 12, else with its buffer and the place there.
    /// The last buffer holds the sizes of the text's buffers.
    @inline(__always)
    private func forEachView(_ execution: Execution, _ body: (Int, UnsafeRawBufferPointer?) throws -> Void) throws {
        guard length > 0 else { return }
        let buffers = Int(array.n_buffers)
        guard buffers >= 3, buffers <= 1 << 20 else {
            throw CoveyError.invalidData("\(name): format \"vu\" has at least 3 buffers, the array \(array.n_buffers)")
        }
        guard let views = try values(1, of: buffers, size: 16) else { return }
        let validity = try validity(of: buffers)
        let sizes = try buffer(buffers - 1, of: buffers)
        for row in 0..<length {
            if row & 0xFFF == 0 { try execution.check() }
            if let validity, !validity[row] {
                try body(row, nil)
                continue
            }
            let view = views + row * 16
            let count = Int(view.loadUnaligned(as: Int32.self))
            if count >= 0 && count <= 12 {
                try body(row, UnsafeRawBufferPointer(start: view + 4, count: count))
                continue
            }
            let index = Int(view.loadUnaligned(fromByteOffset: 8, as: Int32.self))
            let start = Int(view.loadUnaligned(fromByteOffset: 12, as: Int32.self))
            guard count > 0, start >= 0, index >= 0, index < buffers - 3, let sizes,
                start + count <= sizes.loadUnaligned(fromByteOffset: index * 8, as: Int64.self),
                let bytes = try buffer(2 + index, of: buffers)
            else {
                throw CoveyError.invalidData(
                    "\(name), row \(firstRow + row): \(count) bytes at \(start) of text buffer \(index) are not there")
            }
            try body(row, UnsafeRawBufferPointer(start: bytes + start, count: count))
        }
    }
}
