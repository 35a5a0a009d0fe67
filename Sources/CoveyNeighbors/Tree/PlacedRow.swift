import CoveyRuntime

/// A row and the coordinate that decides its place.
struct PlacedRow {
    var value: Double
    let row: Int32

    @inline(__always)
    static func < (a: PlacedRow, b: PlacedRow) -> Bool { a.value < b.value || (a.value == b.value && a.row < b.row) }

    /// Quickselect (Hoare 1961) with pivots from samples: afterwards no key before `target` is greater than any from it
    /// on.
    static func select(
        _ keys: UnsafeMutablePointer<PlacedRow>, _ first: Int, _ last: Int, _ target: Int, _ execution: Execution
    ) throws {
        var low = first
        var high = last
        while high - low >= 24 {
            if high - low > 50_000 { try execution.report() }
            let pivot = keys[movePivot(keys, low, high, target)]
            // No branch depends on the keys: every key is swapped, and the place advances if the key is smaller.
            var place = low
            for p in low..<high {
                let key = keys[p]
                let less = (key.value < pivot.value ? 1 : 0) | (key.value == pivot.value && key.row < pivot.row ? 1 : 0)
                keys[p] = keys[place]
                keys[place] = key
                place &+= less
            }
            keys[high] = keys[place]
            keys[place] = pivot
            if place == target { return }
            if target < place { high = place &- 1 } else { low = place &+ 1 }
        }
        sort(keys, low, high)
    }

    /// Moves a key near the target's rank to the end. Returns that place.
    private static func movePivot(_ keys: UnsafeMutablePointer<PlacedRow>, _ low: Int, _ high: Int, _ target: Int)
        -> Int
    {
        let count = high - low + 1
        let size = count > 2000 ? 63 : count > 200 ? 15 : 5
        let step = count / size
        for slot in 0..<size { swapKeys(keys, low + slot, low + slot * step + step / 2) }
        sort(keys, low, low + size - 1)
        let rank = (target - low) * (size - 1) / (count - 1)
        swapKeys(keys, low + rank, high)
        return high
    }

    @inline(__always)
    private static func swapKeys(_ keys: UnsafeMutablePointer<PlacedRow>, _ a: Int, _ b: Int) {
        let key = keys[a]
        keys[a] = keys[b]
        keys[b] = key
    }

    private static func sort(_ keys: UnsafeMutablePointer<PlacedRow>, _ low: Int, _ high: Int) {
        guard low < high else { return }
        for p in low &+ 1...high {
            let key = keys[p]
            var place = p
            while place > low, key < keys[place &- 1] {
                keys[place] = keys[place &- 1]
                place &-= 1
            }
            keys[place] = key
        }
    }
}
