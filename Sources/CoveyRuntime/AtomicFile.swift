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

        /// Until what was written lies on the disk. It leaves the page cache: a large file that is given up is gone at once.
        public func sync() throws {
            guard uninterrupted({ fdatasync(file) }) == 0 else { throw CoveyError.io("cannot sync", path) }
            posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED)
        }
    }

    /// Writes the parts in order; see `write(to:_:)`.
    public static func write(_ parts: [UnsafeRawBufferPointer], to path: String) throws {
        try write(to: path) { file in for part in parts { try file.append(part) } }
    }

    /// Lets `body` write to a temporary file beside `path`, syncs it, renames it over `path` and syncs the folder.
    /// On any failure `path` is as it was and the temporary file is gone. Only where the last step fails, `path` is the new file
    /// already, whole, which a loss of power may take back.
    /// - Parameter execution: of a call that is told of while the system replaces an old file, which takes long where that is large.
    public static func write(to path: String, _ execution: Execution? = nil, _ body: (Writer) throws -> Void) throws {
        try refuseSpecialFile(path)
        // Opened first: where the host may open no more files, nothing has happened yet.
        let folder = try openFolder(of: path)
        defer { if let folder { close(folder) } }
        let (file, temporary) = try createBeside(path)
        var open = true
        do {
            try withoutFileSizeSignal { try body(Writer(file: file, path: path)) }
            guard uninterrupted({ fsync(file) }) == 0 else { throw CoveyError.io("cannot sync", path) }
            open = false
            // Where a signal came the file is closed all the same, and what it holds was synced.
            guard close(file) == 0 || errno == EINTR else { throw CoveyError.io("cannot close", path) }
            try replace(path, by: temporary, execution)
        } catch {
            if open { close(file) }
            unlink(temporary)
            throw error
        }
        if let folder, uninterrupted({ fsync(folder) }) != 0, ![EINVAL, ENOSYS, ENOTSUP, EROFS].contains(errno) {
            throw CoveyError.io("cannot sync the folder of", path)
        }
    }

    private static func replace(_ path: String, by temporary: String, _ execution: Execution?) throws {
        var failure: Int32 = 0
        func rename() { failure = Glibc.rename(temporary, path) == 0 ? 0 : errno }
        if let execution { try execution.aside(rename) } else { rename() }
        errno = failure
        guard failure == 0 else { throw CoveyError.io("cannot rename to", path) }
    }

    /// Repeats a call that a signal interrupts.
    private static func uninterrupted(_ call: () -> Int32) -> Int32 {
        while true {
            let result = call()
            guard result < 0, errno == EINTR else { return result }
        }
    }

    /// Renaming over a device or a pipe would replace it by a file.
    private static func refuseSpecialFile(_ path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return }
        throw CoveyError(.io, "cannot write \(path): it is not a regular file")
    }

    /// A write above the host's file size limit (RLIMIT_FSIZE) sends SIGXFSZ, which ends a host that does not handle it. Here it is
    /// an error like any other.
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

    /// A new file with the mode that the host's umask gives.
    private static func createBeside(_ path: String) throws -> (file: Int32, path: String) {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<100 {
            let temporary = "\(path).\(String(random.next(), radix: 36)).tmp"
            let file = uninterrupted { Glibc.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) }
            if file >= 0 { return (file, temporary) }
            guard errno == EEXIST else { break }
        }
        throw CoveyError.io("cannot create a file beside", path)
    }

    /// nil where the host may write in the folder but not read it, which syncing it takes.
    private static func openFolder(of path: String) throws -> Int32? {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let file = uninterrupted { Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        if file >= 0 { return file }
        guard errno == EACCES || errno == EPERM else { throw CoveyError.io("cannot open the folder of", path) }
        return nil
    }
}
