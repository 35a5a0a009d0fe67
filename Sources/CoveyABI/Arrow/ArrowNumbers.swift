import CCovey
import CoveyFiles
import CoveyRuntime
import Glibc

// Numbers, dates and booleans of one batch, written where the table has them.

extension ArrowInput {
    /// Memory of one call.
    static func withScratch<Element, Result>(
        _ count: Int, of type: Element.Type, _ what: String, _ execution: Execution,
        _ body: (UnsafeMutablePointer<Element>) throws -> Result
    ) throws -> Result {
        try execution.reserve(count, of: MemoryLayout<Element>.stride, for: what)
        let block = try WholeFile.allocate(count * MemoryLayout<Element>.stride, for: what)
        defer { free(block.baseAddress) }
        return try body(block.bindMemory(to: Element.self).baseAddress!)
    }

    /// Numbers as doubles, dates as seconds since 1970; NaN if null.
    func writeNumbers(_ target: UnsafeMutablePointer<Double>, _ execution: Execution) throws {
        if schema.dictionary != nil {
            let values = try dictionary()
            return try Self.withScratch(values.length, of: Double.self, values.name, execution) { table in
                try values.writeNumbers(table, execution)
                try forEachIndex(below: values.length, execution) { row, index in
                    target[row] = index < 0 ? .nan : table[index]
                }
            }
        }
        switch format {
        case "+r": return try writeRuns(target, execution) { try $0.writeNumbers($1, execution) }
        case "n": return target.update(repeating: .nan, count: length)
        case "tdD": return try write(target, as: Int32.self, execution) { Double($0) * 86_400 }
        case "tdm": return try write(target, as: Int64.self, execution) { ArrowUnit.seconds($0, 1000) }
        default: break
        }
        // A zone says how to show a time; the numbers count from 1970 in UTC. Without a zone they are taken to do so.
        if let unit = ArrowUnit.timestamp(format) {
            return try write(target, as: Int64.self, execution) { ArrowUnit.seconds($0, unit) }
        }
        guard let number = ArrowNumber(format) else { throw unsupported() }
        switch number {
        case .float64: try write(target, as: Double.self, execution) { $0 }
        case .float32: try write(target, as: Float.self, execution) { Double($0) }
        case .float16: try write(target, as: UInt16.self, execution, half)
        case .int8: try write(target, as: Int8.self, execution) { Double($0) }
        case .uint8: try write(target, as: UInt8.self, execution) { Double($0) }
        case .int16: try write(target, as: Int16.self, execution) { Double($0) }
        case .uint16: try write(target, as: UInt16.self, execution) { Double($0) }
        case .int32: try write(target, as: Int32.self, execution) { Double($0) }
        case .uint32: try write(target, as: UInt32.self, execution) { Double($0) }
        case .int64: try write(target, as: Int64.self, execution) { Double($0) }
        case .uint64: try write(target, as: UInt64.self, execution) { Double($0) }
        case .time32(let unit): try write(target, as: Int32.self, execution) { ArrowUnit.seconds(Int64($0), unit) }
        case .time64(let unit): try write(target, as: Int64.self, execution) { ArrowUnit.seconds($0, unit) }
        case .decimal(let words, let scale): try writeDecimals(target, words, scale, execution)
        }
    }

    private func write<Element: BitwiseCopyable>(
        _ target: UnsafeMutablePointer<Double>, as type: Element.Type, _ execution: Execution,
        _ convert: (Element) -> Double
    ) throws {
        guard let source = try values(1, of: 2, size: MemoryLayout<Element>.size) else { return }
        let validity = try validity(of: 2)
        for start in stride(from: 0, to: length, by: 0x10000) {
            try execution.check()
            let end = min(length, start + 0x10000)
            for row in start..<end {
                target[row] = convert(
                    source.loadUnaligned(fromByteOffset: row * MemoryLayout<Element>.size, as: Element.self))
            }
            if let validity {
                for row in start..<end where !validity[row] { target[row] = .nan }
            }
        }
    }

    /// To the nearest double where the whole number has at most 53 bits and the scale is at most 22; within two units
    /// of the last place otherwise.
    private func writeDecimals(
        _ target: UnsafeMutablePointer<Double>, _ words: Int, _ scale: Int, _ execution: Execution
    ) throws {
        guard let source = try values(1, of: 2, size: words * 4) else { return }
        let validity = try validity(of: 2)
        let power = pow(10, Double(abs(scale)))
        for row in 0..<length {
            if row & 0xFFFF == 0 { try execution.check() }
            if validity.map({ $0[row] }) == false {
                target[row] = .nan
                continue
            }
            let place = row * words * 4
            let negative = source.loadUnaligned(fromByteOffset: place + (words - 1) * 4, as: Int32.self) < 0
            // Its absolute value, from two's complement, most significant word first: one that has 53 bits is exact.
            var whole = 0.0
            var borrow: UInt64 = negative ? 1 : 0
            var factor = 1.0
            for word in 0..<words {
                let bits = source.loadUnaligned(fromByteOffset: place + word * 4, as: UInt32.self)
                let digit = UInt64(negative ? ~bits : bits) + borrow
                borrow = digit >> 32
                whole += Double(digit & 0xFFFF_FFFF) * factor
                factor *= 4_294_967_296
            }
            let value = negative ? -whole : whole
            target[row] = scale < 0 ? value * power : value / power
        }
    }

