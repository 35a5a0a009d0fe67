/// Names in the order of their first insertion, with a hash table (open addressing) to find them by their UTF-8 bytes.
/// (String is not used as the key, because Swift compares strings by canonical equivalence: it would merge names that a
/// caller keeps apart.)
struct NameTable {
    /// The bytes of all names. A NUL follows each name.
    private(set) var text: [UInt8] = []
    /// The start of each name in `text`, then the start of the next name to be inserted.
    private(set) var starts: [Int] = [0]
    /// The hash of each name. A table that grows does not hash its names again, which would take 0.1 seconds for a
    /// million names.
    private var hashes: [UInt32] = []
    /// The hash table: in each slot the index of a name + 1, or 0 if the slot is free. The number of slots is a power
    /// of two, and at most half of them are used.
    private var slots = [UInt32](repeating: 0, count: 16)

    var count: Int { starts.count - 1 }

    /// The bytes that the table needs while it grows. An array that grows exists twice, and the new one is twice as
    /// long. A copy of the text is added.
    var bytesToGrow: Int {
        3 * (text.capacity + 8 * starts.capacity + 4 * hashes.capacity) / 2 + 3 * 4 * slots.count + text.count
    }

    /// The bytes of the table and of a copy of its text.
    var bytes: Int { text.capacity + 8 * starts.capacity + 4 * hashes.capacity + 4 * slots.count + text.count }

    /// The range of a name's bytes in `text`, without its NUL.
    func bytes(_ index: Int) -> Range<Int> { starts[index]..<starts[index + 1] - 1 }

    func find(_ name: UnsafeBufferPointer<UInt8>) -> Int? {
        let slot = slot(of: name, Self.hash(name))
        return slots[slot] == 0 ? nil : Int(slots[slot]) - 1
    }

    /// Inserts a name, if it is new. Returns its index, and whether it is new. `name` must not contain NUL. The table
    /// holds up to 2^32 - 2 names.
    mutating func insert(_ name: UnsafeBufferPointer<UInt8>) -> (index: Int, isNew: Bool) {
        let hash = Self.hash(name)
        let slot = slot(of: name, hash)
        if slots[slot] != 0 { return (Int(slots[slot]) - 1, false) }
        let index = count
        text.append(contentsOf: name)
        text.append(0)
        starts.append(text.count)
        hashes.append(hash)
        slots[slot] = UInt32(count)
        if 2 * count > slots.count { grow() }
        return (index, true)
    }

    /// The slot of a name or, if the table does not have it, the free slot for it.
    private func slot(of name: UnsafeBufferPointer<UInt8>, _ hash: UInt32) -> Int {
        var slot = Int(hash) & (slots.count - 1)
        while slots[slot] != 0 {
            let place = bytes(Int(slots[slot]) - 1)
            if place.count == name.count, text.withUnsafeBufferPointer({ $0[place].elementsEqual(name) }) { break }
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }

    private mutating func grow() {
        let mask = slots.count * 2 - 1
        slots = [UInt32](repeating: 0, count: mask + 1)
        for (index, hash) in hashes.enumerated() {
            var slot = Int(hash) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt32(index + 1)
        }
    }

    /// The hash has another seed in each process, so that no file can be made to cause collisions. No result depends on
    /// it.
    private static func hash(_ name: UnsafeBufferPointer<UInt8>) -> UInt32 {
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(name))
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }
}
