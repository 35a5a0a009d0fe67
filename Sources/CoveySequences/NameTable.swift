/// Names in the order of their first insertion, found by their UTF-8 bytes: open addressing over one block of text.
/// (Swift's String compares and hashes by canonical equivalence, which merges names that a caller holds apart.)
struct NameTable {
    /// Each name's bytes and a NUL.
    private(set) var text: [UInt8] = []
    /// Where each name begins in `text`, and one more: where the next would.
    private(set) var starts: [Int] = [0]
    /// Of each name: a table that grows asks no name for it again, which would take a tenth of a second for a million.
    private var hashes: [UInt32] = []
    /// Index + 1 of the name in a slot, 0 = free. A power of two, at most half full.
    private var slots = [UInt32](repeating: 0, count: 16)

    var count: Int { starts.count - 1 }

    /// What it takes while it grows: an array is there twice then, the new one twice as long. And a copy of the text.
    var bytesToGrow: Int {
        3 * (text.capacity + 8 * starts.capacity + 4 * hashes.capacity) / 2 + 3 * 4 * slots.count + text.count
    }

    /// The bytes of a name, without its NUL.
    func bytes(_ index: Int) -> Range<Int> { starts[index]..<starts[index + 1] - 1 }

    func find(_ name: UnsafeBufferPointer<UInt8>) -> Int? {
        let slot = slot(of: name, Self.hash(name))
        return slots[slot] == 0 ? nil : Int(slots[slot]) - 1
    }

    /// The name's index, and whether it is new. `name` has no NUL; there is room for 2^32 - 2 names.
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

    /// The slot that holds the name, or the free one where it belongs.
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

    /// Seeded anew in each process, so that no file can be made to collide. Never seen in a result.
    private static func hash(_ name: UnsafeBufferPointer<UInt8>) -> UInt32 {
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(name))
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }
}
