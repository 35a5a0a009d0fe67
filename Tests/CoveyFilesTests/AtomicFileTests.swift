import CoveyFiles
import Glibc
import Testing

@testable import CoveyRuntime

@Suite struct AtomicFileTests {
    /// A folder that goes away with the test.
    final class Folder {
        let path: String

        init() {
            var template = Array("/tmp/covey-test-XXXXXX".utf8CString)
            path = String(cString: mkdtemp(&template))
        }

        deinit {
            for name in entries { unlink("\(path)/\(name)") }
            rmdir(path)
        }

        var entries: [String] {
            guard let folder = opendir(path) else { return [] }
            defer { closedir(folder) }
            var names: [String] = []
            while let entry = readdir(folder) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != "." && name != ".." { names.append(name) }
            }
            return names.sorted()
        }
    }

    private func write(_ parts: [String], to path: String) throws {
        let bytes = parts.map { Array($0.utf8) }
        let buffers = bytes.map { part in
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: part.count, alignment: 1)
            copy.copyBytes(from: part)
            return copy
        }
        defer { buffers.forEach { $0.deallocate() } }
        try AtomicFile.write(buffers.map { UnsafeRawBufferPointer($0) }, to: path)
    }

    private func read(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var text = ""
        while case let byte = fgetc(file), byte != EOF { text.append(Character(UnicodeScalar(UInt8(byte)))) }
        return text
    }

    @Test func writesPartsInOrderAndReplaces() throws {
        let folder = Folder()
        let path = "\(folder.path)/file"
        try write(["one ", "", "two"], to: path)
        #expect(read(path) == "one two")
        try write(["three"], to: path)
        #expect(read(path) == "three")
        #expect(folder.entries == ["file"])
    }

    @Test func modeFollowsTheUmask() throws {
        let folder = Folder()
        let path = "\(folder.path)/file"
        try write(["x"], to: path)
        let reference = "\(folder.path)/reference"
        close(open(reference, O_WRONLY | O_CREAT, 0o666))
        var written = stat()
        var expected = stat()
        #expect(stat(path, &written) == 0 && stat(reference, &expected) == 0)
        #expect(written.st_mode == expected.st_mode)
    }

    @Test func missingFolderIsAnError() throws {
        #expect(throws: CoveyError.self) { try write(["x"], to: "/tmp/covey-no-such-folder/file") }
    }

    /// The target is a folder: the rename fails at the very end, and nothing is left behind.
    @Test func failedRenameLeavesNothing() throws {
        let folder = Folder()
        let path = "\(folder.path)/folder"
        mkdir(path, 0o755)
        defer { rmdir(path) }
        do {
            try write(["x"], to: path)
            Issue.record("a folder was replaced by a file")
        } catch let error as CoveyError {
            #expect(error.code == .io)
            #expect(error.message.contains(path))
        }
        #expect(folder.entries == ["folder"])
    }

    @Test func devicesAreNotReplaced() throws {
        for path in ["/dev/full", "/dev/null", "/tmp"] {
            #expect(throws: CoveyError(.io, "cannot write \(path): it is not a regular file")) {
                try write(["x"], to: path)
            }
        }
    }
}
