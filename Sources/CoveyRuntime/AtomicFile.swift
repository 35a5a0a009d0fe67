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
                rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            }
        }
    }

    /// Writes the parts in order; see `write(to:_:)`.
    public static func write(_ parts: [UnsafeRawBufferPointer], to path: String) throws {
        try write(to: path) { file in for part in parts { try file.append(part) } }
    }

    /// Lets `body` write to a temporary file beside `path`, syncs it, renames it over `path` and syncs the folder.
    /// On any failure `path` is as it was and the temporary file is gone.
    public static func write(to path: String, _ body: (Writer) throws -> Void) throws {
        try refuseSpecialFile(path)
        let (file, temporary) = try createBeside(path)
        var open = true
        do {
            try withoutFileSizeSignal { try body(Writer(file: file, path: path)) }
            guard fsync(file) == 0 else { throw CoveyError.io("cannot sync", path) }
            open = false
            guard close(file) == 0 else { throw CoveyError.io("cannot close", path) }
            guard rename(temporary, path) == 0 else { throw CoveyError.io("cannot rename to", path) }
        } catch {
            if open { close(file) }
            unlink(temporary)
            throw error
        }
        syncFolder(of: path)
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
            let file = Glibc.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            if file >= 0 { return (file, temporary) }
            guard errno == EEXIST else { break }
        }
        throw CoveyError.io("cannot create a file beside", path)
    }

    /// Best effort: the rename has happened, and some file systems cannot sync a folder.
    private static func syncFolder(of path: String) {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let file = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { return }
        fsync(file)
        close(file)
    }
}
