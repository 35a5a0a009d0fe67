import CoveyNeighbors
import CoveyRuntime

/// Sorting by numbers, least significant digit first (Seward 1954): stable, O(n) passes over memory, the same for any
/// number of threads.
enum RadixSort {
    private static let digit = 11
    private static let buckets = 1 << digit
    private static let fewest = 512

    /// Sorts by ascending `key`; equal keys keep their order.
    @inline(__always)
    static func sort<Element: BitwiseCopyable & Sendable>(
        _ elements: UnsafeMutablePointer<Element>, count n: Int, execution: Execution,
        key: @escaping @Sendable (Element) -> UInt64
    ) throws {
        if n < fewest { return merge(elements, n, key) }
        let chunk = max(65_536, (n - 1) / 16 + 1)
        let chunks = (n - 1) / chunk + 1
        let counts = try AlignedBuffer<Int>(chunks * buckets, for: "sorting", execution)
        let room = try AlignedBuffer<Element>(n, for: "sorting", execution)
        // Digits that are the same in all keys are skipped.
        let ranges = try AlignedBuffer<(all: UInt64, any: UInt64)>(chunks, for: "sorting", execution)
        nonisolated(unsafe) let elements = elements
        try execution.parallel(n, grain: chunk) { range, _ in
            var all = UInt64.max
            var any: UInt64 = 0
            for i in range {
                let key = key(elements[i])
                all &= key
                any |= key
            }
            ranges[range.lowerBound / chunk] = (all, any)
        }
        var varying: UInt64 = 0
        let all = (0..<chunks).reduce(UInt64.max) { $0 & ranges[$1].all }
        for number in 0..<chunks { varying |= ranges[number].any & ~all }
        nonisolated(unsafe) var source = elements
        nonisolated(unsafe) var target = room.pointer
        var shift = varying == 0 ? 64 : varying.trailingZeroBitCount
        while shift < 64, varying >> shift != 0 {
            let amount = UInt64(shift)
            nonisolated(unsafe) let (from, to) = (source, target)
            counts.pointer.update(repeating: 0, count: chunks * buckets)
            try execution.parallel(n, grain: chunk) { range, _ in
                let own = counts.pointer + range.lowerBound / chunk * buckets
                for i in range { own[Int(truncatingIfNeeded: key(from[i]) &>> amount) & (buckets &- 1)] &+= 1 }
            }
            var start = 0
            for bucket in 0..<buckets {
                for number in 0..<chunks {
                    let count = counts[number * buckets + bucket]
                    counts[number * buckets + bucket] = start
                    start += count
                }
            }
            try execution.parallel(n, grain: chunk) { range, _ in
                let own = counts.pointer + range.lowerBound / chunk * buckets
                for i in range {
                    let element = from[i]
                    let bucket = Int(truncatingIfNeeded: key(element) &>> amount) & (buckets &- 1)
                    to[own[bucket]] = element
                    own[bucket] &+= 1
                }
            }
            swap(&source, &target)
            shift += digit
            if shift < 64 {
                shift += min(63 - shift, (varying >> shift == 0 ? 0 : (varying >> shift).trailingZeroBitCount))
            }
        }
        guard source != elements else { return }
        try execution.parallel(n, grain: chunk) { range, _ in
            (elements + range.lowerBound).update(from: source + range.lowerBound, count: range.count)
        }
    }

    private static func merge<Element>(
        _ elements: UnsafeMutablePointer<Element>, _ n: Int, _ key: (Element) -> UInt64
    ) {
        // Stable, as the standard library's sort is.
        var list = UnsafeMutableBufferPointer(start: elements, count: n)
        list.sort { key($0) < key($1) }
    }
}
