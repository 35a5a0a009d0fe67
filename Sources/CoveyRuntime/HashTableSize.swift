/// What a set or a dictionary of the standard library takes, so that it can be counted before it is made.
public enum HashTableSize {
    /// The bytes of a table with capacity for `count` entries of `stride` bytes: its buckets are a power of two, of
    /// which at most three quarters are used, and each has a bit.
    public static func bytes(_ count: Int, of stride: Int) -> Int {
        let (wanted, overflow) = max(1, count).multipliedReportingOverflow(by: 4)
        guard !overflow, wanted < 1 << 60 else { return .max }
        let least = wanted / 3 + 1
        let buckets = 1 << (Int.bitWidth - (least - 1).leadingZeroBitCount)
        let (bytes, tooMany) = buckets.multipliedReportingOverflow(by: stride)
        return tooMany ? .max : bytes &+ buckets / 8 &+ 64
    }
}
