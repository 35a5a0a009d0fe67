import CoveyFiles
import CoveyRuntime
import CoveyTables

// What RuleSetJSON.swift wrote, or a text of that format by anybody. Members that are not known are refused: they are
// mostly misspelt. What follows from the counts is passed over.

extension RuleFeature {
    private static let known = ["derived", "kind", "name"]

    /// {"name": "days from opened to paid", "kind": "numeric", "derived": {"days": ["opened", "paid"]}}
    init(_ reader: JSONReader) throws {
        var (feature, kind, derived): (String?, String?, DerivedFeature?) = (nil, nil, nil)
        try reader.object { name in
            switch name {
            case "name": feature = try reader.string()
            case "kind":
                let text = try reader.string()
                guard FeatureColumn.Kind(jsonName: text) != nil else {
                    throw reader.error(": kind must be numeric, categorical or boolean, got \(quoted: text)")
                }
                kind = text
            case "derived": derived = try DerivedFeature(reader)
            default: throw reader.unknown(known: Self.known)
            }
        }
        let (found, known) = try (reader.required(feature, "name"), reader.required(kind, "kind"))
        guard let derived else {
            guard let kind = FeatureColumn.Kind(jsonName: known) else {
                throw CoveyError.internalError("a kind of feature without a name")
            }
            self.init(name: found, kind: kind)
            return
        }
        self.init(derived)
        guard ExactName(found) == ExactName(name), known == self.kind.jsonName else {
            throw reader.error(": must be named \(quoted: name) and numeric, got \(quoted: found) and \(known)")
        }
    }
}

extension DerivedFeature {
    private static let known = ["days", "difference", "hour", "ratio"]

    fileprivate init(_ reader: JSONReader) throws {
        var (operation, columns): (Operation?, [String]) = (nil, [])
        try reader.object { name in
            guard let found = Operation(jsonName: name) else { throw reader.unknown(known: Self.known) }
            guard operation == nil else {
                throw reader.error(": must be one of hour, days, ratio and difference")
            }
            operation = found
            columns = try reader.strings()
            guard columns.count == (found == .hour ? 1 : 2) else {
                throw reader.error(": takes \(found == .hour ? "one column" : "two columns"), got \(columns.count)")
            }
        }
        guard let operation else { throw reader.error(": must be one of hour, days, ratio and difference") }
        self.init(operation, columns[0], columns.count > 1 ? columns[1] : nil)
    }
}

extension Condition {
    private static let known = ["categories", "feature", "high", "kind", "low"]

    init(_ reader: JSONReader) throws {
        var (feature, kind, categories): (String?, String?, [String]?) = (nil, nil, nil)
        var (low, high) = (-Double.infinity, Double.infinity)
        var (hasBounds, hasCategories) = (false, false)
        try reader.object { name in
            hasBounds = hasBounds || name == "low" || name == "high"
            hasCategories = hasCategories || name == "categories"
            switch name {
            case "feature": feature = try reader.string()
            case "kind":
                kind = try reader.string()
                guard ["interval", "in", "not_in", "true", "false", "missing", "present"].contains(kind) else {
                    throw reader.error(": \(quoted: kind ?? "") is not a kind of condition")
                }
            case "low": if try !reader.isNull() { low = try reader.double() }
            case "high": if try !reader.isNull() { high = try reader.double() }
            case "categories": if try !reader.isNull() { categories = try reader.strings() }
            default: throw reader.unknown(known: Self.known)
            }
        }
        try reader.count(MemoryLayout<Condition>.stride * 2)
        let found = try reader.required(kind, "kind")
        guard !hasBounds || found == "interval" else {
            throw reader.error(": low and high are for intervals, got \(quoted: found)")
        }
        guard !hasCategories || found == "in" || found == "not_in" else {
            throw reader.error(": categories are for in and not_in, got \(quoted: found)")
        }
        let test: Test =
            switch found {
            case "interval": .interval(low: low, high: high)
            case "in": .isIn(try reader.required(categories, "categories"))
            case "not_in": .isNotIn(try reader.required(categories, "categories"))
            case "true": .isTrue
            case "false": .isFalse
            case "missing": .isMissing
            default: .isPresent
            }
        self.init(feature: try reader.required(feature, "feature"), test: test)
    }
}

