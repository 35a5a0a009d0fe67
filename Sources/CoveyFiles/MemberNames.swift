/// The names of an object's members that were read. A few names are compared one by one, which is faster than a set.
struct MemberNames {
    private var few: [String] = []
    private var many = Set<String>()
    /// From this number on a set is faster.
    static let most = 32

    /// Returns whether the name is new.
    mutating func insert(_ name: String) -> Bool {
        if many.isEmpty {
            guard !few.contains(name) else { return false }
            few.append(name)
            if few.count == MemberNames.most { many = Set(few) }
            return true
        }
        return many.insert(name).inserted
    }
}
