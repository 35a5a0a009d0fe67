import CoveyRuntime

/// Grows one tree at a time on a sample in which both classes weigh 1 together. Nodes are split by the best of some
/// columns drawn at random (Breiman 2001), by the Gini impurity, until they are pure. Scratch space is kept between
/// trees; one grower a thread.
final class TreeGrower {
    private let columns: BinnedColumns
    private let perSplit: Int
    private let minLeaf: Int
    /// The sample: row << 1 | 1 if the row is known to be fraud.
    private var entries: [UInt32] = []
    private var scratch: [UInt32] = []
    private var keys: [UInt32] = []
    /// By bin: rows in the low half, frauds in the high half.
    private var histogram = [UInt64](repeating: 0, count: BinnedColumns.most + 1)
    private var order: [Int32]
    /// What a row known to be fraud weighs, and one of the others.
    private var fraudWeight = 1.0
    private var otherWeight = 1.0

    /// The rows that nodes have between two polls; each is looked at in some columns.
    private static let few = 1 << 14

    init(_ columns: BinnedColumns, perSplit: Int, minLeaf: Int) {
        self.columns = columns
        self.perSplit = perSplit
        self.minLeaf = minLeaf
        order = (0..<Int32(columns.columns)).map { $0 }
    }

    private struct Split {
        var column = -1
        var bin = 0
        var score = 0.0
    }

    private struct Open {
        let node: Int
        let start: Int
        let end: Int
        let fraud: Int
    }

    /// - Parameter sample: as `entries`.
    func grow(_ sample: [UInt32], _ random: inout SeededRandom, _ execution: Execution) throws -> ForestTree {
        entries = sample
        if scratch.count < sample.count {
            scratch = [UInt32](repeating: 0, count: sample.count)
            keys = scratch
        }
        // The order that columns are drawn from must not depend on the trees before.
        for column in order.indices { order[column] = Int32(column) }
        let fraud = sample.reduce(0) { $0 + Int($1 & 1) }
        fraudWeight = 1 / Double(max(1, fraud))
        otherWeight = 1 / Double(max(1, sample.count - fraud))
        var nodes = [leaf(fraud, of: sample.count)]
        // Breadth first: children then follow each other, behind all nodes above them.
        var queue = [Open(node: 0, start: 0, end: sample.count, fraud: fraud)]
        var next = 0
        var work = 0
        while next < queue.count {
            let open = queue[next]
            next += 1
            let size = open.end - open.start
            // Large nodes stand at the top, thousands of small ones below.
            work += size + 64
            if work > TreeGrower.few {
                try execution.report()
                work = 0
            }
            if open.fraud == 0 || open.fraud == size || size < 2 * minLeaf { continue }
            let split = best(open, &random)
            guard split.column >= 0 else { continue }
            let (middle, fraudLeft) = partition(open, split)
            nodes[open.node] = ForestTree.Node(
                column: Int32(split.column), threshold: columns.edges[split.column][split.bin],
                left: Int32(nodes.count),
                share: nodes[open.node].share)
            queue.append(Open(node: nodes.count, start: open.start, end: middle, fraud: fraudLeft))
            nodes.append(leaf(fraudLeft, of: middle - open.start))
            queue.append(Open(node: nodes.count, start: middle, end: open.end, fraud: open.fraud - fraudLeft))
            nodes.append(leaf(open.fraud - fraudLeft, of: open.end - middle))
        }
        // Without the capacity that it grew to.
        return ForestTree(nodes: nodes.withUnsafeBufferPointer { Array($0) })
    }

    private func leaf(_ fraud: Int, of size: Int) -> ForestTree.Node {
        let known = Double(fraud) * fraudWeight
        let all = known + Double(size - fraud) * otherWeight
        return ForestTree.Node(column: -1, threshold: 0, left: 0, share: all > 0 ? Float(known / all) : 0)
    }

    /// Columns that are constant in the node do not count among those drawn, as in scikit-learn.
    private func best(_ open: Open, _ random: inout SeededRandom) -> Split {
        var split = Split()
        var looked = 0
        split.score = purity(open.fraud, of: open.end - open.start) * (1 + 1e-12)
        for place in order.indices {
            let other = Int.random(in: place..<order.count, using: &random)
            order.swapAt(place, other)
            if look(open, Int(order[place]), &split) { looked += 1 }
            if looked == perSplit { break }
        }
        return split
    }

