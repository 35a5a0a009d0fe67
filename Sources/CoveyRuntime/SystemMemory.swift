import Glibc

/// How much memory this process may have.
enum SystemMemory {
    /// The least of the machine's memory and of what the control groups allow, when it was first asked for; bytes.
    static let limit = min(physical, controlGroupLimit())

    private static var physical: Int {
        let (bytes, overflow) = sysconf(Int32(_SC_PHYS_PAGES))
            .multipliedReportingOverflow(by: sysconf(Int32(_SC_PAGESIZE)))
        return overflow || bytes <= 0 ? Int.max : bytes
    }

    /// What is left of the address space (RLIMIT_AS), less a part for what no budget counts; nil if it has no limit.
    static var addressSpaceLeft: Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur < UInt64(Int.max),
            let pages = text("/proc/self/statm")?.split(separator: " ").first.flatMap({ Int($0) })
        else { return nil }
        let left = Int(limit.rlim_cur) - pages * sysconf(Int32(_SC_PAGESIZE))
        // Pages of code, stacks, and what the allocator cannot fill.
        return max(0, left - left / 8 - 8 << 20)
    }

    /// The least limit of this process's control groups and of those that they are in, of version 2 and 1.
    /// - Parameters:
    ///   - list: a file like /proc/self/cgroup.
    ///   - root: where control groups are mounted.
    static func controlGroupLimit(list: String = "/proc/self/cgroup", root: String = "/sys/fs/cgroup") -> Int {
        var least = Int.max
        for line in (text(list) ?? "").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let isUnified = parts[1].isEmpty
            guard isUnified || parts[1].split(separator: ",").contains("memory") else { continue }
            let (base, file) = isUnified ? (root, "memory.max") : ("\(root)/memory", "memory.limit_in_bytes")
            var path = String(parts[2])
            while true {
                // Within a container the path is the host's, and the container's own group lies at the root.
                if let bytes = text("\(base)\(path == "/" ? "" : path)/\(file)").flatMap({ Int($0) }), bytes > 0 {
                    least = min(least, bytes)
                }
                guard path != "/", let slash = path.lastIndex(of: "/") else { break }
                path = slash == path.startIndex ? "/" : String(path[..<slash])
            }
        }
        return least
    }

    /// The first line and what fits of the others; nil if the file cannot be read.
    private static func text(_ path: String) -> String? {
        let file = uninterrupted { open(path, O_RDONLY | O_CLOEXEC) }
        guard file >= 0 else { return nil }
        defer { close(file) }
        let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            count = max(0, read(file, buffer.baseAddress, buffer.count))
        }
        var text = String(decoding: bytes, as: UTF8.self)
        while text.last?.isNewline == true { text.removeLast() }
        return text
    }
}

/// Repeats a call that a signal interrupts.
public func uninterrupted(_ call: () -> Int32) -> Int32 {
    while true {
        let result = call()
        guard result < 0, errno == EINTR else { return result }
    }
}
