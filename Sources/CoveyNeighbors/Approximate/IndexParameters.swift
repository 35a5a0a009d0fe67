import CoveyRuntime

/// The parameters of a search by an index of FAISS, as its ParameterSpace has them: "nprobe=32,efSearch=64".
struct IndexParameters: Sendable, Equatable {
    struct Parameter: Sendable, Equatable {
        let name: String
        let value: Double
    }

    let all: [Parameter]

    /// FAISS's "ht" filters by codes in an order that is not trained here, and "verbose" prints.
    private static let names = [
        "nprobe", "efSearch", "efConstruction", "k_factor_rf", "max_codes", "quantizer_efSearch",
        "quantizer_efConstruction",
    ]

    private static let most = 1_000_000

    /// - Parameter text: nil or "" = FAISS's defaults. Throws `invalidArgument` for what cannot be.
    init(_ text: String?) throws {
        var all: [Parameter] = []
        let text = text ?? ""
        try require(
            text.utf8.count <= IndexName.longest,
            "index_search must have at most \(IndexName.longest) characters, got \(text.utf8.count)")
        for part in text.isEmpty ? [] : text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", omittingEmptySubsequences: false)
            guard sides.count == 2, IndexParameters.names.contains(String(sides[0])),
                (1...9).contains(sides[1].utf8.count), sides[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let value = Int(sides[1]), value >= 1, value <= IndexParameters.most || sides[0] == "max_codes"
            else {
                throw CoveyError.invalidArgument(
                    "index_search must be parameters of FAISS, such as nprobe=32,efSearch=64: "
                        + "\(IndexParameters.names.joined(separator: ", ")), "
                        + "whole numbers of 1 to \(IndexParameters.most); got "
                        + PlainText.name(String(part)))
            }
            try require(
                !all.contains { $0.name == sides[0] }, "index_search must not repeat \(sides[0])")
            all.append(Parameter(name: String(sides[0]), value: Double(value)))
        }
        self.all = all
    }

    /// The value of a parameter; nil if it is not set.
    func value(_ name: String) -> Int? { all.first { $0.name == name }.map { Int($0.value) } }
}
