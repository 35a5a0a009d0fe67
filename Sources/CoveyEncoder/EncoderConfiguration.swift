import CoveyFiles
import CoveyRuntime
import CoveySequences

/// The vocabularies, channels and scalings of an encoder: the metadata entry "covey.encoder" of its file.
public struct EncoderConfiguration: Sendable, Equatable {
    /// The newest version of the entry that this library reads. It is also the version that it writes.
    public static let formatVersion = 1
    public static let entryName = "covey.encoder"
    /// The largest number of numeric channels, and of categorical channels.
    public static let largestChannels = 1024

    public let vocabulary: Vocabulary
    /// The scaling of log1p(gap), of log1p(time until the last event) and, if the model uses dwell, of log1p(dwell).
    public let timeScaling: [Scaling]
    /// The names of the numeric channels, as the entries from 1 on.
    public let numericNames: Vocabulary
    public let numericScaling: [Scaling]
    /// The names of the categorical channels, as the entries from 1 on.
    public let categoricalNames: Vocabulary
    public let categoricalVocabularies: [Vocabulary]

    public var usesDwell: Bool { timeScaling.count == 3 }
    public var timeFeatures: Int { timeScaling.count }

    init(
        vocabulary: Vocabulary, timeScaling: [Scaling], numericNames: Vocabulary, numericScaling: [Scaling],
        categoricalNames: Vocabulary, categoricalVocabularies: [Vocabulary]
    ) {
        self.vocabulary = vocabulary
        self.timeScaling = timeScaling
        self.numericNames = numericNames
        self.numericScaling = numericScaling
        self.categoricalNames = categoricalNames
        self.categoricalVocabularies = categoricalVocabularies
    }

    /// - Throws: `corruptFile`, naming the member of the entry; `unsupported` for a newer format; `cancelled`.
    public init(json: String, _ execution: Execution = Execution()) throws {
        var json = json
        func read(large: Int) throws -> Self {
            try json.withUTF8 { try Self(LargeJSON($0, cutting: .arraysOfStrings, large: large, execution), execution) }
        }
        do {
            self = try read(large: 1 << 20)
        } catch is DecodingError {
            // At one go the decoder says where it is damaged.
            do { self = try read(large: .max) } catch let error as DecodingError { throw Self.corrupt(JSONText.reason(error)) }
        }
    }

    private init(_ json: LargeJSON, _ execution: Execution) throws {
        let version = try json.decode(Version.self)
        guard version.format_version <= Self.formatVersion else {
            throw CoveyError.unsupported(
                "\(Self.what): format_version is \(version.format_version), this version reads up to \(Self.formatVersion)")
        }
        guard version.format_version >= 1 else { throw Self.corrupt("format_version is \(version.format_version)") }
        let form = try json.decode(Form.self)
        let features = form.dwell ? 3 : 2
        guard form.time_mean.count == features, form.time_deviation.count == features else {
            throw Self.corrupt(
                "time_mean and time_deviation must have \(features) numbers, got \(form.time_mean.count) and "
                    + "\(form.time_deviation.count)")
        }
        let numeric = form.numeric ?? []
        let categorical = form.categorical ?? []
        guard numeric.count <= Self.largestChannels, categorical.count <= Self.largestChannels else {
            throw Self.corrupt("numeric and categorical must have at most \(Self.largestChannels) channels")
        }
        vocabulary = try Self.vocabulary("vocabulary", execution) { try json.forEach(of: form.vocabulary, execution, $0) }
        timeScaling = try (0..<features).map {
            try Self.scaling(form.time_mean[$0], form.time_deviation[$0], "time_mean[\($0)], time_deviation[\($0)]")
        }
        numericNames = try Self.vocabulary("numeric", execution) { try numeric.map(\.name).forEach($0) }
        numericScaling = try numeric.enumerated().map {
            try Self.scaling($1.mean, $1.deviation, "numeric[\($0)]")
        }
        categoricalNames = try Self.vocabulary("categorical", execution) { try categorical.map(\.name).forEach($0) }
        categoricalVocabularies = try categorical.enumerated().map { channel, form in
            try Self.vocabulary("categorical[\(channel)].vocabulary", execution) {
                try json.forEach(of: form.vocabulary, execution, $0)
            }
        }
    }

    /// The entry's text.
    /// - Parameter execution: of a call that can be stopped meanwhile, and is told of.
    public func json(_ execution: Execution? = nil) throws -> String {
        // Members ascend by their names: those that may be large, which are encoded in pieces, are the first and the last.
        let text = try JSONText.encode(
            Form(
                format_version: Self.formatVersion, vocabulary: [], time_mean: timeScaling.map(\.mean),
                time_deviation: timeScaling.map(\.deviation), dwell: usesDwell,
                numeric: zip(numericNames.names, numericScaling).map {
                    Form.Numeric(name: $0, mean: $1.mean, deviation: $1.deviation)
                },
                categorical: []))
        func names(_ vocabulary: Vocabulary) throws -> String {
            try JSONText.encode(1..<vocabulary.count, execution) { vocabulary[$0] }
        }
        var result = #"{"categorical":["#
        for (channel, vocabulary) in categoricalVocabularies.enumerated() {
            if channel > 0 { result += "," }
            result += try #"{"name":"# + JSONText.encode(categoricalNames[channel + 1])
            result += try #","vocabulary":"# + names(vocabulary) + "}"
        }
        result += text.dropFirst(#"{"categorical":["#.count).dropLast("[]}".count)
        return try result + names(vocabulary) + "}"
    }

    private static let what = "metadata entry \(entryName)"

    private static func corrupt(_ message: String) -> CoveyError { .corruptFile("\(what): \(message)") }

    private static func vocabulary(
        _ member: String, _ execution: Execution, _ names: (_ add: (String) throws -> Void) throws -> Void
    ) throws -> Vocabulary {
        do {
            return try Vocabulary(execution, names)
        } catch let error as CoveyError where error.code == .invalidArgument {
            throw corrupt("\(member): \(error.message)")
        }
    }

    private static func scaling(_ mean: Double, _ deviation: Double, _ member: String) throws -> Scaling {
        let scaling = Scaling(mean: mean, deviation: deviation)
        guard scaling.isValid else {
            throw corrupt("\(member): mean must be finite and deviation above 0, got \(mean) and \(deviation)")
        }
        return scaling
    }

    private struct Version: Decodable {
        let format_version: Int
    }

    /// The entry as JSON, its members by their names there.
    private struct Form: Codable {
        struct Numeric: Codable {
            let name: String
            let mean: Double
            let deviation: Double
        }

        struct Categorical: Codable {
            let name: String
            let vocabulary: [String]
        }

        let format_version: Int
        let vocabulary: [String]
        let time_mean: [Double]
        let time_deviation: [Double]
        let dwell: Bool
        let numeric: [Numeric]?
        let categorical: [Categorical]?
    }
}
