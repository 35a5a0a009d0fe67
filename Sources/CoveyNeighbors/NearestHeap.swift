/// The k nearest rows found so far for each of many rows. They are binary heaps with the farthest at the root, ordered
/// by (distance, number), so that the outcome does not depend on the order of arrival. Empty entries hold (infinity,
/// Int32.max).
struct NearestHeap {
    let distances: UnsafeMutablePointer<Double>
    let indices: UnsafeMutablePointer<Int32>
    let k: Int

    @inline(__always)
    static func before(_ a: Double, _ i: Int32, _ b: Double, _ j: Int32) -> Bool {
        a < b || (a == b && i < j)
    }

    /// Offers a neighbour to the heap. Returns true if the heap took it.
    @inline(__always)
    func push(_ distance: Double, _ index: Int32) -> Bool {
        guard NearestHeap.before(distance, index, distances[0], indices[0]) else { return false }
        sift(distance, index, from: 0, count: k)
        return true
    }

    private func sift(_ distance: Double, _ index: Int32, from start: Int, count: Int) {
        var place = start
        while true {
            var child = 2 &* place &+ 1
            if child >= count { break }
            let right = child &+ 1
            if right < count, NearestHeap.before(distances[child], indices[child], distances[right], indices[right]) {
                child = right
            }
            guard NearestHeap.before(distance, index, distances[child], indices[child]) else { break }
            distances[place] = distances[child]
            indices[place] = indices[child]
            place = child
        }
        distances[place] = distance
        indices[place] = index
    }

    /// Sorts ascending, in place. The array is no heap after that.
    func sort() {
        var end = k - 1
        while end > 0 {
            let distance = distances[end]
            let index = indices[end]
            distances[end] = distances[0]
            indices[end] = indices[0]
            sift(distance, index, from: 0, count: end)
            end -= 1
        }
    }
}
