import CCovey
import CoveyRuntime

/// All batches of a stream. They are this object's, which releases them; the stream stays the producer's.
final class ArrowStream: @unchecked Sendable {
    let schema = UnsafeMutablePointer<ArrowSchema>.allocate(capacity: 1)
    private(set) var arrays: [UnsafeMutablePointer<ArrowArray>] = []

    init(_ stream: UnsafeMutablePointer<ArrowArrayStream>, _ execution: Execution) throws {
        schema.initialize(to: ArrowSchema())
        try require(stream.pointee.release != nil, "stream was released")
        let getSchema = try required(stream.pointee.get_schema, "stream.get_schema")
        let getNext = try required(stream.pointee.get_next, "stream.get_next")
        let status = getSchema(stream, schema)
        guard status == 0 else { throw Self.failure(stream, status, "its schema") }
        try require(schema.pointee.release != nil, "the schema of the stream was released")
        while true {
            try execution.report()
            let array = UnsafeMutablePointer<ArrowArray>.allocate(capacity: 1)
            array.initialize(to: ArrowArray())
            let status = getNext(stream, array)
            guard status == 0, array.pointee.release != nil else {
                array.deallocate()
                if status == 0 { return }
                throw Self.failure(stream, status, "batch \(arrays.count)")
            }
            arrays.append(array)
        }
    }

    private static func failure(
        _ stream: UnsafeMutablePointer<ArrowArrayStream>, _ status: Int32, _ what: String
    ) -> CoveyError {
        let text = stream.pointee.get_last_error.flatMap { $0(stream) }.flatMap { String(validatingCString: $0) }
        return .io("the stream does not give \(what): \(text ?? "error \(status)")")
    }

    deinit {
        for array in arrays {
            if let release = array.pointee.release { release(array) }
            array.deallocate()
        }
        if let release = schema.pointee.release { release(schema) }
        schema.deallocate()
    }
}
