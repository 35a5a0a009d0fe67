import CoveyClustering
import CoveyEncoder
import CoveyRisk
import CoveyRules
import CoveyRuntime
import CoveySequences
import CoveyTables
import Synchronization
import Testing

@testable import CoveyEngine

@Suite struct EngineTests {
    let sample = Sample()

    /// The engine's answer against its parts, one by one, and the formula of the header.
    @Test(arguments: [true, false]) func scoresAsItsParts(withEncoder: Bool) throws {
        let parts = try sample.parts(withEncoder: withEncoder)
        let engine = try Engine(parts)
        let new = Sample(seed: 2)
        let scores = try engine.score(withEncoder ? new.sequences() : nil, new.table())
        #expect(scores.count == Sample.rows)

        let embeddings = try parts.encoder?.embed(new.sequences())
        let rows =
            try embeddings.map { try $0.withView { try parts.hybrid.transform($0, new.table()) } }
            ?? parts.hybrid.transform(nil, new.table())
        let placed = try rows.withView { try parts.clustering.predict($0, .bounded) }
        let (labels, strengths) = (placed.labels, placed.probabilities)
        #expect(Set(labels).count >= 3)
        let base = parts.risk.baseRate!
        for (row, score) in scores.enumerated() {
            #expect(score.cluster == Int(labels[row]))
            #expect(score.strength == strengths[row])
            func share(_ cluster: Int) -> Double {
                parts.risk.report(of: cluster).flatMap {
                    $0.labelled == 0 ? nil : Double($0.fraud) / Double($0.labelled)
                } ?? base
            }
            var risk = score.cluster < 0 ? base : strengths[row] * share(score.cluster) + (1 - strengths[row]) * base
            var expected: [FiredRule] = []
            for (set, cluster) in [parts.ruleSets[0].cluster, -1].enumerated() {
                if new.amounts[row] >= 150 {
                    expected.append(FiredRule(set: set, rule: 0))
                    risk = max(risk, 0.8 * (cluster < 0 ? 1 : share(cluster)))
                }
                if new.amounts[row] >= 205, new.countries[row] == 2 {
                    expected.append(FiredRule(set: set, rule: 1))
                    risk = max(risk, 0.9 * (cluster < 0 ? 1 : share(cluster)))
                }
            }
            #expect(score.rules == expected)
            #expect(abs(score.risk - risk) < 1e-12)
            let riskyCluster = score.cluster >= 0 && parts.risk.report(of: score.cluster)!.isRisky
            #expect(score.isRisky == (riskyCluster || !expected.isEmpty))
        }
    }

    /// One after another, the engine with rules of many categories, booleans and an empty name included.
    @Test(arguments: [true, false]) func aScorerScoresAsTheEngine(withEncoder: Bool) throws {
        let engine = try Engine(sample.parts(withEncoder: withEncoder))
        let new = Sample(seed: 3)
        let scorer = try Scorer(engine)
        let expected = try engine.score(withEncoder ? new.sequences() : nil, new.table())
        for row in (0..<Sample.rows).reversed() {
            try scorer.set(0, number: new.amounts[row])
            try Sample.countries[Int(new.countries[row])].withScorerBytes { try scorer.set(1, category: $0) }
            try scorer.set(2, number: new.devices[row] < 0 ? .nan : Double(new.devices[row]))
            let found = try scorer.score { _ in withEncoder ? try new.sequences([row]) : nil }
            #expect(found == expected[row] && scorer.score == found)
        }
        #expect(Set(expected.map(\.cluster)).count >= 3 && expected.contains { !$0.rules.isEmpty })
        scorer.clear()
        let missing = try FeatureTable(
            rows: 1,
            columns: [
                FeatureColumn(name: "amount", values: .numeric(Strided([.nan]))),
                FeatureColumn(name: "country", values: .categorical(Strided([-1]), categories: [])),
                FeatureColumn(name: "known_device", values: .boolean(Strided([-1]))),
            ])
        let found = try scorer.score { _ in withEncoder ? try new.sequences([0]) : nil }
        #expect(try engine.score(withEncoder ? new.sequences([0]) : nil, missing) == [found])
    }

    @Test func eventsAreThoseWithTheMostAttention() throws {
        let engine = try Engine(sample.parts(withEncoder: true))
        let batch = try sample.sequences()
        var attention = [Float](repeating: 0, count: batch.offsets.events.count)
        var embeddings = [Float](repeating: 0, count: batch.count * engine.parts.encoder!.dimension)
        try embeddings.withUnsafeMutableBytes { rows in
            try attention.withUnsafeMutableBufferPointer {
                try engine.parts.encoder!.embed(
                    batch, into: rows.baseAddress!, rowStride: rows.count / batch.count, attention: $0.baseAddress,
                    Execution())
            }
        }
        for (row, score) in try engine.score(batch, sample.table()).enumerated() {
            let weights = Array(attention[batch.offsets[row]])
            let order = weights.indices.sorted { (weights[$1], $0) < (weights[$0], $1) }.prefix(3)
            #expect(score.events.map(\.place) == order.map { $0 + 1 })
            #expect(score.events.map(\.share) == order.map { Double(weights[$0]) })
            #expect(score.events.map(\.type) == order.map { Int(sample.types[row][$0]) })
            let lengths = Set(score.events.map(\.length))
            #expect(lengths == [weights.count])
        }
    }

