/// Merges of one length right above each other join their rows in an order that says nothing: that of the rows'
/// numbers, if rows are alike. Only the highest of them, which has all of these rows, is a set of rows in its own
/// right. Read by its lower parts, a tree would tell the first rows of a table from the last, and so known fraud from
/// the rest, if the table is sorted by it.
enum WholeMerges {
    /// For each merge the highest one above it of the same length; itself if there is none. O(n).
    /// - Parameter parents: the merge right above each; -1 for the root.
    static func tops(_ parents: [Int32], _ distances: [Double]) -> [Int32] {
        var tops = [Int32](repeating: 0, count: parents.count)
        for merge in stride(from: parents.count - 1, through: 0, by: -1) {
            let parent = Int(parents[merge])
            tops[merge] = parent >= 0 && distances[parent] == distances[merge] ? tops[parent] : Int32(merge)
        }
        return tops
    }
}
