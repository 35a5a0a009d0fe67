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

        /// Whether the weights of so many rows, each above 0, can have this sum and this sum of squares. The squares of small
        /// weights are 0.
        static func canWeigh(_ weight: Double, _ squares: Double, rows: Int) -> Bool {
            guard rows > 0 else { return weight == 0 && squares == 0 }
            return weight > 0 && weight <= RowMeasure.largestSum && squares >= 0 && squares <= RowMeasure.largestSum
        }
    }
}

// In JSON weights stand only where they are not the numbers of rows, and amounts where there are any.

extension Rule.Counts: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case matched, support, amount
        case matchedWeight = "matched_weight"
        case supportWeight = "support_weight"
        case squares = "squared_weights"
        case falseAmount = "false_amount"
    }

    public init(from decoder: any Decoder) throws {
        try JSONKeys.check(
            decoder, Set(CodingKeys.allCases.map(\.rawValue)).union(RuleSet.FigureKeys.allCases.map(\.rawValue)))
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            matched: try values.decode(Int.self, forKey: .matched), support: try values.decode(Int.self, forKey: .support))
        matchedWeight = try values.decodeIfPresent(Double.self, forKey: .matchedWeight) ?? matchedWeight
        supportWeight = try values.decodeIfPresent(Double.self, forKey: .supportWeight) ?? supportWeight
        squares = try values.decodeIfPresent(Double.self, forKey: .squares) ?? squares
        amount = try values.decodeIfPresent(Double.self, forKey: .amount) ?? 0
        falseAmount = try values.decodeIfPresent(Double.self, forKey: .falseAmount) ?? 0
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(matched, forKey: .matched)
        try values.encode(support, forKey: .support)
        let plain = Rule.Counts(matched: matched, support: support)
        if (matchedWeight, supportWeight, squares) != (plain.matchedWeight, plain.supportWeight, plain.squares) {
            try values.encode(matchedWeight, forKey: .matchedWeight)
            try values.encode(supportWeight, forKey: .supportWeight)
            try values.encode(squares, forKey: .squares)
        }
        if (amount, falseAmount) != (0, 0) {
            try values.encode(amount, forKey: .amount)
            try values.encode(falseAmount, forKey: .falseAmount)
        }
    }
}

extension RuleSet.Population: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case rows, target, weight
        case targetWeight = "target_weight"
        case targetSquares = "target_squared_weights"
    }

    public init(from decoder: any Decoder) throws {
        try JSONKeys.check(decoder, Set(CodingKeys.allCases.map(\.rawValue)))
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(rows: try values.decode(Int.self, forKey: .rows), target: try values.decode(Int.self, forKey: .target))
        weight = try values.decodeIfPresent(Double.self, forKey: .weight) ?? weight
        targetWeight = try values.decodeIfPresent(Double.self, forKey: .targetWeight) ?? targetWeight
        targetSquares = try values.decodeIfPresent(Double.self, forKey: .targetSquares) ?? targetSquares
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(rows, forKey: .rows)
        try values.encode(target, forKey: .target)
        let plain = RuleSet.Population(rows: rows, target: target)
        guard self != plain else { return }
        try values.encode(weight, forKey: .weight)
        try values.encode(targetWeight, forKey: .targetWeight)
        try values.encode(targetSquares, forKey: .targetSquares)
    }
}
