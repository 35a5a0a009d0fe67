import CCoveyKernels
import CoveyFiles
import CoveyRuntime
import CoveySequences
import CoveyTables

@testable import CoveyEncoder

/// A case that PyTorch computed; see Tests/Fixtures/make_encoder_fixtures.py.
struct Fixture {
    static let names = ["small", "projected", "channels", "two_layers", "long", "saturated"]
    /// Those that this processor has.
    static let instructionSets = Array(CK_BASELINE...max(CK_BASELINE, ck_encoder_instruction_set()))

    static func path(_ file: String) -> String {
        let folder = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        return "/\(folder)/Fixtures/encoder/\(file)"
    }

    let model: SafeTensors
    let batch: SequenceBatch
    let embeddings: [Float]
    let attention: [Float]

    init(_ name: String) throws {
        model = try SafeTensors(path: Self.path("\(name).model.safetensors"))
        let data = try SafeTensors(path: Self.path("\(name).data.safetensors"))
        func column<Element: TensorElement>(_ name: String, _ type: Element.Type) throws -> Strided<Element> {
            Strided(try data.values(name, as: type, shape: [nil]))
        }
        batch = try SequenceBatch(
            offsets: SequenceOffsets(column("offsets", Int64.self)), types: column("types", Int32.self),
            times: column("times", Double.self), dwell: data.contains("dwell") ? column("dwell", Double.self) : nil,
            numeric: data.names(prefix: "numeric.").map { try column($0, Double.self) },
            categorical: data.names(prefix: "categorical.").map { try column($0, Int32.self) })
        embeddings = try data.values("embeddings", shape: [nil, nil])
        attention = try data.values("attention", shape: [nil])
    }

    func encoder(
        instructionSet: Int32 = CK_AVX512, largestTables: Int = PackedEncoder.largestTables
    ) throws -> Encoder {
        try Encoder(Checkpoint(model), instructionSet: instructionSet, largestTables: largestTables)
    }
}

extension Encoder {
    /// Embeddings and attention weights.
    func run(
        _ batch: SequenceBatch, precision: Precision = .float32, threads: Int = 2
    ) throws -> (embeddings: [Float], attention: [Float]) {
        var embeddings = [Float](repeating: .nan, count: batch.count * dimension)
        var attention = [Float](repeating: .nan, count: batch.offsets.events.count)
        try embeddings.withUnsafeMutableBytes { rows in
            try attention.withUnsafeMutableBufferPointer {
                try embed(
                    batch, into: rows.baseAddress!, rowStride: dimension * 4, attention: $0.baseAddress,
                    precision: precision, Execution(Context(threads: threads)))
            }
        }
        return (embeddings, attention)
    }
}

/// The largest difference of two arrays; infinite where one has a number that is not finite, or they differ in length.
func largestDifference(_ left: [Float], _ right: [Float]) -> Float {
    guard left.count == right.count else { return .infinity }
    return zip(left, right).reduce(0) {
        let difference = abs($1.0 - $1.1)
        return difference.isFinite ? max($0, difference) : .infinity
    }
}
