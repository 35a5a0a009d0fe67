import CoveyRuntime

/// What a decoder passes over in silence: keys that nobody knows, and keys that stand twice in an object.
enum JSONKeys {
    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// Throws for a key of an object that is none of `known`.
    static func check(_ decoder: any Decoder, _ known: Set<String>) throws {
        let object = try decoder.container(keyedBy: AnyKey.self)
        for key in object.allKeys where !known.contains(key.stringValue) {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: object,
                debugDescription: "there is no such key here; known are \(known.sorted().joined(separator: ", "))")
        }
    }

    /// Throws `corruptFile` for an object in which a key stands twice. The text is valid JSON.
    static func requireDistinct(_ json: UnsafeRawBufferPointer) throws {
        // One for each open bracket; nil for an array.
        var open: [Set<[UInt8]>?] = []
        var place = 0
        while place < json.count {
            let byte = json[place]
            place += 1
            switch byte {
            case UInt8(ascii: "{"): open.append([])
            case UInt8(ascii: "["): open.append(nil)
            case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = open.popLast()
            case UInt8(ascii: "\""):
                let start = place
                let text = string(json, &place)
                var next = place
                while next < json.count, [9, 10, 13, 32].contains(json[next]) { next += 1 }
                guard next < json.count, json[next] == UInt8(ascii: ":"), !open.isEmpty else { continue }
                if open[open.count - 1]?.insert(text).inserted == false {
                    throw CoveyError.corruptFile(
                        "the key \"\(String(decoding: text, as: UTF8.self))\" stands twice in an object, at byte \(start)")
                }
            default: break
            }
        }
    }

    /// The bytes of a string without escapes; `place` goes from behind the first quote to behind the last.
    private static func string(_ json: UnsafeRawBufferPointer, _ place: inout Int) -> [UInt8] {
        var result: [UInt8] = []
        var units: [UInt16] = []
        func flush() {
            guard !units.isEmpty else { return }
            result += Array(String(decoding: units, as: UTF16.self).utf8)
            units.removeAll()
        }
        while place < json.count, json[place] != UInt8(ascii: "\"") {
            var byte = json[place]
            place += 1
            if byte != UInt8(ascii: "\\") || place >= json.count {
                flush()
                result.append(byte)
                continue
            }
            byte = json[place]
            place += 1
            if byte == UInt8(ascii: "u") {
                let digits = String(decoding: json[place..<min(json.count, place + 4)], as: UTF8.self)
                units.append(UInt16(digits, radix: 16) ?? 0xFFFD)
                place = min(json.count, place + 4)
                continue
            }
            flush()
            let plain: [UInt8: UInt8] = [
                UInt8(ascii: "n"): 10, UInt8(ascii: "t"): 9, UInt8(ascii: "r"): 13, UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12,
            ]
            result.append(plain[byte] ?? byte)
        }
        flush()
        place = min(json.count, place + 1)
        return result
    }
}
