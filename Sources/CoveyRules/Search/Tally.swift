/// What some rows weigh: those in the target, the others, and the amounts of those in the target. Numbers of rows where
/// rows have no weights.
struct Tally: Sendable, Equatable {
    var positives = 0.0
    var negatives = 0.0
    var amount = 0.0

    var all: Double { positives + negatives }
    var rate: Double { all > 0 ? positives / all : 0 }

    static func - (a: Tally, b: Tally) -> Tally {
        Tally(positives: a.positives - b.positives, negatives: a.negatives - b.negatives, amount: a.amount - b.amount)
    }

    static func += (a: inout Tally, b: Tally) {
        a.positives += b.positives
        a.negatives += b.negatives
        a.amount += b.amount
    }
}
