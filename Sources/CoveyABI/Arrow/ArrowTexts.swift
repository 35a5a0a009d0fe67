import CCovey
import CoveyRuntime
import Glibc

/// The distinct strings of a column, over all its batches, in the order of their first appearance.
final class ArrowCategories {
    private(set) var texts: [CText] = []
    private var lengths: [Int] = []
    private var hashes: [UInt64] = []
    /// Open addressing: a code, or -1.
    private var slots = [Int32](repeating: -1, count: 64)
    private var last: Int32 = -1

    var count: Int { texts.count }

    /// The code of a string; equal bytes are one category. The name is what messages call it.
    func code(_ bytes: UnsafeRawBufferPointer, _ name: @autoclosure () -> String) throws -> Int32 {
        if last >= 0 && equals(last, bytes) { return last }
        let hash = Self.hash(bytes)
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            let code = slots[slot]
            if hashes[Int(code)] == hash && equals(code, bytes) {
                last = code
                return code
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        guard let code = Int32(exactly: texts.count) else {
            throw CoveyError.unsupported("\(name()): there are more than \(Int32.max) categories")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CoveyError.invalidData("\(name()): must be valid UTF-8")
        }
        guard !bytes.contains(0) else { throw CoveyError.invalidData("\(name()): must not hold a NUL character") }
        texts.append(CText(text))
        lengths.append(bytes.count)
        hashes.append(hash)
        slots[slot] = code
        last = code
        if texts.count * 2 > slots.count { grow() }
        return code
    }

    private func equals(_ code: Int32, _ bytes: UnsafeRawBufferPointer) -> Bool {
        let length = lengths[Int(code)]
        guard length == bytes.count else { return false }
        return length == 0 || memcmp(texts[Int(code)].pointer, bytes.baseAddress!, length) == 0
    }

    private func grow() {
        slots = [Int32](repeating: -1, count: slots.count * 2)
        for (code, hash) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = Int32(code)
        }
    }

    /// Eight bytes at a time, each mixed by a multiplication of 64 x 64 bits.
    private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        func mix(_ one: UInt64, _ other: UInt64) -> UInt64 {
            let product = one.multipliedFullWidth(by: other)
            return product.high ^ product.low
        }
        var state = UInt64(bytes.count) &+ 0x9E37_79B9_7F4A_7C15
        var place = 0
        while place + 8 <= bytes.count {
            state = mix(state ^ bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self), 0xA076_1D64_78BD_642F)
            place += 8
        }
        var rest: UInt64 = 0
        while place < bytes.count {
            rest = rest << 8 | UInt64(bytes[place])
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
            target[row] = try text.map { try categories.code($0, "\(name), row \(firstRow + row)") } ?? -1
        }
    }

    /// The code of each entry of the dictionary.
    func dictionaryCodes(_ categories: ArrowCategories, _ execution: Execution) throws -> [Int32] {
        let values = try dictionary()
        try execution.reserve(values.length, of: MemoryLayout<Int32>.size, for: values.name)
        var codes: [Int32] = []
        codes.reserveCapacity(values.length)
        try values.forEachText(execution) { row, text in
            codes.append(try text.map { try categories.code($0, "\(values.name), entry \(row)") } ?? -1)
        }
        return codes
    }

    /// Calls `body` with each row's bytes; nil = null.
    private func forEachText(_ execution: Execution, _ body: (Int, UnsafeRawBufferPointer?) throws -> Void) throws {
        switch format {
        case "u": try forEachText(offsets: Int32.self, execution, body)
        case "U": try forEachText(offsets: Int64.self, execution, body)
        case "vu": try forEachView(execution, body)
        default: throw unsupported(": a dictionary must hold strings")
        }
    }

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
            if validity.map({ $0[row] }) == false {
                try body(row, nil)
                continue
            }
            let start = Int(places.loadUnaligned(fromByteOffset: row * size, as: Offset.self))
            let end = Int(places.loadUnaligned(fromByteOffset: (row + 1) * size, as: Offset.self))
            guard start >= 0, end >= start, end == start || bytes != nil else {
                throw CoveyError.invalidData("\(name), row \(firstRow + row): offsets \(start) to \(end) are not possible")
            }
            try body(row, UnsafeRawBufferPointer(start: bytes.map { $0 + start }, count: end - start))
        }
    }

    /// Views: 16 bytes each, with the text itself where it has at most 12, else with its buffer and the place there. The
    /// last buffer holds the sizes of the text's buffers.
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
            if validity.map({ $0[row] }) == false {
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
