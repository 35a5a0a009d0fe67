/// A number that depends on a hybrid row, and its derivatives.
public protocol RowFunction: Sendable {
    /// The caller's row that the number refers to; -1 = none.
    var row: Int { get }

    func value(of row: UnsafeBufferPointer<Float>) -> Double

    /// The derivative by each number of the row; 0 if there is none.
    func gradient(at row: UnsafeBufferPointer<Float>) -> [Double]
}
