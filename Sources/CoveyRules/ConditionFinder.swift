import Glibc

/// Finds the best conditions on one feature for a set of rows, from the counts of its bins.
struct ConditionFinder {
    /// A condition, and what it leaves of the rows.
    struct Found {
        let test: BinTest
        let positives: Int
        let negatives: Int
    }

    /// Rows of the target and others among all rows under search, after scaling.
    let positives: Double
    let negatives: Double
    /// How many rows each counted row stands for.
    let positiveScale: Double
    let negativeScale: Double
    /// The precision that a rule must reach.
    let wantedRate: Double

    var base: Double { positives / (positives + negatives) }

    /// The counts of a feature's bins, the last one for missing values.
    typealias Histogram = UnsafePointer<UInt32>

    /// Several conditions that a rule with these rows could take next: most likely ones for shares of the target near those of
    /// the rows at hand, near those that the condition itself makes, and near those that a rule must reach. For given shares the
    /// best interval is the range of bins with the largest sum of weights, the best set of categories those above their cost.
    func conditions(_ bins: FeatureBins, _ p: Histogram, _ n: Histogram) -> [Found] {
        var result: [Found] = []
        var totalP = 0.0
        var totalN = 0.0
        for bin in 0...bins.count {
            totalP += Double(p[bin])
            totalN += Double(n[bin])
        }
        func add(_ test: BinTest) {
            if result.contains(where: { $0.test == test }) { return }
            var found = (0, 0)
            for bin in 0...bins.count where test.matches(UInt8(bin), missing: bins.missing) {
                found.0 += Int(p[bin])
                found.1 += Int(n[bin])
            }
            result.append(Found(test: test, positives: found.0, negatives: found.1))
        }
        if p[bins.count] + n[bins.count] > 0 {
            add(.missing)
            add(.present)
        }
        if case .boolean = bins.kind {
            add(.value(1))
            add(.value(0))
            return result
        }
        let scaledP = totalP * positiveScale
        let scaledN = totalN * negativeScale
        let rate = scaledP / max(scaledP + scaledN, 1e-9)
        var probes = [Evidence.Weights(even: rate, base: base)]
        if rate < wantedRate { probes.append(Evidence.Weights(even: wantedRate, base: base)) }
        if rate < 0.5 * wantedRate { probes.append(Evidence.Weights(even: 0.5 * wantedRate, base: base)) }
        for probe in probes {
            var tests = self.tests(bins, p, n, probe)
            for _ in 0..<2 {
                let from = result.count
                for test in tests { add(test) }
                tests = result[from...].flatMap { found in
                    self.tests(
                        bins, p, n,
                        Evidence.Weights(
                            matched: Double(found.positives) * positiveScale,
                            Double(found.negatives) * negativeScale, of: positives, negatives))
                }
            }
            for test in tests { add(test) }
        }
        return result
    }

    private func tests(_ bins: FeatureBins, _ p: Histogram, _ n: Histogram, _ weights: Evidence.Weights) -> [BinTest] {
        let positive = weights.positive * positiveScale
        let negative = weights.negative * negativeScale
        if case .categorical(let codes, _) = bins.kind {
            return categories(codes.count, p, n, positive, negative)
        }
        // Largest sums of weights over a prefix, a suffix and any range (Kadane).
        var sum = 0.0
        var prefix = (sum: -Double.infinity, end: 0)
        var lowest = (sum: 0.0, end: 0)
        var suffix = (sum: Double.infinity, end: 0)
        var range = (sum: -Double.infinity, low: 0, high: 0)
        for bin in 0..<bins.count {
            sum += positive * Double(p[bin]) + negative * Double(n[bin])
            if sum - lowest.sum > range.sum { range = (sum - lowest.sum, lowest.end, bin + 1) }
            if sum < lowest.sum { lowest = (sum, bin + 1) }
            if bin + 1 < bins.count {
                if sum > prefix.sum { prefix = (sum, bin + 1) }
                if sum < suffix.sum { suffix = (sum, bin + 1) }
            }
        }
        var tests: [BinTest] = []
        func add(_ low: Int, _ high: Int) {
            if high > low, high - low < bins.count { tests.append(.interval(low: UInt8(low), high: UInt8(high))) }
        }
        add(0, prefix.end)
        add(suffix.end, bins.count)
        add(range.low, range.high)
        return tests
    }

    private func categories(
        _ count: Int, _ p: Histogram, _ n: Histogram, _ positive: Double, _ negative: Double
    ) -> [BinTest] {
        let cost = RuleCost.category(count)
        var inside: [UInt8] = []
        var outside: [UInt8] = []
        for bin in 0..<count {
            let weight = positive * Double(p[bin]) + negative * Double(n[bin])
            if weight > cost { inside.append(UInt8(bin)) } else if weight < -cost { outside.append(UInt8(bin)) }
        }
        var tests: [BinTest] = []
        if !inside.isEmpty { tests.append(.categories(inside, inside: true)) }
        if !outside.isEmpty { tests.append(.categories(outside, inside: false)) }
        return tests
    }
}

/// What a condition must bring to be worth its place: the nats it takes to say which one of those that were possible it is
/// (minimum description length, Rissanen 1978). Keeps chance and ornament out of rules.
enum RuleCost {
    static func feature(_ features: Int) -> Double { log(Double(features)) + 1 }
    static func bound(_ bins: Int) -> Double { log(Double(max(bins, 2))) }
    static func category(_ categories: Int) -> Double { log(Double(max(categories, 1)) + 1) }

    static func of(_ test: BinTest, _ bins: FeatureBins, features: Int) -> Double {
        switch test {
        case .interval(let low, let high):
            return feature(features) + bound(bins.count) * (low > 0 && high < bins.count ? 2 : 1)
        case .categories(let names, _): return feature(features) + category(bins.count) * Double(names.count)
        case .value, .missing, .present: return feature(features)
        }
    }
}
