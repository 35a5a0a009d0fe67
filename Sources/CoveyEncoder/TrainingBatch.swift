import CoveyRuntime
import CoveySequences
import CoveyTables

/// The input of one training step: views of sequences, divided into chunks; the vocabulary entries that occur; and the
/// number of predictions. The division into chunks depends on the batch alone, not on the number of threads.
struct TrainingBatch {
    /// A range of a sequence's events, in the order of time.
    struct View: Sendable {
        let sequence: Int
        /// The index of its sequence in the batch.
        let place: Int
        /// The steps of the sequence, in the order of time.
        let steps: Range<Int>
        /// The events in the order of time; nil if they were given in this order.
        let order: [Int32]?
        /// If true, the view takes part in all objectives. The other views are for the contrastive objective alone.
        let isWhole: Bool
        /// How each event is presented to the network.
        var shown: [Shown]

        /// Returns the index of an event among all events.
        @inline(__always)
        func event(_ step: Int, _ offsets: SequenceOffsets) -> Int {
            let position = steps.lowerBound + step
            return offsets[sequence].lowerBound + (order.map { Int($0[position]) } ?? position)
        }

        /// Returns the type of an event as the network sees it.
        @inline(__always)
        func shownType(_ step: Int, _ source: SequenceBatch, _ vocabulary: Int) -> Int32 {
            shown[step] == .asIs ? TrainingBatch.known(source.types[event(step, source.offsets)], vocabulary) : 0
        }
    }

    enum Shown: UInt8, Sendable {
        case asIs
        /// The type is replaced by the unknown type.
        case unknown
        /// The type and categories are unknown and the numbers are missing. The network predicts the type.
        case masked
    }

    /// Whole views before the others; of each kind the longest first.
    let views: [View]
    /// Ranges of `views`. A chunk has only whole views or only other views.
    let chunks: [Range<Int>]
    /// The number of sequences that the views come from.
    let sequences: Int
    /// The numbers of predicted types and gaps in each direction, and of masked events.
    let pairs: Int
    let gaps: Int
    let masks: Int
    /// The seed of the random numbers of this batch.
    let key: UInt64
    /// The entries that occur, in ascending order; nil means all entries. `outputs` has additional sampled types.
    let events: [Int32]?
    let categories: [[Int32]?]
    let outputs: [Int32]?

    /// A batch is divided into about `chunks` chunks, but not into parts of fewer than `smallest` events.
    static let chunks = 8
    static let smallest = 256

    /// - Parameter isLearning: if true, some events are presented with an unknown type.
    init(
        _ chosen: [Int], _ batch: SequenceBatch, _ shape: NetworkShape, _ options: TrainingOptions, key: UInt64,
        isLearning: Bool, _ execution: Execution
    ) throws {
        var views: [View] = []
        var random = SeededRandom(seed: key, 1)
        for (place, sequence) in chosen.enumerated() {
            try execution.report()
            let order = try batch.timeOrder(sequence, execution)
            let count = batch.offsets[sequence].count
            let length = min(count, options.window)
            let start = length < count ? Int.random(in: 0...count - length, using: &random) : 0
            let window = start..<start + length
            views.append(
                View(
                    sequence: sequence, place: place, steps: window, order: order, isWhole: true,
                    shown: Self.draw(length, options, isLearning, &random)))
            guard options.objectives.contrastive > 0 else { continue }
            for _ in 1..<options.slices {
                let size = Int.random(in: (length + 3) / 4...length, using: &random)
                let first = window.lowerBound + Int.random(in: 0...length - size, using: &random)
                views.append(
                    View(
                        sequence: sequence, place: place, steps: first..<first + size, order: order, isWhole: false,
                        shown: [Shown](repeating: .asIs, count: size)))
            }
        }
        self.init(views, sequences: chosen.count, batch, shape, key: key, largestSoftmax: options.largestSoftmax)
    }

    /// Creates a batch of given views, in any order.
    init(
        _ views: [View], sequences: Int, _ batch: SequenceBatch, _ shape: NetworkShape, key: UInt64, largestSoftmax: Int
    ) {
        var order = Array(views.indices)
        order.sort {
            let (a, b) = (views[$0], views[$1])
            if a.isWhole != b.isWhole { return a.isWhole }
            return a.steps.count != b.steps.count ? a.steps.count > b.steps.count : $0 < $1
        }
        self.views = order.map { views[$0] }
        chunks = Self.split(self.views)
        self.sequences = sequences
        pairs = views.reduce(0) { $0 + ($1.isWhole ? $1.steps.count - 1 : 0) }
        gaps = views.reduce(0) { $0 + ($1.isWhole ? max(0, $1.steps.count - 2) : 0) }
        masks = views.reduce(0) { $0 + $1.shown.reduce(0) { $0 + ($1 == .masked ? 1 : 0) } }
        self.key = key

        func entries(_ codes: Strided<Int32>, _ count: Int) -> [Int32] {
            var found: Set<Int32> = [0]
            for view in views where view.isWhole {
                for step in 0..<view.steps.count {
                    found.insert(Self.known(codes[view.event(step, batch.offsets)], count))
                }
            }
            return found.sorted()
        }
        let isLarge = shape.vocabulary > largestSoftmax
        events = isLarge ? entries(batch.types, shape.vocabulary) : nil
        categories = zip(batch.categorical, shape.categories).map {
            $1 > largestSoftmax ? entries($0, $1) : nil
        }
        if let events {
            var random = SeededRandom(seed: key, 2)
            var found = Set(events)
            for _ in 0..<Self.sampled { found.insert(Int32(Int.random(in: 0..<shape.vocabulary, using: &random))) }
            outputs = found.sorted()
        } else {
            outputs = nil
        }
    }

    /// The number of types that a sampled softmax draws, in addition to those of the batch.
    static let sampled = 1024

    private static func draw(
        _ count: Int, _ options: TrainingOptions, _ isLearning: Bool, _ random: inout SeededRandom
    ) -> [Shown] {
        let mask = options.objectives.maskedEvent > 0 ? options.maskShare : 0
        let unknown = isLearning ? options.unknown : 0
        guard mask > 0 || unknown > 0 else { return [Shown](repeating: .asIs, count: count) }
        return (0..<count).map { _ in
            let number = random.uniform()
            return number < mask ? .masked : number < mask + unknown * (1 - mask) ? .unknown : .asIs
        }
    }

    /// Returns the vocabulary entry of a code; 0 if the code is unknown.
    @inline(__always)
    static func known(_ code: Int32, _ entries: Int) -> Int32 {
        code >= 0 && Int(code) < entries ? code : 0
    }

    private static func split(_ views: [View]) -> [Range<Int>] {
        let total = views.reduce(0) { $0 + $1.steps.count }
        let budget = max(smallest, total / chunks)
        var result: [Range<Int>] = []
        var start = 0
        // A chunk ends where its end is nearest to its share of the events. So no chunk is much smaller than the
        // others.
        var (done, share) = (0, budget)
        while start < views.count {
            var end = start
            repeat {
                done += views[end].steps.count
                end += 1
            } while end < views.count && views[end].isWhole == views[start].isWhole
                && done + views[end].steps.count / 2 <= share
            result.append(start..<end)
            start = end
            while share <= done { share += budget }
        }
        return result
    }
}

extension TrainingBatch {
    /// Whether an objective with a weight has anything here to predict or to compare.
    func isMeasured(_ objectives: TrainingOptions.Objectives) -> Bool {
        objectives.readEmbedding || (objectives.nextEvent > 0 && pairs > 0)
            || (objectives.maskedEvent > 0 && masks > 0)
    }
}
