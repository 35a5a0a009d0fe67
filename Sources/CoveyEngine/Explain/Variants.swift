import CoveyRuntime
import CoveySequences
import CoveyTables

/// A transaction with some of its parts.
struct Variant: Sendable {
    let transaction: Int
    /// The parts that are kept, ascending.
    let kept: [Int32]
}

/// Makes batches of variants from what the caller gave.
struct VariantBatches {
    let sequences: SequenceBatch?
    /// Only the columns that the engine needs.
    let table: FeatureTable?
    let largestParts: Int
    let execution: Execution

    func parts(_ transaction: Int) -> EventParts {
        EventParts(events: sequences?.offsets[transaction].count ?? 0, largest: largestParts)
    }

    func eventCount(_ variant: Variant) -> Int {
        let parts = parts(variant.transaction)
        if parts.count == parts.events { return variant.kept.count }
        return variant.kept.reduce(0) { $0 + parts[Int($1)].count }
    }

    /// The sequences of variants, each with its events in the given order.
    func sequences(_ variants: ArraySlice<Variant>) throws -> SequenceBatch? {
        guard let batch = sequences else { return nil }
        var offsets: [Int64] = [0]
        offsets.reserveCapacity(variants.count + 1)
        var total = 0
        for variant in variants {
            total += eventCount(variant)
            offsets.append(Int64(total))
        }
        let columns = 3 + batch.numeric.count + batch.categorical.count + (batch.dwell == nil ? 0 : 1)
        try execution.reserve(checkedProduct(total, columns, "variants"), of: 8, for: "variants of the sequences")
        var events: [Int] = []
        events.reserveCapacity(total)
        for variant in variants {
            try execution.check()
            let (first, parts) = (batch.offsets[variant.transaction].lowerBound, parts(variant.transaction))
            for part in variant.kept {
                let range = parts[Int(part)]
                events.append(contentsOf: first + range.lowerBound..<first + range.upperBound)
            }
        }
        return try SequenceBatch(
            offsets: SequenceOffsets(Strided(offsets), execution), types: batch.types.gathered(events),
            times: batch.times.gathered(events), dwell: batch.dwell?.gathered(events),
            numeric: batch.numeric.map { $0.gathered(events) },
            categorical: batch.categorical.map { $0.gathered(events) })
    }

    /// Whole sequences, with the time since the session's first event and the dwells multiplied by a factor.
    func stretched(_ transactions: Range<Int>, by factor: Double) throws -> SequenceBatch? {
        let whole = try sequences(
            transactions.map { Variant(transaction: $0, kept: Array(0..<Int32(parts($0).count))) }[...])
        return try whole.map { batch in
            var times: [Double] = []
            times.reserveCapacity(batch.types.count)
            for row in 0..<batch.count {
                let range = batch.offsets[row]
                let first = range.reduce(Double.infinity) { min($0, batch.times[$1]) }
                for event in range { times.append(first + (batch.times[event] - first) * factor) }
            }
            return try SequenceBatch(
                offsets: batch.offsets, types: batch.types, times: Strided(times),
                dwell: batch.dwell.map { dwell in Strided((0..<dwell.count).map { dwell[$0] * factor }) },
                numeric: batch.numeric, categorical: batch.categorical)
        }
    }

    /// Rows of the table.
    func table(_ rows: [Int]) throws -> FeatureTable? {
        guard let table else { return nil }
        return try FeatureTable(
            rows: rows.count,
            columns: table.columns.map { column in
                let values: FeatureColumn.Values =
                    switch column.values {
                    case .numeric(let values): .numeric(values.gathered(rows))
                    case .date(let values): .date(values.gathered(rows))
                    case .boolean(let values): .boolean(values.gathered(rows))
                    case .categorical(let codes, let categories):
                        .categorical(codes.gathered(rows), categories: categories)
                    }
                return FeatureColumn(name: column.name, values: values)
            })
    }
}

extension Strided {
    /// The elements at these places.
    func gathered(_ places: [Int]) -> Strided {
        Strided(count: places.count) { target in
            for (index, place) in places.enumerated() { target.initializeElement(at: index, to: self[place]) }
        }
    }
}
