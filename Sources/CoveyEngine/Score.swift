import CoveyHybrid
import CoveyRisk

/// What the engine says of one transaction.
public struct Score: Sendable, Equatable {
    /// The cluster that it behaves like; -1 = none.
    public let cluster: Int
    /// Of that membership, 0 to 1.
    public let strength: Double
    /// 0 to 1; see `Engine.score`.
    public let risk: Double
    /// With evidence: the transaction is in a risky group. Otherwise the cluster is risky, or a rule fires of a risky
    /// cluster or of a set without a cluster.
    public let isRisky: Bool
    /// The rules that fire, in the order of the sets and of their rules.
    public let rules: [FiredRule]
    /// The events with the most attention, most first; empty without an encoder and for an empty sequence.
    public let events: [WeighedEvent]
    /// nil where the engine has none.
    public let evidence: Evidence.Row?
    /// What is far from the middle in a transaction without a cluster, farthest first.
    public let unusual: [UnusualFeature]
}

/// A rule that fires.
public struct FiredRule: Sendable, Equatable {
    /// Its set, as an index of `Engine.ruleSets`.
    public let set: Int
    /// Its number in the set.
    public let rule: Int
}

/// An event of a transaction, and how much the encoder attended to it.
public struct WeighedEvent: Sendable, Equatable {
    /// Index in the encoder's vocabulary; 0 where it is unknown.
    public let type: Int
    /// Its place in the sequence as it was given, from 1, and the sequence's length.
    public let place: Int
    public let length: Int
    /// Its part of the attention, 0 to 1.
    public let share: Double
}