    @Test(arguments: [true, false]) func aloneAsInABatchAndFromManyThreads(withEncoder: Bool) throws {
        let engine = try Engine(sample.parts(withEncoder: withEncoder))
        let new = Sample(seed: 3)
        func score(_ rows: [Int], threads: Int) throws -> [Score] {
            try engine.score(
                withEncoder ? new.sequences(rows) : nil, new.table(rows),
                execution: Execution(try Context(threads: threads)))
        }
        let all = try score(Array(0..<Sample.rows), threads: 1)
        #expect(try score(Array(0..<Sample.rows), threads: 3) == all)
        for row in 0..<Sample.rows { #expect(try score([row], threads: 1) == [all[row]]) }
        #expect(try score([], threads: 1).isEmpty)
        let found = Mutex([Int: Score]())
        try Execution(try Context(threads: 4)).parallel(Sample.rows) { chunk, _ in
            for row in chunk {
                let one = try score([row], threads: 1)[0]
                found.withLock { $0[row] = one }
            }
        }
        #expect(found.withLock { $0 } == Dictionary(uniqueKeysWithValues: all.enumerated().map { ($0, $1) }))
    }

    @Test func emptySequencesAndUnknownEventsScore() throws {
        let engine = try Engine(sample.parts(withEncoder: true))
        let batch = try SequenceBatch(
            offsets: SequenceOffsets(Strided([0, 0, 1])), types: Strided([-7]), times: Strided([5.0]))
        let scores = try engine.score(batch, sample.table(0..<2))
        #expect(scores[0].events.isEmpty)
        #expect(engine.reasonCount(scores[0]) == 1 + scores[0].rules.count)
        #expect(
            engine.reasons(scores[1]).last == "The event that counted most: an unknown event (100%, event 1 of 1).")
    }

    @Test func enginesOfOneKindOfInput() throws {
        let features = try Engine(sample.parts(withEncoder: false, rules: false))
        #expect(try features.score(nil, sample.table()).map(\.cluster).max()! >= 1)
        #expect(features.features.map(\.name) == ["amount", "country", "known_device"])
        // Embeddings alone: a table is not needed.
        let events = try Engine(sample.parts(withEncoder: true, withFeatures: false))
        #expect(events.features.isEmpty)
        let scores = try events.score(sample.sequences(), nil)
        #expect(scores.count == Sample.rows)
        #expect(try events.score(sample.sequences(), sample.table()) == scores)
    }

