/// A set of rows, one bit each.
struct RowBits: Sendable, Equatable {
    var words: [UInt64]

    init(rows: Int) {
        words = Array(repeating: 0, count: (rows + 63) / 64)
    }

    subscript(row: Int) -> Bool {
        get { words[row &>> 6] &>> UInt64(row & 63) & 1 != 0 }
        set {
            if newValue {
                words[row &>> 6] |= 1 &<< UInt64(row & 63)
            } else {
                words[row &>> 6] &= ~(1 &<< UInt64(row & 63))
            }
        }
    }

    var count: Int { words.reduce(0) { $0 &+ $1.nonzeroBitCount } }

    /// How many rows are in both sets.
    func count(and other: RowBits) -> Int {
        words.withUnsafeBufferPointer { a in
            other.words.withUnsafeBufferPointer { b in
                var sum = 0
                for index in 0..<a.count { sum &+= (a[index] & b[index]).nonzeroBitCount }
                return sum
            }
        }
    }

    mutating func formIntersection(_ other: RowBits) {
        words.withUnsafeMutableBufferPointer { a in
            other.words.withUnsafeBufferPointer { b in
                for index in 0..<a.count { a[index] &= b[index] }
            }
        }
    }

    mutating func formUnion(_ other: RowBits) {
        words.withUnsafeMutableBufferPointer { a in
            other.words.withUnsafeBufferPointer { b in
                for index in 0..<a.count { a[index] |= b[index] }
            }
        }
    }

    mutating func subtract(_ other: RowBits) {
        words.withUnsafeMutableBufferPointer { a in
            other.words.withUnsafeBufferPointer { b in
                for index in 0..<a.count { a[index] &= ~b[index] }
            }
        }
    }

    func intersection(_ other: RowBits) -> RowBits {
        var result = self
        result.formIntersection(other)
        return result
    }

    /// The rows of the words in `range`, ascending.
    @inline(__always)
    func forEach(words range: Range<Int>, _ body: (Int) throws -> Void) rethrows {
        for index in range {
            var word = words[index]
            while word != 0 {
                try body(index &<< 6 &+ word.trailingZeroBitCount)
                word &= word &- 1
            }
        }
    }

    @inline(__always)
    func forEach(_ body: (Int) throws -> Void) rethrows {
        try forEach(words: 0..<words.count, body)
    }
}
