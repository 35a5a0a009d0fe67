import CoveyRuntime

/// The weights of a step as its products read them, and where their gradients lie: of a large vocabulary only the entries
/// that
/// occur, side by side.
final class BatchTables {
    let layout: ParameterLayout
    /// The weights of all regions; those of a large vocabulary are not looked at here but in `gathered`.
    let parameters: UnsafeMutablePointer<Float>
    /// For each region: its entries, nil = all.
    let rows: [[Int32]?]
    /// For each region: where its gradient begins.
    let gradients: [Int]
    /// Floats of a gradient.
    let count: Int
    /// Recurrent weights of each direction, transposed.
    let transposed: [FloatBlock]
    private var gathered: [FloatBlock?]

    init(_ layout: ParameterLayout, _ parameters: UnsafeMutablePointer<Float>, _ batch: TrainingBatch) throws {
        self.layout = layout
        self.parameters = parameters
        let vocabulary = layout.shape.vocabulary
        rows = layout.regions.map { region in
            switch region.table {
            case .none: nil
            case .events: batch.events
            case .category(let channel): batch.categories[channel]
            case .outputs: batch.outputs.map { $0 + (vocabulary..<region.rows).map(Int32.init) }
            }
        }
        var total = 0
        gradients = zip(layout.regions, rows).map { region, rows in
            defer { total += ((rows?.count ?? region.rows) * region.stride + 15) / 16 * 16 }
            return total
        }
        count = total
        gathered = try zip(layout.regions, rows).map { region, rows in
            guard let rows else { return nil }
            let block = try FloatBlock(rows.count * region.stride, for: "the rows of a step")
            for (place, row) in rows.enumerated() {
                (block.pointer + place * region.stride).update(
                    from: parameters + region.offset + Int(row) * region.stride, count: region.stride)
            }
            return block
        }
        let (units, gates) = (layout.shape.units, layout.shape.gates)
        transposed = try layout.lstm.map { region in
            let block = try FloatBlock(gates * units, for: "transposed weights")
            let source = parameters + layout.regions[region].offset
            for row in 0..<units {
                for column in 0..<gates { block.pointer[column * units + row] = source[row * gates + column] }
            }
            return block
        }
    }

    /// The weights of a region.
    func values(_ region: Int) -> UnsafeMutablePointer<Float> {
        gathered[region]?.pointer ?? parameters + layout.regions[region].offset
    }

    func rowCount(_ region: Int) -> Int { rows[region]?.count ?? layout.regions[region].rows }

    /// The place of an entry among the rows of a region.
    @inline(__always)
    func place(_ entry: Int32, _ region: Int) -> Int32 {
        guard let rows = rows[region] else { return entry }
        var (low, high) = (0, rows.count)
        while low + 1 < high {
            let middle = (low + high) / 2
            if rows[middle] <= entry { low = middle } else { high = middle }
        }
        return Int32(low)
    }
}
