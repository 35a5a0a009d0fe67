import CoveyRuntime
import Glibc

/// Files read whole.
public enum WholeFile {
    /// Memory that the caller frees with `free`, or `outOfMemory`. Swift's own allocation ends the process where memory
    /// is short.
    public static func allocate(_ size: Int, for what: @autoclosure () -> String) throws
        -> UnsafeMutableRawBufferPointer
    {
        guard let memory = malloc(max(1, size)) else {
            throw CoveyError.outOfMemory("\(what()) needs \(size) bytes, which the system does not give")
        }
        // In large pages, where the system has them: gigabytes in small ones take tenths of a second to give back.
        let largePage: UInt = 2 << 20
        let (first, end) = (UInt(bitPattern: memory) + largePage - 1, UInt(bitPattern: memory) + UInt(size))
        if let start = UnsafeMutableRawPointer(bitPattern: first / largePage * largePage), end >= first + largePage {
            madvise(start, Int((end - UInt(bitPattern: start)) / largePage * largePage), MADV_HUGEPAGE)
        }
        return UnsafeMutableRawBufferPointer(start: memory, count: size)
    }

    /// Reads a regular file into memory that the caller frees with `free`. Checks the memory budget and cancel.
    public static func read(_ path: String, _ execution: Execution) throws -> UnsafeMutableRawBufferPointer {
        // Not blocking: opening a named pipe would otherwise wait for its writer.
        var file = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        while file < 0, errno == EINTR { file = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard file >= 0 else { throw CoveyError.io("cannot open", path) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw CoveyError.io("cannot look at", path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw CoveyError.io("cannot read \(path): not a regular file") }
        let size = Int(status.st_size)
        try execution.reserve(size, for: path)
        let memory = try allocate(size, for: path)
        do {
            var offset = 0
            while offset < size {
                try execution.report()
                let count = Glibc.read(file, memory.baseAddress! + offset, min(size - offset, 1 << 22))
                if count < 0 {
                    if errno == EINTR { continue }
                    throw CoveyError.io("cannot read", path)
                }
                guard count > 0 else { throw CoveyError.io("cannot read \(path): it shrank meanwhile") }
                offset += count
            }
        } catch {
            free(memory.baseAddress)
            throw error
        }
        return memory
    }
}

extension CoveyError {
    /// A failed call to the system, with its reason from errno.
    static func io(_ action: String, _ path: String) -> CoveyError {
        let number = errno
        return .io("\(action) \(path): \(String(cString: strerror(number)))")
    }
}
