import CoveyClustering
import CoveyEncoder
import CoveyFiles
import CoveyHybrid
import CoveyRisk
import CoveyRules
import CoveyRuntime

// An engine in one safetensors file:
//
//   entry "covey.engine"          JSON: format_version, whether there is an encoder, risk, rule sets with their
//   clusters entry "covey.checksum"        over all the rest encoder.*, "covey.encoder"    as in an encoder's own file
//   hybrid.*, "covey.hybrid"      the hybrid features clustering.*                  spanning tree and rows evidence.*
//   where there is evidence: see EvidenceStorage.swift
//
// What can be worked out from these is not stored, so that a file cannot contradict itself.

extension Engine {
    static let formatVersion = 1
    static let entryName = "covey.engine"
    private static let what = "metadata entry \(entryName)"

    /// Writes the file whole or not at all. The same engine gives the same bytes. Throws `io`.
    public func save(to path: String, execution: Execution = Execution()) throws {
        try file(execution).write(to: path, execution)
    }

    func file(_ execution: Execution = Execution()) throws -> SafeTensorsWriter {
        var writer = SafeTensorsWriter()
        try parts.encoder?.checkpoint.write(to: &writer, prefix: "encoder.", execution)
        try execution.report()
        try parts.hybrid.store(in: &writer, prefix: "hybrid.", execution)
        try parts.clustering.store(into: &writer, prefix: "clustering.", execution)
        try parts.evidence?.store(in: &writer, prefix: "evidence.", execution)
        var entry = JSONWriter(execution)
        try entry.object { entry in
            try entry.member("encoder", parts.encoder != nil)
            if parts.evidence != nil { try entry.member("evidence", true) }
            try entry.member("format_version", Engine.formatVersion)
            try entry.name("risk")
            try parts.risk.write(to: &entry)
            try entry.name("rules")
            try entry.array(parts.ruleSets) { entry, set in
                try entry.object { entry in
                    try entry.member("cluster", set.cluster)
                    try entry.name("set")
                    try set.rules.write(to: &entry)
                }
            }
        }
        writer.setEntry(Engine.entryName, entry.string)
        try writer.setChecksum(execution)
        return writer
    }

    /// Reads an engine's file. Throws `io`; `corruptFile`, naming what is wrong, for anything that `save` would not
    /// have written; `unsupported` for a newer format; `outOfMemory`; `cancelled`.
    public convenience init(path: String, execution: Execution = Execution()) throws {
        do {
            try self.init(SafeTensors(path: path, execution), execution: execution)
        } catch let error as CoveyError {
            throw error.inFile(path)
        }
    }

    /// - Parameter trusted: does not look at the checksum.
    convenience init(_ file: SafeTensors, trusted: Bool = false, execution: Execution = Execution()) throws {
        let text = try file.entry(Engine.entryName)
        try JSONText.checkVersion(text, Engine.what, newest: Engine.formatVersion, execution)
        guard try trusted || file.hasValidChecksum(execution) else {
            throw CoveyError.corruptFile("the file is damaged: its checksum is missing or wrong")
        }
        do {
            let stored = try JSONReader.read(text, Engine.what, execution) { try Stored($0) }
            let encoder = try stored.encoder ? Encoder(Checkpoint(file, prefix: "encoder.", execution), execution) : nil
            try execution.check()
            let hybrid = try HybridFeatures(from: file, prefix: "hybrid.", execution)
            let clustering = try Clustering(from: file, prefix: "clustering.", execution: execution)
            let evidence =
                stored.evidence
                ? try Evidence(
                    from: file, prefix: "evidence.", first: EvidenceView(hybrid: hybrid, clustering: clustering),
                    execution: execution) : nil
            try self.init(
                EngineParts(
                    encoder: encoder, hybrid: hybrid, clustering: clustering, risk: stored.risk,
                    ruleSets: stored.rules, evidence: evidence), execution: execution)
        } catch let error as CoveyError where [.invalidArgument, .invalidData, .mismatch].contains(error.code) {
            // What would be a caller's mistake elsewhere is the file's here.
            throw CoveyError.corruptFile(error.message)
        }
    }
}

/// What the entry "covey.engine" says.
private struct Stored {
    let encoder: Bool
    let risk: ClusterRisk
    let rules: [ClusterRules]
    /// Left out by files of an engine without.
    let evidence: Bool

    init(_ reader: JSONReader) throws {
        var (encoder, risk, rules): (Bool?, ClusterRisk?, [ClusterRules]?) = (nil, nil, nil)
        var hasEvidence = false
        try reader.object { name in
            switch name {
            case "encoder": encoder = try reader.bool()
            case "evidence": if try !reader.isNull() { hasEvidence = try reader.bool() }
            case "risk": risk = try ClusterRisk(reader)
            case "rules":
                var read: [ClusterRules] = []
                try reader.array { index in
                    guard index < EngineParts.largestRuleSets else { throw reader.error("is one too many") }
                    read.append(try Stored.rules(reader))
                }
                rules = read
            default: try reader.skip()
            }
        }
        self.encoder = try reader.required(encoder, "encoder")
        self.risk = try reader.required(risk, "risk")
        self.rules = try reader.required(rules, "rules")
        evidence = hasEvidence
    }

    private static func rules(_ reader: JSONReader) throws -> ClusterRules {
        var (cluster, set): (Int?, RuleSet?) = (nil, nil)
        try reader.object { name in
            switch name {
            case "cluster": cluster = try reader.integer()
            case "set": set = try RuleSet(reader)
            default: try reader.skip()
            }
        }
        return try ClusterRules(
            cluster: reader.required(cluster, "cluster"), rules: reader.required(set, "set"), reader.execution)
    }
}
