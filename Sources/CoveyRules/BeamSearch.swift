import CoveyRuntime

/// Grows conjunctions from the sample: at each length, every kept conjunction is extended by the best conditions on each
/// feature, found from the counts of the feature's bins among the rows that it matches.
struct BeamSearch {
    let sample: SearchSample
    let finder: ConditionFinder
    /// Sampled rows that no rule covers yet.
    let active: RowBits
    /// Rows of the target that a conjunction must match, in sampled rows.
    let minSupport: Int
    let options: RuleSearchOptions

    /// A conjunction, best first by `isBetter`.
    struct Found: Sendable {
        let terms: [BinTerm]
        let reaches: Bool
        let score: Double
    }

    private struct Node: Sendable {
        var terms: [BinTerm]
        var rows: RowBits
        var positives: Int
        var negatives: Int
        var score: Double
    }

    private struct Child {
        let parent: Int
        let term: BinTerm
        let positives: Int
        let negatives: Int
        let score: Double
        let reaches: Bool
    }

    /// - Parameters:
    ///   - wanted: how many conjunctions to return, of different features each.
    ///   - tried: grows by the number of conjunctions that were looked at.
    func run(wanted: Int, tried: inout Int, execution: Execution) throws -> [Found] {
        let all = active.count
        var positives = 0
        active.forEach { if $0 < sample.positives { positives += 1 } }
        var beam = [Node(terms: [], rows: active, positives: positives, negatives: all - positives, score: 0)]
        var pool: [[Int]: Found] = [:]
        for _ in 0..<options.maxConditions {
            let threshold = bar(pool, wanted)
            let children = try extend(beam, threshold, &tried, execution)
            beam = try select(children, beam, &pool, execution)
            if beam.isEmpty { break }
        }
        return Array(pool.sorted { BeamSearch.isBetter($0, $1) }.prefix(wanted).map(\.value))
    }

    private static func isBetter(_ a: (key: [Int], value: Found), _ b: (key: [Int], value: Found)) -> Bool {
        if a.value.reaches != b.value.reaches { return a.value.reaches }
        if a.value.score != b.value.score { return a.value.score > b.value.score }
        return a.key.lexicographicallyPrecedes(b.key)
    }

    /// The score of the last conjunction that would be returned now.
    private func bar(_ pool: [[Int]: Found], _ wanted: Int) -> Double {
        let scores = pool.values.filter(\.reaches).map(\.score).sorted(by: >)
        return scores.count < wanted ? 0 : scores[wanted - 1]
    }

    private func extend(
        _ beam: [Node], _ bar: Double, _ tried: inout Int, _ execution: Execution
    ) throws -> [Child] {
        var slots = [[Child]](repeating: [], count: beam.count)
        try slots.withUnsafeMutableBufferPointer { slots in
            nonisolated(unsafe) let slots = slots
            try execution.parallel(beam.count) { chunk, _ in
                var scratch = Histograms(sample)
                for parent in chunk {
                    slots[parent] = try extend(beam[parent], parent, bar, &scratch, execution)
                }
            }
        }
        tried += slots.reduce(0) { $0 + $1.count }
        return Array(slots.joined())
    }

    private func extend(
        _ node: Node, _ parent: Int, _ bar: Double, _ scratch: inout Histograms, _ execution: Execution
    ) throws -> [Child] {
        // No specialisation can do better than to keep the target's rows and lose all others.
        let optimistic = gain(node.positives, 0)
        if optimistic <= bar { return [] }
        try scratch.count(node.rows, sample, execution)
        var children: [Child] = []
        let costs = node.terms.map { cost($0) }
        let spent = costs.reduce(0, +)
        for feature in 0..<sample.features {
            let bins = sample.bins[feature]
            var kept = spent
            if let place = node.terms.firstIndex(where: { $0.feature == feature }) { kept -= costs[place] }
            scratch.withCounts(feature) { p, n in
                for found in finder.conditions(bins, p, n) {
                    guard found.positives >= minSupport, found.negatives < node.negatives else { continue }
                    let term = BinTerm(feature: feature, test: found.test)
                    let score = gain(found.positives, found.negatives) - kept - cost(term)
                    let p = Double(found.positives) * finder.positiveScale
                    let n = Double(found.negatives) * finder.negativeScale
                    children.append(
                        Child(
                            parent: parent, term: term, positives: found.positives, negatives: found.negatives,
                            score: score, reaches: p >= finder.wantedRate * (p + n)))
                }
            }
        }
        return children
    }

