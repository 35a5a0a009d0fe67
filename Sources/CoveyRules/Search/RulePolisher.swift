import CoveyRuntime
import CoveyTables

/// Improves a conjunction on all rows of the search, at the full resolution of the values: fits each condition again to
/// the rows that the others leave, drops conditions that can go, adds one that is worth it, and rounds thresholds in
/// the end.
struct RulePolisher {
    let columns: [FeatureColumn]
    /// Of each column.
    let bins: [FeatureBins]
    let directions: [Direction]
    let measure: RowMeasure
    /// All rows of the search, and what the rule has to reach there.
    let search: RowBits
    let wantedRate: Double
    let minSupport: Double
    /// Beside those that are pinned.
    let maxConditions: Int
    /// The rows that match the pinned conditions; nil where there are none.
    let pinned: RowBits?
    let execution: Execution

    /// A conjunction with the rows that it matches.
    struct Draft {
        var terms: [Term]
        /// One for each term, over all rows of the table.
        fileprivate(set) var masks: [RowBits]
        fileprivate let pinned: RowBits?
        /// Whether support and precision on the rows of the search are what is asked for.
        fileprivate(set) var reaches = false
        /// What the rule is worth on the rows under search, less what it takes to say it.
        fileprivate(set) var score = 0.0
        fileprivate(set) var tally = Tally()

        fileprivate init(_ pinned: RowBits?) {
            terms = []
            masks = []
            self.pinned = pinned
        }

        var rows: RowBits {
            guard var result = pinned ?? masks.first else { return RowBits(rows: 0) }
            for mask in masks.dropFirst(pinned == nil ? 1 : 0) { result.formIntersection(mask) }
            return result
        }

        func isBetter(than other: Draft) -> Bool {
            if reaches != other.reaches { return reaches }
            return score > other.score + 1e-9 * max(1e-3, abs(other.score))
        }
    }

    /// The rows under search: those that no other rule covers.
    struct Scope {
        let active: RowBits
        let finder: ConditionFinder

        var objective: Objective { finder.objective }
    }

    func draft(_ terms: [Term], _ scope: Scope) throws -> Draft {
        var result = Draft(pinned)
        result.terms = terms
        result.masks = try terms.map { try mask($0) }
        measure(&result, scope)
        return result
    }

    private func measure(_ draft: inout Draft, _ scope: Scope) {
        let rows = draft.rows
        let seen = measure.tally(rows, among: search)
        draft.reaches = seen.positives >= minSupport && seen.positives >= wantedRate * seen.all
        draft.tally = measure.tally(rows, among: scope.active)
        draft.score = scope.objective.score(draft.tally, cost: cost(draft))
    }

    /// Of its conditions, but the one at an index.
    func cost(_ draft: Draft, without index: Int? = nil) -> Double {
        draft.terms.indices.reduce(0.0) { sum, place in
            let term = draft.terms[place]
            return place == index ? sum : sum + term.cost(bins[term.feature], features: columns.count)
        }
    }

    /// The best that can be made of a conjunction by single steps.
    func polish(_ start: Draft, _ scope: Scope, tried: inout Int) throws -> Draft {
        var best = start
        for _ in 0..<4 {
            let before = best
            for index in best.terms.indices { try refit(&best, index, scope, &tried) }
            try drop(&best, scope, &tried)
            if best.terms.count < maxConditions { try add(&best, scope, &tried) }
            if !best.isBetter(than: before) { break }
        }
        return best
    }

    /// Leaves out conditions that can be dropped without loss.
    private func drop(_ best: inout Draft, _ scope: Scope, _ tried: inout Int) throws {
        var index = 0
        let fewest = pinned == nil ? 1 : 0
        while index < best.terms.count, best.terms.count > fewest {
            try execution.check()
            var shorter = best
            shorter.terms.remove(at: index)
            shorter.masks.remove(at: index)
            measure(&shorter, scope)
            tried += 1
            if best.isBetter(than: shorter) { index += 1 } else { best = shorter }
        }
    }

