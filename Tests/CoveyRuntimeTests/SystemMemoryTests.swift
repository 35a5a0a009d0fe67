import Glibc
import Testing

@testable import CoveyRuntime

@Suite struct SystemMemoryTests {
    /// Folders and files as the kernel shows control groups.
    private static func write(_ path: String, _ text: String) {
        var folder = ""
        for part in path.split(separator: "/").dropLast() {
            folder += "/" + part
            mkdir(folder, 0o700)
        }
        let file = fopen(path, "w")
        fputs(text, file)
        fclose(file)
    }

    private static func temporary() -> String {
        var template = Array("/tmp/covey-groups-XXXXXX".utf8CString)
        return String(cString: mkdtemp(&template))
    }

    @Test func takesTheLeastOfAllGroups() {
        let root = Self.temporary()
        Self.write("\(root)/list", "0::/a/b\n")
        #expect(SystemMemory.controlGroupLimit(list: "\(root)/list", root: root) == .max)
        Self.write("\(root)/a/b/memory.max", "max\n")
        #expect(SystemMemory.controlGroupLimit(list: "\(root)/list", root: root) == .max)
        Self.write("\(root)/a/memory.max", "2000000\n")
        #expect(SystemMemory.controlGroupLimit(list: "\(root)/list", root: root) == 2_000_000)
        Self.write("\(root)/a/b/memory.max", "1000000\n")
        #expect(SystemMemory.controlGroupLimit(list: "\(root)/list", root: root) == 1_000_000)
        Self.write("\(root)/memory.max", "500000")
        #expect(SystemMemory.controlGroupLimit(list: "\(root)/list", root: root) == 500_000)
        Self.write("\(root)/list", "4:cpu:/x\n3:hugetlb,memory:/docker/1\n0::/\n")
        Self.write("\(root)/memory/docker/1/memory.limit_in_bytes", "400000\n")
        #expect(SystemMemory.controlGroupLimit(list: "\(root)/list", root: root) == 400_000)
        #expect(SystemMemory.controlGroupLimit(list: "/nonexistent", root: root) == .max)
    }

    @Test func theAddressSpaceLimitIsTheBudget() throws {
        #expect(SystemMemory.limit > 0)
        var before = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &before)
        defer { setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &before) }
        var small = before
        small.rlim_cur = 1 << 40
        setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &small)
        let left = try #require(SystemMemory.addressSpaceLeft)
        #expect(left > 1 << 39 && left < 1 << 40)
        let execution = Execution(try Context(threads: 1, memoryBudget: UInt64.max))
        #expect(throws: CoveyError.self) { try execution.reserve(1 << 40, for: "test") }
        try execution.reserve(1 << 38, for: "test")
    }
}
