import CoveyRuntime
import CoveyTables
import FoundationEssentials

// A rule set as JSON, format version 1. Counts are what is read back; precision, recall, lift and text are there for people
// and are worked out again on reading. An infinite end of an interval is left out.

extension FeatureColumn.Kind {
    var jsonName: String {
        switch self {
        case .numeric: "numeric"
        case .categorical: "categorical"
        case .boolean: "boolean"
        case .date: "date"
        }
    }

    init?(jsonName: String) {
        guard let kind = [.numeric, .categorical, .boolean, .date].first(where: { (kind: Self) in kind.jsonName == jsonName })
        else { return nil }
        self = kind
    }
}

extension RuleFeature: Codable {
    private enum CodingKeys: String, CodingKey { case name, kind, derived }
    private enum DerivedKeys: String, CodingKey, CaseIterable { case hour, days, ratio, difference }

    public init(from decoder: any Decoder) throws {
        try JSONKeys.check(decoder, ["name", "kind", "derived"])
        let values = try decoder.container(keyedBy: CodingKeys.self)
        if values.contains(.derived) {
            try self.init(derivedFrom: values)
            return
        }
        let name = try values.decode(String.self, forKey: .kind)
        guard let kind = FeatureColumn.Kind(jsonName: name) else {
            throw DecodingError.dataCorruptedError(
                forKey: .kind, in: values, debugDescription: "kind must be numeric, categorical or boolean, got \"\(name)\"")
        }
        self.init(name: try values.decode(String.self, forKey: .name), kind: kind)
    }

    /// {"name": "days from opened to paid", "kind": "numeric", "derived": {"days": ["opened", "paid"]}}
    private init(derivedFrom values: KeyedDecodingContainer<CodingKeys>) throws {
        try JSONKeys.check(try values.superDecoder(forKey: .derived), Set(DerivedKeys.allCases.map(\.rawValue)))
        let container = try values.nestedContainer(keyedBy: DerivedKeys.self, forKey: .derived)
        func fail(_ message: String) -> DecodingError {
            .dataCorruptedError(forKey: .derived, in: values, debugDescription: message)
        }
        guard container.allKeys.count == 1, let key = container.allKeys.first else {
            throw fail("must be one of hour, days, ratio and difference")
        }
        let columns = try container.decode([String].self, forKey: key)
        guard columns.count == (key == .hour ? 1 : 2) else {
            throw fail("\(key.rawValue) takes \(key == .hour ? "one column" : "two columns"), got \(columns.count)")
        }
        let operation: DerivedFeature.Operation =
            switch key {
            case .hour: .hour
            case .days: .days
            case .ratio: .ratio
            case .difference: .difference
            }
        self.init(DerivedFeature(operation, columns[0], columns.count > 1 ? columns[1] : nil))
        let (name, kind) = (try values.decode(String.self, forKey: .name), try values.decode(String.self, forKey: .kind))
        guard ExactName(name) == ExactName(self.name), kind == self.kind.jsonName else {
            throw fail("must be named \"\(self.name)\" and numeric, got \"\(name)\" and \(kind)")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(name, forKey: .name)
        try values.encode(kind.jsonName, forKey: .kind)
        guard let derived else { return }
        var container = values.nestedContainer(keyedBy: DerivedKeys.self, forKey: .derived)
        let key: DerivedKeys =
            switch derived.operation {
            case .hour: .hour
            case .days: .days
            case .ratio: .ratio
            case .difference: .difference
            }
        try container.encode([derived.first, derived.second].compactMap { $0 }, forKey: key)
    }
}

extension Condition: Codable {
    private enum CodingKeys: String, CodingKey { case feature, kind, low, high, categories }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let kind = try values.decode(String.self, forKey: .kind)
        let own: Set<String> = kind == "interval" ? ["low", "high"] : kind == "in" || kind == "not_in" ? ["categories"] : []
        try JSONKeys.check(decoder, own.union(["feature", "kind"]))
        func categories() throws -> [String] { try values.decode([String].self, forKey: .categories) }
        let test: Test
        switch kind {
        case "interval":
            test = .interval(
                low: try values.decodeIfPresent(Double.self, forKey: .low) ?? -.infinity,
                high: try values.decodeIfPresent(Double.self, forKey: .high) ?? .infinity)
        case "in": test = .isIn(try categories())
        case "not_in": test = .isNotIn(try categories())
        case "true": test = .isTrue
        case "false": test = .isFalse
        case "missing": test = .isMissing
        case "present": test = .isPresent
        default:
            throw DecodingError.dataCorruptedError(
                forKey: .kind, in: values, debugDescription: "\"\(kind)\" is not a kind of condition")
        }
        self.init(feature: try values.decode(String.self, forKey: .feature), test: test)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(feature, forKey: .feature)
        switch test {
        case .interval(let low, let high):
            try values.encode("interval", forKey: .kind)
            if low > -.infinity { try values.encode(low, forKey: .low) }
            if high < .infinity { try values.encode(high, forKey: .high) }
        case .isIn(let names):
            try values.encode("in", forKey: .kind)
            try values.encode(names, forKey: .categories)
        case .isNotIn(let names):
            try values.encode("not_in", forKey: .kind)
            try values.encode(names, forKey: .categories)
        case .isTrue: try values.encode("true", forKey: .kind)
        case .isFalse: try values.encode("false", forKey: .kind)
        case .isMissing: try values.encode("missing", forKey: .kind)
        case .isPresent: try values.encode("present", forKey: .kind)
        }
    }
}

