import CCovey
import CoveyFiles
import CoveyHybrid
import CoveyRuntime

// Section 7 of covey.h: hybrid features.

/// A fitted transform as the caller holds it: the columns' names stay where C can read them.
final class HybridBox: Sendable {
    let hybrid: HybridFeatures
    let columnNames: [CText]

    init(_ hybrid: HybridFeatures, _ execution: Execution) throws {
        // C strings are kept. For a moment each name is a string too, in three arrays.
        let (names, bytes) = (hybrid.dimension, hybrid.columnNameBytes)
        try execution.hold(96 * names + bytes, for: "the names of \(names) columns")
        try execution.reserve(112 * names + bytes, for: "the names of \(names) columns")
        self.hybrid = hybrid
        columnNames = hybrid.columnNames.map { CText($0) }
    }
}

@c @implementation
public func covey_hybrid_fit(
    _ context: OpaquePointer?, _ embeddings: UnsafePointer<covey_matrix>?, _ features: UnsafePointer<covey_table>?,
    _ options: UnsafePointer<covey_hybrid_options>?, _ hybrid: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    hybrid?.pointee = nil
    return boundary(error) {
        let hybrid = try required(hybrid, "hybrid")
        let view = try embeddings.map { try matrixView($0, "embeddings") }
        let execution = execution(context)
        let table = try features.map { try featureTable($0, "features", execution) }
        let fitted = try HybridFeatures(
            fitting: view, table, options: try hybridOptions(options, columns: table?.columns.count ?? 0),
            execution: execution)
        hybrid.pointee = Handle.retain(try HybridBox(fitted, execution))
    }
}

private func hybridOptions(_ pointer: UnsafePointer<covey_hybrid_options>?, columns: Int) throws -> HybridOptions {
    var options = HybridOptions()
    guard let pointer else { return options }
    var defaults = covey_hybrid_options()
    defaults.scaling = options.scaling.rawValue
    defaults.missing = options.missing.rawValue
    defaults.embedding_weight = options.embeddingWeight
    defaults.feature_weight = options.featureWeight
    defaults.clip = options.clip
    let given = try Versioned.read(pointer, "options", defaults: defaults)
    guard let scaling = FeatureScaling(rawValue: given.scaling) else {
        throw CoveyError.invalidArgument("options.scaling must be a COVEY_SCALING_ value, got \(given.scaling)")
    }
    guard let missing = MissingValues(rawValue: given.missing) else {
        throw CoveyError.invalidArgument("options.missing must be a COVEY_MISSING_ value, got \(given.missing)")
    }
    options.scaling = scaling
    options.missing = missing
    options.embeddingComponents = try count(
        given.embedding_components, "options.embedding_components", in: 0...largestColumns)
    options.embeddingWeight = given.embedding_weight
    options.featureWeight = given.feature_weight
    options.clip = given.clip
    options.columnWeights = given.column_weights.map { weights in (0..<columns).map { weights[$0] } }
    return options
}

@c @implementation
public func covey_hybrid_dimension(_ hybrid: OpaquePointer?) -> Int64 {
    guard let hybrid else { return 0 }
    return Int64(Handle.object(hybrid, as: HybridBox.self).hybrid.dimension)
}

@c @implementation
public func covey_hybrid_column_name(_ hybrid: OpaquePointer?, _ column: Int64) -> UnsafePointer<CChar>! {
    guard let hybrid else { return nil }
    let names = Handle.object(hybrid, as: HybridBox.self).columnNames
    return column >= 0 && column < Int64(names.count) ? names[Int(column)].pointer : nil
}

@c @implementation
public func covey_hybrid_transform(
    _ hybrid: OpaquePointer?, _ context: OpaquePointer?, _ embeddings: UnsafePointer<covey_matrix>?,
    _ features: UnsafePointer<covey_table>?, _ output: UnsafeMutablePointer<Float>?, _ row_stride: Int64,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let hybrid = try Handle.required(hybrid, "hybrid", as: HybridBox.self).hybrid
        let view = try embeddings.map { try matrixView($0, "embeddings") }
        let execution = execution(context)
        let table = try features.map { try featureTable($0, "features", execution) }
        let rows = try hybrid.checkedRows(view, table)
        let step = try stride(row_stride, "row_stride", of: 4, atLeast: hybrid.dimension * 4)
        _ = try checkedProduct(rows, step, "output")
        if rows == 0 { return }
        try hybrid.transform(
            view, table, to: try required(output, "output"), stride: step / 4, execution: execution)
    }
}

// MARK: - Files

@c @implementation
public func covey_hybrid_save(
    _ hybrid: OpaquePointer?, _ context: OpaquePointer?, _ path: UnsafePointer<CChar>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let hybrid = try Handle.required(hybrid, "hybrid", as: HybridBox.self).hybrid
        let execution = execution(context)
        try hybrid.file(execution).write(to: try CoveyABI.path(path), execution)
    }
}

@c @implementation
public func covey_hybrid_load(
    _ context: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ hybrid: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    hybrid?.pointee = nil
    return boundary(error) {
        let hybrid = try required(hybrid, "hybrid")
        let execution = execution(context)
        let read = try SafeTensors.read(path: CoveyABI.path(path), execution) { try HybridFeatures($0, execution) }
        hybrid.pointee = Handle.retain(try HybridBox(read, execution))
    }
}

@c @implementation
public func covey_hybrid_write(
    _ hybrid: OpaquePointer?, _ context: OpaquePointer?, _ bytes: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    bytes?.pointee = nil
    return boundary(error) {
        let bytes = try required(bytes, "bytes")
        let hybrid = try Handle.required(hybrid, "hybrid", as: HybridBox.self).hybrid
        let execution = execution(context)
        bytes.pointee = Handle.retain(try hybrid.file(execution).owned(execution))
    }
}

@c @implementation
public func covey_hybrid_read(
    _ context: OpaquePointer?, _ bytes: UnsafeRawPointer?, _ length: Int64,
    _ hybrid: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    hybrid?.pointee = nil
    return boundary(error) {
        let hybrid = try required(hybrid, "hybrid")
        let execution = execution(context)
        let file = try SafeTensors(bytes, length, execution)
        hybrid.pointee = Handle.retain(try HybridBox(HybridFeatures(file, execution), execution))
    }
}

@c @implementation
public func covey_hybrid_destroy(_ hybrid: OpaquePointer?) {
    Handle.release(hybrid, as: HybridBox.self)
}
