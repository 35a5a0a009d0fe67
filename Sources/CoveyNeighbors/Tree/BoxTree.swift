import CCoveyKernels
import CoveyRuntime

/// The boxes of a k-d tree at every third level, from the leaves up, in blocks of eight. The eight nodes three levels
/// below a node are one block, and one SIMD pass tests them together.
final class BoxTree: @unchecked Sendable {
    private static let width = Int(CK_BOXES)

    private let boxed: Int
    private let manhattan: Bool
    /// For each block the smallest, then the largest coordinates of its eight boxes, by columns.
    private let blocks: AlignedBuffer<Double>
    /// For each tier, the leaves' tier first: the tree's number of its first node, and the number of its first block.
    private var firstNode: InlineArray<12, Int> = .init(repeating: 0)
    private var firstBlock: InlineArray<12, Int> = .init(repeating: 0)
    /// The number of nodes in the top tier, which has one block.
    private let tiers: Int
    private let topCount: Int

    /// - Parameter boxes: for each node of the tree its smallest, then its largest coordinates.
    init(
        _ boxes: UnsafePointer<Double>, boxed m: Int, leafCount: Int, manhattan: Bool, execution: Execution
    ) throws {
        boxed = m
        self.manhattan = manhattan
        var tiers = 0
        var nodes = leafCount
        var count = 0
        while nodes > 1 {
            firstNode[tiers] = nodes - 1
            firstBlock[tiers] = count
            count += (nodes + BoxTree.width - 1) / BoxTree.width
            tiers += 1
            nodes /= BoxTree.width
        }
        self.tiers = tiers
        topCount = tiers == 0 ? 0 : firstNode[tiers - 1] + 1
        let size = 2 * m * BoxTree.width
        blocks = try AlignedBuffer(checkedProduct(max(1, count), size, "the k-d tree"), for: "the k-d tree", execution)
        for tier in 0..<tiers {
            let (first, base, nodes) = (firstNode[tier], firstBlock[tier], firstNode[tier] + 1)
            let blocks = blocks
            nonisolated(unsafe) let boxes = boxes
            try execution.parallel((nodes + BoxTree.width - 1) / BoxTree.width, grain: 4096) { chunk, _ in
                for block in chunk {
                    let target = blocks.pointer + (base + block) * size
                    for lane in 0..<BoxTree.width {
                        let node = block * BoxTree.width + lane
                        for c in 0..<2 * m {
                            target[c * BoxTree.width + lane] = node < nodes ? boxes[(first + node) * 2 * m + c] : 0
                        }
                    }
                }
            }
        }
    }

    /// A block that is still to be tested.
    struct Entry {
        let block: Int32
        let tier: Int16
        /// The node of the block to leave out, or -1.
        let except: Int16
        /// The gap to the box around the block.
        let gap: Double
    }

    /// The size of the stack of `walk`: one way up, and at most seven blocks for each tier on the way down.
    static let stackSize = 128

    /// Visits the leaves near a leaf, those nearest in the tree first, but not the leaf itself.
    /// - Parameters:
    ///   - box: the leaf's box.
    ///   - stack: scratch memory for `stackSize` blocks.
    ///   - gaps: scratch memory for eight numbers.
    @inline(__always)
    func walk<Visitor: LeafVisitor>(
        from leaf: Int, _ box: UnsafePointer<Double>, _ stack: UnsafeMutablePointer<Entry>,
        _ gaps: UnsafeMutablePointer<Double>, _ visitor: inout Visitor
    ) {
        var node = leaf
        for tier in 0..<tiers {
            stack[tiers &- 1 &- tier] = Entry(
                block: Int32(truncatingIfNeeded: firstBlock[tier] &+ node / BoxTree.width),
                tier: Int16(truncatingIfNeeded: tier),
                except: Int16(truncatingIfNeeded: node % BoxTree.width), gap: 0)
            node /= BoxTree.width
        }
        var top = tiers
        while top > 0 {
            top &-= 1
            let entry = stack[top]
            if entry.gap > visitor.most {
                visitor.pass(entry.gap)
                continue
            }
            let (block, tier) = (Int(entry.block), Int(entry.tier))
            let boxes = blocks.pointer + block &* (2 &* boxed &* BoxTree.width)
            let near =
                manhattan
                ? ck_box_gaps_manhattan(box, boxes, Int64(boxed), visitor.most, gaps)
                : ck_box_gaps_squared(box, boxes, Int64(boxed), visitor.most, gaps)
            var meant: UInt32 = tier == tiers &- 1 && topCount < BoxTree.width ? (1 << UInt32(topCount)) &- 1 : 0xFF
            if entry.except >= 0 { meant &= ~(1 << UInt32(entry.except)) }
            let place = (block &- firstBlock[tier]) &* BoxTree.width
            var wanted = visitor.screen(firstNode[tier] &+ place, gaps, meant, near & meant)
            if tier > 0 {
                // The nearest block is on top.
                while wanted != 0 {
                    let lane = BoxTree.extreme(wanted, gaps, farthest: true)
                    wanted &= ~(1 << UInt32(lane))
                    stack[top] = Entry(
                        block: Int32(truncatingIfNeeded: firstBlock[tier &- 1] &+ place &+ lane), tier: entry.tier &- 1,
                        except: -1, gap: gaps[lane])
                    top &+= 1
                }
            } else {
                while wanted != 0 {
                    let lane = BoxTree.extreme(wanted, gaps, farthest: false)
                    wanted &= ~(1 << UInt32(lane))
                    if gaps[lane] > visitor.most {
                        visitor.pass(gaps[lane])
                        break
                    }
                    visitor.visit(firstNode[0] &+ place &+ lane)
                }
            }
        }
    }

    /// The nearest or the farthest of some boxes.
    @inline(__always)
    private static func extreme(_ wanted: UInt32, _ gaps: UnsafePointer<Double>, farthest: Bool) -> Int {
        var best = wanted.trailingZeroBitCount
        var rest = wanted & (wanted &- 1)
        while rest != 0 {
            let lane = rest.trailingZeroBitCount
            if farthest ? gaps[lane] > gaps[best] : gaps[lane] < gaps[best] { best = lane }
            rest &= rest &- 1
        }
        return best
    }
}

/// A visitor decides what a walk over a `BoxTree` searches for.
protocol LeafVisitor {
    /// The largest gap of a leaf that is still wanted. It may shrink during the walk.
    var most: Double { get }

    /// Returns which of eight nodes are wanted.
    /// - Parameters:
    ///   - meant: a bit for each node that exists and was not visited on the way up.
    ///   - near: a bit for each of these with a gap of at most `most`.
    mutating func screen(_ first: Int, _ gaps: UnsafePointer<Double>, _ meant: UInt32, _ near: UInt32) -> UInt32

    /// Receives the gap of a block that was wanted when it was found but is now too far.
    mutating func pass(_ gap: Double)

    /// Receives a leaf's node.
    mutating func visit(_ node: Int)
}
