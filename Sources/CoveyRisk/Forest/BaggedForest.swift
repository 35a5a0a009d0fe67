import CoveyRuntime
import CoveyTables

/// A random forest (Breiman 2001) for positive and unlabelled data (balanced bagging: Mordelet and Vert 2014): each
/// tree is grown on a bootstrap sample of the rows known to be fraud and on a few of the others, of which some may be
/// fraud too; both weigh the same. What it says of a row it was grown on comes from the trees that did not see the row
/// (out of bag).
///
/// The forest is the one supervised model beside Covey's own evidence, and is named as such wherever it speaks. It is
/// written here because the libraries at hand (Debian's libxgboost, LightGBM) need OpenMP and keep settings and threads
/// for the whole process, which a guest in somebody's process must not do. Immutable, for any number of threads.
public struct BaggedForest: Sendable, Equatable {
    public struct Options: Sendable, Equatable, Codable {
        /// 1 to 10,000.
        public var trees = 200
        /// The fewest rows in a leaf, at least 1.
        public var minLeaf = 1
        public var seed: UInt64 = 0

        public init() {}
    }

    /// The most rows known to be fraud that a tree draws; others are so many times as many, at least `leastOthers`.
    private static let mostFraud = 4_000
    private static let othersPerFraud = 4
    private static let leastOthers = 30

    let trees: [ForestTree]
    public let columns: Int

    public var treeCount: Int { trees.count }
    /// Of all trees.
    var nodeCount: Int { trees.reduce(0) { $0 + $1.nodes.count } }

    init(trees: [ForestTree], columns: Int) {
        self.trees = trees
        self.columns = columns
    }

    /// Grows a forest, and gives what it says of each row out of bag, or where every tree saw the row in all.
    ///
    /// O(trees sample root(columns) log sample) time; 2 bytes a number beside the matrix, 16 a node of the trees, which
    /// are held until the call ends. The same for any number of
    /// threads: each tree has a seed of its own, and out-of-bag shares are summed as whole numbers.
    /// - Parameters:
    ///   - matrix: n finite rows.
    ///   - fraud: the rows known to be fraud; at least one.   others: those that they are told from; at least one.
    public static func grow(
        _ matrix: Matrix<Float>, fraud: [Int32], others: [Int32], options: Options = Options(), execution: Execution
    ) throws -> (forest: BaggedForest, outOfBag: [Double]) {
        try grow(
            matrix, fraud: fraud, others: others, options: options, binned: nil, isJudged: true, execution: execution)
    }

    /// - Parameters:
    ///   - binned: the matrix's columns, if they are known already.
    ///   - isJudged: whether the rows are to be judged out of bag.
    static func grow(
        _ matrix: Matrix<Float>, fraud: [Int32], others: [Int32], options: Options, binned given: BinnedColumns?,
        isJudged: Bool, execution: Execution
    ) throws -> (forest: BaggedForest, outOfBag: [Double]) {
        guard !fraud.isEmpty, !others.isEmpty, options.trees >= 1, options.minLeaf >= 1, matrix.columns >= 1,
            matrix.rows < 1 << 31
        else {
            throw CoveyError.internalError("a forest on \(fraud.count) frauds and \(others.count) others")
        }
        let binned = try given ?? BinnedColumns(matrix, execution: execution)
        let perSplit = Int(Double(matrix.columns).squareRoot().rounded(.up))
        let positives = min(mostFraud, fraud.count)
        let drawn = min(others.count, max(leastOthers, othersPerFraud * positives))
        let threads = min(execution.threads, options.trees)
        let rows = matrix.rows
        // A row's sum, count and mark, the sample and the nodes of a tree that grows, the pool.
        let perThread = (isJudged ? 13 : 1) * rows + 128 * (drawn + positives) + 4 * others.count
        let scratch = try HeldMemory(threads * perThread, for: "growing a forest", execution)
        defer { withExtendedLifetime(scratch) {} }
        var trees = [ForestTree?](repeating: nil, count: options.trees)
        var sums = [UInt64](repeating: 0, count: isJudged ? threads * rows : 0)
        var counts = [UInt32](repeating: 0, count: sums.count)
        try trees.withUnsafeMutableBufferPointer { trees in
            try sums.withUnsafeMutableBufferPointer { sums in
                try counts.withUnsafeMutableBufferPointer { counts in
                    nonisolated(unsafe) let (trees, sums, counts) = (trees, sums, counts)
                    try execution.parallel(options.trees, stage: "forest") { chunk, thread in
                        let grower = TreeGrower(binned, perSplit: perSplit, minLeaf: options.minLeaf)
                        var seen = [Bool](repeating: false, count: rows)
                        var pool = others
                        for index in chunk {
                            var random = SeededRandom(seed: options.seed &* 0x2545_F491_4F6C_DD1D &+ UInt64(index) &+ 1)
                            random = SeededRandom(seed: random.next())
                            let sample = draw(fraud, positives, &pool, drawn, &random)
                            let tree = try grower.grow(sample, &random, execution)
                            try execution.hold(
                                tree.nodes.count, of: MemoryLayout<ForestTree.Node>.stride,
                                for: "the trees of a forest")
                            trees[index] = tree
                            guard isJudged else { continue }
                            for entry in sample { seen[Int(entry >> 1)] = true }
                            try addUnseen(
                                tree, matrix, seen, sums.baseAddress! + thread * rows,
                                counts.baseAddress! + thread * rows,
                                execution)
                            for entry in sample { seen[Int(entry >> 1)] = false }
                        }
                    }
                }
            }
        }
        let forest = BaggedForest(trees: trees.compactMap { $0 }, columns: matrix.columns)
        guard isJudged else { return (forest, []) }
        let outOfBag = try execution.map(rows, for: "shares out of bag") { row in
            var (sum, count) = (UInt64(0), UInt64(0))
            for thread in 0..<threads {
                sum &+= sums[thread * rows + row]
                count &+= UInt64(counts[thread * rows + row])
            }
            return count > 0 ? Double(sum) / Double(count) * 0x1p-32 : forest.share(matrix, row)
        }
        return (forest, outOfBag)
    }

