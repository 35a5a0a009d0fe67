import CoveyRuntime

/// A safetensors file in the making. The same tensors and metadata give the same bytes, in whatever order they were
/// added: wider types come first, so that each tensor is aligned, and names ascend within a type.
public struct SafeTensorsWriter: Sendable {
    private(set) var metadata: [String: String] = [:]
    private(set) var tensors: [String: Entry] = [:]

    struct Entry: Sendable {
        let type: SafeTensors.DataType
        let shape: [Int]
        /// Calls its argument with the tensor's bytes.
        let withBytes: @Sendable ((UnsafeRawBufferPointer) throws -> Void) throws -> Void

        /// The number of bytes; the shape is that of values that are there.
        var bytes: Int { shape.reduce(type.size, *) }
    }

    public init() {}

    public func entry(_ name: String) -> String? { metadata[name] }

    public mutating func setEntry(_ name: String, _ text: String) {
        metadata[name] = text
    }

    /// Adds a tensor; `values` has as many as the product of `shape`, by rows. The array is shared, not copied.
    public mutating func add<Element: TensorElement>(_ name: String, _ values: [Element], shape: [Int]) throws {
        guard shape.reduce(1, *) == values.count, tensors[name] == nil, name != "__metadata__" else {
            throw CoveyError.internalError(
                "tensor \(name): \(values.count) values for the shape \(shape), or its name occurs twice")
        }
        tensors[name] = Entry(type: Element.dataType, shape: shape) { body in try values.withUnsafeBytes(body) }
    }

    /// Adds a tensor that is not copied: its values must stay where they are until the file is written.
    public mutating func add<Element: TensorElement>(
        _ name: String, at values: UnsafePointer<Element>, shape: [Int]
    ) throws {
        guard tensors[name] == nil, name != "__metadata__" else {
            throw CoveyError.internalError("tensor \(name): its name occurs twice")
        }
        nonisolated(unsafe) let bytes = UnsafeRawBufferPointer(
            start: values, count: shape.reduce(MemoryLayout<Element>.stride, *))
        tensors[name] = Entry(type: Element.dataType, shape: shape) { body in try body(bytes) }
    }

    /// Writes the file whole or not at all (`AtomicFile`).
    /// - Parameter execution: of a call that can be stopped meanwhile, and is told of.
    public func write(to path: String, _ execution: Execution? = nil) throws {
        // Each piece is on the disk before the next: syncing all at the end could take seconds.
        let piece = 8 << 20
        try AtomicFile.write(to: path, execution) { file in
            let (header, ordered) = try plan(execution)
            try emit(header, ordered) { bytes in
                for start in stride(from: 0, to: bytes.count, by: piece) {
                    try execution?.report()
                    try file.append(UnsafeRawBufferPointer(rebasing: bytes[start..<min(bytes.count, start + piece)]))
                    if execution != nil, bytes.count >= piece { try file.sync() }
                }
            }
        }
    }

    /// The bytes of the file.
    public func owned(_ execution: Execution) throws -> OwnedBytes {
        let (header, ordered) = try plan(execution)
        let size = ordered.reduce(header.count) { $0 + $1.bytes }
        let result = try OwnedBytes(size, for: "the bytes of a file", execution)
        var written = 0
        let piece = 4 << 20
        try emit(header, ordered) { bytes in
            for start in stride(from: 0, to: bytes.count, by: piece) {
                try execution.report()
                let part = UnsafeRawBufferPointer(rebasing: bytes[start..<min(bytes.count, start + piece)])
                UnsafeMutableRawBufferPointer(rebasing: result.bytes[written...]).copyMemory(from: part)
                written += part.count
            }
        }
        return result
    }

    /// The bytes of a small file, as an array.
    public func bytes() throws -> [UInt8] {
        let owned = try owned(Execution())
        return withExtendedLifetime(owned) { Array(owned.bytes) }
    }

    /// The header, and the tensors in their order in the file.
    private func plan(_ execution: Execution?) throws -> (header: [UInt8], tensors: [Entry]) {
        let ordered = tensors.sorted { ($1.value.type.size, $0.key) < ($0.value.type.size, $1.key) }
        let header = try SafeTensorsHeader.encode(
            ordered.map { ($0.key, $0.value.type, $0.value.shape) }, metadata: metadata, execution ?? Execution())
        return (header, ordered.map(\.value))
    }

    private func emit(
        _ header: [UInt8], _ tensors: [Entry], _ sink: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try header.withUnsafeBytes(sink)
        for tensor in tensors { try tensor.withBytes(sink) }
    }
}