    private func add(_ best: inout Draft, _ scope: Scope, _ tried: inout Int) throws {
        var rows = [Int32]()
        scope.active.intersection(best.rows).forEach { rows.append(Int32($0)) }
        let spent = cost(best)
        var candidates: [(term: BinTerm, score: Double)] = []
        for feature in columns.indices where !best.terms.contains(where: { $0.feature == feature }) {
            candidates += try conditions(feature, rows, scope, beside: spent, &tried)
        }
        try take(&best, candidates, at: best.terms.count, scope)
    }

    /// Conditions on a feature for rows, with what the rule would be worth.
    /// - Parameter spent: the cost of the other conditions.
    private func conditions(
        _ feature: Int, _ rows: [Int32], _ scope: Scope, beside spent: Double, _ tried: inout Int
    ) throws -> [(term: BinTerm, score: Double)] {
        let count = bins[feature].count + 1
        let objective = scope.objective
        var sums = [Double](repeating: 0, count: 3 * count)
        for start in stride(from: 0, to: rows.count, by: 1 << 16) {
            try execution.check()
            let block = rows[start..<min(rows.count, start + 1 << 16)]
            sums.withUnsafeMutableBufferPointer { sums in
                bins[feature].bins(of: columns[feature], rows: block.lazy.map { Int($0) }) { index, bin in
                    let row = Int(rows[start &+ index])
                    let weight = measure.weight(row)
                    if measure.target[row] {
                        sums[Int(bin)] += weight
                        if objective.quality == .amount { sums[2 &* count &+ Int(bin)] += measure.amount(row) }
                    } else {
                        sums[count &+ Int(bin)] += weight
                    }
                }
            }
        }
        var scratch = ConditionFinder.Scratch()
        sums.withUnsafeBufferPointer { sums in
            guard let first = sums.baseAddress else { return }
            let part = BinHistograms.Part(positives: first, negatives: first + count, amounts: first + 2 * count)
            let cost = spent + RuleCost.feature(columns.count)
            scope.finder.conditions(bins[feature], part, directions[feature], cost: cost, &scratch)
        }
        tried += scratch.found.count
        return scratch.found.map {
            let term = BinTerm(feature: feature, test: $0.test)
            let cost = spent + RuleCost.of($0.test, bins[feature], features: columns.count)
            return (term, objective.score($0.tally, cost: cost))
        }
    }

    /// Puts the best of the candidates that makes the rule better at a place.
    private func take(
        _ best: inout Draft, _ candidates: [(term: BinTerm, score: Double)], at index: Int, _ scope: Scope
    ) throws {
        let order = candidates.indices.sorted {
            candidates[$0].score != candidates[$1].score
                ? candidates[$0].score > candidates[$1].score : $0 < $1
        }
        for candidate in order.prefix(3) {
            let term = candidates[candidate].term
            // A lower score can be better only where the rule does not yet reach what is asked for.
            if best.reaches && candidates[candidate].score <= best.score { return }
            if try replace(&best, Term(term, bins[term.feature]), at: index, scope) { return }
        }
    }

    private func replace(_ best: inout Draft, _ term: Term, at index: Int, _ scope: Scope) throws -> Bool {
        if index < best.terms.count, best.terms[index] == term { return false }
        var other = best
        if index == best.terms.count {
            other.terms.append(term)
            other.masks.append(try mask(term))
        } else {
            other.terms[index] = term
            other.masks[index] = try mask(term)
        }
        measure(&other, scope)
        guard other.isBetter(than: best) else { return false }
        best = other
        return true
    }

