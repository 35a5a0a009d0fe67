import CCoveyKernels
import CoveyRuntime
import CoveyTables

/// The rows that are searched, and their exact distances: float64 from the caller's numbers, borrowed during a call.
public struct Rows: @unchecked Sendable {
    public let count: Int
    public let dimension: Int
    public let metric: Metric
    private let view: MatrixView
    private let places: AlignedBuffer<Int32>?
    /// 1 / length of each row, for cosine.
    private let scales: AlignedBuffer<Double>?

    /// - Parameters:
    ///   - view: finite numbers in the rows used.
    ///   - used: the rows that are used; nil = all. Row numbers in results are places in this list.
    ///   - metric: with `cosine`, no used row may be null (`isNull`).
    public init(_ view: MatrixView, used: [Int32]?, metric: Metric, execution: Execution) throws {
        count = used?.count ?? view.rows
        guard count < Int(Int32.max) else {
            throw CoveyError.outOfMemory("\(count) rows are too many: 2^31 - 2 at most")
        }
        dimension = view.columns
        self.metric = metric
        self.view = view
        if let used {
            let places = try AlignedBuffer<Int32>(used.count, for: "the list of rows", execution)
            for i in 0..<used.count { places[i] = used[i] }
            self.places = places
        } else {
            places = nil
        }
        guard metric == .cosine else {
            scales = nil
            return
        }
        let scales = try AlignedBuffer<Double>(count, for: "the lengths of rows", execution)
        self.scales = scales
        let rows = self
        try execution.parallel(count, grain: max(1, 65_536 / max(1, dimension))) { chunk, _ in
            for i in chunk { scales[i] = Rows.inverseLength(view, rows.place(i)) }
        }
    }

    /// Rows without a direction: their length is 0 or below 1e-300, where a direction cannot be computed.
    public static func isNull(_ view: MatrixView, _ row: Int) -> Bool {
        !(0..<view.columns).contains { abs(view[row, $0]) >= 1e-300 }
    }

    private static func inverseLength(_ view: MatrixView, _ row: Int) -> Double {
        var largest = 0.0
        for c in 0..<view.columns { largest = max(largest, abs(view[row, c])) }
        var sum = 0.0
        for c in 0..<view.columns {
            let value = view[row, c] / largest
            sum += value * value
        }
        return 1 / largest / sum.squareRoot()
    }

    @inline(__always)
    private func place(_ i: Int) -> Int { places.map { Int($0[i]) } ?? i }

    @inline(__always)
    func address(_ i: Int) -> UnsafeRawPointer { view.base + place(i) &* view.rowStride }

    /// The reduced distance (see `Metric`) of rows i and j.
    @inline(__always)
    func reduced(_ i: Int, _ j: Int) -> Double {
        let a = address(i)
        let b = address(j)
        let d = Int64(dimension)
        switch (metric, view.scalar) {
        case (.euclidean, .float32): return ck_squared_distance_f32(a, b, d)
        case (.euclidean, .float64): return ck_squared_distance_f64(a, b, d)
        case (.manhattan, .float32): return ck_manhattan_distance_f32(a, b, d)
        case (.manhattan, .float64): return ck_manhattan_distance_f64(a, b, d)
        case (.cosine, .float32):
            return metric.told(ck_scaled_distance_f32(a, b, d, scales!.pointer[i], scales!.pointer[j]))
        case (.cosine, .float64):
            return metric.told(ck_scaled_distance_f64(a, b, d, scales!.pointer[i], scales!.pointer[j]))
        }
    }

    /// Smaller reduced distances count as 0.
    var floor: Double { metric.floor }

    /// 1 / length of row i; cosine only.
    @inline(__always)
    func scale(_ i: Int) -> Double { scales?.pointer[i] ?? 1 }

    /// Copies row i as float64, scaled to length 1 for cosine.
    func copy(_ i: Int, to target: UnsafeMutablePointer<Double>) {
        view.copyRow(place(i), to: target)
        guard let scales else { return }
        for c in 0..<dimension { target[c] *= scales[i] }
    }

    /// Some or all of these rows in another order: row i of the result is row order[i] of these.
    public func reordered(_ order: AlignedBuffer<Int32>, execution: Execution) throws -> Rows {
        try Rows(self, order, execution)
    }

    private init(_ rows: Rows, _ order: AlignedBuffer<Int32>, _ execution: Execution) throws {
        count = order.count
        dimension = rows.dimension
        metric = rows.metric
        view = rows.view
        let (count, rows) = (count, rows)
        let scales: AlignedBuffer<Double>? =
            rows.scales == nil ? nil : try AlignedBuffer(count, for: "the lengths of rows", execution)
        self.scales = scales
        guard rows.places != nil || scales != nil else {
            places = order
            return
        }
        let places = try AlignedBuffer<Int32>(count, for: "the list of rows", execution)
        self.places = places
        try execution.parallel(count, grain: 65_536) { chunk, _ in
            for i in chunk {
                places[i] = Int32(rows.place(Int(order[i])))
                if let scales { scales[i] = rows.scale(Int(order[i])) }
            }
        }
    }
}
