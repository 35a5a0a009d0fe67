import CoveyFiles
import CoveyRisk
import CoveyRuntime

// A profile as `covey_engine_profile` gives it: members in the order of their names.

extension ClusterProfile {
    func write(to json: inout JSONWriter) throws {
        try json.object { json in
            try json.member("amount", hasAmounts ? report?.amount : nil)
            try json.member("base_rate", baseRate)
            try json.name("categories")
            try json.array(categories) { try $1.write(to: &$0) }
            try json.member("cautions", cautions)
            try json.member("cluster", cluster)
            try json.member("compared", compared)
            try json.member("compared_with", comparedWith)
            try json.member("comparisons", comparisons)
            try json.member("confidence", confidence)
            try json.name("exemplars")
            try json.array(exemplars) { try $0.write($1) }
            try json.name("features")
            try json.array(features) { try $1.write(to: &$0) }
            try json.member("first_seen", report?.firstSeen)
            try json.member("fraud", report?.fraud ?? 0)
            try json.member("labelled", report?.labelled ?? 0)
            try json.member("last_seen", report?.lastSeen)
            try json.member("lift", report?.lift)
            try json.member("loss", hasAmounts ? report?.loss : nil)
            try json.member("mean_strength", meanStrength)
            try json.name("nearest")
            try json.array(nearest) { try $1.write(to: &$0) }
            try json.member("not_known", notKnown)
            try json.member("persistence", persistence)
            try json.member("rank", rank)
            try json.member("risky", report?.isRisky ?? false)
            try json.member("rules", rules)
            try json.member("share", report?.share)
            try json.member("share_high", report?.high ?? 1)
            try json.member("share_low", report?.low ?? 0)
            try json.member("size", size)
        }
    }
}

extension ClusterProfile.Number {
    fileprivate func write(to json: inout JSONWriter) throws {
        try json.object { json in
            try json.member("effect", effect.effect)
            try json.member("high", effect.high)
            try json.member("low", effect.low)
            try json.member("missing", missing)
            try json.member("name", name)
            try json.member("ordinary_missing", ordinaryMissing)
            try json.member("ordinary_quartiles", ordinaryQuartiles)
            try json.member("quartiles", quartiles)
        }
    }
}

extension ClusterProfile.Share {
    fileprivate func write(to json: inout JSONWriter) throws {
        try json.object { json in
            try json.member("count", count)
            try json.member("effect", effect.effect)
            try json.member("high", effect.high)
            try json.member("kind", kind)
            try json.member("lift", lift)
            try json.member("low", effect.low)
            try json.member("name", name)
            try json.member("ordinary_count", ordinaryCount)
            try json.member("ordinary_size", ordinarySize)
            try json.member("size", size)
            try json.member("value", value)
        }
    }
}

extension ClusterProfile.Near {
    fileprivate func write(to json: inout JSONWriter) throws {
        try json.object { json in
            try json.member("cluster", cluster)
            try json.member("distance", distance)
            try json.member("risky", report?.isRisky ?? false)
            try json.member("share", report?.share)
            try json.member("size", report?.size ?? 0)
        }
    }
}

extension JSONWriter {
    /// A number, or null.
    fileprivate mutating func member(_ name: String, _ value: Double?) throws {
        try self.name(name)
        if let value { try write(value) } else { try write(json: "null") }
    }
}
