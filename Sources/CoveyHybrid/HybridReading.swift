import CoveyFiles
import CoveyRuntime
import CoveyTables

/// Reads what `HybridStore.swift` writes. A file may say anything: every number and length is checked here.
extension HybridFeatures {
    /// Throws `corruptFile`, with the name of the tensor or the entry, for anything that fitting cannot give;
    /// `unsupported` for a newer version; `outOfMemory`, `cancelled`.
    public init(
        from file: SafeTensors, prefix: String, entry: String = entryName, _ execution: Execution
    ) throws {
        let text = try file.entry(entry)
        try HybridFeatures.checkVersion(text, entry, execution)
        self = try JSONReader.read(text, "metadata entry \(entry)", execution) { reader in
            var embeddings: EmbeddingBlock?
            var features: FeatureBlock?
            try reader.object { name in
                switch name {
                case "embeddings":
                    if try !reader.isNull() { embeddings = try EmbeddingBlock(reader, file, prefix) }
                case "features": if try !reader.isNull() { features = try FeatureBlock(reader) }
                default: try reader.skip()
                }
            }
            return HybridFeatures(embeddings: embeddings, features: features)
        }
        guard (1...HybridFeatures.largestDimension).contains(dimension) else {
            throw CoveyError.corruptFile(
                "metadata entry \(entry): rows must have 1 to \(HybridFeatures.largestDimension) columns, "
                    + "got \(dimension)")
        }
    }

    static func checkVersion(_ text: String, _ entry: String, _ execution: Execution) throws {
        try JSONText.checkVersion(text, "metadata entry \(entry)", newest: formatVersion, execution)
    }
}

extension EmbeddingBlock {
    fileprivate init(_ reader: JSONReader, _ file: SafeTensors, _ prefix: String) throws {
        var (unit, factor, components): (Double?, Double?, Int?)
        try reader.object { name in
            switch name {
            case "unit": unit = try reader.double()
            case "factor": factor = try reader.double()
            case "components": components = try reader.integer()
            default: try reader.skip()
            }
        }
        try self.init(
            unit: reader.required(unit, "unit"), factor: reader.required(factor, "factor"),
            components: reader.required(components, "components"), reader, file, prefix)
    }

    private init(
        unit: Double, factor: Double, components: Int, _ reader: JSONReader, _ file: SafeTensors, _ prefix: String
    ) throws {
        let centre = try file.finiteValues(prefix + "centre", as: Double.self, shape: [nil], reader.execution)
        let limit = HybridFeatures.largestDimension
        guard (1...limit).contains(centre.count), (0...centre.count).contains(components) else {
            throw reader.error("must have 1 to \(limit) columns and no more components")
        }
        let axes =
            components == 0
            ? []
            : try file.finiteValues(
                prefix + "axes", as: Double.self, shape: [centre.count, components], reader.execution)
        // Bounds within which no later sum overflows.
        guard unit > 0, factor >= 0, centre.allSatisfy({ abs($0) <= 1e100 }), axes.allSatisfy({ abs($0) <= 2 }) else {
            throw reader.error("has numbers that are out of range")
        }
        self.init(
            unit: unit, centre: centre, axes: axes, outputs: components == 0 ? centre.count : components,
            factor: factor)
    }
}

extension FeatureBlock {
    fileprivate init(_ reader: JSONReader) throws {
        var (missing, clip, columns): (MissingValues?, Double?, [FittedFeature]?)
        try reader.object { name in
            switch name {
            case "missing": missing = try reader.rawValue()
            case "clip":
                let value = try reader.double()
                guard value > 0 else { throw reader.error("must be above 0, got \(value)") }
                clip = value
            case "columns": columns = try FeatureBlock.columns(reader)
            default: try reader.skip()
            }
        }
        try self.init(
            columns: reader.required(columns, "columns"), missing: reader.required(missing, "missing"),
            clip: reader.required(clip, "clip"))
    }

    private static func columns(_ reader: JSONReader) throws -> [FittedFeature] {
        let limit = HybridFeatures.largestDimension
        var columns: [FittedFeature] = []
        var names = Set<ExactName>()
        var categories = 0
        try reader.array { index in
            guard index < limit else { throw reader.error("must not be there: a row has at most \(limit) columns") }
            let column = try FittedFeature(reader, most: limit - categories)
            guard names.insert(ExactName(column.name)).inserted else {
                throw reader.error("has a name that occurs twice: \(quoted: column.name)")
            }
            categories += column.categories.count
            columns.append(column)
            // The column and its name in the set, in arrays that double.
            try reader.count(2 * (MemoryLayout<FittedFeature>.stride + MemoryLayout<ExactName>.stride))
        }
        guard !columns.isEmpty else { throw reader.error("must have a column") }
        return columns
    }
}

extension FittedFeature {
    /// - Parameter most: the largest number of categories.
    fileprivate init(_ reader: JSONReader, most: Int) throws {
        var (name, kind, categories, indicator): (String?, FeatureColumn.Kind?, [String]?, Bool?)
        var (halfCentre, halfScale, logUnit): (Double?, Double?, Double?)
        var (median, factor, quantiles): (Double?, Double?, QuantileScaling?)
        try reader.object { member in
            switch member {
            case "name": name = try reader.string()
            case "kind": kind = try reader.rawValue()
            case "categories": categories = try reader.strings(most: most)
            case "indicator": indicator = try reader.bool()
            case "half_centre": halfCentre = try reader.double()
            case "half_scale": halfScale = try reader.double()
            case "log_unit": if try !reader.isNull() { logUnit = try reader.double() }
            case "quantiles": if try !reader.isNull() { quantiles = try QuantileScaling(reader) }
            case "median": median = try reader.double()
            case "factor": factor = try reader.double()
            default: try reader.skip()
            }
        }
        let names = categories?.count ?? 0
        try reader.count(FittedFeature.bytes(categories: names))
        // The set that looks for names that occur twice.
        try reader.execution.reserve(
            HashTableSize.bytes(names, of: MemoryLayout<ExactName>.stride) + names * MemoryLayout<ExactName>.stride,
            for: "the categories of a feature")
        try self.init(
            name: reader.required(name, "name"), kind: reader.required(kind, "kind"),
            scaling: ColumnScaling(
                halfCentre: reader.required(halfCentre, "half_centre"),
                halfScale: reader.required(halfScale, "half_scale"), logUnit: logUnit ?? 0, quantiles: quantiles),
            median: reader.required(median, "median"), categories: reader.required(categories, "categories"),
            hasIndicator: reader.required(indicator, "indicator"), factor: reader.required(factor, "factor"))
        guard canBeFitted else { throw reader.error("is not what fitting gives for the column \(quoted: self.name)") }
    }

    /// Whether fitting can give these values.
    private var canBeFitted: Bool {
        guard !name.isEmpty, !name.utf8.contains(0), kind != .date, scaling.isValid, median.isFinite, factor.isFinite,
            factor >= 0, kind == .categorical || categories.isEmpty,
            !categories.contains(where: { $0.utf8.contains(0) })
        else { return false }
        return Set(categories.map { ExactName($0) }).count == categories.count
    }
}

extension QuantileScaling {
    fileprivate init(_ reader: JSONReader) throws {
        var (places, values): ([Double]?, [Double]?)
        try reader.object { name in
            switch name {
            case "places": places = try reader.doubles(most: QuantileScaling.most)
            case "values": values = try reader.doubles(most: QuantileScaling.most)
            default: try reader.skip()
            }
        }
        try self.init(values: reader.required(values, "values"), places: reader.required(places, "places"))
    }
}
