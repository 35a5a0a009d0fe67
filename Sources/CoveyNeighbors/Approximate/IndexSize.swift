import CoveyRuntime

/// The memory of an index of FAISS for a number of rows and columns, known before the index is made.
struct IndexSize {
    /// Bytes that do not grow with the rows: centroids, tables, matrices.
    private(set) var fixed = 0
    /// Bytes of a row when all rows are in.
    private(set) var bytesPerRow = 0
    /// The rows that training needs, and those that it is given at most.
    private(set) var leastTraining = 1
    private(set) var wantedTraining = 1

    /// Throws `invalidArgument` if there are too few rows or columns for such an index.
    init(_ name: IndexName, rows: Int, columns: Int) throws {
        let given = columns
        var columns = columns
        func refuse(_ why: String) -> CoveyError { .invalidArgument("index \(name.text) \(why)") }
        if name.transform != .none {
            guard columns <= IndexName.mostColumns else {
                throw refuse("transforms at most \(IndexName.mostColumns) columns, got \(columns)")
            }
            switch name.transform {
            case .none: break
            case .columns(let wanted):
                if name.text.hasPrefix("PCA"), wanted > columns {
                    throw refuse("needs at least \(wanted) columns, got \(columns)")
                }
                if name.text.hasPrefix("Pad"), wanted < columns {
                    throw refuse("pads \(columns) columns, which are more already")
                }
                columns = wanted
                train(least: given, wanted: 100 * given)
            case .parts(let parts, let wanted):
                columns = wanted == 0 ? columns : wanted
                guard columns <= given else { throw refuse("needs at least \(columns) columns, got \(given)") }
                guard columns % parts == 0 else {
                    throw refuse("cannot cut \(columns) columns into \(parts) equal parts")
                }
                // FAISS prints a warning if there are fewer rows for each of 256 centroids.
                train(least: 39 * 256, wanted: 256 * 256)
                fixed += 16 * 256 * 256 * given
            }
            fixed += 64 * max(given, columns) * max(given, columns)
        }
        if name.lists > 0 {
            // The two halves of IMI's rows are divided apart.
            let centroids = name.multiBits > 0 ? 2 << name.multiBits : name.lists
            if name.multiBits > 0, columns % 2 != 0 { throw refuse("needs an even number of columns, got \(columns)") }
            train(least: name.multiBits > 0 ? 1 << name.multiBits : name.lists, wanted: 64 * centroids)
            fixed += centroids * (16 * columns + 12 * name.listLinks + 64) + 64 * name.lists
            // Its number beside each row; lists grow by doubling.
            bytesPerRow = 2 * (8 + (try bytes(name.code, columns, refuse)))
            if case .product(let parts, let bits) = name.code, name.multiBits == 0 {
                fixed += min(IndexSize.mostTable, 4 * name.lists * parts << bits)
            }
        } else {
            bytesPerRow = try bytes(name.code, columns, refuse) + (name.links > 0 ? 10 * name.links + 32 : 0)
        }
        if let refined = name.refined { bytesPerRow += try bytes(refined, given, refuse) }
        guard rows >= leastTraining else {
            throw refuse("needs at least \(leastTraining) rows to be trained, got \(rows)")
        }
        wantedTraining = min(rows, wantedTraining)
    }

    /// FAISS keeps no table of distances between the centroids of lists and of codes that is larger.
    private static let mostTable = 1 << 31

    private mutating func train(least: Int, wanted: Int) {
        leastTraining = max(leastTraining, least)
        wantedTraining = max(wantedTraining, least, wanted)
    }

    /// The bytes of a row's code. Counts what the code needs beside the rows.
    private mutating func bytes(_ code: IndexName.Code, _ columns: Int, _ refuse: (String) -> CoveyError) throws -> Int
    {
        switch code {
        case .flat: return 4 * columns
        case .scalar(let bits):
            train(least: 1, wanted: 65_536)
            return (columns * bits + 7) / 8
        case .product(let parts, let bits):
            guard columns % parts == 0 else { throw refuse("cannot cut \(columns) columns into \(parts) equal parts") }
            train(least: 1 << bits, wanted: 256 << bits)
            fixed += 16 * columns << bits
            return (parts * bits + 7) / 8
        }
    }
}
