import CoveyRuntime
import Glibc

/// The place of a file that is written: its open folder, and its name there. Where the caller's path is a symbolic
/// link, this is the place that the link leads to.
struct FileTarget {
    /// The caller's path, for messages.
    let path: String
    let folder: Int32
    let name: String
    /// Whether the folder may be read, which syncing it takes.
    private let isReadable: Bool
    /// The old file; nil if there is none.
    private let old: stat?

    /// As many as the kernel follows.
    private static let mostLinks = 40

    /// - Throws: `io`. A device, a pipe or a folder is refused: renaming would replace it by a file.
    init(_ path: String) throws {
        var place = path
        for _ in 0..<Self.mostLinks {
            let (folder, name) = Self.parts(place)
            let (file, isReadable) = try Self.open(folder, for: path)
            var status = stat()
            if fstatat(file, name, &status, AT_SYMLINK_NOFOLLOW) == 0 {
                if status.st_mode & S_IFMT == S_IFLNK {
                    let target = Self.readLink(file, name)
                    Glibc.close(file)
                    guard let target else { throw CoveyError.io("cannot read the symbolic link", path) }
                    place = target.hasPrefix("/") || folder == "." ? target : "\(folder)/\(target)"
                    continue
                }
                guard status.st_mode & S_IFMT == S_IFREG else {
                    Glibc.close(file)
                    throw CoveyError(.io, "cannot write \(path): it is not a regular file")
                }
                old = status
            } else {
                guard errno == ENOENT else {
                    let number = errno
                    Glibc.close(file)
                    errno = number
                    throw CoveyError.io("cannot look at", path)
                }
                old = nil
            }
            self.path = path
            self.folder = file
            self.name = name
            self.isReadable = isReadable
            return
        }
        errno = ELOOP
        throw CoveyError.io("cannot follow the symbolic links of", path)
    }

    func close() { Glibc.close(folder) }

    private static func parts(_ path: String) -> (folder: String, name: String) {
        // A slash at the end names a folder, and so does an empty name: the system refuses them.
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...]))
    }

    private static func open(_ folder: String, for path: String) throws -> (file: Int32, isReadable: Bool) {
        var file = uninterrupted { Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        if file >= 0 { return (file, true) }
        guard errno == EACCES || errno == EPERM else { throw CoveyError.io("cannot open the folder of", path) }
        // The host may write there, but not read.
        file = uninterrupted { Glibc.open(folder, Self.pathOnly | O_DIRECTORY | O_CLOEXEC) }
        guard file >= 0 else { throw CoveyError.io("cannot open the folder of", path) }
        return (file, false)
    }

    /// O_PATH, which Swift does not see.
    private static let pathOnly: Int32 = 0o10_000_000

    private static func readLink(_ folder: Int32, _ name: String) -> String? {
        let size = Int(PATH_MAX)
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            let read = buffer.withMemoryRebound(to: CChar.self) { readlinkat(folder, name, $0.baseAddress!, size) }
            count = max(0, read)
        }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }

    /// Gives a new file the old one's owner and mode. Who may not give the file away keeps it; and where the group
    /// cannot stay, the new group may do no more than everybody.
    func passOn(to file: Int32) throws {
        guard let old else { return }
        var own = stat()
        guard fstat(file, &own) == 0 else { throw CoveyError.io("cannot look at the new file of", path) }
        if own.st_uid != old.st_uid { _ = fchown(file, old.st_uid, gid_t.max) }
        if own.st_gid != old.st_gid { _ = fchown(file, uid_t.max, old.st_gid) }
        guard fstat(file, &own) == 0 else { throw CoveyError.io("cannot look at the new file of", path) }
        var mode = old.st_mode & 0o7777
        if own.st_uid != old.st_uid { mode &= ~0o4000 }
        if own.st_gid != old.st_gid { mode = mode & ~0o2070 | (mode & mode << 3 & 0o070) }
        guard fchmod(file, mode) == 0 else { throw CoveyError.io("cannot set the mode of", path) }
    }

    /// Until the new name lies on the disk.
    func syncFolder() throws {
        guard isReadable, uninterrupted({ fsync(folder) }) != 0 else { return }
        guard [EINVAL, ENOSYS, ENOTSUP, EROFS].contains(errno) else {
            throw CoveyError.io("cannot sync the folder of", path)
        }
    }

    /// The mode that a temporary file is made with: what is to replace a file must not be open to others before it has
    /// its mode.
    var firstMode: mode_t { old == nil ? 0o666 : 0o600 }
}
