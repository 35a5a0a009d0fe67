import CoveyRuntime

/// A row-major matrix of float32 or float64 in the caller's memory, borrowed for the duration of a call.
public struct MatrixView: @unchecked Sendable {
    public enum Scalar: Sendable {
        case float32
        case float64

        // This is a switch because the `==` that Swift generates for an enum would be a call into this module.
        @inlinable public var size: Int {
            switch self {
            case .float32: 4
            case .float64: 8
            }
        }
    }

    public let base: UnsafeRawPointer
    public let rows: Int
    public let columns: Int
    /// The number of bytes from one row to the next.
    public let rowStride: Int
    public let scalar: Scalar

    public init(base: UnsafeRawPointer, rows: Int, columns: Int, rowStride: Int = 0, scalar: Scalar) {
        self.base = base
        self.rows = rows
        self.columns = columns
        self.rowStride = rowStride == 0 ? columns * scalar.size : rowStride
        self.scalar = scalar
    }

    @inlinable @inline(__always)
    public subscript(row: Int, column: Int) -> Double {
        let address = base + row &* rowStride
        switch scalar {
        case .float32: return Double(address.loadUnaligned(fromByteOffset: column &* 4, as: Float.self))
        case .float64: return address.loadUnaligned(fromByteOffset: column &* 8, as: Double.self)
        }
    }

    /// Copies a row as float64.
    @inlinable
    public func copyRow(_ row: Int, to target: UnsafeMutablePointer<Double>) {
        let address = base + row &* rowStride
        switch scalar {
        case .float32:
            for column in 0..<columns {
                target[column] = Double(address.loadUnaligned(fromByteOffset: column &* 4, as: Float.self))
            }
        case .float64:
            for column in 0..<columns {
                target[column] = address.loadUnaligned(fromByteOffset: column &* 8, as: Double.self)
            }
        }
    }

    /// Copies a row as float32.
    @inlinable
    public func copyRow(_ row: Int, to target: UnsafeMutablePointer<Float>) {
        let address = base + row &* rowStride
        switch scalar {
        case .float32:
            for column in 0..<columns {
                target[column] = address.loadUnaligned(fromByteOffset: column &* 4, as: Float.self)
            }
        case .float64:
            for column in 0..<columns {
                target[column] = Float(address.loadUnaligned(fromByteOffset: column &* 8, as: Double.self))
            }
        }
    }

    /// Returns the first number, row by row, that is NaN or infinite.
    public func firstNonFinite() -> (row: Int, column: Int)? {
        for row in 0..<rows {
            for column in 0..<columns where !self[row, column].isFinite { return (row, column) }
        }
        return nil
    }
}

extension Matrix where Element == Float {
    /// Runs `body` with a view of the matrix.
    public func withView<Result>(_ body: (MatrixView) throws -> Result) rethrows -> Result {
        try elements.withUnsafeBytes {
            let base = $0.baseAddress ?? UnsafeRawPointer(bitPattern: 16)!
            return try body(MatrixView(base: base, rows: rows, columns: columns, scalar: .float32))
        }
    }
}

extension Matrix where Element == Double {
    /// Runs `body` with a view of the matrix.
    public func withView<Result>(_ body: (MatrixView) throws -> Result) rethrows -> Result {
        try elements.withUnsafeBytes {
            let base = $0.baseAddress ?? UnsafeRawPointer(bitPattern: 16)!
            return try body(MatrixView(base: base, rows: rows, columns: columns, scalar: .float64))
        }
    }
}