    /// 0 and 1; -1 if null.
    func writeBooleans(_ target: UnsafeMutablePointer<Int8>, _ execution: Execution) throws {
        if format == "+r" { return try writeRuns(target, execution) { try $0.writeBooleans($1, execution) } }
        let validity = try validity(of: 2)
        guard let base = try buffer(1, of: 2) else {
            guard length == 0 else { throw CoveyError.invalidData("\(name): buffer 1 must not be NULL") }
            return
        }
        let bits = ArrowBits(base: base, offset: offset)
        try execution.forEach(0..<length) { row in
            target[row] = validity.map { $0[row] } == false ? -1 : (bits[row] ? 1 : 0)
        }
    }

    /// Each run's value, in every row of the run.
    func writeRuns<Element: BitwiseCopyable>(
        _ target: UnsafeMutablePointer<Element>, _ execution: Execution,
        _ writeValues: (ArrowInput, UnsafeMutablePointer<Element>) throws -> Void
    ) throws {
        guard array.n_children == 2 else {
            throw CoveyError.invalidData(
                "\(name): the Arrow format \"+r\" has 2 children, the array \(array.n_children)")
        }
        let ends = try child(0, named: "the run ends of \(name)")
        var values = try child(1, named: name)
        guard values.format != "+r" else { throw values.unsupported() }
        guard values.length >= ends.length else {
            throw CoveyError.invalidData("\(name) has \(values.length) values for \(ends.length) runs")
        }
        values = values.slice(from: 0, count: ends.length)
        guard length > 0 else { return }
        try Self.withScratch(ends.length, of: Element.self, name, execution) { table in
            try writeValues(values, table)
            switch ends.format {
            case "s": try ends.fillRuns(as: Int16.self, from: offset, count: length, table, target, execution)
            case "i": try ends.fillRuns(as: Int32.self, from: offset, count: length, table, target, execution)
            case "l": try ends.fillRuns(as: Int64.self, from: offset, count: length, table, target, execution)
            default: throw ends.unsupported(": run ends must be int16, int32 or int64")
            }
        }
    }

    private func fillRuns<End: FixedWidthInteger & BitwiseCopyable, Element: BitwiseCopyable>(
        as type: End.Type, from start: Int, count: Int, _ table: UnsafeMutablePointer<Element>,
        _ target: UnsafeMutablePointer<Element>, _ execution: Execution
    ) throws {
        var row = start
        var previous = 0
        let places = try values(1, of: 2, size: MemoryLayout<End>.size)
        for run in 0..<length {
            if run & 0xFFFF == 0 { try execution.check() }
            let end = Int(places!.loadUnaligned(fromByteOffset: run * MemoryLayout<End>.size, as: End.self))
            guard end > previous else {
                throw CoveyError.invalidData("\(name) must increase, got \(end) after \(previous)")
            }
            previous = end
            let last = min(end, start + count)
            if last > row {
                (target + (row - start)).update(repeating: table[run], count: last - row)
                row = last
            }
            if row == start + count { return }
        }
        throw CoveyError.invalidData("\(name) end at \(previous), the rows at \(start + count)")
    }

    /// Calls `body` with each row and its index; -1 = null.
    func forEachIndex(below count: Int, _ execution: Execution, _ body: (Int, Int) throws -> Void) throws {
        switch format {
        case "c": try forEachIndex(as: Int8.self, below: count, execution, body)
        case "C": try forEachIndex(as: UInt8.self, below: count, execution, body)
        case "s": try forEachIndex(as: Int16.self, below: count, execution, body)
        case "S": try forEachIndex(as: UInt16.self, below: count, execution, body)
        case "i": try forEachIndex(as: Int32.self, below: count, execution, body)
        case "I": try forEachIndex(as: UInt32.self, below: count, execution, body)
        case "l": try forEachIndex(as: Int64.self, below: count, execution, body)
        case "L": try forEachIndex(as: UInt64.self, below: count, execution, body)
        default: throw unsupported(": a dictionary's indices must be integers")
        }
    }

    private func forEachIndex<Index: FixedWidthInteger & BitwiseCopyable>(
        as type: Index.Type, below count: Int, _ execution: Execution, _ body: (Int, Int) throws -> Void
    ) throws {
        let size = MemoryLayout<Index>.size
        guard let source = try values(1, of: 2, size: size) else { return }
        let validity = try validity(of: 2)
        for row in 0..<length {
            if row & 0xFFFF == 0 { try execution.check() }
            if validity.map({ $0[row] }) == false {
                try body(row, -1)
                continue
            }
            let index = source.loadUnaligned(fromByteOffset: row * size, as: Index.self)
            guard index >= 0, let place = Int(exactly: index), place < count else {
                throw CoveyError.invalidData(
                    "\(name), row \(firstRow + row): the index must be 0 to \(count - 1), got \(index)")
            }
            try body(row, place)
        }
    }
}

/// A number of IEEE 754's binary16.
private func half(_ bits: UInt16) -> Double {
    let fraction = Double(bits & 0x3FF)
    let exponent = Int(bits >> 10 & 0x1F)
    let size =
        exponent == 0
        ? scalbn(fraction, -24)
        : exponent == 31 ? (fraction == 0 ? Double.infinity : Double.nan) : scalbn(1024 + fraction, exponent - 25)
    return bits >> 15 == 1 ? -size : size
}
