import Glibc

/// What makes one rule better than another. Raw values are those of COVEY_QUALITY_.
public enum RuleQuality: Int32, Sendable {
    case likelihood = 0
    case weightedAccuracy = 1
    case fBeta = 2
    case lift = 3
    case amount = 4
}

/// A quality, for rules among some rows.
struct Objective: Sendable {
    let quality: RuleQuality
    /// Beta squared of `fBeta`.
    let beta2: Double
    /// The rows under search.
    let total: Tally
    /// The precision that a rule must reach.
    let wantedRate: Double
    let chargesLength: Bool

    var base: Double { total.rate }

    /// The quality of a rule that matches these rows, before the cost of its conditions.
    @inline(__always)
    func value(_ p: Double, _ n: Double, _ amount: Double) -> Double {
        switch quality {
        case .likelihood: Evidence.gain(matched: p, n, of: total.positives, total.negatives)
        case .weightedAccuracy: (p * total.negatives - n * total.positives) / (total.all * total.all)
        case .fBeta: (1 + beta2) * p / (beta2 * total.positives + p + n)
        case .lift: p + n > 0 ? p / (p + n) / base : 0
        case .amount: amount / (n + 1)
        }
    }

    func value(_ tally: Tally) -> Double { value(tally.positives, tally.negatives, tally.amount) }

    /// The quality of a rule that takes `cost` nats to say (`RuleCost`). A likelihood is in nats, from which they are
    /// taken. Every other quality is that of the rows as they are with chance against the rule: see `charged`.
    @inline(__always)
    func score(_ tally: Tally, cost: Double) -> Double {
        quality == .likelihood ? value(tally) - cost : value(charged(tally, cost: cost))
    }

    /// As many rows, with as few of the target's as the lower end of Wilson's interval says for z^2 = 2 cost. There are
    /// about e^cost rules of this length, and by chance the best of them looks as much better than it is (Occam's razor
    /// bound: Blumer et al. 1987, Langford 2005).
    @inline(__always)
    func charged(_ tally: Tally, cost: Double) -> Tally {
        let (p, n, all) = (tally.positives, tally.negatives, tally.all)
        guard chargesLength, p > 0, cost > 0 else { return tally }
        let low = all * (p + cost - (2 * cost * (p * n / all + 0.5 * cost)).squareRoot()) / (all + 2 * cost)
        let positives = min(p, max(0, low))
        return Tally(positives: positives, negatives: all - positives, amount: tally.amount * positives / p)
    }

    /// What no specialisation can exceed: it keeps the target's rows at best, and loses all others (the optimistic
    /// estimate of Morishita and Sese 2000 for convex measures; Grosskreutz, Rüping and Wrobel 2008 for weighted
    /// relative accuracy).
    func bound(_ tally: Tally, cost: Double) -> Double {
        score(Tally(positives: tally.positives, negatives: 0, amount: tally.amount), cost: cost)
    }

    /// The quality counts nats.
    var isInNats: Bool { quality == .likelihood }

    /// A quotient of sums.
    var isRatio: Bool { quality == .lift || quality == .amount }

    /// Whether a rule is worth having among the rows that no other covers, whatever else it is worth: it is better than
    /// chance there, with its length charged.
    func isBetterThanChance(_ tally: Tally, cost: Double) -> Bool {
        isInNats || charged(tally, cost: cost).rate > base
    }

    /// What a rule has to exceed: nats above its own cost, better than chance, or anything.
    var least: Double {
        switch quality {
        case .likelihood: 3
        case .weightedAccuracy, .fBeta, .amount: 0
        case .lift: 1
        }
    }

    /// What a row of the target, its amount and another row add to the rule's value where it is what it is at `tally`:
    /// a set of rows with a larger sum than the one at hand has a larger value. Repeating climbs to a (local) maximum;
    /// for the quotients it is Dinkelbach's method (1967).
    /// - Parameter cost: of the rule; the rows' own number then counts too.
    func slope(at tally: Tally, cost: Double = 0) -> Slope {
        if chargesLength, cost > 0, !isInNats, tally.positives > 0 { return chargedSlope(at: tally, cost: cost) }
        switch quality {
        case .likelihood:
            let weights = Evidence.Weights(
                matched: tally.positives, tally.negatives, of: total.positives, total.negatives)
            return Slope(positive: weights.positive, negative: weights.negative, amount: 0)
        case .weightedAccuracy: return Slope(positive: 1 - base, negative: -base, amount: 0)
        case .fBeta:
            let value = value(tally)
            return Slope(positive: 1 + beta2 - value, negative: -value, amount: 0)
        case .lift: return Slope(positive: 1 - tally.rate, negative: -tally.rate, amount: 0)
        case .amount: return Slope(positive: 0, negative: -value(tally), amount: 1)
        }
    }

    /// The gradient of the score.
    private func chargedSlope(at tally: Tally, cost: Double) -> Slope {
        let step = 1e-4 * tally.all
        func gain(_ positives: Double, _ negatives: Double) -> Double {
            var other = tally
            other.positives += positives
            other.negatives += negatives
            return (score(other, cost: cost) - score(tally, cost: cost)) / step
        }
        let amount = quality == .amount && tally.amount > 0 ? score(tally, cost: cost) / tally.amount : 0
        return Slope(positive: gain(step, 0), negative: gain(0, step), amount: amount)
    }

    /// Slopes to start from for rows of which the condition has to pick the best: the one that is best for the quality
    /// where they are, and those that are even at the precision that a rule must reach and half way there.
    func starts(_ tally: Tally) -> [Slope] {
        let rate = tally.rate
        func even(_ rate: Double) -> Slope {
            let weights = Evidence.Weights(even: rate, base: base)
            return Slope(positive: weights.positive, negative: weights.negative, amount: 0)
        }
        var result = [quality == .likelihood ? even(rate) : slope(at: tally)]
        if rate < wantedRate { result.append(even(wantedRate)) }
        if rate < 0.5 * wantedRate { result.append(even(0.5 * wantedRate)) }
        return result
    }
}

/// A linear view of a quality. See `Objective.slope`.
struct Slope {
    let positive: Double
    let negative: Double
    let amount: Double
}
