import CoveyRuntime

/// An index of FAISS by its name there, such as "OPQ16_32,IVF1024,PQ16": an optional transform of the rows, an optional
/// division into lists, how rows are kept, and optionally that what is found is ordered by the rows themselves.
///
/// FAISS's own reading of names ends the process, or takes any amount of memory, for some of them. So a name is read
/// here first. What FAISS has beyond this (LSH, RQ, LSQ, NSG, ITQ, L2norm, ID maps, lists of lists) is refused.
struct IndexName: Sendable, Equatable {
    enum Transform: Sendable, Equatable {
        case none
        /// PCA, with or without a rotation, RR and Pad: to a number of columns.
        case columns(Int)
        /// OPQ: a rotation to a number of columns (0 = as many), for a number of parts.
        case parts(Int, columns: Int)
    }

    enum Code: Sendable, Equatable {
        case flat
        case scalar(bits: Int)
        case product(parts: Int, bits: Int)
    }

    let text: String
    private(set) var transform = Transform.none
    /// The number of lists of IVF and IMI; 0 = the rows are not divided.
    private(set) var lists = 0
    /// The bits of each half of IMI's lists; 0 = no IMI.
    private(set) var multiBits = 0
    /// The links of a graph over the lists, and of one over the rows; 0 = no graph.
    private(set) var listLinks = 0
    private(set) var links = 0
    private(set) var code = Code.flat
    /// What the refinement keeps of the rows.
    private(set) var refined: Code?

    /// The most characters of a name.
    static let longest = 100
    /// The most columns that a transform may have: it computes the eigenvectors of a square matrix of that size.
    static let mostColumns = 2048

    /// Throws `invalidArgument` for what is not a name, or not of an index that is used here.
    init(_ text: String) throws {
        self.text = text
        try require(
            (1...IndexName.longest).contains(text.utf8.count),
            "index must be a name of 1 to \(IndexName.longest) characters, got \(text.utf8.count)")
        var parts = text.split(separator: ",", omittingEmptySubsequences: false)[...]
        if let first = parts.first, let transform = IndexName.transform(first) {
            self.transform = transform
            parts.removeFirst()
        }
        if let first = parts.first, readLists(first) { parts.removeFirst() }
        guard let main = parts.popFirst(), readCode(main) else { throw IndexName.unknown(text) }
        // "HNSW32,Flat" is "HNSW32".
        if links > 0, code == .flat, parts.first == "Flat" { parts.removeFirst() }
        if let last = parts.first, let refined = IndexName.refinement(last) {
            self.refined = refined
            parts.removeFirst()
        }
        guard parts.isEmpty else { throw IndexName.unknown(text) }
    }

    private static func unknown(_ text: String) -> CoveyError {
        .invalidArgument(
            "index must be a name of FAISS: [PCAn | PCARn | PCAWn | PCAWRn | OPQm[_n] | RRn | Padn ,] "
                + "[IVFn | IVFn_HNSW[m] | IMI2xb ,] Flat | SQ4 | SQ6 | SQ8 | SQfp16 | PQm[xb][np] | PQmx4fs[r] | "
                + "HNSWm[_SQ8 | _PQm] [, RFlat | Refine(...)], with numbers in their ranges; "
                + "got \(PlainText.name(text))")
    }

    // MARK: - Parts of a name

    private static func transform(_ text: Substring) -> Transform? {
        for name in ["PCAWR", "PCAW", "PCAR", "PCA", "RR", "Pad"] {
            if let columns = number(text, after: name, in: 1...mostColumns) { return .columns(columns) }
        }
        guard let rest = suffix(text, after: "OPQ") else { return nil }
        let parts = rest.split(separator: "_", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let count = number(parts[0], after: "", in: 1...mostColumns) else {
            return nil
        }
        guard parts.count == 2 else { return .parts(count, columns: 0) }
        return number(parts[1], after: "", in: 1...mostColumns).map { .parts(count, columns: $0) }
    }

    private mutating func readLists(_ text: Substring) -> Bool {
        if let bits = IndexName.number(text, after: "IMI2x", in: 1...12) {
            (lists, multiBits) = (1 << (2 * bits), bits)
            return true
        }
        guard let rest = IndexName.suffix(text, after: "IVF") else { return false }
        let parts = rest.split(separator: "_", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let count = IndexName.number(parts[0], after: "", in: 1...(1 << 24)) else {
            return false
        }
        if parts.count == 2 {
            guard let links = parts[1] == "HNSW" ? 32 : IndexName.number(parts[1], after: "HNSW", in: 2...512) else {
                return false
            }
            listLinks = links
        }
        lists = count
        return true
    }

    private mutating func readCode(_ text: Substring) -> Bool {
        if let code = IndexName.code(text, fast: true) {
            self.code = code
            return true
        }
        guard lists == 0, let rest = IndexName.suffix(text, after: "HNSW") else { return false }
        let parts = rest.split(separator: "_", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let links = IndexName.number(parts[0], after: "", in: 2...512) else {
            return false
        }
        if parts.count == 2 {
            switch IndexName.code(parts[1], fast: false) {
            case .scalar(8): code = .scalar(bits: 8)
            case .product(let parts, 8): code = .product(parts: parts, bits: 8)
            default: return false
            }
        }
        self.links = links
        return true
    }

    /// - Parameter fast: whether the codes of a fast scan may be.
    private static func code(_ text: Substring, fast: Bool) -> Code? {
        switch text {
        case "Flat": return .flat
        case "SQ4": return .scalar(bits: 4)
        case "SQ6": return .scalar(bits: 6)
        case "SQ8": return .scalar(bits: 8)
        case "SQfp16": return .scalar(bits: 16)
        default: break
        }
        guard var rest = suffix(text, after: "PQ") else { return nil }
        if fast {
            for ending in ["np", "x4fsr", "x4fs"] where rest.hasSuffix(ending) {
                rest = rest.dropLast(ending.count)
                if ending != "np" { return number(rest, after: "", in: 1...4096).map { .product(parts: $0, bits: 4) } }
                break
            }
        }
        let parts = rest.split(separator: "x", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let count = number(parts[0], after: "", in: 1...4096) else { return nil }
        guard parts.count == 2 else { return .product(parts: count, bits: 8) }
        return number(parts[1], after: "", in: 1...12).map { .product(parts: count, bits: $0) }
    }

    private static func refinement(_ text: Substring) -> Code? {
        if text == "RFlat" { return .flat }
        guard let rest = suffix(text, after: "Refine("), rest.last == ")" else { return nil }
        return code(rest.dropLast(), fast: false)
    }

    private static func suffix(_ text: Substring, after name: String) -> Substring? {
        text.hasPrefix(name) ? text.dropFirst(name.count) : nil
    }

    /// A number without a sign and without zeros before it.
    private static func number(_ text: Substring, after name: String, in range: ClosedRange<Int>) -> Int? {
        guard let digits = suffix(text, after: name), (1...9).contains(digits.utf8.count), digits.utf8.first != 0x30,
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits), range.contains(number)
        else { return nil }
        return number
    }
}