    @Test func rulesAloneAskForTheirColumns() throws {
        var parts = try sample.parts(withEncoder: true, withFeatures: false)
        parts.ruleSets = [try ClusterRules(cluster: -1, rules: try Sample.rules(cluster: -1))]
        let engine = try Engine(parts)
        #expect(
            engine.features == [
                EngineFeature(name: "amount", kind: .numeric), EngineFeature(name: "country", kind: .categorical),
            ])
        #expect(
            error { _ = try engine.score(sample.sequences(), nil) }
                == .mismatch("features must not be NULL: the engine needs the columns \"amount\", \"country\""))
        let scores = try engine.score(sample.sequences(), sample.table())
        for (row, score) in scores.enumerated() { #expect(score.rules.isEmpty == (sample.amounts[row] < 150)) }
    }

    @Test func inputsThatDoNotFitAreNamed() throws {
        let engine = try Engine(sample.parts(withEncoder: true))
        let plain = try Engine(sample.parts(withEncoder: false))
        let (sequences, table) = (try sample.sequences(), try sample.table())
        let few = try sample.table(0..<5)
        #expect(error { _ = try engine.score(nil, table) }?.code == .mismatch)
        #expect(error { _ = try engine.score(sequences, nil) }?.code == .mismatch)
        #expect(error { _ = try plain.score(sequences, table) }?.code == .mismatch)
        #expect(
            error { _ = try engine.score(sequences, few) }
                == .mismatch("sequences are 90, features have 5 rows"))
        let context = try Context(threads: 1) { _, _ in true }
        #expect(error { _ = try engine.score(sequences, table, execution: Execution(context)) } == .cancelled)
        #expect(try engine.score(sequences, table).count == Sample.rows)
    }

    @Test func partsThatDoNotFitAreNamed() throws {
        let good = try sample.parts(withEncoder: true)
        func build(_ change: (inout EngineParts) throws -> Void) throws -> CoveyError? {
            var parts = good
            try change(&parts)
            return error { _ = try Engine(parts) }
        }
        #expect(try build { _ in } == nil)
        #expect(try build { $0.encoder = nil }?.code == .mismatch)
        #expect(try build { $0.hybrid = try sample.parts(withEncoder: false).hybrid }?.code == .mismatch)
        #expect(try build { $0.clustering = try sample.parts(withEncoder: false).clustering }?.code == .mismatch)
        let clusters = good.clustering.clusterCount
        let rules = try Sample.rules(cluster: 0)
        #expect(try build { $0.ruleSets = [try ClusterRules(cluster: clusters, rules: rules)] }?.code == .mismatch)
        #expect(try build { $0.ruleSets = [try ClusterRules(cluster: -2, rules: rules)] }?.code == .mismatch)
        #expect(
            try build {
                $0.risk = try ClusterRisk(
                    labels: Strided([Int32(clusters)]), fraud: Strided([1]), options: ClusterRisk.Options(),
                    execution: Execution())
            }?.code == .mismatch)
        let other = try RuleSet(
            targetName: "x", confidence: 0.95, features: [RuleFeature(name: "amount", kind: .boolean)],
            rules: [Rule(conditions: [Condition(feature: "amount", test: .isTrue)], search: .init(), unseen: .init())],
            search: .init(rows: 0, target: 0), unseen: .init(rows: 0, target: 0), tried: 0, fallen: 0)
        #expect(
            try build { $0.ruleSets = [try ClusterRules(cluster: 0, rules: other)] }
                == .mismatch("rules[0]: column \"amount\" is boolean, elsewhere in the engine numeric"))
        let rows = Matrix<Float>(rows: 3, columns: good.hybrid.dimension, repeating: 0)
        let unprepared = try rows.withView { try Clustering($0, ClusterOptions()) }
        #expect(try build { $0.clustering = unprepared }?.code == .invalidArgument)
    }

    /// What rules fire is counted over all sets: a set alone would be within the budget.
    @Test func rulesThatFireAreWithinTheBudget() throws {
        let sample = Sample()
        var parts = try sample.parts(withEncoder: false)
        let rows = try sample.table()
        parts.ruleSets = Array(repeating: parts.ruleSets[1], count: 2000)
        let engine = try Engine(parts)
        let context = try Context(threads: 1, memoryBudget: 512 << 10)
        let thrown = error { _ = try engine.score(nil, rows, execution: Execution(context)) }
        #expect(thrown?.code == .outOfMemory && thrown?.message.hasPrefix("the rules that fire needs") == true)
        parts.ruleSets = Array(parts.ruleSets.prefix(2))
        #expect(try Engine(parts).score(nil, rows, execution: Execution(context)).count == Sample.rows)
    }

    /// A risk that was made of other rows, or of the same ones in part.
    @Test func theRiskIsOfTheClusteringsRows() throws {
        let good = try sample.parts(withEncoder: false)
        #expect(error { try good.validateRisk() } == nil)
        for labels in [[0, 1, 0, 1], Array(good.clustering.labels.dropLast())] as [[Int32]] {
            var parts = good
            parts.risk = try ClusterRisk(
                labels: Strided(labels), fraud: Strided(labels.map { _ in Int8(1) }), options: ClusterRisk.Options(),
                execution: Execution())
            let thrown = error { try parts.validateRisk() }
            #expect(thrown?.code == .mismatch)
            #expect(thrown?.message.hasPrefix("risk must be made of the clustering's labels: it rates ") == true)
        }
    }

    /// `Finder` tells of events that the given encoder does not know, as its own engine does.
    @Test func unknownEventsAreTold() throws {
        var inputs = FindInputs()
        inputs.encoder = try Sample.encoder()
        inputs.table = try sample.table()
        inputs.fraud = Strided((0..<Sample.rows).map { Int8($0 % 3 == 2 && $0 % 2 == 0 ? 1 : -1) })
        var options = FindOptions()
        options.trees = 2
        options.groups.permutations = 19
        let good = try sample.sequences()
        let unknown = try SequenceBatch(
            offsets: good.offsets, types: Strided((0..<good.types.count).map { _ in Int32(0) }), times: good.times)
        let cases = [(good, false), (unknown, true)]
        for (sequences, isTold) in cases {
            inputs.sequences = sequences
            let found = try Finder.run(inputs, options: options, execution: Execution())
            let told = found.findings.filter { $0.code == .eventsUnlikeTraining }.map(\.text)
            #expect(told.contains { $0.contains("type that the encoder does not know") } == isTold)
            #expect(told.count == (try found.engine.alarms(sequences).count))
        }
    }
}

extension String {
    fileprivate func withScorerBytes(_ body: (UnsafeBufferPointer<UInt8>) throws -> Void) rethrows {
        try Array(utf8).withUnsafeBufferPointer(body)
    }
}