    /// Rows known to be fraud with replacement, others without. The pool's order is given back: a sample depends on its
    /// seed alone.
    private static func draw(
        _ fraud: [Int32], _ positives: Int, _ pool: inout [Int32], _ drawn: Int, _ random: inout SeededRandom
    ) -> [UInt32] {
        var sample: [UInt32] = []
        sample.reserveCapacity(positives + drawn)
        for _ in 0..<positives {
            sample.append(UInt32(fraud[Int.random(in: 0..<fraud.count, using: &random)]) << 1 | 1)
        }
        var swaps: [Int] = []
        swaps.reserveCapacity(drawn)
        for place in 0..<drawn {
            let other = Int.random(in: place..<pool.count, using: &random)
            pool.swapAt(place, other)
            swaps.append(other)
            sample.append(UInt32(pool[place]) << 1)
        }
        for place in stride(from: drawn - 1, through: 0, by: -1) { pool.swapAt(place, swaps[place]) }
        return sample
    }

    private static func addUnseen(
        _ tree: ForestTree, _ matrix: Matrix<Float>, _ seen: [Bool], _ sums: UnsafeMutablePointer<UInt64>,
        _ counts: UnsafeMutablePointer<UInt32>, _ execution: Execution
    ) throws {
        try matrix.elements.withUnsafeBufferPointer { elements in
            for row in 0..<matrix.rows where !seen[row] {
                if row & 0x3FFF == 0 { try execution.check() }
                let share = tree.share(elements.baseAddress! + row * matrix.columns)
                sums[row] &+= UInt64(Double(share) * 0x1p32)
                counts[row] &+= 1
            }
        }
    }

    /// The mean share in the leaves of one row.
    func share(_ matrix: Matrix<Float>, _ row: Int) -> Double {
        matrix.elements.withUnsafeBufferPointer { elements in
            let start = elements.baseAddress! + row * columns
            return trees.reduce(0.0) { $0 + Double($1.share(start)) } / Double(trees.count)
        }
    }

    /// A share as log odds, held where so many trees can tell no more: log((100 p + 0.5) / (100.5 - 100 p)).
    public static func odds(_ share: Double) -> Double { naturalLogarithm((100 * share + 0.5) / (100.5 - 100 * share)) }

    /// The mean share of known fraud in the leaves of each row. O(rows trees log).
    public func shares(_ matrix: Matrix<Float>, execution: Execution) throws -> [Double] {
        guard matrix.columns == columns else {
            throw CoveyError.mismatch("the forest takes rows of \(columns) columns, got \(matrix.columns)")
        }
        var result = try execution.array(matrix.rows) { _ in 0.0 }
        try result.withUnsafeMutableBufferPointer { result in
            try matrix.elements.withUnsafeBufferPointer { elements in
                nonisolated(unsafe) let (result, elements) = (result, elements)
                // A tree stays in the cache while it judges some rows.
                try execution.parallel(matrix.rows, grain: 256, stage: "forest: scores") { chunk, _ in
                    for tree in trees {
                        for row in chunk {
                            result[row] += Double(tree.share(elements.baseAddress! + row * columns))
                        }
                    }
                    for row in chunk { result[row] /= Double(trees.count) }
                }
            }
        }
        return result
    }

    /// How much each column raised or lowered what the forest says of a row: the changes of the share along the row's
    /// way through each tree (Palczewska et al. 2014). They sum to the row's share less that of the roots.
    public func contributions(_ row: UnsafePointer<Float>) -> [Double] {
        var sums = [Double](repeating: 0, count: columns)
        for tree in trees { tree.addContributions(row, to: &sums) }
        return sums.map { $0 / Double(trees.count) }
    }
}
