import CoveyRuntime
import Glibc

/// Memory that all steps of a training use, one after the other. It keeps its pages between the steps.
final class TrainingArena: @unchecked Sendable {
    private var memory: UnsafeMutableRawBufferPointer?
    private var used = 0
    var bytes: Int { memory?.count ?? 0 }

    deinit { free(memory?.baseAddress) }

    /// Begins a step that needs this number of bytes.
    func begin(_ bytes: Int) throws {
        used = 0
        if let memory, memory.count >= bytes { return }
        free(memory?.baseAddress)
        memory = nil
        memory = UnsafeMutableRawBufferPointer(try alignedMemory(bytes, of: UInt8.self, for: "a training step"))
    }

    /// Returns the next part of the step's memory.
    func take(_ bytes: Int) -> UnsafeMutableRawPointer {
        defer { used += bytes }
        precondition(used + bytes <= memory!.count)
        return memory!.baseAddress! + used
    }
}

/// Divides memory into arrays, or measures how much memory the arrays need.
struct ArrayCutter {
    private let base: UnsafeMutableRawPointer
    private(set) var bytes = 0

    /// - Parameter base: nil if only `bytes` is needed.
    init(_ base: UnsafeMutableRawPointer? = nil) {
        self.base = base ?? UnsafeMutableRawPointer(bitPattern: 64)!
    }

    mutating func array<Element: BitwiseCopyable>(
        _ count: Int, _ type: Element.Type = Element.self
    ) -> UnsafeMutablePointer<Element> {
        defer { bytes += (count * MemoryLayout<Element>.stride + 127) / 64 * 64 }
        return (base + bytes).assumingMemoryBound(to: type)
    }
}