extension RuleSet: Codable {
    static let formatVersion = 1
    /// The longest text that is read: 64 MiB.
    public static let largestJSON = 64 << 20

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case formatVersion = "format_version"
        case target, confidence, features, rules, search, unseen, tried, fallen, note
    }

    private enum RuleKeys: String, CodingKey, CaseIterable {
        case conditions, search, unseen, text, given, stability
        case statedPrecision = "stated_precision"
        case pValue = "p_value"
        case searchPValue = "search_p_value"
    }

    enum FigureKeys: String, CodingKey, CaseIterable {
        case precision, recall, lift
        case low = "precision_low"
        case high = "precision_high"
        case recallLow = "recall_low"
        case recallHigh = "recall_high"
    }

    private struct StoredRule: Decodable {
        let rule: Rule

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: RuleKeys.self)
            try JSONKeys.check(decoder, Set(RuleKeys.allCases.map(\.rawValue)))
            rule = Rule(
                conditions: try values.decode([Condition].self, forKey: .conditions),
                // A rule written by hand has no figures yet.
                search: try values.decodeIfPresent(Rule.Counts.self, forKey: .search) ?? Rule.Counts(),
                unseen: try values.decodeIfPresent(Rule.Counts.self, forKey: .unseen) ?? Rule.Counts(),
                isGiven: try values.decodeIfPresent(Bool.self, forKey: .given) ?? false,
                pValue: try values.decodeIfPresent(Double.self, forKey: .pValue),
                searchPValue: try values.decodeIfPresent(Double.self, forKey: .searchPValue),
                stability: try values.decodeIfPresent(Double.self, forKey: .stability),
                statedPrecision: try values.decodeIfPresent(Double.self, forKey: .statedPrecision))
        }
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let version = try values.decode(Int.self, forKey: .formatVersion)
        guard version >= 1 else {
            throw CoveyError.corruptFile("format_version must be at least 1, got \(version)")
        }
        guard version == RuleSet.formatVersion else {
            throw CoveyError.unsupported("format_version \(version) is newer than this version reads")
        }
        try JSONKeys.check(decoder, Set(CodingKeys.allCases.map(\.rawValue)))
        let rules = try values.decode([StoredRule].self, forKey: .rules)
        do {
            try self.init(
                targetName: values.decodeIfPresent(String.self, forKey: .target) ?? "target",
                confidence: values.decodeIfPresent(Double.self, forKey: .confidence) ?? 0.95,
                features: values.decode([RuleFeature].self, forKey: .features),
                rules: rules.map(\.rule),
                search: values.decodeIfPresent(Population.self, forKey: .search) ?? Population(rows: 0, target: 0),
                unseen: values.decodeIfPresent(Population.self, forKey: .unseen) ?? Population(rows: 0, target: 0),
                tried: values.decodeIfPresent(Int.self, forKey: .tried) ?? 0,
                fallen: values.decodeIfPresent(Int.self, forKey: .fallen) ?? 0)
            note = try values.decodeIfPresent(String.self, forKey: .note)
        } catch let error as CoveyError {
            throw CoveyError.corruptFile(error.message)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(RuleSet.formatVersion, forKey: .formatVersion)
        try values.encode(targetName, forKey: .target)
        try values.encode(confidence, forKey: .confidence)
        try values.encode(features, forKey: .features)
        try values.encode(search, forKey: .search)
        try values.encode(unseen, forKey: .unseen)
        try values.encode(tried, forKey: .tried)
        try values.encode(fallen, forKey: .fallen)
        try values.encodeIfPresent(note, forKey: .note)
        var list = values.nestedUnkeyedContainer(forKey: .rules)
        for rule in rules {
            var entry = list.nestedContainer(keyedBy: RuleKeys.self)
            try entry.encode(rule.conditions, forKey: .conditions)
            try entry.encode(Narrative(self).sentence(rule), forKey: .text)
            if rule.isGiven { try entry.encode(true, forKey: .given) }
            try entry.encodeIfPresent(rule.pValue, forKey: .pValue)
            try entry.encodeIfPresent(rule.searchPValue, forKey: .searchPValue)
            try entry.encodeIfPresent(rule.stability, forKey: .stability)
            try entry.encodeIfPresent(rule.statedPrecision, forKey: .statedPrecision)
            try entry.encode(Measured(counts: rule.search, figures: searchFigures(rule)), forKey: .search)
            try entry.encode(Measured(counts: rule.unseen, figures: figures(rule)), forKey: .unseen)
        }
    }

    /// What is read back, and what follows from it.
    private struct Measured: Encodable {
        let counts: Rule.Counts
        let figures: RuleFigures

        func encode(to encoder: any Encoder) throws {
            try counts.encode(to: encoder)
            var values = encoder.container(keyedBy: FigureKeys.self)
            try values.encode(figures.precision, forKey: .precision)
            try values.encode(figures.interval.low, forKey: .low)
            try values.encode(figures.interval.high, forKey: .high)
            try values.encode(figures.recall, forKey: .recall)
            try values.encode(figures.recallInterval.low, forKey: .recallLow)
            try values.encode(figures.recallInterval.high, forKey: .recallHigh)
            try values.encode(figures.lift, forKey: .lift)
        }
    }

    /// The whole set, keys sorted.
    public func json(_ execution: Execution = Execution()) throws -> String {
        try execution.report()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// Reads what `json` wrote, or a text of that format by anybody: throws `corruptFile` and says where.
    public init(json: UnsafeRawBufferPointer) throws {
        try require(json.count <= RuleSet.largestJSON, "length must be at most \(RuleSet.largestJSON), got \(json.count)")
        do {
            self = try JSONDecoder().decode(RuleSet.self, from: Data(json))
            try JSONKeys.requireDistinct(json)
        } catch let error as CoveyError {
            throw error
        } catch let error as DecodingError {
            throw CoveyError.corruptFile(RuleSet.describe(error))
        }
    }

    private static func describe(_ error: DecodingError) -> String {
        func place(_ path: [any CodingKey], _ last: (any CodingKey)? = nil) -> String {
            var text = ""
            for key in path + (last.map { [$0] } ?? []) {
                if let index = key.intValue {
                    text += "[\(index)]"
                } else {
                    text += text.isEmpty ? key.stringValue : ".\(key.stringValue)"
                }
            }
            return text.isEmpty ? "the text" : text
        }
        switch error {
        case .keyNotFound(let key, let context): return "\(place(context.codingPath, key)) is missing"
        case .typeMismatch(let type, let context): return "\(place(context.codingPath)) must be of type \(type)"
        case .valueNotFound(let type, let context): return "\(place(context.codingPath)) must be of type \(type), got null"
        case .dataCorrupted(let context): return "\(place(context.codingPath)): \(context.debugDescription)"
        @unknown default: return "the text is not a rule set"
        }
    }
}
