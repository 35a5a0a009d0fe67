import CCoveyKernels
import CoveyRuntime

/// Improves lists of near rows by neighbour descent (Dong, Moses, Li 2011): a neighbour of a neighbour is likely to be
/// a neighbour. Each round reads the lists as they were when it began, so that the outcome does not depend on threads.
final class NeighborDescent: @unchecked Sendable {
    private let lists: NearLists
    private let execution: Execution
    /// The number of entries of a row's list, and the number of rows that list the row, that take part.
    private var depth: Int
    private let count: Int
    /// The first entries of each row's list when the round began, in the form that `ck_list_candidates` reads.
    private let forward: AlignedBuffer<Int32>
    /// The same for the rows that list a row, or for a sample of them.
    private let backward: AlignedBuffer<Int32>
    private let backwardCounts: AlignedBuffer<Int32>
    /// One bit for each of the first entries of a list: whether it is new.
    private let fresh: AlignedBuffer<UInt32>

    /// The largest number of entries that take part, and the smaller number for rows that would have many candidates.
    /// In data of many intrinsic dimensions a row's neighbours are rarely neighbours of each other, so that more
    /// entries cost much and find little.
    private static let most = Int(CK_ENTRIES)
    private static let fewer = 10
    private static let manyCandidates = 128

    init(_ lists: NearLists, execution: Execution) throws {
        self.lists = lists
        self.execution = execution
        depth = min(NeighborDescent.most, lists.length)
        count = lists.count
        forward = try AlignedBuffer(
            checkedProduct(count, NeighborDescent.most, "near rows"), for: "near rows", execution)
        backward = try AlignedBuffer(
            checkedProduct(count, NeighborDescent.most, "near rows"), for: "near rows", execution)
        backwardCounts = try AlignedBuffer(count, for: "near rows", execution)
        fresh = try AlignedBuffer(count, repeating: .max, for: "near rows", execution)
    }

    /// Runs at most `rounds` rounds, and ends earlier if little changes.
    func run(rounds: Int) throws {
        for round in 0..<rounds {
            try snapshot()
            if round == 0 { try chooseDepth() }
            let taken = try join(round)
            if taken < count / 4 { return }
        }
    }

    private func snapshot() throws {
        let most = NeighborDescent.most
        let listed = min(most, lists.length)
        try execution.parallel(count, grain: 16_384) { [self] chunk, _ in
            for p in chunk {
                let entries = forward.pointer + p * most
                for slot in 0..<most {
                    let other = slot < listed ? lists.indices[p * lists.length + slot] : -1
                    entries[slot] = other < 0 ? -1 : other << 1 | Int32(fresh[p] >> UInt32(slot) & 1)
                }
                (backward.pointer + p * most).update(repeating: -1, count: most)
                fresh[p] = 0
                backwardCounts[p] = 0
            }
        }
        for p in 0..<count {
            if p & 0xFFF == 0 { try execution.report() }
            for slot in 0..<depth {
                let entry = forward.pointer[p &* most &+ slot]
                if entry < 0 { break }
                let other = Int(entry >> 1)
                let seen = Int(backwardCounts.pointer[other])
                backwardCounts.pointer[other] = Int32(seen &+ 1)
                // A hub is in many lists; a sample of these rows takes part.
                let place = seen < depth ? seen : Int((UInt64(p) &* 0x9E37_79B9_7F4A_7C15) >> 33) % (seen &+ 1)
                if place < depth { backward.pointer[other &* most &+ place] = Int32(p) << 1 | entry & 1 }
            }
        }
    }

    /// One thread's scratch memory: a set of rows that were seen, and the rows whose distances must be computed.
    private final class Room {
        let table: AlignedBuffer<Int32>
        let used: AlignedBuffer<Int32>
        let candidates: AlignedBuffer<Int32>
        let distances: AlignedBuffer<Float>
        /// The first places and the sizes of the cells that the row was compared with.
        let firsts: AlignedBuffer<Int32>
        /// The rows that were measured.
        var work = 0
        let sizes: AlignedBuffer<UInt32>

