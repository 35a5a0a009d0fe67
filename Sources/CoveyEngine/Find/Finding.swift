/// A remark on the result: what to know about it, or why nothing was found, and what the caller can do.
public struct Finding: Sendable, Equatable {
    /// Raw values are those of `COVEY_FINDING_...`, fixed for ever.
    public enum Code: Int32, Sendable, CaseIterable {
        case noLabels = 1
        case noKnownFraud = 2
        case tooFewFrauds = 3
        case onlyFraud = 4
        case noSignal = 5
        case noGroup = 6
        case giantCluster = 7
        case muchNoise = 8
        case noClusters = 9
        case embeddingsWithoutSignal = 10
        case featureGivesLabelAway = 11
        case unlabelledCompared = 12
        case knownShareEstimated = 13
        case noRule = 14
        case amountsMissing = 15
        case fewEvents = 16
        case datesLeftOut = 17
        case newBehaviour = 18
        case fewRows = 19
        case eventsUnlikeTraining = 20
    }

    public let code: Code
    public let text: String
}
