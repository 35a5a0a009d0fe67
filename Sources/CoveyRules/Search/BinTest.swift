/// A condition on a feature's bins.
enum BinTest: Hashable, Sendable {
    /// Bins low..<high, not all of them.
    case interval(low: UInt8, high: UInt8)
    /// These categories; or all known ones but these.
    case categories([UInt8], inside: Bool)
    /// A boolean's value.
    case value(UInt8)
    case missing
    case present

    func matches(_ bin: UInt8, missing: UInt8) -> Bool {
        switch self {
        case .interval(let low, let high): bin >= low && bin < high
        case .categories(let bins, let inside): bin != missing && bins.contains(bin) == inside
        case .value(let value): bin == value
        case .missing: bin == missing
        case .present: bin != missing
        }
    }
}

/// A condition on one feature, in bins.
struct BinTerm: Hashable, Sendable {
    let feature: Int
    let test: BinTest
}
