import CoveyRuntime

/// A checksum over all that a safetensors file says: its entries, and its tensors with their types, shapes and values.
/// It finds damage, not malice. Every step is one to one, so that a change within any eight bytes always shows.
extension SafeTensors {
    public static let checksumEntry = "covey.checksum"

    /// Whether the file has a checksum, and it is the right one.
    public func hasValidChecksum(_ execution: Execution? = nil) throws -> Bool {
        guard let expected = metadata[SafeTensors.checksumEntry] else { return false }
        return try expected
            == SafeTensors.checksum(
                metadata,
                tensors.mapValues { tensor in
                    (
                        tensor.type, tensor.shape,
                        { body in
                            try body(UnsafeRawBufferPointer(rebasing: self.storage.bytes[tensor.bytes]))
                        }
                    )
                }, execution)
    }

    /// A tensor's type and shape, and what calls its argument with the bytes.
    fileprivate typealias Content = (
        type: DataType, shape: [Int], withBytes: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
    )

    fileprivate static func checksum(
        _ metadata: [String: String], _ tensors: [String: Content], _ execution: Execution? = nil
    ) throws -> String {
        var sum = Checksum()
        for (name, text) in metadata.sorted(by: { $0.key < $1.key }) where name != checksumEntry {
            sum.add(name)
            sum.add(text)
            try execution?.report()
        }
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            sum.add(name)
            sum.add(tensor.type.rawValue)
            for length in tensor.shape { sum.add(UInt64(length)) }
            try tensor.withBytes { try sum.add($0) { try execution?.report() } }
        }
        let digits = String(sum.value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension SafeTensorsWriter {
    /// Sets the entry that `hasValidChecksum` looks for. The last thing before the file is written.
    public mutating func setChecksum(_ execution: Execution? = nil) throws {
        let contents = tensors.mapValues { ($0.type, $0.shape, $0.withBytes) as SafeTensors.Content }
        setEntry(SafeTensors.checksumEntry, try SafeTensors.checksum(metadata, contents, execution))
    }
}

private struct Checksum {
    private(set) var value: UInt64 = 0x9E37_79B9_7F4A_7C15

    @inline(__always)
    mutating func add(_ word: UInt64) {
        value = (value ^ word) &* 0xBF58_476D_1CE4_E5B9
        value ^= value &>> 32
    }

    /// The length, then the bytes, the last ones padded with zeros.
    /// - Parameter pause: called every few milliseconds.
    mutating func add(_ bytes: UnsafeRawBufferPointer, _ pause: () throws -> Void) rethrows {
        add(UInt64(bytes.count))
        var place = 0
        while place &+ 8 <= bytes.count {
            let end = min(bytes.count, place &+ 4 << 20)
            while place &+ 8 <= end {
                add(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)))
                place &+= 8
            }
            try pause()
        }
        var rest: UInt64 = 0
        while place < bytes.count {
            rest = rest &<< 8 | UInt64(bytes[place])
            place &+= 1
        }
        add(rest)
    }

    mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { add(UnsafeRawBufferPointer($0)) {} }
    }
}
