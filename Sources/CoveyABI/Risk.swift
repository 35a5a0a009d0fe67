import CCovey
import CoveyFiles
import CoveyRisk
import CoveyRuntime

// Section 9 of covey.h: cluster risk.

/// The object behind a `covey_risk`.
final class RiskBox: Sendable {
    let risk: ClusterRisk

    init(_ risk: ClusterRisk) {
        self.risk = risk
    }
}

@c @implementation
public func covey_cluster_risk(
    _ context: OpaquePointer?, _ labels: UnsafePointer<Int32>?, _ fraud: UnsafePointer<Int8>?,
    _ amounts: UnsafePointer<Double>?, _ times: UnsafePointer<Double>?, _ rows: Int64,
    _ options: UnsafePointer<covey_risk_options>?, _ risk: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    risk?.pointee = nil
    return boundary(error) {
        let risk = try required(risk, "risk")
        let options = try options.map { try riskOptions($0) } ?? ClusterRisk.Options()
        let rows = try count(rows, "rows", in: 0...largestRows)
        let result = try ClusterRisk(
            labels: strided(labels, "labels", count: rows), fraud: strided(fraud, "fraud", count: rows),
            amounts: amounts.map { try strided($0, "amounts", count: rows) },
            times: times.map { try strided($0, "times", count: rows) },
            options: options,
            execution: execution(context))
        risk.pointee = Handle.retain(RiskBox(result))
    }
}

/// covey_risk_options as the rating takes them.
func riskOptions(_ pointer: UnsafePointer<covey_risk_options>) throws -> ClusterRisk.Options {
    var defaults = covey_risk_options()
    defaults.confidence = 0.95
    defaults.min_lift = 3
    defaults.min_fraud = 3
    let options = try Versioned.read(pointer, "options", defaults: defaults)
    try require(options.reserved == 0, "options.reserved must be 0, got \(options.reserved)")
    return try ClusterRisk.Options(
        confidence: options.confidence, minLift: options.min_lift, minFraud: Int(options.min_fraud),
        population: try population(options.shares_over),
        knownShare: options.known_share == 0 ? 1 : options.known_share)
}

/// A COVEY_SHARES_ value.
func population(_ value: Int32) throws -> KnownLabels.Population {
    guard let population = KnownLabels.Population(rawValue: value) else {
        throw CoveyError.invalidArgument("options.shares_over must be a COVEY_SHARES_ value, got \(value)")
    }
    return population
}

@c @implementation
public func covey_risk_count(_ risk: OpaquePointer?) -> Int64 {
    guard let risk else { return 0 }
    return Int64(Handle.object(risk, as: RiskBox.self).risk.reports.count)
}

@c @implementation
public func covey_risk_base_rate(_ risk: OpaquePointer?) -> Double {
    guard let risk else { return .nan }
    return Handle.object(risk, as: RiskBox.self).risk.baseRate ?? .nan
}

@c @implementation
public func covey_risk_get(
    _ risk: OpaquePointer?, _ rank: Int64, _ report: UnsafeMutablePointer<covey_cluster_report>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let reports = try Handle.required(risk, "risk", as: RiskBox.self).risk.reports
        try require(
            rank >= 0 && rank < Int64(reports.count), "rank must be at least 0 and below \(reports.count), got \(rank)")
        let found = reports[Int(rank)]
        var result = covey_cluster_report()
        result.cluster = Int64(found.cluster)
        result.rank = rank
        result.size = Int64(found.size)
        result.labelled = Int64(found.labelled)
        result.fraud = Int64(found.fraud)
        result.labelled_share = found.labelledShare
        result.share = found.share ?? .nan
        result.share_low = found.low
        result.share_high = found.high
        result.lift = found.lift ?? .nan
        result.loss = found.loss
        result.amount = found.amount
        result.first_seen = found.firstSeen ?? .nan
        result.last_seen = found.lastSeen ?? .nan
        result.risky = found.isRisky ? 1 : 0
        try Versioned.write(result, to: report, "report")
    }
}

// MARK: - Files

@c @implementation
public func covey_risk_save(
    _ risk: OpaquePointer?, _ context: OpaquePointer?, _ path: UnsafePointer<CChar>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let risk = try Handle.required(risk, "risk", as: RiskBox.self).risk
        let execution = execution(context)
        try risk.file(execution).write(to: try CoveyABI.path(path), execution)
    }
}

@c @implementation
public func covey_risk_load(
    _ context: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ risk: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    risk?.pointee = nil
    return boundary(error) {
        let risk = try required(risk, "risk")
        let execution = execution(context)
        let read = try SafeTensors.read(path: CoveyABI.path(path), execution) { try ClusterRisk($0, execution) }
        risk.pointee = Handle.retain(RiskBox(read))
    }
}

@c @implementation
public func covey_risk_write(
    _ risk: OpaquePointer?, _ context: OpaquePointer?, _ bytes: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    bytes?.pointee = nil
    return boundary(error) {
        let bytes = try required(bytes, "bytes")
        let risk = try Handle.required(risk, "risk", as: RiskBox.self).risk
        let execution = execution(context)
        bytes.pointee = Handle.retain(try risk.file(execution).owned(execution))
    }
}

@c @implementation
public func covey_risk_read(
    _ context: OpaquePointer?, _ bytes: UnsafeRawPointer?, _ length: Int64,
    _ risk: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    risk?.pointee = nil
    return boundary(error) {
        let risk = try required(risk, "risk")
        let execution = execution(context)
        let file = try SafeTensors(bytes, length, execution)
        risk.pointee = Handle.retain(RiskBox(try ClusterRisk(file, execution)))
    }
}

@c @implementation
public func covey_risk_destroy(_ risk: OpaquePointer?) {
    Handle.release(risk, as: RiskBox.self)
}
