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

    /// - Throws: `corruptFile`, naming the member of the entry; `unsupported` for a newer format; `outOfMemory`;
    ///   `cancelled`.
    public init(json: String, _ execution: Execution = Execution()) throws {
        try JSONText.checkVersion(json, Self.what, newest: Self.formatVersion, execution)
        self = try JSONReader.read(json, Self.what, execution) { try Self($0, execution) }
    }

    private init(_ reader: JSONReader, _ execution: Execution) throws {
        var (vocabulary, dwell): (Vocabulary?, Bool?) = (nil, nil)
        var (means, deviations): ([Double]?, [Double]?) = (nil, nil)
        var numeric = Channels()
        var categorical = Channels()
        try reader.object { name in
            switch name {
            case "vocabulary": vocabulary = try Self.vocabulary("vocabulary", execution) { try Self.names(reader, $0) }
            case "time_mean": means = try Self.numbers(reader)
            case "time_deviation": deviations = try Self.numbers(reader)
            case "dwell": dwell = try reader.bool()
            case "numeric": if try !reader.isNull() { try numeric.read(reader, "numeric", execution) }
            case "categorical": if try !reader.isNull() { try categorical.read(reader, "categorical", execution) }
            default: try reader.skip()
            }
        }
        self.vocabulary = try reader.required(vocabulary, "vocabulary")
        let (mean, deviation) = try (reader.required(means, "time_mean"), reader.required(deviations, "time_deviation"))
        let features = try reader.required(dwell, "dwell") ? 3 : 2
        guard mean.count == features, deviation.count == features else {
            throw Self.corrupt(
                "time_mean and time_deviation must have \(features) numbers, got \(mean.count) and \(deviation.count)")
        }
        timeScaling = try (0..<features).map {
            try Self.scaling(mean[$0], deviation[$0], "time_mean[\($0)], time_deviation[\($0)]")
        }
        numericNames = try Self.vocabulary("numeric", execution) { try numeric.names.forEach($0) }
        numericScaling = numeric.scaling
        categoricalNames = try Self.vocabulary("categorical", execution) { try categorical.names.forEach($0) }
        categoricalVocabularies = categorical.vocabularies
    }

    /// The channels of one kind as they are read.
    private struct Channels {
        var names: [String] = []
        var scaling: [Scaling] = []
        var vocabularies: [Vocabulary] = []

        mutating func read(_ reader: JSONReader, _ kind: String, _ execution: Execution) throws {
            var read = self
            try reader.array { index in
                guard index < EncoderConfiguration.largestChannels else {
                    throw EncoderConfiguration.corrupt(
                        "numeric and categorical must have at most \(EncoderConfiguration.largestChannels) channels")
                }
                var (channel, vocabulary): (String?, Vocabulary?) = (nil, nil)
                var (mean, deviation): (Double?, Double?) = (nil, nil)
                let field = "\(kind)[\(index)]"
                try reader.object { name in
                    switch name {
                    case "name": channel = try reader.string()
                    case "mean" where kind == "numeric": mean = try reader.double()
                    case "deviation" where kind == "numeric": deviation = try reader.double()
                    case "vocabulary" where kind == "categorical":
                        vocabulary = try EncoderConfiguration.vocabulary("\(field).vocabulary", execution) {
                            try EncoderConfiguration.names(reader, $0)
                        }
                    default: try reader.skip()
                    }
                }
                read.names.append(try reader.required(channel, "name"))
                if kind == "numeric" {
                    let (mean, deviation) = try (reader.required(mean, "mean"), reader.required(deviation, "deviation"))
                    read.scaling.append(try EncoderConfiguration.scaling(mean, deviation, field))
                } else {
                    read.vocabularies.append(try reader.required(vocabulary, "vocabulary"))
                }
            }
            self = read
        }
    }

    private static func names(_ reader: JSONReader, _ add: (String) throws -> Void) throws {
        try reader.array { _ in try add(reader.string()) }
    }

    private static func numbers(_ reader: JSONReader) throws -> [Double] {
        var result: [Double] = []
        try reader.array { index in
            guard index < 3 else { throw reader.error("is one too many") }
            result.append(try reader.double())
        }
        return result
    }

    /// The entry's text.
    /// - Parameter execution: of a call that can be stopped meanwhile, and is told of.
    public func json(_ execution: Execution = Execution()) throws -> String {
        func names(_ writer: inout JSONWriter, _ vocabulary: Vocabulary) throws {
            try writer.array(1..<vocabulary.count) { try $0.write(vocabulary[$1]) }
        }
        var writer = JSONWriter(execution)
        try writer.object { writer in
            try writer.name("categorical")
            try writer.array(categoricalVocabularies.indices) { writer, channel in
                try writer.object { writer in
                    try writer.member("name", categoricalNames[channel + 1])
                    try writer.name("vocabulary")
                    try names(&writer, categoricalVocabularies[channel])
                }
            }
            try writer.member("dwell", usesDwell)
            try writer.member("format_version", Self.formatVersion)
            try writer.name("numeric")
            try writer.array(numericScaling.indices) { writer, channel in
                try writer.object { writer in
                    try writer.member("deviation", numericScaling[channel].deviation)
                    try writer.member("mean", numericScaling[channel].mean)
                    try writer.member("name", numericNames[channel + 1])
                }
            }
            try writer.name("time_deviation")
            try writer.array(timeScaling) { try $0.write($1.deviation) }
            try writer.name("time_mean")
            try writer.array(timeScaling) { try $0.write($1.mean) }
            try writer.name("vocabulary")
            try names(&writer, vocabulary)
        }
        return writer.string
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
}