    private func gain(_ positives: Int, _ negatives: Int) -> Double {
        Evidence.gain(
            matched: Double(positives) * finder.positiveScale, Double(negatives) * finder.negativeScale,
            of: finder.positives, finder.negatives)
    }

    private func cost(_ term: BinTerm) -> Double {
        RuleCost.of(term.test, sample.bins[term.feature], features: sample.features)
    }

    /// The best children as the next beam; the best of each set of features goes into the pool.
    private func select(
        _ children: [Child], _ beam: [Node], _ pool: inout [[Int]: Found], _ execution: Execution
    ) throws -> [Node] {
        let order = children.indices.sorted {
            children[$0].score != children[$1].score ? children[$0].score > children[$1].score : $0 < $1
        }
        var seen = Set<[BinTerm]>()
        var next: [Node] = []
        var masks: [BinTerm: RowBits] = [:]
        for index in order {
            let child = children[index]
            guard child.score > 0 else { break }
            var terms = beam[child.parent].terms.filter { $0.feature != child.term.feature }
            terms.append(child.term)
            terms.sort { $0.feature < $1.feature }
            let key = terms.map(\.feature)
            let found = Found(terms: terms, reaches: child.reaches, score: child.score)
            if let known = pool[key] {
                if BeamSearch.isBetter((key, found), (key, known)) { pool[key] = found }
            } else {
                pool[key] = found
            }
            guard next.count < options.beamWidth, seen.insert(terms).inserted else { continue }
            try execution.check()
            let mask = masks[child.term] ?? sample.mask(child.term)
            masks[child.term] = mask
            next.append(
                Node(
                    terms: terms, rows: beam[child.parent].rows.intersection(mask), positives: child.positives,
                    negatives: child.negatives, score: child.score))
        }
        return next
    }
}

/// Counts of all features' bins, in the target and outside.
private struct Histograms {
    private var positive: [UInt32]
    private var negative: [UInt32]
    private let offsets: [Int]

    init(_ sample: SearchSample) {
        var offsets: [Int] = []
        var total = 0
        for bins in sample.bins {
            offsets.append(total)
            total += bins.count + 1
        }
        self.offsets = offsets
        positive = Array(repeating: 0, count: total)
        negative = positive
    }

    mutating func count(_ rows: RowBits, _ sample: SearchSample, _ execution: Execution) throws {
        let features = sample.features
        let offsets = self.offsets
        let boundary = sample.positives
        // Cancel is looked at about every million counts.
        let words = max(1, (1 << 20) / (64 * max(features, 1)))
        func add(_ into: inout [UInt32], _ range: Range<Int>, _ part: Range<Int>) {
            into.withUnsafeMutableBufferPointer { counts in
                sample.codes.withUnsafeBufferPointer { codes in
                    offsets.withUnsafeBufferPointer { offsets in
                        rows.forEach(words: range) { row in
                            guard part.contains(row) else { return }
                            let start = row &* features
                            for feature in 0..<features {
                                counts[offsets[feature] &+ Int(codes[start &+ feature])] &+= 1
                            }
                        }
                    }
                }
            }
        }
        for index in positive.indices { positive[index] = 0 }
        for index in negative.indices { negative[index] = 0 }
        for start in stride(from: 0, to: rows.words.count, by: words) {
            try execution.check()
            let range = start..<min(rows.words.count, start + words)
            if range.lowerBound * 64 < boundary { add(&positive, range, 0..<boundary) }
            if range.upperBound * 64 > boundary { add(&negative, range, boundary..<Int.max) }
        }
    }

    func withCounts(_ feature: Int, _ body: (ConditionFinder.Histogram, ConditionFinder.Histogram) -> Void) {
        positive.withUnsafeBufferPointer { p in
            negative.withUnsafeBufferPointer { n in
                guard let p = p.baseAddress, let n = n.baseAddress else { return }
                body(p + offsets[feature], n + offsets[feature])
            }
        }
    }
}
