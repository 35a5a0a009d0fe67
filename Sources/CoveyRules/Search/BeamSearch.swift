import CoveyRuntime

/// Grows conjunctions from the sample: at each length, every kept conjunction is extended by the best conditions on
/// each feature, found from the weights of the feature's bins among the rows that it matches.
struct BeamSearch {
    let sample: SearchSample
    let finder: ConditionFinder
    /// Sampled rows that no rule covers yet.
    let active: RowBits
    /// Of each feature.
    let directions: [Direction]
    let maxConditions: Int
    let beamWidth: Int

    /// Features, ascending, of a conjunction.
    typealias Pool = [[Int]: Found]

    /// A conjunction, best first by `isBetter`.
    struct Found: Sendable {
        let terms: [BinTerm]
        let reaches: Bool
        let score: Double
        let support: Double

        func isBetter(than other: Found) -> Bool {
            if reaches != other.reaches { return reaches }
            if score != other.score { return score > other.score }
            if support != other.support { return support > other.support }
            if terms.count != other.terms.count { return terms.count < other.terms.count }
            return terms.map(\.feature).lexicographicallyPrecedes(other.terms.map(\.feature))
        }
    }

    private struct Node: Sendable {
        var terms: [BinTerm]
        var rows: RowBits
        var tally: Tally
    }

    private struct Child {
        let parent: Int
        let term: BinTerm
        let tally: Tally
        let score: Double
        let reaches: Bool
    }

    /// Adds the best conjunction of each set of features to `pool`.
    /// - Parameters:
    ///   - wanted: how many of the best conjunctions are of interest; what cannot be among them is not extended.
    ///   - tried: grows by the number of conjunctions that were looked at.
    func run(wanted: Int, into pool: inout Pool, tried: inout Int, execution: Execution) throws {
        var beam = [Node(terms: [], rows: active, tally: sample.tally(active))]
        for _ in 0..<maxConditions {
            let threshold = bar(pool, wanted)
            let children = try extend(beam, threshold, &tried, execution)
            beam = try select(children, beam, &pool, execution)
            if beam.isEmpty { break }
        }
    }

    /// The score of the last conjunction that would be returned now.
    private func bar(_ pool: Pool, _ wanted: Int) -> Double {
        let scores = pool.values.filter(\.reaches).map(\.score).sorted(by: >)
        return scores.count < wanted ? finder.objective.least : scores[wanted - 1]
    }

    private func extend(
        _ beam: [Node], _ bar: Double, _ tried: inout Int, _ execution: Execution
    ) throws -> [Child] {
        var slots = [[Child]](repeating: [], count: beam.count)
        try slots.withUnsafeMutableBufferPointer { slots in
            nonisolated(unsafe) let slots = slots
            // Few rows are not worth a thread.
            let grain = beam.count * active.words.count < 1024 ? beam.count : 1
            try execution.parallel(beam.count, grain: grain) { chunk, _ in
                var histograms = BinHistograms(sample, withAmounts: finder.objective.quality == .amount)
                var scratch = ConditionFinder.Scratch()
                for parent in chunk {
                    slots[parent] = try extend(beam[parent], parent, bar, &histograms, &scratch, execution)
                }
            }
        }
        tried += slots.reduce(0) { $0 + $1.count }
        return Array(slots.joined())
    }

