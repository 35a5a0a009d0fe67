extension Rule {
    /// What a rule matched among some rows.
    public struct Counts: Sendable, Equatable {
        /// Rows that match, and those of them in the target.
        public var matched: Int
        public var support: Int
        /// What they weigh; the numbers of rows where rows have no weights.
        public var matchedWeight: Double
        public var supportWeight: Double
        /// The sum of the squares of the weights of the rows that match.
        public var squares: Double
        /// The sums of weight x amount of the matching rows in the target and of the others.
        public var amount = 0.0
        public var falseAmount = 0.0

        public init(matched: Int = 0, support: Int = 0) {
            self.matched = matched
            self.support = support
            matchedWeight = Double(matched)
            supportWeight = Double(support)
            squares = matchedWeight
        }

        /// Whether rows of which these are the counts can be among those.
        func fit(_ population: RuleSet.Population) -> Bool {
            guard support >= 0, matched >= support, matched <= RuleSet.largestCount, support <= population.target,
                matched - support <= population.rows - population.target
            else { return false }
            // Sums of the same numbers in another order differ in their last digits.
            return RuleSet.Population.canWeigh(matchedWeight, squares, rows: matched)
                && supportWeight >= 0 && supportWeight <= matchedWeight * (1 + 1e-9)
                && [amount, falseAmount].allSatisfy { $0 >= 0 && $0 <= RowMeasure.largestSum }
        }
    }
}

extension RuleSet {
    /// Rows, and those of them in the target.
    public struct Population: Sendable, Equatable {
        public let rows: Int
        public let target: Int
        /// What they weigh; the numbers of rows where rows have no weights.
        public var weight: Double
        public var targetWeight: Double
        /// The sum of the squares of the weights of the target's rows.
        public var targetSquares: Double

        public init(rows: Int, target: Int) {
            self.rows = rows
            self.target = target
            weight = Double(rows)
            targetWeight = Double(target)
            targetSquares = targetWeight
        }

        var weighsRight: Bool {
            Population.canWeigh(weight, 0, rows: rows) && Population.canWeigh(targetWeight, targetSquares, rows: target)
                && targetWeight <= weight * (1 + 1e-9)
        }

        /// Whether the weights of so many rows, each above 0, can have this sum and this sum of squares. The squares of
        /// small weights are 0.
        static func canWeigh(_ weight: Double, _ squares: Double, rows: Int) -> Bool {
            guard rows > 0 else { return weight == 0 && squares == 0 }
            return weight > 0 && weight <= RowMeasure.largestSum && squares >= 0 && squares <= RowMeasure.largestSum
        }
    }
}
