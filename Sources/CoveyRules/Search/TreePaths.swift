import CoveyRuntime

/// Grows a decision tree on the sample and takes the paths to its nodes as conjunctions. A split counts what both of
/// its sides gain, so that a tree finds what pays only together with a later condition, where a beam sees its first
/// part alone.
struct TreePaths {
    let sample: SearchSample
    let finder: ConditionFinder
    let active: RowBits
    let directions: [Direction]
    let maxConditions: Int

    private struct Node: Sendable {
        let terms: [BinTerm]
        let rows: RowBits
        let tally: Tally
    }

    /// Adds the paths to `pool`; of a set of features the better conjunction stays.
    func run(into pool: inout BeamSearch.Pool, tried: inout Int, execution: Execution) throws {
        var level = [Node(terms: [], rows: active, tally: sample.tally(active))]
        var histograms = BinHistograms(sample, withAmounts: finder.objective.quality == .amount)
        var scratch = ConditionFinder.Scratch()
        for _ in 0..<maxConditions {
            var next: [Node] = []
            for node in level where node.tally.positives >= 2 * finder.minSupport && node.tally.negatives > 0 {
                try histograms.count(node.rows, sample, execution)
                guard let split = try split(node, histograms, &scratch, &tried, execution) else { continue }
                for term in split {
                    let rows = node.rows.intersection(sample.mask(term))
                    let child = Node(
                        terms: (node.terms.filter { $0.feature != term.feature } + [term]).sorted {
                            $0.feature < $1.feature
                        },
                        rows: rows, tally: sample.tally(rows))
                    guard child.tally.positives >= finder.minSupport else { continue }
                    add(child, to: &pool)
                    next.append(child)
                }
            }
            level = next
        }
    }

    /// The condition that divides a node best, and its opposite.
    private func split(
        _ node: Node, _ histograms: borrowing BinHistograms, _ scratch: inout ConditionFinder.Scratch,
        _ tried: inout Int,
        _ execution: Execution
    ) throws -> [BinTerm]? {
        var best: (term: BinTerm, gain: Double)?
        for feature in 0..<sample.features {
            if feature & 0xFF == 0xFF { try execution.check() }
            let cost = RuleCost.feature(sample.features)
            finder.conditions(sample.bins[feature], histograms[feature], directions[feature], cost: cost, &scratch)
            tried += scratch.found.count
            for found in scratch.found where found.tally.positives >= finder.minSupport {
                let gain = Evidence.gain(
                    matched: found.tally.positives, found.tally.negatives, of: node.tally.positives,
                    node.tally.negatives)
                if gain > best?.gain ?? 0 { best = (BinTerm(feature: feature, test: found.test), gain) }
            }
        }
        guard let best else { return nil }
        return [best.term] + opposites(best.term).map { BinTerm(feature: best.term.feature, test: $0) }
    }

    /// What is left beside a condition, as conditions that the feature's direction admits.
    private func opposites(_ term: BinTerm) -> [BinTest] {
        let bins = sample.bins[term.feature]
        let direction = directions[term.feature]
        switch term.test {
        case .interval(let low, let high):
            var result: [BinTest] = []
            if low > 0, direction != .more { result.append(.interval(low: 0, high: low)) }
            if Int(high) < bins.count, direction != .less {
                result.append(.interval(low: high, high: UInt8(bins.count)))
            }
            return result
        case .categories(let names, let inside): return [.categories(names, inside: !inside)]
        case .value(let value):
            return direction == .any ? [.value(1 - value)] : []
        case .missing: return [.present]
        case .present: return [.missing]
        }
    }

    private func add(_ node: Node, to pool: inout BeamSearch.Pool) {
        let objective = finder.objective
        let cost = node.terms.reduce(0.0) {
            $0 + RuleCost.of($1.test, sample.bins[$1.feature], features: sample.features)
        }
        let score = objective.score(node.tally, cost: cost)
        guard score > 0 else { return }
        let found = BeamSearch.Found(
            terms: node.terms, reaches: node.tally.rate >= objective.wantedRate, score: score,
            support: node.tally.positives)
        let key = node.terms.map(\.feature)
        if pool[key].map({ found.isBetter(than: $0) }) ?? true { pool[key] = found }
    }
}
