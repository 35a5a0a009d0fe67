import CoveyClustering
import CoveyEncoder
import CoveyFiles
import CoveyHybrid
import CoveyRisk
import CoveyRules
import CoveyRuntime

// An engine in one safetensors file:
//
//   entry "covey.engine"          JSON: format_version, whether there is an encoder, risk, rule sets with their clusters
//   entry "covey.checksum"        over all the rest
//   encoder.*, "covey.encoder"    as in an encoder's own file
//   hybrid.*, "covey.hybrid"      the hybrid features
//   clustering.*                  spanning tree and rows
//   evidence.*                    where there is evidence: see EvidenceStorage.swift
//
// What can be worked out from these is not stored, so that a file cannot contradict itself.

extension Engine {
    static let formatVersion = 1
    static let entryName = "covey.engine"
    private static let what = "metadata entry \(entryName)"

    private struct Version: Decodable {
        let format_version: Int
    }

    private struct Stored: Codable {
        let format_version: Int
        let encoder: Bool
        let risk: ClusterRisk
        let rules: [Rules]
        /// Left out by files of an engine without.
        let evidence: Bool?

        struct Rules: Codable {
            let cluster: Int
            let set: RuleSet
        }
    }

    /// Writes the file whole or not at all. The same engine gives the same bytes. Throws `io`.
    public func save(to path: String, execution: Execution = Execution()) throws {
        try file(execution).write(to: path, execution)
    }

    func file(_ execution: Execution = Execution()) throws -> SafeTensorsWriter {
        var writer = SafeTensorsWriter()
        try parts.encoder?.checkpoint.write(to: &writer, prefix: "encoder.", execution)
        try execution.report()
        try parts.hybrid.store(in: &writer, prefix: "hybrid.")
        try parts.clustering.store(into: &writer, prefix: "clustering.")
        try parts.evidence?.store(in: &writer, prefix: "evidence.")
        let stored = Stored(
            format_version: Engine.formatVersion, encoder: parts.encoder != nil, risk: parts.risk,
            rules: parts.ruleSets.map { Stored.Rules(cluster: $0.cluster, set: $0.rules) },
            evidence: parts.evidence == nil ? nil : true)
        writer.setEntry(Engine.entryName, try JSONText.encode(stored))
        try writer.setChecksum(execution)
        return writer
    }

    /// Reads an engine's file.
    /// Throws `io`; `corruptFile`, naming what is wrong, for anything that `save` would not have written; `unsupported` for a newer
    /// format; `outOfMemory`; `cancelled`.
    public convenience init(path: String, execution: Execution = Execution()) throws {
        try self.init(SafeTensors(path: path, execution), execution: execution)
    }

    /// - Parameter trusted: does not look at the checksum.
    convenience init(_ file: SafeTensors, trusted: Bool = false, execution: Execution = Execution()) throws {
        let text = try file.entry(Engine.entryName)
        let version = try JSONText.decode(Version.self, from: text, Engine.what).format_version
        guard version <= Engine.formatVersion else {
            throw CoveyError.unsupported(
                "\(Engine.what): format_version is \(version), this version reads up to \(Engine.formatVersion)")
        }
        guard version >= 1 else { throw CoveyError.corruptFile("\(Engine.what): format_version is \(version)") }
        guard try trusted || file.hasValidChecksum(execution) else {
            throw CoveyError.corruptFile("the file is damaged: its checksum is missing or wrong")
        }
        do {
            let stored = try JSONText.decode(Stored.self, from: text, Engine.what)
            let encoder = try stored.encoder ? Encoder(Checkpoint(file, prefix: "encoder.", execution), execution) : nil
            try execution.check()
            let hybrid = try HybridFeatures(from: file, prefix: "hybrid.")
            let clustering = try Clustering(from: file, prefix: "clustering.", execution: execution)
            let evidence =
                stored.evidence == true
                ? try Evidence(
                    from: file, prefix: "evidence.", first: EvidenceView(hybrid: hybrid, clustering: clustering),
                    execution: execution) : nil
            try self.init(
                EngineParts(
                    encoder: encoder, hybrid: hybrid, clustering: clustering, risk: stored.risk,
                    ruleSets: stored.rules.map { ClusterRules(cluster: $0.cluster, rules: $0.set) },
                    evidence: evidence), execution: execution)
        } catch let error as CoveyError where [.invalidArgument, .invalidData, .mismatch].contains(error.code) {
            // What would be a caller's mistake elsewhere is the file's here.
            throw CoveyError.corruptFile(error.message)
        }
    }
}
