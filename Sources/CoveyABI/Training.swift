import CCovey
import CoveyEncoder
import CoveyRuntime
import CoveySequences

// Section 6 of covey.h: training. A handle is a TrainingReport; its encoder is borrowed from it.

@c @implementation
public func covey_encoder_train(
    _ context: OpaquePointer?, _ sequences: UnsafePointer<covey_sequences>?, _ vocabulary: OpaquePointer?,
    _ options: UnsafePointer<covey_training_options>?, _ encoder: UnsafeMutablePointer<OpaquePointer?>?,
    _ training: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    encoder?.pointee = nil
    training?.pointee = nil
    return boundary(error) {
        let encoder = try required(encoder, "encoder")
        let vocabulary = try Handle.required(vocabulary, "vocabulary", as: Vocabulary.self)
        let defaults = trainingDefaults
        let given = try options.map { try Versioned.read($0, "options", defaults: defaults) } ?? defaults
        let execution = execution(context)
        let batch = try sequenceBatch(sequences, "sequences", execution)
        let vocabularies = try vocabularies(given.categorical_vocabularies, batch.categorical.count)
        let trainer = try Trainer(
            batch, vocabulary: vocabulary,
            numericNames: names(given.numeric_names, "numeric_names", batch.numeric.count),
            categoricalNames: names(given.categorical_names, "categorical_names", batch.categorical.count),
            categoricalVocabularies: vocabularies, trainingOptions(given), execution, observer: observer(given))
        let report = trainer.run()
        if let training, report.encoder != nil || report.failure == nil { training.pointee = Handle.retain(report) }
        if let failure = report.failure { throw failure }
        guard let trained = report.encoder else { throw CoveyError.internalError("a training without a step") }
        encoder.pointee = Handle.retain(trained)
    }
}

/// COVEY_TRAINING_OPTIONS_INIT.
private var trainingDefaults: covey_training_options {
    let defaults = TrainingOptions()
    var options = covey_training_options()
    options.embedding_size = Int64(defaults.embedding)
    options.category_embedding_size = Int64(defaults.categoryEmbedding)
    options.hidden_size = Int64(defaults.hidden)
    options.attention_size = Int64(defaults.attention)
    options.dimension = Int64(defaults.dimension)
    options.next_event = defaults.objectives.nextEvent
    options.masked_event = defaults.objectives.maskedEvent
    options.autoencoder = defaults.objectives.autoencoder
    options.contrastive = defaults.objectives.contrastive
    options.epochs = Int64(defaults.epochs)
    options.batch_size = Int64(defaults.batchSize)
    options.learning_rate = defaults.learningRate
    options.weight_decay = defaults.weightDecay
    options.clip = defaults.clip
    options.warm_up = defaults.warmUp
    options.dropout = defaults.dropout
    options.unknown = defaults.unknown
    options.mask_share = defaults.maskShare
    options.slices = Int64(defaults.slices)
    options.margin = defaults.margin
    options.held_out = defaults.heldOut
    options.patience = Int64(defaults.patience)
    options.window = Int64(defaults.window)
    options.seed = defaults.seed
    options.checkpoint_steps = Int64(defaults.checkpointSteps)
    options.epoch_sequences = Int64(defaults.epochSequences)
    return options
}

/// A caller's options of any version.
func readTrainingOptions(_ pointer: UnsafePointer<covey_training_options>, _ name: String) throws -> TrainingOptions {
    try trainingOptions(Versioned.read(pointer, name, defaults: trainingDefaults))
}

