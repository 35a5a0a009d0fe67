/// What the parts of the evidence are made of, one number a source: 0 says nothing, more speaks for fraud. A part is
/// the weighted sum of its sources (`SourceWeights`).
struct EvidenceSources: Sendable, Equatable {
    enum Source: Int, CaseIterable {
        case tree
        case neighbours
        case features
        case eventForest
        case eventModel
        case joint

        /// As settings call it.
        var name: String {
            switch self {
            case .tree: "tree"
            case .neighbours: "neighbours"
            case .features: "features"
            case .eventForest: "event_forest"
            case .eventModel: "event_model"
            case .joint: "joint"
            }
        }

        var part: Evidence.Part {
            switch self {
            case .tree: .tree
            case .neighbours: .neighbours
            case .features: .features
            case .eventForest, .eventModel: .events
            case .joint: .joint
            }
        }
    }

    var tree = 0.0
    var neighbours = 0.0
    var features = 0.0
    var eventForest = 0.0
    var eventModel = 0.0
    var joint = 0.0

    subscript(source: Source) -> Double {
        switch source {
        case .tree: tree
        case .neighbours: neighbours
        case .features: features
        case .eventForest: eventForest
        case .eventModel: eventModel
        case .joint: joint
        }
    }
}