extension Rule.Counts {
    private static let known = [
        "amount", "false_amount", "lift", "matched", "matched_weight", "precision", "precision_high", "precision_low",
        "recall", "recall_high", "recall_low", "squared_weights", "support", "support_weight",
    ]

    fileprivate init(_ reader: JSONReader) throws {
        var (matched, support): (Int?, Int?) = (nil, nil)
        var (weight, supportWeight, squares): (Double?, Double?, Double?) = (nil, nil, nil)
        var (amount, falseAmount) = (0.0, 0.0)
        try reader.object { name in
            switch name {
            case "matched": matched = try reader.integer()
            case "support": support = try reader.integer()
            case "matched_weight": if try !reader.isNull() { weight = try reader.double() }
            case "support_weight": if try !reader.isNull() { supportWeight = try reader.double() }
            case "squared_weights": if try !reader.isNull() { squares = try reader.double() }
            case "amount": if try !reader.isNull() { amount = try reader.double() }
            case "false_amount": if try !reader.isNull() { falseAmount = try reader.double() }
            case "lift", "precision", "precision_high", "precision_low", "recall", "recall_high", "recall_low":
                try reader.skip()
            default: throw reader.unknown(known: Self.known)
            }
        }
        self.init(matched: try reader.required(matched, "matched"), support: try reader.required(support, "support"))
        matchedWeight = weight ?? matchedWeight
        self.supportWeight = supportWeight ?? self.supportWeight
        self.squares = squares ?? self.squares
        (self.amount, self.falseAmount) = (amount, falseAmount)
    }
}

extension RuleSet.Population {
    private static let known = ["rows", "target", "target_squared_weights", "target_weight", "weight"]

    fileprivate init(_ reader: JSONReader) throws {
        var (rows, target): (Int?, Int?) = (nil, nil)
        var (weight, targetWeight, squares): (Double?, Double?, Double?) = (nil, nil, nil)
        try reader.object { name in
            switch name {
            case "rows": rows = try reader.integer()
            case "target": target = try reader.integer()
            case "weight": if try !reader.isNull() { weight = try reader.double() }
            case "target_weight": if try !reader.isNull() { targetWeight = try reader.double() }
            case "target_squared_weights": if try !reader.isNull() { squares = try reader.double() }
            default: throw reader.unknown(known: Self.known)
            }
        }
        self.init(rows: try reader.required(rows, "rows"), target: try reader.required(target, "target"))
        self.weight = weight ?? self.weight
        self.targetWeight = targetWeight ?? self.targetWeight
        targetSquares = squares ?? targetSquares
    }
}

extension Rule {
    private static let known = [
        "conditions", "given", "meaning", "p_value", "search", "search_p_value", "stability", "stated_precision",
        "text",
        "unseen",
    ]

