import CoveyRuntime

/// What an answer must reach, for one transaction.
struct CounterfactualGoal: Sendable {
    let parts: CounterfactualOptions.Goal
    let riskBelow: Double
    /// The cluster to leave; -1 = none.
    let cluster: Int
    /// By cluster.
    let riskyClusters: [Bool]

    /// Throws `mismatch` if the engine has no cluster to leave.
    init(_ options: CounterfactualOptions, _ engine: Engine, _ original: Score) throws {
        if options.goal.contains(.leaveCluster), engine.parts.clustering.clusterCount == 0 {
            throw CoveyError.mismatch("options.goal: the engine has no clusters that a transaction could leave")
        }
        cluster = original.cluster
        riskyClusters = engine.figures.map(\.isRisky)
        if options.goal.isEmpty {
            parts = original.isRisky ? .notRisky : .riskBelow
            // A risk of the base rate is ordinary.
            riskBelow = engine.baseRate.nextUp
        } else {
            parts = options.goal
            riskBelow = options.riskBelow
        }
    }

    func isReached(by score: Score) -> Bool {
        !(parts.contains(.notRisky) && score.isRisky) && !(parts.contains(.leaveCluster) && isInside(score))
            && !(parts.contains(.riskBelow) && score.risk >= riskBelow)
    }

    /// Still in the cluster, or in another one that is risky.
    private func isInside(_ score: Score) -> Bool {
        score.cluster >= 0 && (score.cluster == cluster || riskyClusters[score.cluster])
    }

    /// How far a score is from the goal: less is nearer.
    func gap(_ score: Score) -> Double {
        var gap = score.risk
        if parts.contains(.notRisky), score.isRisky { gap += 1 + score.strength / 4 }
        if parts.contains(.leaveCluster), isInside(score) { gap += 1 + score.strength }
        return gap
    }

    /// "not risky", "a risk below 10%".
    var text: String {
        var wanted: [String] = []
        if parts.contains(.notRisky) { wanted.append("not risky") }
        if parts.contains(.leaveCluster) { wanted.append(cluster < 0 ? "in no cluster" : "out of cluster \(cluster)") }
        if parts.contains(.riskBelow) { wanted.append("below a risk of \(CounterfactualWords.percent(riskBelow))") }
        return CounterfactualWords.list(wanted)
    }
}
