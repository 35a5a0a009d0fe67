import CoveyNeighbors
import CoveyRuntime
import CoveyTables

/// The rows that new ones are placed among: a copy, as float32 or float64 as they were given, and their core distances.
public struct ReferenceRows: Sendable {
    public enum Storage: Sendable {
        case float32(Matrix<Float>)
        case float64(Matrix<Double>)
    }

    public let storage: Storage
    public let metric: Metric
    /// The neighbour of a new row's core distance.
    public let minSamples: Int
    /// Each row's distance to its nearest neighbour number `minSamples` - 1, the row itself not counted: one less than
    /// in the spanning tree, as in hdbscan's prediction data; 0 for a `minSamples` of 1.
    public let coreDistances: [Double]

    public var rows: Int { withView { $0.rows } }
    public var columns: Int { withView { $0.columns } }

    init(storage: Storage, metric: Metric, minSamples: Int, coreDistances: [Double]) {
        self.storage = storage
        self.metric = metric
        self.minSamples = minSamples
        self.coreDistances = coreDistances
    }

    public func withView<Result>(_ body: (MatrixView) throws -> Result) rethrows -> Result {
        try storage.withView(body)
    }
}

extension ReferenceRows {
    /// Copies the rows used; nil = all.
    init(
        _ view: MatrixView, rows: [Int32]?, coreDistances: CoreDistances, metric: Metric, execution: Execution
    ) throws {
        self.init(
            storage: try Storage(view, rows: rows, execution), metric: metric, minSamples: coreDistances.k,
            coreDistances: coreDistances.before)
    }
}

extension ReferenceRows.Storage {
    /// Copies rows of a matrix; nil = all.
    init(_ view: MatrixView, rows: [Int32]?, _ execution: Execution) throws {
        let count = rows?.count ?? view.rows
        let size = try checkedProduct(count, view.columns, "a copy of the rows")
        try execution.hold(size, of: view.scalar.size, for: "a copy of \(count) rows")
        switch view.scalar {
        case .float32: self = .float32(try Self.copy(view, rows, count, execution) { view.copyRow($0, to: $1) })
        case .float64: self = .float64(try Self.copy(view, rows, count, execution) { view.copyRow($0, to: $1) })
        }
    }

    public func withView<Result>(_ body: (MatrixView) throws -> Result) rethrows -> Result {
        switch self {
        case .float32(let matrix): try matrix.withView(body)
        case .float64(let matrix): try matrix.withView(body)
        }
    }

    private static func copy<Element: BinaryFloatingPoint & BitwiseCopyable & Sendable>(
        _ view: MatrixView, _ rows: [Int32]?, _ count: Int, _ execution: Execution,
        _ copyRow: (Int, UnsafeMutablePointer<Element>) -> Void
    ) throws -> Matrix<Element> {
        var matrix = Matrix(
            rows: count, columns: view.columns,
            elements: try execution.array(count * view.columns) { _ in Element.zero })
        try matrix.elements.withUnsafeMutableBufferPointer { target in
            guard let base = target.baseAddress else { return }
            for place in 0..<count {
                if place & 0xFF == 0 { try execution.report() }
                copyRow(rows.map { Int($0[place]) } ?? place, base + place * view.columns)
            }
        }
        return matrix
    }
}
