import CoveyRuntime
import Glibc

/// The contents of a safetensors file (https://huggingface.co/docs/safetensors): named tensors and text metadata.
///
/// Everything a hostile file can state wrongly is checked while it is opened: the length of the header, its JSON, names
/// that occur twice, types, shapes that overflow, and offsets, which must cover the data without gap or overlap.
/// Values are little-endian, as is every machine that Covey runs on.
public struct SafeTensors: Sendable {
    public enum DataType: String, Sendable, Codable, CaseIterable {
        case bool = "BOOL"
        case u8 = "U8"
        case i8 = "I8"
        case f8e5m2 = "F8_E5M2"
        case f8e4m3 = "F8_E4M3"
        case i16 = "I16"
        case u16 = "U16"
        case f16 = "F16"
        case bf16 = "BF16"
        case i32 = "I32"
        case u32 = "U32"
        case f32 = "F32"
        case i64 = "I64"
        case u64 = "U64"
        case f64 = "F64"

        /// Bytes of one element.
        public var size: Int {
            switch self {
            case .bool, .u8, .i8, .f8e5m2, .f8e4m3: 1
            case .i16, .u16, .f16, .bf16: 2
            case .i32, .u32, .f32: 4
            case .i64, .u64, .f64: 8
            }
        }
    }

    /// Where a tensor lies, and what it is.
    public struct Tensor: Sendable, Equatable {
        public let type: DataType
        public let shape: [Int]
        /// Its bytes in the file.
        public let bytes: Range<Int>
        /// The product of the shape.
        public var count: Int { bytes.count / type.size }
    }

    /// The bytes that are copied between two polls.
    private static let piece = 4 << 20

    public let metadata: [String: String]
    public let tensors: [String: Tensor]
    let storage: Storage
    /// The header's part of the memory budget, as long as the file is kept.
    let held: HeldMemory

    /// Reads a file whole. It counts against the memory budget of the call as long as it is kept.
    public init(path: String, _ execution: Execution = Execution()) throws {
        try self.init(Storage(path: path, execution), origin: path, execution)
    }

    /// Reads the bytes of a file from memory, which are copied. `origin` stands in messages in the place of a path.
    public init(bytes: UnsafeRawBufferPointer, origin: String, _ execution: Execution = Execution()) throws {
        try self.init(Storage(copying: bytes, execution), origin: origin, execution)
    }

    private init(_ storage: Storage, origin: String, _ execution: Execution) throws {
        let header = try SafeTensorsHeader(storage.bytes, origin: origin, execution)
        metadata = header.metadata
        tensors = header.tensors
        held = try HeldMemory(header.bytes, for: "the header of \(origin)", execution)
        self.storage = storage
    }

    /// The names that begin with `prefix`, in ascending order.
    public func names(prefix: String = "") -> [String] {
        tensors.keys.filter { $0.utf8.starts(with: prefix.utf8) }.sorted()
    }

    public func contains(_ name: String) -> Bool { tensors[name] != nil }

    /// A copy of a tensor's values, by rows.
    /// - Parameters:
    ///   - shape: what the shape must be; nil stands for any length of an axis.
    ///   - execution: of a call that can be stopped meanwhile, and is told of.
    /// - Throws: `corruptFile`, naming the tensor, where it is missing or of another type or shape.
    public func values<Element: TensorElement>(
        _ name: String, as type: Element.Type = Element.self, shape: [Int?], _ execution: Execution? = nil
    ) throws -> [Element] {
        let tensor = try self.tensor(name, Element.dataType, shape: shape)
        try execution?.hold(tensor.bytes.count, for: "tensor \(name)")
        // The storage of empty arrays is shared.
        if tensor.count == 0 { return [] }
        return try Array(unsafeUninitializedCapacity: tensor.count) { buffer, count in
            let target = UnsafeMutableRawBufferPointer(buffer)
            for start in stride(from: 0, to: tensor.bytes.count, by: SafeTensors.piece) {
                try execution?.report()
                let end = min(tensor.bytes.count, start + SafeTensors.piece)
                UnsafeMutableRawBufferPointer(rebasing: target[start..<end]).copyMemory(
                    from: UnsafeRawBufferPointer(
                        rebasing: storage.bytes[tensor.bytes.lowerBound + start..<tensor.bytes.lowerBound + end]))
            }
            count = tensor.count
        }
    }

