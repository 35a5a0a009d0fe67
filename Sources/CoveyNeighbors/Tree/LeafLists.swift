import CCoveyKernels
import CoveyRuntime

/// One thread's lists of the nearest rows of a leaf's points.
struct LeafLists {
    let scratch: KDTreeSearch.Scratch
    let k: Int
    /// The capacity of a list, at least k.
    let slots: Int
    /// leafSize x slots, ascending by (reduced distance, place). Empty entries hold infinity.
    let reduced: AlignedBuffer<Double>
    let places: AlignedBuffer<Int64>

    init(_ k: Int, _ execution: Execution) throws {
        self.k = k
        slots = k <= Int(CK_LIST) ? (k + 7) / 8 * 8 : k
        scratch = try KDTreeSearch.Scratch(execution)
        let size = try checkedProduct(KDTree.leafSize, slots, "neighbours of a leaf")
        reduced = try AlignedBuffer(size, for: "neighbours of a leaf", execution)
        places = try AlignedBuffer(size, for: "neighbours of a leaf", execution)
    }

    func clear() {
        reduced.pointer.update(repeating: .infinity, count: reduced.count)
        places.pointer.update(repeating: .max, count: places.count)
    }

    /// Inserts the points of the scratch's pairs into the lists if they are near enough. Point i is not its own
    /// neighbour.
    /// - Parameters:
    ///   - first: the place of the points' leaf.
    ///   - own: the place of the lists' leaf.
    @inline(__always)
    func offer(_ found: Int, first: Int, own: Int) {
        let (pairs, sums) = (scratch.pairs.pointer, scratch.sums.pointer)
        if slots <= Int(CK_LIST) {
            return ck_lists_offer(
                reduced.pointer, places.pointer, Int64(slots), pairs, sums, Int64(found), Int64(first), Int64(own))
        }
        for hit in 0..<found {
            let i = Int(pairs[hit]) / KDTree.leafSize
            let place = first &+ Int(pairs[hit]) % KDTree.leafSize
            if place != own &+ i {
                insert(sums[hit], Int64(place), reduced.pointer + i &* slots, places.pointer + i &* slots)
            }
        }
    }

    private func insert(
        _ distance: Double, _ place: Int64, _ reduced: UnsafeMutablePointer<Double>,
        _ places: UnsafeMutablePointer<Int64>
    ) {
        func after(_ slot: Int) -> Bool {
            distance < reduced[slot] || (distance == reduced[slot] && place < places[slot])
        }
        guard after(k - 1) else { return }
        var low = 0
        var high = k - 1
        while low < high {
            let middle = (low + high) / 2
            if after(middle) { high = middle } else { low = middle + 1 }
        }
        (reduced + low + 1).update(from: reduced + low, count: k - 1 - low)
        (places + low + 1).update(from: places + low, count: k - 1 - low)
        reduced[low] = distance
        places[low] = place
    }
}
