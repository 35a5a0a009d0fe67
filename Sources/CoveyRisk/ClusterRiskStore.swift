import CoveyFiles
import CoveyRuntime

/// Cluster risk in a safetensors file without tensors: the metadata entry "covey.risk", a JSON object:
///
///     {"format_version": 1, "risk": (see ClusterRiskJSON.swift)}
extension ClusterRisk {
    public static let entryName = "covey.risk"
    private static let formatVersion = 1
    private static let what = "metadata entry \(entryName)"

    public func file(_ execution: Execution = Execution()) throws -> SafeTensorsWriter {
        var json = JSONWriter(execution)
        try json.object { json in
            try json.member("format_version", ClusterRisk.formatVersion)
            try json.name("risk")
            try write(to: &json)
        }
        var writer = SafeTensorsWriter()
        writer.setEntry(ClusterRisk.entryName, json.string)
        try writer.setChecksum(execution)
        return writer
    }

    /// Throws `corruptFile` for a damaged file and for numbers that rating cannot give, `unsupported` for a newer
    /// version, `outOfMemory`, `cancelled`.
    public init(_ file: SafeTensors, _ execution: Execution = Execution()) throws {
        let text = try file.entry(ClusterRisk.entryName)
        // The version comes first: a newer one may have another checksum.
        try JSONText.checkVersion(text, ClusterRisk.what, newest: ClusterRisk.formatVersion, execution)
        guard try file.hasValidChecksum(execution) else {
            throw CoveyError.corruptFile("the file is damaged: its checksum is missing or wrong")
        }
        do {
            self = try JSONReader.read(text, ClusterRisk.what, execution) { reader in
                var risk: ClusterRisk?
                try reader.object { name in
                    switch name {
                    case "risk": risk = try ClusterRisk(reader)
                    default: try reader.skip()
                    }
                }
                return try reader.required(risk, "risk")
            }
        } catch let error as CoveyError where [.invalidArgument, .invalidData].contains(error.code) {
            // What would be a caller's mistake elsewhere is the file's here.
            throw CoveyError.corruptFile("\(ClusterRisk.what): \(error.message)")
        }
    }
}
