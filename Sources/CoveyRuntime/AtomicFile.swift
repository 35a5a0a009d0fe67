import Glibc

/// Files that are whole or not there.
public enum AtomicFile {
    /// Writes the parts, in order, to a temporary file beside `path`, syncs it, renames it over `path` and syncs the folder.
    /// On any failure `path` is as it was and the temporary file is gone.
    public static func write(_ parts: [UnsafeRawBufferPointer], to path: String) throws {
        let (file, temporary) = try createBeside(path)
        var open = true
        do {
            for part in parts { try write(part, file, path) }
            guard fsync(file) == 0 else { throw failure("cannot sync", path) }
            open = false
            guard close(file) == 0 else { throw failure("cannot close", path) }
            guard rename(temporary, path) == 0 else { throw failure("cannot rename to", path) }
        } catch {
            if open { close(file) }
            unlink(temporary)
            throw error
        }
        syncFolder(of: path)
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
        throw failure("cannot create a file beside", path)
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, _ file: Int32, _ path: String) throws {
        var rest = bytes
        while !rest.isEmpty {
            let written = Glibc.write(file, rest.baseAddress, min(rest.count, 1 << 30))
            if written < 0 {
                if errno == EINTR { continue }
                throw failure("cannot write", path)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
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

    private static func failure(_ action: String, _ path: String) -> CoveyError {
        let number = errno
        return .io("\(action) \(path): \(String(cString: strerror(number)))")
    }
}