        init(_ lists: NearLists, _ execution: Execution) throws {
            let size = Int(CK_TABLE)
            table = try AlignedBuffer(size, repeating: -1, for: "candidates", execution)
            used = try AlignedBuffer(size, for: "candidates", execution)
            candidates = try AlignedBuffer(size, for: "candidates", execution)
            distances = try AlignedBuffer(size, for: "candidates", execution)
            firsts = try AlignedBuffer(lists.index.probeCount, for: "candidates", execution)
            sizes = try AlignedBuffer(lists.index.probeCount, for: "candidates", execution)
        }

        func takeWork() -> Int {
            defer { work = 0 }
            return work
        }
    }

    /// Collects the candidates of a row: neighbours of its neighbours with which it was not compared in a cell. Returns
    /// their number.
    private func gather(_ p: Int, _ room: Room) -> Int {
        let index = lists.index
        var ranges = 0
        for probe in 0..<lists.scannedProbes(p) {
            let cell = Int(index.probes.pointer[p &* index.probeCount &+ probe])
            guard lists.isWhole(cell) else { continue }
            room.firsts.pointer[ranges] = Int32(index.starts[cell])
            room.sizes.pointer[ranges] = UInt32(index.starts[cell + 1] - index.starts[cell])
            ranges &+= 1
        }
        return Int(
            ck_list_candidates(
                Int64(p), Int64(depth), forward.pointer, backward.pointer, lists.indices.pointer + p &* lists.length,
                Int64(lists.length), room.firsts.pointer, room.sizes.pointer, Int64(ranges), room.table.pointer,
                room.used.pointer, room.candidates.pointer))
    }

    /// Counts the candidates of some rows, evenly spread.
    private func chooseDepth() throws {
        let room = try Room(lists, execution)
        let sampled = min(count, 512)
        var candidates = 0
        for sample in 0..<sampled {
            if sample & 63 == 0 { try execution.report() }
            candidates += gather(sample * count / sampled, room)
        }
        if candidates > sampled * NeighborDescent.manyCandidates { depth = min(depth, NeighborDescent.fewer) }
    }

    /// Returns the number of changed entries.
    private func join(_ round: Int) throws -> Int {
        let rooms = try (0..<execution.threads).map { _ in try Room(lists, execution) }
        let grain = 1024
        let taken = try AlignedBuffer<Int>((count + grain - 1) / grain, repeating: 0, for: "near rows", execution)
        try execution.parallel(count, grain: grain, stage: "neighbours") { [self] chunk, thread in
            var sum = 0
            for p in chunk {
                if p & 63 == 0 { try execution.report() }
                sum += join(p, rooms[thread])
            }
            taken[chunk.lowerBound / grain] = sum
            SearchWork.add(rooms[thread].takeWork())
        }
        return (0..<taken.count).reduce(0) { $0 + taken[$1] }
    }

    private func join(_ p: Int, _ room: Room) -> Int {
        let found = gather(p, room)
        guard found > 0 else { return 0 }
        room.work += found
        let packed = lists.index.packed
        let length = lists.length
        ck_list_distances(
            packed.numbers.pointer, Int64(packed.stride), Int64(p), room.candidates.pointer, Int64(found),
            room.distances.pointer)
        let own = lists.distances.pointer + p &* length
        let ownIndices = lists.indices.pointer + p &* length
        var taken = 0
        var bits = fresh.pointer[p]
        for candidate in 0..<found {
            let distance = room.distances.pointer[candidate]
            guard distance < own[length &- 1] else { continue }
            var place = length &- 1
            while place > 0, own[place &- 1] > distance {
                own[place] = own[place &- 1]
                ownIndices[place] = ownIndices[place &- 1]
                place &-= 1
            }
            own[place] = distance
            ownIndices[place] = room.candidates.pointer[candidate]
            if place < 32 {
                let low = (UInt32(1) &<< UInt32(place)) &- 1
                bits = bits & low | (bits & ~low) &<< 1 | (low &+ 1)
            }
            taken &+= 1
        }
        fresh.pointer[p] = bits
        return taken
    }
}
