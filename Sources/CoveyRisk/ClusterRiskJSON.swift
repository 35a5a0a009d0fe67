import CoveyFiles
import CoveyRuntime

// Cluster risk as JSON, in an engine's file:
//
//     {"clusters": [{"amount", "cluster", "firstSeen", "fraud", "labelled", "lastSeen", "loss", "size"}],
//      "options": {"confidence", "knownShare", "minFraud", "minLift", "population"}}
//
// "firstSeen" and "lastSeen" are left out without times. Files of older versions lack "knownShare" and "population".
// Shares, intervals, lift, rank and the verdict follow from these and are computed on reading, so that a file cannot
// contradict itself.

extension ClusterRisk {
    public func write(to json: inout JSONWriter) throws {
        try json.object { json in
            try json.name("clusters")
            try json.array(reports) { try $1.tally.write(to: &$0) }
            try json.name("options")
            try options.write(to: &json)
        }
    }

    /// Throws `corruptFile` for JSON of another form, `invalidData` and `invalidArgument` for numbers that rating
    /// cannot give, `outOfMemory`, `cancelled`.
    public init(_ reader: JSONReader) throws {
        var (tallies, options): ([ClusterTally]?, Options?)
        try reader.object { name in
            switch name {
            case "clusters": tallies = try ClusterRisk.tallies(reader)
            case "options": options = try Options(reader)
            default: try reader.skip()
            }
        }
        try self.init(
            tallies: reader.required(tallies, "clusters"), options: reader.required(options, "options"),
            execution: reader.execution)
    }

    private static func tallies(_ reader: JSONReader) throws -> [ClusterTally] {
        var tallies: [ClusterTally] = []
        try reader.array { _ in
            tallies.append(try ClusterTally(reader))
            // Tallies in an array that doubles, a set of their clusters, and reports that are sorted.
            try reader.count(
                2 * MemoryLayout<ClusterTally>.stride + 3 * MemoryLayout<ClusterReport>.stride
                    + 4 * MemoryLayout<Int>.stride)
        }
        return tallies
    }
}

extension ClusterRisk.Options {
    fileprivate func write(to json: inout JSONWriter) throws {
        try json.object { json in
            try json.member("confidence", confidence)
            try json.member("knownShare", knownShare)
            try json.member("minFraud", minFraud)
            try json.member("minLift", minLift)
            try json.member("population", Int(population.rawValue))
        }
    }

    /// If an older file has no population, shares are counted over labelled rows.
    fileprivate init(_ reader: JSONReader) throws {
        var (confidence, minLift, minFraud): (Double?, Double?, Int?)
        var (population, knownShare) = (KnownLabels.Population.labelled, 1.0)
        try reader.object { name in
            switch name {
            case "confidence": confidence = try reader.double()
            case "minLift": minLift = try reader.double()
            case "minFraud": minFraud = try reader.integer()
            case "population": if try !reader.isNull() { population = try reader.rawValue() }
            case "knownShare": if try !reader.isNull() { knownShare = try reader.double() }
            default: try reader.skip()
            }
        }
        try self.init(
            confidence: reader.required(confidence, "confidence"), minLift: reader.required(minLift, "minLift"),
            minFraud: reader.required(minFraud, "minFraud"), population: population, knownShare: knownShare)
    }
}

extension ClusterTally {
    fileprivate func write(to json: inout JSONWriter) throws {
        try json.object { json in
            try json.member("amount", amount)
            try json.member("cluster", cluster)
            if let firstSeen { try json.member("firstSeen", firstSeen) }
            try json.member("fraud", fraud)
            try json.member("labelled", labelled)
            if let lastSeen { try json.member("lastSeen", lastSeen) }
            try json.member("loss", loss)
            try json.member("size", size)
        }
    }

    fileprivate init(_ reader: JSONReader) throws {
        var (cluster, size, labelled, fraud): (Int?, Int?, Int?, Int?)
        var (loss, amount, firstSeen, lastSeen): (Double?, Double?, Double?, Double?)
        try reader.object { name in
            switch name {
            case "cluster": cluster = try reader.integer()
            case "size": size = try reader.integer()
            case "labelled": labelled = try reader.integer()
            case "fraud": fraud = try reader.integer()
            case "loss": loss = try reader.double()
            case "amount": amount = try reader.double()
            case "firstSeen": if try !reader.isNull() { firstSeen = try reader.double() }
            case "lastSeen": if try !reader.isNull() { lastSeen = try reader.double() }
            default: try reader.skip()
            }
        }
        self.init(cluster: try reader.required(cluster, "cluster"))
        self.size = try reader.required(size, "size")
        self.labelled = try reader.required(labelled, "labelled")
        self.fraud = try reader.required(fraud, "fraud")
        self.loss = try reader.required(loss, "loss")
        self.amount = try reader.required(amount, "amount")
        (self.firstSeen, self.lastSeen) = (firstSeen, lastSeen)
    }
}