    /// Fits a condition to the rows that the others leave: in bins first, then an interval's bounds value by value.
    private func refit(_ best: inout Draft, _ index: Int, _ scope: Scope, _ tried: inout Int) throws {
        let rows = relaxed(best, index, scope)
        let spent = cost(best, without: index)
        let found = try conditions(best.terms[index].feature, rows, scope, beside: spent, &tried)
        try take(&best, found, at: index, scope)
        for isLow in [true, false] {
            guard let window = try window(best, index, rows, isLow: isLow, scope) else { continue }
            tried += 1
            if let term = moved(best.terms[index], window.bound, isLow: isLow) {
                _ = try replace(&best, term, at: index, scope)
            }
        }
    }

    /// The rows under search that match all conditions but one.
    private func relaxed(_ draft: Draft, _ index: Int, _ scope: Scope) -> [Int32] {
        var set = scope.active
        if let pinned { set.formIntersection(pinned) }
        for (place, mask) in draft.masks.enumerated() where place != index { set.formIntersection(mask) }
        var rows = [Int32]()
        rows.reserveCapacity(set.count)
        set.forEach { rows.append(Int32($0)) }
        return rows
    }

    private func moved(_ term: Term, _ bound: Double, isLow: Bool) -> Term? {
        guard case .interval(let low, let high) = term.test else { return nil }
        let (from, to) = isLow ? (bound, high) : (low, bound)
        guard from < to else { return nil }
        let open = from == -.infinity && to == .infinity
        return Term(feature: term.feature, test: open ? .present : .interval(low: from, high: to))
    }

    /// The rows near a finite bound of an interval: two bins to either side.
    private func window(
        _ draft: Draft, _ index: Int, _ rows: [Int32], isLow: Bool, _ scope: Scope
    ) throws -> ThresholdWindow? {
        let term = draft.terms[index]
        guard case .interval(let low, let high) = term.test, case .numeric(let edges) = bins[term.feature].kind,
            case .numeric(let values) = columns[term.feature].values
        else { return nil }
        let bound = isLow ? low : high
        guard bound.isFinite else { return nil }
        let place = Int(edges.withUnsafeBufferPointer { FeatureBins.find(bound, $0) })
        var floor = place >= 3 ? edges[place - 3] : -.infinity
        var ceiling = place + 2 < edges.count ? edges[place + 2] : .infinity
        if isLow { ceiling = min(ceiling, high) } else { floor = max(floor, low) }
        let slope = scope.objective.slope(at: draft.tally, cost: cost(draft))
        // Gains are counted in nats; what the other qualities count is made as large as a row's nats are.
        let unit =
            scope.objective.isInNats
            ? 1
            : 3
                / max(
                    abs(slope.positive), abs(slope.negative),
                    slope.amount * draft.tally.amount / max(draft.tally.positives, 1))
        var inside: [(value: Double, gain: Double)] = []
        for start in stride(from: 0, to: rows.count, by: 1 << 16) {
            try execution.check()
            for row in rows[start..<min(rows.count, start + 1 << 16)] {
                let value = values[Int(row)]
                // A bound above `floor` leaves values up to it outside or inside for good.
                guard value > floor && value < ceiling else { continue }
                let weight = measure.weight(Int(row))
                let gain =
                    measure.target[Int(row)]
                    ? slope.positive * weight + slope.amount * measure.amount(Int(row)) : slope.negative * weight
                inside.append((value, unit * gain))
            }
        }
        try ThresholdWindow.narrow(&inside, &floor, &ceiling, isLow: isLow, execution)
        guard inside.count <= ThresholdWindow.largest else { return nil }
        return ThresholdWindow(inside, floor: floor, ceiling: ceiling, isLow: isLow)
    }