    private func extend(
        _ node: Node, _ parent: Int, _ bar: Double, _ histograms: inout BinHistograms,
        _ scratch: inout ConditionFinder.Scratch, _ execution: Execution
    ) throws -> [Child] {
        let objective = finder.objective
        let costs = node.terms.map { cost($0) }
        let spent = costs.reduce(0, +)
        // Of equal quotients the one with more support is the better, so that a bound that equals the bar does not end
        // it.
        let bound = objective.bound(node.tally, cost: spent)
        if objective.isRatio ? bound < bar : bound <= bar { return [] }
        try histograms.count(node.rows, sample, execution)
        var children: [Child] = []
        children.reserveCapacity(4 * sample.features)
        for feature in 0..<sample.features {
            if feature & 0xFF == 0xFF { try execution.check() }
            var kept = spent
            if let place = node.terms.firstIndex(where: { $0.feature == feature }) { kept -= costs[place] }
            let named = kept + RuleCost.feature(sample.features)
            finder.conditions(sample.bins[feature], histograms[feature], directions[feature], cost: named, &scratch)
            for found in scratch.found {
                guard found.tally.positives >= finder.minSupport, found.tally.negatives < node.tally.negatives else {
                    continue
                }
                let term = BinTerm(feature: feature, test: found.test)
                let score = objective.score(found.tally, cost: kept + cost(term))
                guard score > 0 else { continue }
                children.append(
                    Child(
                        parent: parent, term: term, tally: found.tally, score: score,
                        reaches: found.tally.rate >= objective.wantedRate))
            }
        }
        return children
    }

    private func cost(_ term: BinTerm) -> Double {
        RuleCost.of(term.test, sample.bins[term.feature], features: sample.features)
    }

    /// The best children as the next beam; the best of each set of features goes into the pool.
    private func select(
        _ children: [Child], _ beam: [Node], _ pool: inout Pool, _ execution: Execution
    ) throws -> [Node] {
        func terms(_ child: Child) -> [BinTerm] {
            var terms = beam[child.parent].terms.filter { $0.feature != child.term.feature }
            terms.append(child.term)
            terms.sort { $0.feature < $1.feature }
            return terms
        }
        // The same conjunction comes from each of its parts.
        let order = BeamSearch.best(children.indices, of: children, count: 8 * (beamWidth + 64))
        let reaching = BeamSearch.best(
            children.indices.filter { children[$0].reaches }, of: children, count: 8 * (beamWidth + 64))
        for index in reaching + order.prefix(256) {
            let child = children[index]
            let terms = terms(child)
            let found = Found(terms: terms, reaches: child.reaches, score: child.score, support: child.tally.positives)
            let key = terms.map(\.feature)
            if pool[key].map({ found.isBetter(than: $0) }) ?? true { pool[key] = found }
        }
        var seen = Set<[BinTerm]>()
        var next: [Node] = []
        var masks: [BinTerm: RowBits] = [:]
        for index in order where next.count < beamWidth {
            let child = children[index]
            let terms = terms(child)
            guard seen.insert(terms).inserted else { continue }
            try execution.check()
            let mask = masks[child.term] ?? sample.mask(child.term)
            masks[child.term] = mask
            next.append(Node(terms: terms, rows: beam[child.parent].rows.intersection(mask), tally: child.tally))
        }
        return next
    }

    /// The `count` best of some children, best first: by score, then by support, then in the order in which they were
    /// found.
    private static func best(_ chosen: some Collection<Int>, of children: [Child], count: Int) -> [Int] {
        var order = chosen.map { (score: children[$0].score, support: children[$0].tally.positives, index: $0) }
        if order.count > 2 * count {
            let least = largest(count, of: order.map(\.score))
            order.removeAll { $0.score < least }
        }
        order.sort {
            $0.score != $1.score
                ? $0.score > $1.score : $0.support != $1.support ? $0.support > $1.support : $0.index < $1.index
        }
        return order.prefix(count).map(\.index)
    }

    /// The number at place `rank` from 1 of the largest (Hoare's selection).
    private static func largest(_ rank: Int, of numbers: [Double]) -> Double {
        var numbers = numbers
        var (low, high) = (0, numbers.count - 1)
        while low < high {
            let pivot = numbers[(low + high) / 2]
            var (i, j) = (low, high)
            while i <= j {
                while numbers[i] > pivot { i += 1 }
                while numbers[j] < pivot { j -= 1 }
                if i <= j {
                    numbers.swapAt(i, j)
                    i += 1
                    j -= 1
                }
            }
            if rank - 1 <= j { high = j } else if rank - 1 >= i { low = i } else { break }
        }
        return numbers[rank - 1]
    }
}
