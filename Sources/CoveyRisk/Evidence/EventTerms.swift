import CoveyRuntime
import CoveySequences

/// What the events of a sequence are counted by: types, pairs of types that follow each other in time, and gaps by
/// their length, in powers of two seconds.
///
/// A sequence is a sparse vector of its terms: sqrt(count) log(n / d) for a term that d of n sequences have (Spärck
/// Jones 1972), scaled to length 1. A script that a ring follows shows in pairs and gaps, if each single event is an
/// ordinary one.
struct EventTerms: Sendable, Equatable {
    /// The types that are counted, the most frequent first; others have no terms.
    let types: [Int32]
    /// By term, rising: a rank r of `types`; then, with n types, n + n first rank + second rank; then the gaps.
    let codes: [Int32]
    /// log(n / d), by term.
    let weights: [Double]
    /// By code; -1 = no term.
    private let places: [Int32]

    private static let mostTypes = 128
    private static let mostTerms = 4096
    /// A term that fewer sequences have says nothing about new ones.
    private static let leastSequences = 3
    private static let gaps = 32

    /// O(events).
    /// - Parameter vocabulary: types outside of 0..<vocabulary count as type 0, the unknown one.
    init(fitting sequences: SequenceBatch, vocabulary: Int, execution: Execution) throws {
        let types = Array(
            try EventColumns.types(of: sequences, vocabulary: vocabulary, execution: execution)
                .prefix(EventTerms.mostTypes))
        let ranks = EventTerms.ranks(types, vocabulary)
        let total = EventTerms.codes(types.count)
        var holding = [Int](repeating: 0, count: total)
        var last = [Int](repeating: -1, count: total)
        for row in 0..<sequences.count {
            if row & 0xFFF == 0 { try execution.report() }
            try EventTerms.visit(sequences, row, ranks, types.count, execution) { code in
                if last[code] != row {
                    last[code] = row
                    holding[code] += 1
                }
            }
        }
        let kept = (0..<total)
            .filter { holding[$0] >= EventTerms.leastSequences && holding[$0] < sequences.count }
            .sorted { holding[$0] != holding[$1] ? holding[$0] > holding[$1] : $0 < $1 }
            .prefix(EventTerms.mostTerms).sorted()
        self.init(
            types: types, codes: kept.map { Int32($0) },
            weights: kept.map { naturalLogarithm(Double(sequences.count) / Double(holding[$0])) })
    }

    /// Terms that were kept in a file. Check them by `isValid` first.
    init(types: [Int32], codes: [Int32], weights: [Double]) {
        self.types = types
        self.codes = codes
        self.weights = weights
        var places = [Int32](repeating: -1, count: EventTerms.codes(types.count))
        for (place, code) in codes.enumerated() where places.indices.contains(Int(code)) {
            places[Int(code)] = Int32(place)
        }
        self.places = places
    }

    var count: Int { codes.count }

    static func isValid(types: [Int32], codes: [Int32], weights: [Double]) -> Bool {
        types.count <= mostTypes && types.allSatisfy { $0 >= 0 } && Set(types).count == types.count
            && codes.count <= mostTerms && codes.count == weights.count
            && codes.allSatisfy { (0..<Int32(EventTerms.codes(types.count))).contains($0) }
            && zip(codes, codes.dropFirst()).allSatisfy { $0 < $1 }
            && weights.allSatisfy { (1e-12...100).contains($0) }
    }

    /// How often each sequence has each term. O(events) and a sort of each sequence's terms.
    func rows(_ sequences: SequenceBatch, vocabulary: Int, execution: Execution) throws -> TermRows {
        let ranks = EventTerms.ranks(types, vocabulary)
        // An event has at most three terms.
        try execution.hold(
            checkedProduct(sequences.offsets.events.count, 9, "event terms"), of: 1, for: "event terms")
        try execution.hold(sequences.count, of: 8, for: "event terms")
        var counts = [Int](repeating: 0, count: count)
        var rows = TermRows()
        for row in 0..<sequences.count {
            if row & 0xFFF == 0 { try execution.report() }
            var found: [Int32] = []
            try EventTerms.visit(sequences, row, ranks, types.count, execution) { code in
                let term = places[code]
                guard term >= 0 else { return }
                if counts[Int(term)] == 0 { found.append(term) }
                counts[Int(term)] += 1
            }
            found.sort()
            rows.append(found.map { (term: UInt16($0), count: counts[Int($0)]) })
            for term in found { counts[Int(term)] = 0 }
        }
        return rows
    }

    /// The number of codes for a number of types.
    private static func codes(_ types: Int) -> Int { types + types * types + gaps }

    private static func ranks(_ types: [Int32], _ vocabulary: Int) -> [Int32] {
        var ranks = [Int32](repeating: -1, count: max(1, vocabulary))
        for (rank, type) in types.enumerated() where Int(type) < ranks.count { ranks[Int(type)] = Int32(rank) }
        return ranks
    }

    /// Calls `found` with the code of each term of a sequence, as often as it has it.
    @inline(__always)
    private static func visit(
        _ sequences: SequenceBatch, _ row: Int, _ ranks: [Int32], _ types: Int, _ execution: Execution,
        _ found: (Int) -> Void
    ) throws {
        let range = sequences.offsets[row]
        let order = try sequences.timeOrder(row, execution)
        var before = (rank: -1, time: 0.0)
        try execution.forEach(0..<range.count) { step in
            let event = range.lowerBound + (order.map { Int($0[step]) } ?? step)
            let rank = Int(ranks[EventColumns.type(sequences.types[event], ranks.count)])
            let time = sequences.times[event]
            if rank >= 0 { found(rank) }
            if step > 0 {
                if rank >= 0, before.rank >= 0 { found(types + before.rank * types + rank) }
                found(types + types * types + gap(time - before.time))
            }
            before = (rank, time)
        }
    }

    /// 0 for none, 1 below 2^-5 seconds, ..., 31 from 2^24 seconds on.
    private static func gap(_ seconds: Double) -> Int {
        guard seconds > 0 else { return 0 }
        return Int(max(-6, min(seconds.exponent, 24))) + 7
    }
}
