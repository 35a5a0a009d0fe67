import CoveyFiles
import CoveyRuntime
import CoveyTables
import FoundationEssentials

/// A transform in a safetensors file: the tensors PREFIXcentre (float64, [columns]) and PREFIXaxes ([columns,
/// components], where there are principal components), and the metadata entry "covey.hybrid", a JSON object.
extension HybridFeatures {
    public static let entryName = "covey.hybrid"
    static let formatVersion = 1

    /// - Parameter entry: the name of the metadata entry, where a file has several transforms.
    public func store(in writer: inout SafeTensorsWriter, prefix: String, entry: String = entryName) throws {
        if let embeddings {
            try writer.add(prefix + "centre", embeddings.centre, shape: [embeddings.columns])
            if !embeddings.axes.isEmpty {
                try writer.add(prefix + "axes", embeddings.axes, shape: [embeddings.columns, embeddings.outputs])
            }
        }
        let stored = Stored(
            format_version: HybridFeatures.formatVersion,
            embeddings: embeddings.map {
                .init(unit: $0.unit, factor: $0.factor, components: $0.axes.isEmpty ? 0 : $0.outputs)
            },
            features: features.map {
                .init(missing: $0.missing, clip: $0.clip, columns: $0.columns.map(Stored.Column.init))
            })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        writer.setEntry(entry, String(decoding: try encoder.encode(stored), as: UTF8.self))
    }

    /// Throws `corruptFile`, naming the tensor or the entry, for anything that fitting cannot give; `unsupported` for a
    /// newer version.
    public init(from file: SafeTensors, prefix: String, entry: String = entryName) throws {
        let text = try file.entry(entry)
        let version = try HybridFeatures.decode(Version.self, text).format_version
        guard version >= 1 else { throw HybridFeatures.corrupt("format_version must be at least 1, got \(version)") }
        guard version <= HybridFeatures.formatVersion else {
            throw CoveyError.unsupported(
                "\(HybridFeatures.entryName): format_version \(version) is newer than \(HybridFeatures.formatVersion)")
        }
        let stored = try HybridFeatures.decode(Stored.self, text)
        embeddings = try stored.embeddings.map { try EmbeddingBlock($0, file, prefix) }
        features = try stored.features.map { try FeatureBlock($0) }
        guard (1...HybridFeatures.largestDimension).contains(dimension) else {
            throw HybridFeatures.corrupt(
                "rows must have 1 to \(HybridFeatures.largestDimension) columns, got \(dimension)")
        }
    }

    /// A file of the transform alone.
    public func file() throws -> SafeTensorsWriter {
        var writer = SafeTensorsWriter()
        try store(in: &writer, prefix: HybridFeatures.filePrefix)
        try writer.setChecksum()
        return writer
    }

    private static let filePrefix = "hybrid."

    /// Reads a file of the transform alone. Throws as `init(from:prefix:)`, and `corruptFile` for a wrong checksum.
    public init(_ file: SafeTensors, _ execution: Execution) throws {
        // The version comes first: a newer one may have another checksum.
        let version = try HybridFeatures.decode(Version.self, try file.entry(HybridFeatures.entryName)).format_version
        guard try version > HybridFeatures.formatVersion || file.hasValidChecksum(execution) else {
            throw CoveyError.corruptFile("the file is damaged: its checksum is missing or wrong")
        }
        try self.init(from: file, prefix: HybridFeatures.filePrefix)
    }

    fileprivate static func corrupt(_ message: String) -> CoveyError { .corruptFile("\(entryName): \(message)") }

    private static func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch {
            throw corrupt("not valid: \(error)")
        }
    }

    private struct Version: Decodable {
        let format_version: Int
    }

    fileprivate struct Stored: Codable {
        let format_version: Int
        let embeddings: Embeddings?
        let features: Features?

        struct Embeddings: Codable {
            let unit: Double
            let factor: Double
            let components: Int
        }

        struct Features: Codable {
            let missing: MissingValues
            let clip: Double
            let columns: [Column]
        }

        struct Column: Codable {
            let name: String
            let kind: FeatureColumn.Kind
            let half_centre: Double
            let half_scale: Double
            /// Where the logarithm or the quantiles are scaled; left out otherwise.
            let log_unit: Double?
            let quantiles: QuantileScaling?
            let median: Double
            let categories: [String]
            let indicator: Bool
            let factor: Double

            init(_ column: FittedFeature) {
                name = column.name
                kind = column.kind
                half_centre = column.scaling.halfCentre
                half_scale = column.scaling.halfScale
                log_unit = column.scaling.logUnit > 0 ? column.scaling.logUnit : nil
                quantiles = column.scaling.quantiles
                median = column.median
                categories = column.categories
                indicator = column.hasIndicator
                factor = column.factor
            }
        }
    }
}

extension EmbeddingBlock {
    fileprivate init(_ stored: HybridFeatures.Stored.Embeddings, _ file: SafeTensors, _ prefix: String) throws {
        let centre = try file.finiteValues(prefix + "centre", as: Double.self, shape: [nil])
        let limit = HybridFeatures.largestDimension
        guard (1...limit).contains(centre.count), (0...centre.count).contains(stored.components) else {
            throw HybridFeatures.corrupt("embeddings must have 1 to \(limit) columns and no more components")
        }
        let axes =
            stored.components == 0
            ? [] : try file.finiteValues(prefix + "axes", as: Double.self, shape: [centre.count, stored.components])
        // Bounds within which no later sum overflows.
        guard stored.unit.isFinite, stored.unit > 0, stored.factor.isFinite, stored.factor >= 0,
            centre.allSatisfy({ abs($0) <= 1e100 }), axes.allSatisfy({ abs($0) <= 2 })
        else { throw HybridFeatures.corrupt("the numbers of the embeddings are out of range") }
        self.init(
            unit: stored.unit, centre: centre, axes: axes,
            outputs: stored.components == 0 ? centre.count : stored.components, factor: stored.factor)
    }
}

extension FeatureBlock {
    fileprivate init(_ stored: HybridFeatures.Stored.Features) throws {
        guard stored.clip.isFinite, stored.clip > 0 else {
            throw HybridFeatures.corrupt("clip must be finite and above 0, got \(stored.clip)")
        }
        guard (1...HybridFeatures.largestDimension).contains(stored.columns.count) else {
            throw HybridFeatures.corrupt("features must have a column")
        }
        var names = Set<ExactName>()
        let columns = try stored.columns.map { column in
            let distinct = Set(column.categories.map { ExactName($0) })
            let scaling = ColumnScaling(
                halfCentre: column.half_centre, halfScale: column.half_scale, logUnit: column.log_unit ?? 0,
                quantiles: column.quantiles)
            guard !column.name.isEmpty, !column.name.utf8.contains(0), names.insert(ExactName(column.name)).inserted,
                scaling.isValid, column.median.isFinite, column.factor.isFinite, column.factor >= 0,
                distinct.count == column.categories.count, column.kind == .categorical || distinct.isEmpty,
                !column.categories.contains(where: { $0.utf8.contains(0) }), column.kind != .date
            else { throw HybridFeatures.corrupt("column \"\(column.name)\" is not valid") }
            return FittedFeature(
                name: column.name, kind: column.kind, scaling: scaling, median: column.median,
                categories: column.categories, hasIndicator: column.indicator, factor: column.factor)
        }
        self.init(columns: columns, missing: stored.missing, clip: stored.clip)
    }
}
