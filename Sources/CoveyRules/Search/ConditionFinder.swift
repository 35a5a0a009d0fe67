import Glibc

/// Finds the best conditions on one feature for a set of rows, from what its bins weigh.
struct ConditionFinder {
    /// A condition, and what it leaves of the rows.
    struct Found {
        let test: BinTest
        let tally: Tally
    }

    let objective: Objective
    /// What the target's rows that a rule matches must weigh.
    let minSupport: Double

    /// Sums over the bins below each bin; one of these for each thread.
    struct Scratch: ~Copyable {
        fileprivate let sums: UnsafeMutablePointer<Tally>
        /// What the rows with a known value weigh.
        fileprivate var known = Tally()
        /// Of the rule without what is found now.
        fileprivate var cost = 0.0
        fileprivate(set) var found: [Found] = []

        init() {
            sums = .allocate(capacity: 257)
            sums.initialize(repeating: Tally(), count: 257)
            found.reserveCapacity(64)
        }

        deinit { sums.deallocate() }

        fileprivate func tally(_ low: Int, _ high: Int) -> Tally { sums[high] - sums[low] }
    }

    /// Leaves in `scratch.found` several conditions that a rule with these rows could take next, those of the most
    /// value for slopes near where the rule is and where it has to go. For a given slope the best interval is the range
    /// of bins with the largest sum, the best set of categories those above their cost.
    /// - Parameter cost: of the rule's other conditions, and of naming the feature.
    func conditions(
        _ bins: FeatureBins, _ part: BinHistograms.Part, _ direction: Direction, cost: Double, _ scratch: inout Scratch
    ) {
        scratch.found.removeAll(keepingCapacity: true)
        scratch.cost = cost
        var sum = Tally()
        for bin in 0..<bins.count {
            scratch.sums[bin] = sum
            sum += tally(part, bin)
        }
        scratch.sums[bins.count] = sum
        scratch.known = sum
        let missing = tally(part, bins.count)
        if missing.all > 0 {
            add(Found(test: .missing, tally: missing), &scratch)
            add(Found(test: .present, tally: sum), &scratch)
        }
        sum += missing
        switch bins.kind {
        case .boolean:
            if direction != .less { add(Found(test: .value(1), tally: scratch.tally(1, 2)), &scratch) }
            if direction != .more { add(Found(test: .value(0), tally: scratch.tally(0, 1)), &scratch) }
        case .categorical(let codes, _):
            densest(codes.count, part, &scratch)
            if !objective.isRatio {
                for start in objective.starts(sum) { climb(codes.count, part, start, &scratch) }
            }
        case .numeric:
            if objective.isRatio {
                everyInterval(bins.count, direction, &scratch)
            } else {
                for start in objective.starts(sum) { climb(bins.count, part, start, direction, &scratch) }
            }
        }
    }

    @inline(__always)
    private func tally(_ part: BinHistograms.Part, _ bin: Int) -> Tally {
        Tally(positives: part.positives[bin], negatives: part.negatives[bin], amount: part.amounts[bin])
    }

    @inline(__always)
    private func weight(_ part: BinHistograms.Part, _ bin: Int, _ slope: Slope) -> Double {
        // Amounts count in quotients alone, which have no slopes here.
        slope.positive * part.positives[bin] + slope.negative * part.negatives[bin]
    }

    @discardableResult
    private func add(_ found: Found, _ scratch: inout Scratch) -> Bool {
        for known in scratch.found where known.test == found.test { return false }
        scratch.found.append(found)
        return true
    }

    // MARK: Intervals

    private enum Shape: CaseIterable { case below, above, between }

    private func shapes(_ direction: Direction) -> [Shape] {
        switch direction {
        case .any: Shape.allCases
        case .more: [.above]
        case .less: [.below]
        }
    }

    private func climb(
        _ count: Int, _ part: BinHistograms.Part, _ start: Slope, _ direction: Direction, _ scratch: inout Scratch
    ) {
        let first = best(count, part, start)
        for shape in shapes(direction) {
            var range = first.range(shape)
            for step in 0..<4 {
                guard range.low < range.high, range.high - range.low < count else { break }
                let tally = scratch.tally(range.low, range.high)
                let test = BinTest.interval(low: UInt8(range.low), high: UInt8(range.high))
                // An interval of one shape may be known as one of another, which climbs elsewhere.
                guard add(Found(test: test, tally: tally), &scratch) || shape == .between && step == 0, step < 3 else {
                    break
                }
                let cost = scratch.cost + RuleCost.bound(count) * (shape == .between ? 2 : 1)
                let next = best(count, part, objective.slope(at: tally, cost: cost)).range(shape)
                if next == range { break }
                range = next
            }
        }
    }

    /// The largest sums over a prefix, a suffix and any range (Kadane).
    private struct Ranges {
        var below = 0
        var above = 0
        var between = (low: 0, high: 0)
        var count = 0

        func range(_ shape: Shape) -> (low: Int, high: Int) {
            switch shape {
            case .below: (0, below)
            case .above: (above, count)
            case .between: between
            }
        }
    }

    private func best(_ count: Int, _ part: BinHistograms.Part, _ slope: Slope) -> Ranges {
        var result = Ranges()
        result.count = count
        result.above = count
        var sum = 0.0
        var prefix = -Double.infinity
        var suffix = Double.infinity
        var range = -Double.infinity
        var lowest = (sum: 0.0, end: 0)
        for bin in 0..<count {
            sum += weight(part, bin, slope)
            if sum - lowest.sum > range {
                range = sum - lowest.sum
                result.between = (lowest.end, bin + 1)
            }
            if sum < lowest.sum { lowest = (sum, bin + 1) }
            if bin + 1 < count {
                if sum > prefix { (prefix, result.below) = (sum, bin + 1) }
                if sum < suffix { (suffix, result.above) = (sum, bin + 1) }
            }
        }
        return result
    }

