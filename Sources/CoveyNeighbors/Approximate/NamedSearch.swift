import CoveyRuntime

/// An index of FAISS and the parameters of its searches, as FAISS names both: "IVF1024,PQ16" and "nprobe=16".
public struct NamedSearch: Sendable, Equatable {
    public let index: String
    /// nil = FAISS's defaults.
    public let parameters: String?
    /// The same where C reads it.
    public let indexText: CText
    public let parametersText: CText?

    public init(index: String, parameters: String?) {
        self.index = index
        self.parameters = parameters
        indexText = CText(index)
        parametersText = parameters.map { CText($0) }
    }

    public static func == (a: NamedSearch, b: NamedSearch) -> Bool {
        a.index == b.index && a.parameters == b.parameters
    }
}