    /// One that was written by hand has no figures yet.
    fileprivate init(_ reader: JSONReader) throws {
        var conditions: [Condition]?
        var (search, unseen) = (Counts(), Counts())
        var isGiven = false
        var meaning: FraudMeaning?
        var (pValue, searchPValue, stability, precision): (Double?, Double?, Double?, Double?) = (nil, nil, nil, nil)
        try reader.object { name in
            switch name {
            case "conditions":
                var read: [Condition] = []
                try reader.array { index in
                    guard index < RuleSet.largestConditions else {
                        throw reader.error(
                            "is one too many: a rule has at most \(RuleSet.largestConditions) conditions")
                    }
                    read.append(try Condition(reader))
                }
                conditions = read
            case "search": if try !reader.isNull() { search = try Counts(reader) }
            case "unseen": if try !reader.isNull() { unseen = try Counts(reader) }
            case "given": if try !reader.isNull() { isGiven = try reader.bool() }
            case "meaning": if try !reader.isNull() { meaning = try FraudMeaning(reader) }
            case "p_value": if try !reader.isNull() { pValue = try reader.double() }
            case "search_p_value": if try !reader.isNull() { searchPValue = try reader.double() }
            case "stability": if try !reader.isNull() { stability = try reader.double() }
            case "stated_precision": if try !reader.isNull() { precision = try reader.double() }
            case "text": try reader.skip()
            default: throw reader.unknown(known: Self.known)
            }
        }
        try reader.count(MemoryLayout<Rule>.stride * 2)
        self.init(
            conditions: try reader.required(conditions, "conditions"), search: search, unseen: unseen, isGiven: isGiven,
            pValue: pValue, searchPValue: searchPValue, stability: stability, statedPrecision: precision)
        self.meaning = meaning
    }
}

extension RuleSet {
    private static let known = [
        "confidence", "fallen", "features", "format_version", "note", "rules", "search", "target", "tried", "unseen",
    ]

    /// Reads a text of at most `largestJSON` bytes. Throws `corruptFile` and says where; `unsupported`, `outOfMemory`,
    /// `cancelled`.
    public init(json: UnsafeRawBufferPointer, _ execution: Execution = Execution()) throws {
        try require(
            json.count <= RuleSet.largestJSON, "length must be at most \(RuleSet.largestJSON), got \(json.count)")
        let text = json.assumingMemoryBound(to: UInt8.self)
        try JSONText.checkVersion(text, "", newest: RuleSet.formatVersion, execution)
        let reader = JSONReader(text, "", execution)
        try self.init(reader)
        try reader.end()
    }

    /// Reads the object that comes next; its format_version was looked at.
    public init(_ reader: JSONReader) throws {
        var (target, confidence) = ("target", 0.95)
        var (features, rules): ([RuleFeature]?, [Rule]?) = (nil, nil)
        var (search, unseen) = (Population(rows: 0, target: 0), Population(rows: 0, target: 0))
        var (tried, fallen) = (0, 0)
        var note: String?
        try reader.object { name in
            switch name {
            case "format_version":
                let version = try reader.integer()
                guard version == RuleSet.formatVersion else {
                    throw reader.error("must be \(RuleSet.formatVersion), got \(version)")
                }
            case "target": if try !reader.isNull() { target = try reader.string() }
            case "confidence": if try !reader.isNull() { confidence = try reader.double() }
            case "features": features = try Self.features(reader)
            case "rules":
                var read: [Rule] = []
                try reader.array { index in
                    guard index < RuleSet.largestRules else {
                        throw reader.error("is one too many: there must be at most \(RuleSet.largestRules) rules")
                    }
                    read.append(try Rule(reader))
                }
                rules = read
            case "search": if try !reader.isNull() { search = try Population(reader) }
            case "unseen": if try !reader.isNull() { unseen = try Population(reader) }
            case "tried": if try !reader.isNull() { tried = try reader.integer() }
            case "fallen": if try !reader.isNull() { fallen = try reader.integer() }
            case "note": if try !reader.isNull() { note = try reader.string() }
            default: throw reader.unknown(known: Self.known)
            }
        }
        do {
            try self.init(
                targetName: target, confidence: confidence, features: reader.required(features, "features"),
                rules: reader.required(rules, "rules"), search: search, unseen: unseen, tried: tried, fallen: fallen,
                reader.execution)
            self.note = note
        } catch let error as CoveyError where error.code == .invalidData {
            throw CoveyError.corruptFile(error.message)
        }
    }

    private static func features(_ reader: JSONReader) throws -> [RuleFeature] {
        var result: [RuleFeature] = []
        try reader.array { _ in
            result.append(try RuleFeature(reader))
            try reader.count(MemoryLayout<RuleFeature>.stride * 2)
        }
        return result
    }
}
