import CoveyRuntime
import Glibc

/// A file that is written before it takes its place. It has no name while it is written, where the file system can do
/// that (O_TMPFILE), so that nothing of it is left where the process is killed.
///
/// Where it needs a name, the name is one of few that follow from the target's, and it is locked while it is written:
/// what is there without a lock was left by a process that was killed, and is removed.
final class TemporaryFile {
    let file: Int32
    private let target: FileTarget
    /// Its name, where it has one by now.
    private var name: String?
    private var isOpen = true
    /// Keeps the lock after `file` was closed.
    private var lock: Int32 = -1

    /// Names for one target. As many saves to it can run at once; further ones get names at random.
    private static let slots = 64
    /// O_TMPFILE, which Swift does not see.
    private static let unnamed: Int32 = 0o20_000_000 | O_DIRECTORY

    /// - Throws: `io`.
    init(beside target: FileTarget) throws {
        self.target = target
        Self.clear(target)
        if access("/proc/self/fd", F_OK) == 0 {
            let file = uninterrupted {
                openat(target.folder, ".", Self.unnamed | O_WRONLY | O_CLOEXEC, target.firstMode)
            }
            if file >= 0 {
                self.file = file
                return
            }
            // The file system, or the kernel, knows no such files.
            guard [EOPNOTSUPP, EISDIR, ENOENT, EINVAL].contains(errno) else {
                throw CoveyError.io("cannot create a file beside", target.path)
            }
        }
        (file, name) = try Self.create(target)
    }

    /// The file is whole: it lies on the disk and is closed.
    func finish() throws {
        guard uninterrupted({ fsync(file) }) == 0 else { throw CoveyError.io("cannot sync", target.path) }
        lock = fcntl(file, F_DUPFD_CLOEXEC, 0)
        guard lock >= 0 else { throw CoveyError.io("cannot keep open the new file of", target.path) }
        isOpen = false
        // Where a signal came the file is closed all the same, and what it holds was synced.
        guard close(file) == 0 || errno == EINTR else { throw CoveyError.io("cannot close", target.path) }
    }

    /// Its name in the target's folder.
    func link() throws -> String {
        if let name { return name }
        _ = flock(lock, LOCK_EX | LOCK_NB)
        for name in Self.names(target) {
            if linkat(AT_FDCWD, "/proc/self/fd/\(lock)", target.folder, name, AT_SYMLINK_FOLLOW) == 0 {
                self.name = name
                return name
            }
            guard errno == EEXIST else { break }
        }
        throw CoveyError.io("cannot name the new file of", target.path)
    }

    /// It has taken its place.
    func release() {
        close(lock)
    }

    /// It is not wanted.
    func discard() {
        if let name { unlinkat(target.folder, name, 0) }
        if isOpen { close(file) }
        if lock >= 0 { close(lock) }
    }

    /// A new file under one of the names, locked.
    private static func create(_ target: FileTarget) throws -> (file: Int32, name: String) {
        for name in names(target) {
            let file = uninterrupted {
                openat(target.folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, target.firstMode)
            }
            guard file >= 0 else {
                guard errno == EEXIST else { break }
                continue
            }
            var status = stat()
            // Before it was locked another save may have taken it for one that was left, and removes it.
            let isTaken = flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
            if !isTaken, fstat(file, &status) == 0, status.st_nlink > 0 { return (file, name) }
            close(file)
        }
        throw CoveyError.io("cannot create a file beside", target.path)
    }

    /// Short, so that it is no longer than a name may be; the same for the same target.
    private static func names(_ target: FileTarget) -> [String] {
        var random = SystemRandomNumberGenerator()
        let others = (0..<8).map { _ in ".covey-\(String(random.next(), radix: 36)).tmp" }
        return (0..<slots).map { slot(target, $0) } + others
    }

    private static func slot(_ target: FileTarget, _ number: Int) -> String {
        // FNV-1a.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in target.name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return ".covey-\(String(hash, radix: 36))-\(number).tmp"
    }

    /// Removes what killed processes left of saves to the same target.
    private static func clear(_ target: FileTarget) {
        for number in 0..<slots {
            let name = slot(target, number)
            var status = stat()
            guard fstatat(target.folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0, status.st_mode & S_IFMT == S_IFREG
            else { continue }
            let file = openat(target.folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            guard file >= 0 else { continue }
            // The name may be that of another save's file by now. While the file is locked its name stays.
            var opened = stat()
            if flock(file, LOCK_EX | LOCK_NB) == 0, fstat(file, &opened) == 0,
                fstatat(target.folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0,
                status.st_dev == opened.st_dev, status.st_ino == opened.st_ino
            {
                unlinkat(target.folder, name, 0)
            }
            close(file)
        }
    }
}
