import CCovey
import CoveyRuntime

// Section 3 of covey.h: context.

@c @implementation
public func covey_context_create(
    _ options: UnsafePointer<covey_context_options>?, _ context: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    context?.pointee = nil
    return boundary(error) {
        let context = try required(context, "context")
        let defaults = covey_context_options()
        let options = try options.map { try Versioned.read($0, "options", defaults: defaults) } ?? defaults
        try require(options.reserved == 0, "options.reserved must be 0, got \(options.reserved)")
        let userData = UserData(pointer: options.progress_user_data)
        let progress = options.progress.map { callback -> Context.Progress in
            { stage, fraction in callback(userData.pointer, CText.constant(stage), fraction) != 0 }
        }
        context.pointee = Handle.retain(
            try Context(threads: Int(options.threads), memoryBudget: options.memory_budget, progress: progress))
    }
}

/// The host's pointer, which only its own callback looks into.
private struct UserData: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer?
}

@c @implementation
public func covey_cancel(_ context: OpaquePointer?) {
    guard let context else { return }
    Handle.object(context, as: Context.self).cancel()
}

@c @implementation
public func covey_context_destroy(_ context: OpaquePointer?) {
    Handle.release(context, as: Context.self)
}
