import CCoveyKernels
import CoveyRuntime

/// The boxes of a k-d tree at every third level, from the leaves up, in blocks of eight: what is below a node three levels down
/// is one block, and is looked at together.
final class BoxTree: @unchecked Sendable {
    private static let width = Int(CK_BOXES)

    private let boxed: Int
    private let manhattan: Bool
    /// Each block: the least, then the greatest coordinates of its eight boxes, by columns.
    private let blocks: AlignedBuffer<Double>
    /// By tier, that of the leaves first: the tree's number of the first node, the number of the first block.
    private var firstNode: InlineArray<12, Int> = .init(repeating: 0)
    private var firstBlock: InlineArray<12, Int> = .init(repeating: 0)
    /// The uppermost tier has one block, of these many nodes.
    private let tiers: Int
    private let topCount: Int

    /// - Parameter boxes: of each node of the tree its least, then greatest coordinates.
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

    /// A block that is still to be looked at.
    struct Entry {
        let block: Int32
        let tier: Int16
        /// The node of the block that is not meant, or -1.
        let except: Int16
        /// That of the box around it.
        let gap: Double
    }

    /// Room for `walk`: a way up, and at most seven blocks a tier on the way down.
    static let stackSize = 128

    /// Leads a visitor to the leaves near a leaf, its neighbours in the tree first, but not to itself.
    /// - Parameters:
    ///   - box: that of the leaf.
    ///   - stack: room for `stackSize`.
    ///   - gaps: room for eight.
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
                // The nearest on top.
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

    /// Of some boxes the nearest or farthest.
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

/// What a walk over a `BoxTree` looks for.
protocol LeafVisitor {
    /// The gap up to which leaves are wanted; may fall.
    var most: Double { get }

    /// Says which of eight nodes are wanted.
    /// - Parameters:
    ///   - meant: a bit for each that is there and not on the way up.
    ///   - near: a bit for each of those with a gap of at most `most`.
    mutating func screen(_ first: Int, _ gaps: UnsafePointer<Double>, _ meant: UInt32, _ near: UInt32) -> UInt32

    /// Takes the gap of what was wanted first and then too far.
    mutating func pass(_ gap: Double)

    /// Takes a leaf's node.
    mutating func visit(_ node: Int)
}
