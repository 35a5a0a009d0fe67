import CoveyRuntime

/// Arrays of one kind of value, with a bound on their length.
extension JSONReader {
    /// - Parameter most: the largest number of strings that is accepted.
    public func strings(most: Int = .max) throws -> [String] {
        var result: [String] = []
        try array { index in
            try self.check(index, most)
            result.append(try string())
            try count(MemoryLayout<String>.stride * 2)
        }
        return result
    }

    /// - Parameter most: the largest number of integers that is accepted.
    public func integers(most: Int) throws -> [Int] {
        try numbers(most) { try self.integer() }
    }

    /// - Parameter most: the largest number of numbers that is accepted.
    public func doubles(most: Int) throws -> [Double] {
        try numbers(most) { try self.double() }
    }

    private func numbers<Number>(_ most: Int, _ read: () throws -> Number) throws -> [Number] {
        var result: [Number] = []
        try array { index in
            try self.check(index, most)
            result.append(try read())
            // The array doubles as it grows.
            try count(MemoryLayout<Number>.stride * 2)
        }
        return result
    }

    private func check(_ index: Int, _ most: Int) throws {
        guard index < most else { throw self.error(": there must be at most \(most)") }
    }

    /// A whole number that is the raw value of a case.
    public func rawValue<Value: RawRepresentable>(_ type: Value.Type = Value.self) throws -> Value
    where Value.RawValue == Int32 {
        let number = try integer()
        guard let raw = Int32(exactly: number), let value = Value(rawValue: raw) else {
            throw self.error("must be one of the known values, got \(number)")
        }
        return value
    }
}