    /// Betters `split` by one of the column's. False if the column is constant in the node.
    private func look(_ open: Open, _ column: Int, _ split: inout Split) -> Bool {
        let bins = columns.column(column)
        let size = open.end - open.start
        var least = UInt32.max
        var most = UInt32(0)
        let found: (bin: Int, score: Double)? = entries.withUnsafeBufferPointer { entries in
            keys.withUnsafeMutableBufferPointer { keys in
                for place in 0..<size {
                    let entry = entries[open.start &+ place]
                    let bin = UInt32(bins[Int(entry >> 1)])
                    least = min(least, bin)
                    most = max(most, bin)
                    keys[place] = bin << 1 | entry & 1
                }
                if least == most { return nil }
                let limit = split.score
                return size <= 32
                    ? bestOfFew(keys.baseAddress!, size, open.fraud, limit)
                    : bestOfMany(keys.baseAddress!, size, open.fraud, Int(least), Int(most), limit)
            }
        }
        if least == most { return false }
        if let found, found.bin >= 0 { split = Split(column: column, bin: found.bin, score: found.score) }
        return true
    }

    /// By weights fraud^2 / rows: the impurity falls as its sum over both sides rises.
    @inline(__always)
    private func purity(_ fraud: Int, of rows: Int) -> Double {
        let known = Double(fraud) * fraudWeight
        return known * known / (known + Double(rows &- fraud) * otherWeight)
    }

    private func bestOfFew(
        _ keys: UnsafeMutablePointer<UInt32>, _ size: Int, _ fraud: Int, _ limit: Double
    ) -> (bin: Int, score: Double) {
        for place in 1..<size {
            let key = keys[place]
            var hole = place
            while hole > 0, keys[hole &- 1] > key {
                keys[hole] = keys[hole &- 1]
                hole &-= 1
            }
            keys[hole] = key
        }
        var best = (bin: -1, score: limit)
        var left = 0
        for place in 0..<size - 1 {
            left &+= Int(keys[place] & 1)
            let bin = keys[place] >> 1
            let next = keys[place &+ 1] >> 1
            if bin == next { continue }
            take(&best, rows: place &+ 1, left: left, size: size, fraud: fraud, between: Int(bin), and: Int(next))
        }
        return best
    }

    private func bestOfMany(
        _ keys: UnsafeMutablePointer<UInt32>, _ size: Int, _ fraud: Int, _ least: Int, _ most: Int, _ limit: Double
    ) -> (bin: Int, score: Double) {
        histogram.withUnsafeMutableBufferPointer { histogram in
            for bin in least...most { histogram[bin] = 0 }
            for place in 0..<size {
                let key = keys[place]
                histogram[Int(key >> 1)] &+= 1 &+ UInt64(key & 1) << 32
            }
            var best = (bin: -1, score: limit)
            var sum: UInt64 = histogram[least]
            var last = least
            for bin in least + 1...most {
                let here = histogram[bin]
                if here == 0 { continue }
                take(
                    &best, rows: Int(sum & 0xFFFF_FFFF), left: Int(sum >> 32), size: size, fraud: fraud, between: last,
                    and: bin)
                sum &+= here
                last = bin
            }
            return best
        }
    }

    @inline(__always)
    private func take(
        _ best: inout (bin: Int, score: Double), rows: Int, left: Int, size: Int, fraud: Int, between low: Int,
        and high: Int
    ) {
        guard rows >= minLeaf, size &- rows >= minLeaf else { return }
        let score = purity(left, of: rows) + purity(fraud &- left, of: size &- rows)
        // In the middle of the bins that are empty here.
        if score > best.score { best = ((low &+ high &- 1) / 2, score) }
    }

    /// Those up to the bin first, each side in its order.
    private func partition(_ open: Open, _ split: Split) -> (middle: Int, fraud: Int) {
        let bins = columns.column(split.column)
        return entries.withUnsafeMutableBufferPointer { entries in
            scratch.withUnsafeMutableBufferPointer { scratch in
                var middle = open.start
                var behind = 0
                var fraud = 0
                for place in open.start..<open.end {
                    let entry = entries[place]
                    if Int(bins[Int(entry >> 1)]) <= split.bin {
                        entries[middle] = entry
                        middle += 1
                        fraud += Int(entry & 1)
                    } else {
                        scratch[behind] = entry
                        behind += 1
                    }
                }
                for place in 0..<behind { entries[middle + place] = scratch[place] }
                return (middle, fraud)
            }
        }
    }
}
