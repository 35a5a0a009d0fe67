import CCovey
import CCoveyKernels
import CoveyRuntime

// The one place where C's view becomes Swift's: status codes, handles, strings, versioned structs.

/// Runs a call, in the standard floating-point environment, and turns what it throws into a status and, where the
/// caller wants it, an error object.
func boundary(_ error: UnsafeMutablePointer<OpaquePointer?>?, _ body: () throws -> Void) -> covey_status {
    error?.pointee = nil
    do {
        try standardArithmetic(body)
        return StatusCode.ok.rawValue
    } catch let failure {
        let known = failure as? CoveyError ?? .internalError("unexpected error: \(failure)")
        error?.pointee = Handle.retain(ErrorBox(known))
        return known.code.rawValue
    }
}

/// Computes in the standard floating-point environment and gives the caller's back.
func standardArithmetic<Result>(_ body: () throws -> Result) rethrows -> Result {
    var host = ck_arithmetic()
    ck_arithmetic_enter(&host)
    defer { ck_arithmetic_leave(&host) }
    return try body()
}

/// Handles: retained references to Swift objects, typed in the header.
enum Handle {
    static func retain(_ object: some AnyObject) -> OpaquePointer {
        OpaquePointer(Unmanaged.passRetained(object).toOpaque())
    }

    /// A handle that the caller does not own: it lives as long as `object` is kept by another.
    static func borrow(_ object: some AnyObject) -> OpaquePointer {
        OpaquePointer(Unmanaged.passUnretained(object).toOpaque())
    }

    static func object<Object: AnyObject>(_ handle: OpaquePointer, as type: Object.Type = Object.self) -> Object {
        Unmanaged<Object>.fromOpaque(UnsafeRawPointer(handle)).takeUnretainedValue()
    }

    /// The object behind a required handle.
    static func required<Object: AnyObject>(
        _ handle: OpaquePointer?, _ name: String, as type: Object.Type = Object.self
    ) throws -> Object {
        object(try CoveyABI.required(handle, name))
    }

    static func release<Object: AnyObject>(_ handle: OpaquePointer?, as type: Object.Type) {
        guard let handle else { return }
        Unmanaged<Object>.fromOpaque(UnsafeRawPointer(handle)).release()
    }
}

/// A pointer that must not be null. Names are put together for messages alone: they would cost a score more than its
/// columns do.
func required<Pointer>(_ pointer: Pointer?, _ name: @autoclosure () -> String) throws -> Pointer {
    guard let pointer else { throw CoveyError.invalidArgument("\(name()) must not be NULL") }
    return pointer
}

/// The context of a call, with the standard one in the place of NULL.
/// - Parameter seconds: after which the call is cancelled; nil = never.
func execution(_ context: OpaquePointer?, seconds: Double? = nil) -> Execution {
    Execution(context.map { Handle.object($0, as: Context.self) } ?? .standard, seconds: seconds)
}

/// A C string as UTF-8.
func string(_ text: UnsafePointer<CChar>?, _ name: @autoclosure () -> String) throws -> String {
    guard let decoded = String(validatingCString: try required(text, name())) else {
        throw CoveyError.invalidArgument("\(name()) must be valid UTF-8")
    }
    return decoded
}

/// A file's path; not empty.
func path(_ text: UnsafePointer<CChar>?) throws -> String {
    let path = try string(text, "path")
    try require(!path.isEmpty, "path must not be empty")
    return path
}

/// A flag of the header: 0 or 1.
func flag(_ value: Int32, _ name: String) throws -> Bool {
    try require(value == 0 || value == 1, "\(name) must be 0 or 1, got \(value)")
    return value == 1
}

/// A capacity that the caller gave for `count` elements, and its buffer.
func output<Element>(
    _ buffer: UnsafeMutablePointer<Element>?, _ name: String, capacity: Int64, count: Int
) throws -> UnsafeMutableBufferPointer<Element> {
    try require(capacity >= 0, "capacity must be at least 0, got \(capacity)")
    guard capacity >= Int64(count) else {
        throw CoveyError(.bufferTooSmall, "\(name) needs a capacity of \(count), got \(capacity)")
    }
    if count == 0 { return UnsafeMutableBufferPointer(start: nil, count: 0) }
    return UnsafeMutableBufferPointer(start: try required(buffer, name), count: count)
}

/// Structs that begin with `size_t struct_size`.
enum Versioned {
    private static let largest = 4096

    /// A caller's struct of any version. Fields it does not know keep the value of `defaults`; fields that this version
    /// does not know must be zero.
    static func read<Struct: BitwiseCopyable>(
        _ pointer: UnsafePointer<Struct>, _ name: String, defaults: Struct, firstSize: Int = MemoryLayout<Struct>.size
    ) throws -> Struct {
        let raw = UnsafeRawPointer(pointer)
        let size = try checkedSize(raw, name, firstSize: firstSize)
        let known = MemoryLayout<Struct>.size
        for offset in min(known, size)..<size where raw.load(fromByteOffset: offset, as: UInt8.self) != 0 {
            throw CoveyError.invalidArgument(
                "\(name).struct_size is \(size), and a field that this version does not know is not zero")
        }
        var result = defaults
        withUnsafeMutableBytes(of: &result) {
            $0.copyMemory(from: UnsafeRawBufferPointer(start: raw, count: min(known, size)))
        }
        return result
    }

    /// Fills a caller's struct of any version, leaving `struct_size` and fields that it does not have as they are.
    static func write<Struct: BitwiseCopyable>(
        _ value: Struct, to pointer: UnsafeMutablePointer<Struct>?, _ name: String,
        firstSize: Int = MemoryLayout<Struct>.size
    ) throws {
        let raw = UnsafeMutableRawPointer(try required(pointer, name))
        let size = try checkedSize(raw, name, firstSize: firstSize)
        let header = MemoryLayout<Int>.size
        withUnsafeBytes(of: value) {
            let count = min(MemoryLayout<Struct>.size, size) - header
            (raw + header).copyMemory(from: $0.baseAddress! + header, byteCount: count)
        }
    }

    private static func checkedSize(_ raw: UnsafeRawPointer, _ name: String, firstSize: Int) throws -> Int {
        let size = raw.load(as: UInt.self)
        // No compiler makes a struct of pointers that ends within one: half a pointer would be read.
        try require(
            size >= UInt(firstSize) && size <= UInt(largest) && size % 8 == 0,
            "\(name).struct_size must be \(firstSize) to \(largest) and a multiple of 8, got \(size)")
        return Int(size)
    }
}
