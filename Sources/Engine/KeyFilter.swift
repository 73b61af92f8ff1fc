// KeyFilter.swift - a quick "certainly not" for keys that somebody watches or waits for: a counter for each of 1024
// classes of hashes. While a few keys are wanted, a change of another one costs its hash and one look here; beyond some
// hundred keys it tells less and less, and the tables behind it decide. Under the turn.

struct KeyFilter: ~Copyable {
    private static let classCount = 1024
    private var counts = [UInt32](repeating: 0, count: KeyFilter.classCount)

    mutating func insert(_ hash: UInt64) { counts[KeyFilter.place(hash)] &+= 1 }

    /// Takes back one `insert` of the same hash.
    mutating func remove(_ hash: UInt64) {
        let place = KeyFilter.place(hash)
        precondition(counts[place] > 0, "only what was inserted is removed")
        counts[place] &-= 1
    }

    /// False: the key is certainly not wanted.
    @inline(__always)
    func mayHave(_ hash: UInt64) -> Bool { counts[KeyFilter.place(hash)] != 0 }

    @inline(__always)
    private static func place(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash & UInt64(classCount - 1)) }
}
