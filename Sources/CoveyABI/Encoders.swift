import CCovey
import CoveyEncoder
import CoveyRuntime
import CoveySequences

// Section 6 of covey.h: encoder. A handle is an Encoder; its vocabularies are borrowed from it.

@c @implementation
public func covey_load_model(
    _ context: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ encoder: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    encoder?.pointee = nil
    return boundary(error) {
        let encoder = try required(encoder, "encoder")
        encoder.pointee = Handle.retain(try Encoder(path: CoveyABI.path(path), execution(context)))
    }
}

@c @implementation
public func covey_encoder_save(
    _ encoder: OpaquePointer?, _ context: OpaquePointer?, _ path: UnsafePointer<CChar>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        try Handle.required(encoder, "encoder", as: Encoder.self).save(to: CoveyABI.path(path), execution(context))
    }
}

@c @implementation
public func covey_encoder_dimension(_ encoder: OpaquePointer?) -> Int64 {
    guard let encoder else { return 0 }
    return Int64(Handle.object(encoder, as: Encoder.self).dimension)
}

@c @implementation
public func covey_encoder_vocabulary(_ encoder: OpaquePointer?) -> OpaquePointer! {
    guard let encoder else { return nil }
    return Handle.borrow(Handle.object(encoder, as: Encoder.self).configuration.vocabulary)
}

@c @implementation
public func covey_encoder_uses_dwell(_ encoder: OpaquePointer?) -> Int32 {
    guard let encoder else { return 0 }
    return Handle.object(encoder, as: Encoder.self).configuration.usesDwell ? 1 : 0
}

@c @implementation
public func covey_encoder_numeric_count(_ encoder: OpaquePointer?) -> Int64 {
    guard let encoder else { return 0 }
    return Int64(Handle.object(encoder, as: Encoder.self).configuration.numericScaling.count)
}

@c @implementation
public func covey_encoder_categorical_count(_ encoder: OpaquePointer?) -> Int64 {
    guard let encoder else { return 0 }
    return Int64(Handle.object(encoder, as: Encoder.self).configuration.categoricalVocabularies.count)
}

@c @implementation
public func covey_encoder_numeric_name(_ encoder: OpaquePointer?, _ channel: Int64) -> UnsafePointer<CChar>! {
    guard let encoder else { return nil }
    return channelName(Handle.object(encoder, as: Encoder.self).configuration.numericNames, channel)
}

@c @implementation
public func covey_encoder_categorical_name(_ encoder: OpaquePointer?, _ channel: Int64) -> UnsafePointer<CChar>! {
    guard let encoder else { return nil }
    return channelName(Handle.object(encoder, as: Encoder.self).configuration.categoricalNames, channel)
}

/// Channels are the entries from index 1.
private func channelName(_ names: Vocabulary, _ channel: Int64) -> UnsafePointer<CChar>? {
    guard channel >= 0, channel < Int64(names.count - 1) else { return nil }
    return names.cString(Int(channel) + 1)
}

@c @implementation
public func covey_encoder_categorical_vocabulary(_ encoder: OpaquePointer?, _ channel: Int64) -> OpaquePointer! {
    guard let encoder else { return nil }
    let vocabularies = Handle.object(encoder, as: Encoder.self).configuration.categoricalVocabularies
    guard channel >= 0, channel < Int64(vocabularies.count) else { return nil }
    return Handle.borrow(vocabularies[Int(channel)])
}

@c @implementation
public func covey_embed_sequences(
    _ encoder: OpaquePointer?, _ context: OpaquePointer?, _ sequences: UnsafePointer<covey_sequences>?,
    _ embeddings: UnsafeMutablePointer<Float>?, _ row_stride: Int64, _ attention: UnsafeMutablePointer<Float>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    covey_embed_sequences_with(encoder, context, sequences, nil, embeddings, row_stride, attention, error)
}

@c @implementation
public func covey_embed_sequences_with(
    _ encoder: OpaquePointer?, _ context: OpaquePointer?, _ sequences: UnsafePointer<covey_sequences>?,
    _ options: UnsafePointer<covey_embed_options>?, _ embeddings: UnsafeMutablePointer<Float>?, _ row_stride: Int64,
    _ attention: UnsafeMutablePointer<Float>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let encoder = try Handle.required(encoder, "encoder", as: Encoder.self)
        let execution = execution(context)
        let precision = try precision(options)
        let batch = try sequenceBatch(sequences, "sequences", execution)
        let step = try stride(row_stride, "row_stride", of: 4, atLeast: encoder.dimension * 4)
        _ = try checkedProduct(batch.count, step, "embeddings")
        if batch.count == 0 { return }
        try encoder.embed(
            batch, into: UnsafeMutableRawPointer(try required(embeddings, "embeddings")), rowStride: step,
            attention: attention, precision: precision, execution)
    }
}

private func precision(_ pointer: UnsafePointer<covey_embed_options>?) throws -> Precision {
    guard let pointer else { return .float32 }
    let options = try Versioned.read(pointer, "options", defaults: covey_embed_options())
    try require(options.reserved == 0, "options.reserved must be 0, got \(options.reserved)")
    guard let precision = Precision(rawValue: options.precision) else {
        throw CoveyError.invalidArgument("options.precision must be a COVEY_PRECISION_ value, got \(options.precision)")
    }
    return precision
}

@c @implementation
public func covey_encoder_destroy(_ encoder: OpaquePointer?) {
    Handle.release(encoder, as: Encoder.self)
}
