import CoveyEncoder
import CoveyRuntime
import CoveySequences

/// How the events of a session lie in the caller's memory. All numbers are little-endian.
///
///     0  8  the mark "COVEYSE1"
///     8  8  the fingerprint of the encoder's names
///    16  8  the number of events that are kept at most
///    24  8  the events that came
///    32  8  those of them with an unknown type
///    40 24  zero
///    64     the events in a ring: time, dwell where the encoder uses it, numeric channels (8 bytes each), type and
///           categorical channels (4 bytes each), to a multiple of 8 bytes
struct SessionLayout: Sendable {
    static let headerBytes = 64
    static let largestEvents = 1 << 24
    static let mark: UInt64 = 0x3145_5359_4556_4F43

    let usesDwell: Bool
    let numericCount: Int
    let categoricalCount: Int
    let vocabularyCount: Int
    /// Sessions outlive an engine, if the next one means the same by the same indices.
    let fingerprint: UInt64

    init(_ configuration: EncoderConfiguration) {
        usesDwell = configuration.usesDwell
        numericCount = configuration.numericScaling.count
        categoricalCount = configuration.categoricalVocabularies.count
        vocabularyCount = configuration.vocabulary.count
        var hash = NameHash()
        hash.add(UInt64(usesDwell ? 1 : 0))
        hash.add(configuration.vocabulary)
        hash.add(configuration.numericNames)
        hash.add(configuration.categoricalNames)
        for vocabulary in configuration.categoricalVocabularies { hash.add(vocabulary) }
        fingerprint = hash.value
    }

    var dwellOffset: Int { 8 }
    var numericOffset: Int { usesDwell ? 16 : 8 }
    var typeOffset: Int { numericOffset + 8 * numericCount }
    var eventBytes: Int { (typeOffset + 4 * (1 + categoricalCount) + 7) / 8 * 8 }

    /// The bytes of a session that keeps `events` events.
    func bytes(_ events: Int) -> Int { Self.headerBytes + events * eventBytes }
}

/// FNV-1a of names and their number.
struct NameHash {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }

    mutating func add(_ number: UInt64) {
        for shift in stride(from: 0 as UInt64, to: 64, by: 8) { add(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    mutating func add(_ vocabulary: Vocabulary) {
        add(UInt64(vocabulary.count))
        for index in 1..<max(1, vocabulary.count) {
            // No name holds a NUL, so it ends each of them.
            guard var byte = vocabulary.cString(index) else { continue }
            while byte.pointee != 0 {
                add(UInt8(bitPattern: byte.pointee))
                byte += 1
            }
            add(0 as UInt8)
        }
    }
}
