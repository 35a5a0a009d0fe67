import CoveyRuntime
import FoundationEssentials
import Testing

@testable import CoveyEngine
@testable import CoveyFiles

@Suite struct EngineFileTests {
    let sample = Sample()

    private func read(_ bytes: [UInt8], trusted: Bool = false, memory: UInt64 = 0) throws -> Engine {
        let execution = Execution(try Context(threads: 1, memoryBudget: memory))
        return try Engine(
            bytes.withUnsafeBytes { try SafeTensors(bytes: $0, origin: "test", execution) }, trusted: trusted,
            execution: execution)
    }

    @Test(arguments: [(true, true, true), (true, false, false), (false, true, true), (false, true, false)])
    func comesBackTheSame(withEncoder: Bool, withFeatures: Bool, rules: Bool) throws {
        let engine = try Engine(sample.parts(withEncoder: withEncoder, withFeatures: withFeatures, rules: rules))
        let bytes = try engine.file().bytes()
        let again = try read(bytes)
        #expect(try again.file().bytes() == bytes)
        let new = Sample(seed: 4)
        let (sequences, table) = (withEncoder ? try new.sequences() : nil, withFeatures ? try new.table() : nil)
        let scores = try engine.score(sequences, table)
        #expect(try again.score(sequences, table) == scores)
        for score in scores { #expect(again.reasons(score) == engine.reasons(score)) }
        #expect(again.features == engine.features)
    }

    @Test func fileIsReplacedWhole() throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "covey-engine-\(UInt64.random(in: 0...UInt64.max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "engine.covey").path
        let engine = try Engine(sample.parts(withEncoder: true))
        try engine.save(to: path)
        try engine.save(to: path)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["engine.covey"])
        #expect(try [UInt8](Data(contentsOf: folder.appending(path: "engine.covey"))) == engine.file().bytes())
        #expect(try Engine(path: path).features == engine.features)
        #expect(error { _ = try Engine(path: folder.appending(path: "none").path) }?.code == .io)
        #expect(error { try engine.save(to: folder.appending(path: "none/engine").path) }?.code == .io)
        #expect(error { try engine.save(to: folder.path) }?.code == .io)
    }

    /// Whatever is wrong with a file, the message says which file it is.
    @Test func messagesNameTheFile() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "covey-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let whole = try Engine(sample.parts(withEncoder: true)).file().bytes()
        for position in [0, whole.count / 3, whole.count - 1] {
            var changed = whole
            changed[position] ^= 1
            try Data(changed).write(to: URL(filePath: path))
            let message = error { _ = try Engine(path: path) }?.message ?? "read"
            #expect(message.hasPrefix("\(path): ") && message.components(separatedBy: path).count == 2, "\(message)")
        }
    }

    @Test func changedBytesAreFoundOut() throws {
        let whole = try Engine(sample.parts(withEncoder: true)).file().bytes()
        for length in stride(from: 0, to: whole.count, by: 37) {
            #expect(error { _ = try self.read(Array(whole[..<length])) }?.code == .corruptFile, "cut at \(length)")
        }
        for position in stride(from: 0, to: whole.count, by: 41) {
            var changed = whole
            changed[position] ^= 1 << UInt8(position % 8)
            let found = error { _ = try self.read(changed) }
            #expect(
                [.corruptFile, .unsupported].contains(found?.code), "byte \(position): \(found?.message ?? "read")")
        }
    }

    /// What the checksum would keep out, but who writes a hostile file can compute it: nothing may trap, and what is
    /// read must score.
    @Test(arguments: [true, false]) func hostileBytesNeverTrap(withEncoder: Bool) throws {
        let whole = try Engine(sample.parts(withEncoder: withEncoder)).file().bytes()
        let header =
            8 + Int(whole[..<8].enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << UInt64(8 * $1.offset) })
        let new = Sample(seed: 5)
        let (sequences, table) = (withEncoder ? try new.sequences(0..<6) : nil, try new.table(0..<6))
        let budget: UInt64 = 1 << 30
        var read = 0
        func attempt(_ bytes: [UInt8], _ what: String) throws {
            do {
                let engine = try self.read(bytes, trusted: true, memory: budget)
                read += 1
                for score in try engine.score(sequences, table) {
                    #expect((0...1).contains(score.risk) && (0...1).contains(score.strength), "\(what)")
                    _ = engine.reasons(score)
                }
                _ = try engine.file()
            } catch let error as CoveyError {
                #expect(error.code != .internalError && error.code != .invalidArgument, "\(what): \(error)")
            }
        }
        for position in whole.indices {
            // All of the header, and a part of the tensors.
            guard position < header || position % 97 == 0 else { continue }
            for change: UInt8 in position < header ? [0x01] : [0x80, 0x7F] {
                var changed = whole
                changed[position] ^= change
                try attempt(changed, "byte \(position) ^ \(change)")
            }
        }
        #expect(read > 0)
    }

    /// Digits of the entries replaced by others, longer and shorter ones, extremes among them.
    @Test func hostileNumbersNeverTrap() throws {
        let engine = try Engine(sample.parts(withEncoder: false))
        let file = try engine.file()
        let table = try sample.table(0..<6)
        let numbers = [
            "0", "-1", "2", "1e308", "-1e308", "1e-320", "9223372036854775807", "-9223372036854775808", "2147483648",
            "0.5", "null",
            "[]", "\"x\"", "true",
        ]
        for name in ["covey.engine", "covey.hybrid", "clustering.options"] {
            let text = file.metadata[name]!
            var starts: [String.Index] = []
            var inNumber = false
            for index in text.indices {
                let isNumber = text[index].isNumber || ".e-".contains(text[index])
                if isNumber, !inNumber, !text[index].isLetter { starts.append(index) }
                inNumber = isNumber
            }
            for start in starts {
                let end = text[start...].firstIndex { !($0.isNumber || ".e-".contains($0)) } ?? text.endIndex
                for number in numbers {
                    var changed = file
                    changed.setEntry(name, String(text[..<start]) + number + String(text[end...]))
                    try changed.setChecksum()
                    do {
                        let execution = Execution(try Context(threads: 1, memoryBudget: 1 << 30))
                        let bytes = try changed.bytes()
                        let read = try Engine(
                            bytes.withUnsafeBytes { try SafeTensors(bytes: $0, origin: "test", execution) },
                            execution: execution)
                        for score in try read.score(nil, table) {
                            #expect((0...1).contains(score.risk) && (0...1).contains(score.strength))
                            _ = read.reasons(score)
                        }
                    } catch let error as CoveyError {
                        #expect(
                            [.corruptFile, .unsupported, .mismatch, .outOfMemory, .invalidData].contains(error.code),
                            "\(name): \(error)")
                    }
                }
            }
        }
    }

    @Test func newerVersionsAreUnsupported() throws {
        var file = try Engine(sample.parts(withEncoder: false)).file()
        let text = file.metadata["covey.engine"]!
        file.setEntry(
            "covey.engine", text.replacing("\"format_version\":1,\"risk\"", with: "\"format_version\":2,\"risk\""))
        #expect(file.metadata["covey.engine"] != text)
        try file.setChecksum()
        #expect(error { _ = try self.read(file.bytes()) }?.code == .unsupported)
    }
}
