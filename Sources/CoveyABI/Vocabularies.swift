import CCovey
import CoveyRuntime
import CoveySequences
import Glibc

// Section 5 of covey.h: vocabulary. A handle is a Vocabulary.

/// The bytes of a C string, without its NUL.
private func bytes(_ text: UnsafePointer<CChar>) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: UnsafeRawPointer(text).assumingMemoryBound(to: UInt8.self), count: strlen(text))
}

@c @implementation
public func covey_vocabulary_create(
    _ context: OpaquePointer?, _ names: UnsafePointer<UnsafePointer<CChar>?>?, _ count: Int64,
    _ vocabulary: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    vocabulary?.pointee = nil
    return boundary(error) {
        let vocabulary = try required(vocabulary, "vocabulary")
        let total = try CoveyABI.count(count, "count", in: 0...Int64(Vocabulary.largest))
        let names = total == 0 ? names : try required(names, "names")
        let made = try Vocabulary(execution(context)) { add in
            for index in 0..<total { try add(string(names?[index], "names[\(index)]")) }
        }
        vocabulary.pointee = Handle.retain(made)
    }
}

@c @implementation
public func covey_vocabulary_build(
    _ context: OpaquePointer?, _ events: UnsafePointer<UnsafePointer<CChar>?>?, _ count: Int64, _ min_count: Int64,
    _ max_size: Int64, _ vocabulary: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    vocabulary?.pointee = nil
    return boundary(error) {
        let vocabulary = try required(vocabulary, "vocabulary")
        let total = try CoveyABI.count(count, "count", in: 0...largestRows)
        let events = total == 0 ? events : try required(events, "events")
        let built = try Vocabulary.build(
            count: total, minCount: Int(min_count), maxSize: Int(max_size), execution(context)
        ) { index, body in
            try body(bytes(try required(events?[index], "events[\(index)]")))
        }
        vocabulary.pointee = Handle.retain(built)
    }
}

@c @implementation
public func covey_vocabulary_size(_ vocabulary: OpaquePointer?) -> Int64 {
    guard let vocabulary else { return 0 }
    return Int64(Handle.object(vocabulary, as: Vocabulary.self).count)
}

@c @implementation
public func covey_vocabulary_name(_ vocabulary: OpaquePointer?, _ index: Int64) -> UnsafePointer<CChar>! {
    guard let vocabulary else { return nil }
    return Handle.object(vocabulary, as: Vocabulary.self).cString(Int(index))
}

@c @implementation
public func covey_vocabulary_lookup(
    _ vocabulary: OpaquePointer?, _ context: OpaquePointer?, _ names: UnsafePointer<UnsafePointer<CChar>?>?,
    _ count: Int64, _ indices: UnsafeMutablePointer<Int32>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> covey_status {
    boundary(error) {
        let vocabulary = try Handle.required(vocabulary, "vocabulary", as: Vocabulary.self)
        let total = try CoveyABI.count(count, "count", in: 0...largestRows)
        if total == 0 { return }
        let names = try required(names, "names")
        let indices = try required(indices, "indices")
        let (execution, piece) = (execution(context), 4096)
        for start in stride(from: 0, to: total, by: piece) {
            try execution.report()
            for index in start..<min(total, start + piece) {
                let name = try required(names[index], "names[\(index)]")
                indices[index] = Int32(vocabulary.index(of: bytes(name)))
            }
        }
    }
}

@c @implementation
public func covey_vocabulary_destroy(_ vocabulary: OpaquePointer?) {
    Handle.release(vocabulary, as: Vocabulary.self)
}
