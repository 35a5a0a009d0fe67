/// The kind of an error. The raw values are those of `covey_status` and never change.
public enum StatusCode: Int32, Sendable, CaseIterable {
    case ok = 0
    case invalidArgument = 1
    case invalidData = 2
    case mismatch = 3
    case outOfMemory = 4
    case cancelled = 5
    case io = 6
    case corruptFile = 7
    case unsupported = 8
    case bufferTooSmall = 9
    case internalError = 10
}

/// The only error type of the library: a code, and a message that names the field and the value.
public struct CoveyError: Error, Sendable, Equatable, CustomStringConvertible {
    public let code: StatusCode
    public let message: String

    public init(_ code: StatusCode, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }

    public static func invalidArgument(_ message: String) -> CoveyError { CoveyError(.invalidArgument, message) }
    public static func invalidData(_ message: String) -> CoveyError { CoveyError(.invalidData, message) }
    public static func mismatch(_ message: String) -> CoveyError { CoveyError(.mismatch, message) }
    public static func outOfMemory(_ message: String) -> CoveyError { CoveyError(.outOfMemory, message) }
    public static func io(_ message: String) -> CoveyError { CoveyError(.io, message) }
    public static func corruptFile(_ message: String) -> CoveyError { CoveyError(.corruptFile, message) }
    public static func unsupported(_ message: String) -> CoveyError { CoveyError(.unsupported, message) }
    public static func internalError(_ message: String) -> CoveyError { CoveyError(.internalError, message) }
    public static let cancelled = CoveyError(.cancelled, "the call was cancelled")
}

/// Throws `invalidArgument` with the message if the condition is false.
@inlinable
public func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
    if !condition { throw CoveyError.invalidArgument(message()) }
}

/// Returns a * b. Throws `outOfMemory` if the product overflows.
@inlinable
public func checkedProduct(_ a: Int, _ b: Int, _ what: @autoclosure () -> String) throws -> Int {
    let (product, overflow) = a.multipliedReportingOverflow(by: b)
    if overflow { throw CoveyError.outOfMemory("\(what()): \(a) x \(b) overflows") }
    return product
}