    /// Thresholds as a person would write them, where the rows of the search have next to nothing against it.
    /// - Parameter tolerance: what precision and recall may lose for fewer digits, as shares of themselves.
    func rounded(_ draft: Draft, _ scope: Scope, tolerance: Double) throws -> Draft {
        var result = draft
        let before = measure.tally(draft.rows, among: search)
        func isGoodEnough(_ other: Draft) -> Bool {
            let after = measure.tally(other.rows, among: search)
            return after.positives >= (1 - tolerance) * before.positives && after.rate >= (1 - tolerance) * before.rate
        }
        for index in draft.terms.indices {
            for isLow in [true, false] {
                try execution.check()
                let rows = relaxed(result, index, scope)
                guard let window = try window(result, index, rows, isLow: isLow, scope) else { continue }
                func attempt(_ bound: Double) throws -> Draft? {
                    guard let term = moved(result.terms[index], bound, isLow: isLow) else { return nil }
                    var other = result
                    other.terms[index] = term
                    other.masks[index] = try mask(term)
                    measure(&other, scope)
                    return other.reaches || !result.reaches ? other : nil
                }
                if let other = try attempt(window.rounded) { result = other }
                guard tolerance > 0, case .interval(let low, let high) = result.terms[index].test else { continue }
                for bound in window.shorter(than: isLow ? low : high).prefix(RulePolisher.roundingTries) {
                    try execution.check()
                    if let other = try attempt(bound), isGoodEnough(other) {
                        result = other
                        break
                    }
                }
            }
        }
        return result
    }

    private static let roundingTries = 24

    /// The table's rows for which a condition holds.
    func mask(_ term: Term) throws -> RowBits {
        let column = columns[term.feature]
        let rows = column.values.count
        switch (term.test, column.values) {
        case (.interval(let low, let high), .numeric(let values)):
            return try fill(rows) { pack($0, rows, $1) { values[$0] >= low && values[$0] < high } }
        case (.missing, .numeric(let values)): return try fill(rows) { pack($0, rows, $1) { values[$0].isNaN } }
        case (.present, .numeric(let values)): return try fill(rows) { pack($0, rows, $1) { !values[$0].isNaN } }
        case (.value(let value), .boolean(let values)):
            return try fill(rows) { pack($0, rows, $1) { values[$0] == value } }
        case (.missing, .boolean(let values)): return try fill(rows) { pack($0, rows, $1) { values[$0] < 0 } }
        case (.present, .boolean(let values)): return try fill(rows) { pack($0, rows, $1) { values[$0] >= 0 } }
        case (.codes(let codes, let inside), .categorical(let values, _)):
            let members = Set(codes)
            let only = codes.count == 1 ? codes[0] : -1
            return try fill(rows) {
                pack($0, rows, $1) {
                    let code = values[$0]
                    return code >= 0 && (only >= 0 ? code == only : members.contains(code)) == inside
                }
            }
        case (.missing, .categorical(let values, _)): return try fill(rows) { pack($0, rows, $1) { values[$0] < 0 } }
        case (.present, .categorical(let values, _)): return try fill(rows) { pack($0, rows, $1) { values[$0] >= 0 } }
        default: throw CoveyError.internalError("a condition does not suit its column \(quoted: column.name)")
        }
    }

    private func fill(_ rows: Int, _ body: (Range<Int>, UnsafeMutableBufferPointer<UInt64>) -> Void) throws -> RowBits {
        var result = RowBits(rows: rows)
        try result.words.withUnsafeMutableBufferPointer { words in
            nonisolated(unsafe) let words = words
            // 65,536 rows a piece: a small table is not worth a thread.
            try execution.parallel(words.count, grain: 1024) { chunk, _ in body(chunk, words) }
        }
        return result
    }
}

/// Sets the bits of some words, one for each row that matches. Inlined, so that the loop is compiled for each test.
@inline(__always)
private func pack(
    _ range: Range<Int>, _ rows: Int, _ words: UnsafeMutableBufferPointer<UInt64>, _ matches: (Int) -> Bool
) {
    for word in range {
        var bits: UInt64 = 0
        let first = word &* 64
        for bit in 0..<min(64, rows &- first) {
            bits |= (matches(first &+ bit) ? 1 : 0) &<< UInt64(bit)
        }
        words[word] = bits
    }
}