    /// The best interval of each shape with support enough. A quotient has no slope that leads there.
    private func everyInterval(_ count: Int, _ direction: Direction, _ scratch: inout Scratch) {
        let cost = scratch.cost
        var best: [(range: (low: Int, high: Int), value: Double, support: Double)?] = [nil, nil, nil]
        func look(_ place: Int, _ low: Int, _ high: Int) {
            let tally = scratch.tally(low, high)
            guard high - low < count, tally.positives >= minSupport else { return }
            let cost = cost + RuleCost.bound(count) * (low > 0 && high < count ? 2 : 1)
            let value = objective.score(tally, cost: cost)
            if let known = best[place], (known.value, known.support) >= (value, tally.positives) { return }
            best[place] = ((low, high), value, tally.positives)
        }
        for low in 0..<count {
            switch direction {
            case .any: for high in low + 1..<count + 1 { look(low == 0 ? 0 : high == count ? 1 : 2, low, high) }
            case .more: look(1, low, count)
            case .less: look(0, 0, low)
            }
        }
        for case let found? in best {
            let test = BinTest.interval(low: UInt8(found.range.low), high: UInt8(found.range.high))
            add(Found(test: test, tally: scratch.tally(found.range.low, found.range.high)), &scratch)
        }
    }

    // MARK: Categories

    private func climb(_ count: Int, _ part: BinHistograms.Part, _ start: Slope, _ scratch: inout Scratch) {
        let name = RuleCost.category(count + 1)
        let cost = objective.isInNats ? name : 0
        for inside in [true, false] {
            var slope = start
            for _ in 0..<3 {
                var bins: [UInt8] = []
                for bin in 0..<count {
                    let weight = weight(part, bin, slope)
                    if inside ? weight > cost : weight < -cost { bins.append(UInt8(bin)) }
                }
                guard let tally = addCategories(bins, inside: inside, part, &scratch) else { break }
                slope = objective.slope(at: tally, cost: scratch.cost + name * Double(bins.count))
            }
        }
    }

    private func addCategories(
        _ bins: [UInt8], inside: Bool, _ part: BinHistograms.Part, _ scratch: inout Scratch
    ) -> Tally? {
        guard !bins.isEmpty else { return nil }
        var named = Tally()
        for bin in bins { named += tally(part, Int(bin)) }
        let test = BinTest.categories(bins, inside: inside)
        // The categories that have no bin of their own are in the last one: NOT IN matches them.
        let tally = inside ? named : scratch.known - named
        return add(Found(test: test, tally: tally), &scratch) ? tally : nil
    }

    /// The categories of the largest shares of the target (or amounts for each other row), as many as are best: for a
    /// quality that is convex no other set is better (Breiman et al. 1984), but for what it costs to name them.
    private func densest(_ count: Int, _ part: BinHistograms.Part, _ scratch: inout Scratch) {
        func density(_ bin: Int) -> Double {
            let found = tally(part, bin)
            return objective.quality == .amount
                ? found.amount / max(found.negatives, 1e-12) : found.positives / max(found.all, 1e-12)
        }
        let name = RuleCost.category(count + 1)
        let order = (0..<count).filter { part.positives[$0] > 0 }.map { (bin: $0, density: density($0)) }
            .sorted { ($1.density, $0.bin) < ($0.density, $1.bin) }
        var sum = Tally()
        var best: (end: Int, value: Double, support: Double)?
        for (place, entry) in order.enumerated() {
            sum += tally(part, entry.bin)
            guard sum.positives >= minSupport else { continue }
            let value = objective.score(sum, cost: scratch.cost + name * Double(min(place + 1, count - place - 1)))
            if let best, (best.value, best.support) >= (value, sum.positives) { continue }
            best = (place + 1, value, sum.positives)
        }
        guard let best else { return }
        _ = addCategories(order[..<best.end].map { UInt8($0.bin) }.sorted(), inside: true, part, &scratch)
        var isInside = [Bool](repeating: false, count: count)
        for entry in order[..<best.end] { isInside[entry.bin] = true }
        _ = addCategories((0..<count).filter { !isInside[$0] }.map { UInt8($0) }, inside: false, part, &scratch)
    }
}

/// What a condition must bring to be worth its place: the nats it takes to say which one of those that were possible it
/// is (minimum description length, Rissanen 1978). Keeps chance and ornament out of rules.
enum RuleCost {
    static func feature(_ features: Int) -> Double { log(Double(features)) + 1 }
    static func bound(_ bins: Int) -> Double { log(Double(max(bins, 2))) }
    static func category(_ categories: Int) -> Double { log(Double(max(categories, 1)) + 1) }
    /// One condition in eight asks whether there is a value at all.
    static let presence = log(8.0)

    static func of(_ test: BinTest, _ bins: FeatureBins, features: Int) -> Double {
        switch test {
        case .interval(let low, let high):
            return feature(features) + bound(bins.count) * (low > 0 && high < bins.count ? 2 : 1)
        case .categories(let names, _): return feature(features) + category(bins.count) * Double(names.count)
        case .value: return feature(features)
        case .missing, .present: return feature(features) + presence
        }
    }
}
