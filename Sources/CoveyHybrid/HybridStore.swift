import CoveyFiles
import CoveyRuntime
import CoveyTables

/// A transform in a safetensors file: the tensors PREFIXcentre (float64, [columns]) and PREFIXaxes ([columns,
/// components], if there are principal components), and the metadata entry "covey.hybrid", a JSON object:
///
///     {"embeddings": {"components", "factor", "unit"},
///      "features": {"clip", "columns": [{"categories", "factor", "half_centre", "half_scale", "indicator", "kind",
///                   "log_unit", "median", "name", "quantiles": {"places", "values"}}], "missing"},
///      "format_version": 1}
///
/// "embeddings", "features", "log_unit" and "quantiles" may be left out. `HybridReading.swift` reads it.
extension HybridFeatures {
    public static let entryName = "covey.hybrid"
    static let formatVersion = 1
    private static let filePrefix = "hybrid."

    /// - Parameter entry: the name of the metadata entry, if a file has several transforms.
    public func store(
        in writer: inout SafeTensorsWriter, prefix: String, entry: String = entryName,
        _ execution: Execution
    ) throws {
        if let embeddings {
            try writer.add(prefix + "centre", embeddings.centre, shape: [embeddings.columns])
            if !embeddings.axes.isEmpty {
                try writer.add(prefix + "axes", embeddings.axes, shape: [embeddings.columns, embeddings.outputs])
            }
        }
        var json = JSONWriter(execution)
        try json.object { json in
            if let embeddings {
                try json.name("embeddings")
                try embeddings.write(to: &json)
            }
            if let features {
                try json.name("features")
                try features.write(to: &json)
            }
            try json.member("format_version", HybridFeatures.formatVersion)
        }
        writer.setEntry(entry, json.string)
    }

    /// A file of the transform alone.
    public func file(_ execution: Execution = Execution()) throws -> SafeTensorsWriter {
        var writer = SafeTensorsWriter()
        try store(in: &writer, prefix: HybridFeatures.filePrefix, execution)
        try writer.setChecksum(execution)
        return writer
    }

    /// Reads a file of the transform alone. Throws as `init(from:prefix:)`, and `corruptFile` for a wrong checksum.
    public init(_ file: SafeTensors, _ execution: Execution) throws {
        // The version comes first: a newer one may have another checksum.
        try HybridFeatures.checkVersion(file.entry(HybridFeatures.entryName), HybridFeatures.entryName, execution)
        guard try file.hasValidChecksum(execution) else {
            throw CoveyError.corruptFile("the file is damaged: its checksum is missing or wrong")
        }
        try self.init(from: file, prefix: HybridFeatures.filePrefix, execution)
    }
}

extension EmbeddingBlock {
    fileprivate func write(to json: inout JSONWriter) throws {
        try json.object { json in
            try json.member("components", axes.isEmpty ? 0 : outputs)
            try json.member("factor", factor)
            try json.member("unit", unit)
        }
    }
}

extension FeatureBlock {
    fileprivate func write(to json: inout JSONWriter) throws {
        try json.object { json in
            try json.member("clip", clip)
            try json.name("columns")
            try json.array(columns) { try $1.write(to: &$0) }
            try json.member("missing", Int(missing.rawValue))
        }
    }
}

extension FittedFeature {
    fileprivate func write(to json: inout JSONWriter) throws {
        try json.object { json in
            try json.member("categories", categories)
            try json.member("factor", factor)
            try json.member("half_centre", scaling.halfCentre)
            try json.member("half_scale", scaling.halfScale)
            try json.member("indicator", hasIndicator)
            try json.member("kind", Int(kind.rawValue))
            if scaling.logUnit > 0 { try json.member("log_unit", scaling.logUnit) }
            try json.member("median", median)
            try json.member("name", name)
            guard let quantiles = scaling.quantiles else { return }
            try json.name("quantiles")
            try json.object { json in
                try json.member("places", quantiles.places)
                try json.member("values", quantiles.values)
            }
        }
    }
}