private func trainingOptions(_ given: covey_training_options) throws -> TrainingOptions {
    var options = TrainingOptions()
    options.embedding = Int(given.embedding_size)
    options.categoryEmbedding = Int(given.category_embedding_size)
    options.hidden = Int(given.hidden_size)
    options.attention = Int(given.attention_size)
    options.dimension = Int(given.dimension)
    options.objectives = TrainingOptions.Objectives(
        nextEvent: given.next_event, maskedEvent: given.masked_event, autoencoder: given.autoencoder,
        contrastive: given.contrastive)
    options.epochs = Int(given.epochs)
    options.batchSize = Int(given.batch_size)
    options.learningRate = given.learning_rate
    options.weightDecay = given.weight_decay
    options.clip = given.clip
    options.warmUp = given.warm_up
    options.dropout = given.dropout
    options.unknown = given.unknown
    options.maskShare = given.mask_share
    options.slices = Int(given.slices)
    options.margin = given.margin
    options.heldOut = given.held_out
    options.patience = Int(given.patience)
    options.window = Int(given.window)
    options.seed = given.seed
    options.checkpointSteps = Int(given.checkpoint_steps)
    options.epochSequences = Int(given.epoch_sequences)
    if let text = given.checkpoint_path {
        let path = try string(text, "options.checkpoint_path")
        try require(!path.isEmpty, "options.checkpoint_path must not be empty")
        options.checkpointPath = path
    }
    return options
}

private func names(
    _ pointers: UnsafePointer<UnsafePointer<CChar>?>?, _ field: String, _ count: Int
) throws -> [String]? {
    guard let pointers else { return nil }
    return try (0..<count).map { try string(pointers[$0], "\(field)[\($0)]") }
}

private func vocabularies(_ handles: UnsafePointer<OpaquePointer?>?, _ count: Int) throws -> [Vocabulary] {
    if count == 0 { return [] }
    let handles = try required(handles, "categorical_vocabularies")
    return try (0..<count).map {
        try Handle.required(handles[$0], "categorical_vocabularies[\($0)]", as: Vocabulary.self)
    }
}

private func observer(_ options: covey_training_options) -> Trainer.Observer? {
    guard let callback = options.progress else { return nil }
    let userData = options.progress_user_data
    return { progress in
        var told = covey_training_progress()
        told.struct_size = MemoryLayout<covey_training_progress>.size
        told.epoch = Int64(progress.epoch)
        told.step = Int64(progress.step)
        told.steps = Int64(progress.steps)
        told.loss = progress.loss
        told.held_out_loss = progress.heldOutLoss
        told.sequences_per_second = progress.sequencesPerSecond
        told.learning_rate = progress.learningRate
        return callback(userData, &told) != 0
    }
}

@c @implementation
public func covey_training_encoder(_ training: OpaquePointer?) -> OpaquePointer! {
    guard let training else { return nil }
    return Handle.object(training, as: TrainingReport.self).encoder.map { Handle.borrow($0) }
}

@c @implementation
public func covey_training_steps(_ training: OpaquePointer?) -> Int64 {
    guard let training else { return 0 }
    return Int64(Handle.object(training, as: TrainingReport.self).steps)
}

@c @implementation
public func covey_training_best_step(_ training: OpaquePointer?) -> Int64 {
    guard let training else { return 0 }
    return Int64(Handle.object(training, as: TrainingReport.self).bestStep)
}

@c @implementation
public func covey_training_epochs(_ training: OpaquePointer?) -> Int64 {
    guard let training else { return 0 }
    return Int64(Handle.object(training, as: TrainingReport.self).epochs.count)
}

@c @implementation
public func covey_training_get(
    _ training: OpaquePointer?, _ epoch: Int64, _ result: UnsafeMutablePointer<covey_training_epoch>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let report = try Handle.required(training, "training", as: TrainingReport.self)
        let last = Int64(report.epochs.count) - 1
        try require(epoch >= 0 && epoch <= last, "epoch must be 0 to \(last), got \(epoch)")
        let found = report.epochs[Int(epoch)]
        var written = covey_training_epoch()
        written.loss = found.loss
        written.held_out_loss = found.heldOutLoss
        written.seconds = found.seconds
        written.sequences_per_second = found.sequencesPerSecond
        try Versioned.write(written, to: result, "result")
    }
}

@c @implementation
public func covey_training_destroy(_ training: OpaquePointer?) {
    Handle.release(training, as: TrainingReport.self)
}
