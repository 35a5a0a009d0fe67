import CoveyNeighbors
import CoveyNumerics
import CoveyRuntime

struct NearestRows {
    let reference: ReferenceRows
    init(_ r: ReferenceRows) { reference = r }

    func distances(
        of view: MatrixView, k: Int, _ execution: Execution,
        _ body: (Int, [(row: Int32, distance: Double)]) -> Void
    ) throws {
        try reference.withView { own in
            for row in 0..<view.rows {
                try execution.check()
                var all: [(row: Int32, distance: Double)] = []
                for other in 0..<own.rows {
                    var sum = 0.0, first = 0.0, second = 0.0
                    for c in 0..<own.columns {
                        let a = view[row, c], b = own[other, c]
                        switch reference.metric {
                        case .euclidean: sum += (a - b) * (a - b)
                        case .manhattan: sum += abs(a - b)
                        case .cosine:
                            sum += a * b
                            first += a * a
                            second += b * b
                        }
                    }
                    let distance: Double
                    switch reference.metric {
                    case .euclidean: distance = sum.squareRoot()
                    case .manhattan: distance = sum
                    case .cosine:
                        distance = first == 0 || second == 0 ? 1 : max(0, 1 - sum / (first.squareRoot() * second.squareRoot()))
                    }
                    all.append((Int32(other), distance))
                }
                all.sort { ($0.distance, $0.row) < ($1.distance, $1.row) }
                body(row, Array(all.prefix(k + 1)))
            }
        }
    }
}