    /// A tensor of the given type and shape (nil = any length of an axis), or `corruptFile`, naming it.
    public func tensor(_ name: String, _ type: DataType, shape: [Int?]) throws -> Tensor {
        guard let tensor = tensors[name] else { throw CoveyError.corruptFile("tensor \(name) is missing") }
        guard tensor.type == type else {
            throw CoveyError.corruptFile("tensor \(name) must be \(type.rawValue), got \(tensor.type.rawValue)")
        }
        guard tensor.shape.count == shape.count, zip(tensor.shape, shape).allSatisfy({ $1 == nil || $0 == $1 }) else {
            let expected = shape.map { $0.map(String.init) ?? "any" }.joined(separator: ", ")
            throw CoveyError.corruptFile("tensor \(name) must have the shape [\(expected)], got \(tensor.shape)")
        }
        return tensor
    }

    /// As `values`, and every number finite; otherwise `corruptFile`, naming the tensor and the element.
    public func finiteValues<Element: RealTensorElement>(
        _ name: String, as type: Element.Type = Element.self, shape: [Int?], _ execution: Execution? = nil
    ) throws -> [Element] {
        let values = try values(name, as: type, shape: shape, execution)
        let piece = 1 << 20
        for start in stride(from: 0, to: values.count, by: piece) {
            try execution?.report()
            let found = values.withUnsafeBufferPointer {
                Element.firstNotFinite(UnsafeBufferPointer(rebasing: $0[start..<min($0.count, start + piece)]))
            }
            guard let found else { continue }
            let index = start + found
            throw CoveyError.corruptFile("tensor \(name), element \(index): must be finite, got \(values[index])")
        }
        return values
    }

    /// A metadata entry, or `corruptFile`, naming it.
    public func entry(_ name: String) throws -> String {
        guard let text = metadata[name] else { throw CoveyError.corruptFile("metadata entry \(name) is missing") }
        return text
    }
}

/// A number that a tensor may hold.
public protocol TensorElement: BitwiseCopyable, Sendable {
    static var dataType: SafeTensors.DataType { get }
}

/// A real number. What looks at each is there for each type: generic code takes ten times as long.
public protocol RealTensorElement: TensorElement, BinaryFloatingPoint {
    static func firstNotFinite(_ values: UnsafeBufferPointer<Self>) -> Int?
}

extension Float: RealTensorElement {
    public static var dataType: SafeTensors.DataType { .f32 }
    public static func firstNotFinite(_ values: UnsafeBufferPointer<Float>) -> Int? {
        values.firstIndex { !$0.isFinite }
    }
}

extension Double: RealTensorElement {
    public static var dataType: SafeTensors.DataType { .f64 }
    public static func firstNotFinite(_ values: UnsafeBufferPointer<Double>) -> Int? {
        values.firstIndex { !$0.isFinite }
    }
}

extension UInt16: TensorElement { public static var dataType: SafeTensors.DataType { .u16 } }
extension Int32: TensorElement { public static var dataType: SafeTensors.DataType { .i32 } }
extension Int64: TensorElement { public static var dataType: SafeTensors.DataType { .i64 } }
extension UInt8: TensorElement { public static var dataType: SafeTensors.DataType { .u8 } }

extension SafeTensors {
    /// The bytes of a file, allocated once and freed with the last tensor that is read from them.
    final class Storage: @unchecked Sendable {
        let bytes: UnsafeRawBufferPointer
        let held: HeldMemory

        init(copying source: UnsafeRawBufferPointer, _ execution: Execution) throws {
            held = try HeldMemory(source.count, for: "a copy of the file", execution)
            let copy = try WholeFile.allocate(source.count, for: "a copy of the file")
            bytes = UnsafeRawBufferPointer(copy)
            try execution.forEach(0..<(source.count + SafeTensors.piece - 1) / SafeTensors.piece, every: 1) { index in
                let start = index * SafeTensors.piece
                let end = min(source.count, start + SafeTensors.piece)
                UnsafeMutableRawBufferPointer(rebasing: copy[start..<end]).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: source[start..<end]))
            }
        }

        init(path: String, _ execution: Execution) throws {
            bytes = UnsafeRawBufferPointer(try WholeFile.read(path, execution))
            do { held = try HeldMemory(bytes.count, for: path, execution) } catch {
                free(UnsafeMutableRawPointer(mutating: bytes.baseAddress))
                throw error
            }
        }

        deinit { free(UnsafeMutableRawPointer(mutating: bytes.baseAddress)) }
    }
}
