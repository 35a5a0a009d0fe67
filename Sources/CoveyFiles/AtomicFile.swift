import CoveyRuntime
import Glibc

/// Files that are whole or not there.
public enum AtomicFile {
    /// A file that is being written.
    public struct Writer {
        fileprivate let file: Int32
        fileprivate let path: String

        public func append(_ bytes: UnsafeRawBufferPointer) throws {
            var rest = bytes
            while !rest.isEmpty {
                let written = Glibc.write(file, rest.baseAddress, min(rest.count, 1 << 30))
                if written < 0 {
                    if errno == EINTR { continue }
                    throw CoveyError.io("cannot write", path)
                }
                guard written > 0 else { throw CoveyError.io("cannot write \(path): the system takes no more") }
                rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            }
        }

        /// Until what was written lies on the disk. It leaves the page cache: a large file that is given up is gone at
        /// once.
        public func sync() throws {
            guard uninterrupted({ fdatasync(file) }) == 0 else { throw CoveyError.io("cannot sync", path) }
            posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED)
        }
    }

    /// Writes the parts in order; see `write(to:_:)`.
    public static func write(_ parts: [UnsafeRawBufferPointer], to path: String) throws {
        try write(to: path) { file in for part in parts { try file.append(part) } }
    }

    /// Lets `body` write to a temporary file in the folder of `path`, syncs it, renames it over `path` and syncs the
    /// folder. On any failure `path` is as it was and the temporary file is gone. Only where the last step fails,
    /// `path` is the new file already, whole, which a loss of power may take back.
    ///
    /// A file that is replaced keeps its mode, and where the system allows it its owner; a symbolic link is followed.
    /// - Parameter execution: of a call that is told of while the system replaces an old file, which takes long where
    ///   that is large.
    public static func write(to path: String, _ execution: Execution? = nil, _ body: (Writer) throws -> Void) throws {
        // Opened first: where the host may open no more files, nothing has happened yet.
        let target = try FileTarget(path)
        defer { target.close() }
        let temporary = try TemporaryFile(beside: target)
        do {
            try withoutFileSizeSignal { try body(Writer(file: temporary.file, path: path)) }
            try target.passOn(to: temporary.file)
            try temporary.finish()
            try replace(target, by: temporary, execution)
        } catch {
            temporary.discard()
            throw error
        }
        try target.syncFolder()
    }

    private static func replace(_ target: FileTarget, by temporary: TemporaryFile, _ execution: Execution?) throws {
        let name = try temporary.link()
        var failure: Int32 = 0
        func rename() { failure = renameat(target.folder, name, target.folder, target.name) == 0 ? 0 : errno }
        if let execution { try execution.aside(rename) } else { rename() }
        errno = failure
        guard failure == 0 else { throw CoveyError.io("cannot rename to", target.path) }
        temporary.release()
    }

    /// A write above the host's file size limit (RLIMIT_FSIZE) sends SIGXFSZ, which ends a host that does not handle
    /// it. Here it is an error like any other.
    private static func withoutFileSizeSignal(_ body: () throws -> Void) throws {
        var signals = sigset_t()
        var previous = sigset_t()
        var pending = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGXFSZ)
        sigpending(&pending)
        let wasPending = sigismember(&pending, SIGXFSZ) == 1
        pthread_sigmask(SIG_BLOCK, &signals, &previous)
        defer {
            var none = timespec()
            // The write's own signal went to this thread; one that waited before is the host's.
            if !wasPending { while sigtimedwait(&signals, nil, &none) < 0, errno == EINTR {} }
            pthread_sigmask(SIG_SETMASK, &previous, nil)
        }
        try body()
    }
}
