// KeyGroup.swift - the keys of a command with many of them (MGET, MSET, DEL), taken sixteen at a time: hashed, their
// buckets prefetched, then their entries, so that the cache misses of a group overlap as those of a pipeline do
// (Batch.swift). A value on the handler's stack; nothing is allocated. Hashes stay valid whatever the table does.
internal import Base
internal import Keyspace
internal import Structures

package struct KeyGroup {
    /// Keys per group: enough to hide a cache miss, few enough to stay in the cache.
    package static let capacity = 16

    private var hashes: InlineArray<16, UInt64>
    /// Argument index of the group's first key.
    package let first: Int
    /// Arguments from one key to the next.
    package let step: Int
    /// Keys in the group.
    package private(set) var count = 0

    @inline(__always)
    fileprivate init(first: Int, step: Int) {
        hashes = InlineArray(repeating: 0)
        self.first = first
        self.step = step
    }

    @inline(__always)
    fileprivate mutating func add(_ hash: UInt64) {
        hashes[count] = hash
        count &+= 1
    }

    /// Argument index of the group's key `position`.
    @inline(__always)
    package func index(_ position: Int) -> Int { first &+ position &* step }

    @inline(__always)
    package func hash(_ position: Int) -> UInt64 { hashes[position] }

    /// Argument index behind the group, where the next one starts.
    package var end: Int { first &+ count &* step }
}

extension Call {
    /// The next keys of arguments `first..<end`, one every `step`: on their way into the cache when this returns.
    @inline(__always)
    package func prefetch(from first: Int, to end: Int, step: Int = 1) -> KeyGroup {
        var group = KeyGroup(first: first, step: step)
        var index = first
        let database = session.database
        while index < end && group.count < KeyGroup.capacity {
            let hash = hash(index)
            group.add(hash)
            keyspace[database].table.prefetchBucket(hash)
            index &+= step
        }
        for position in 0..<group.count { keyspace[database].table.prefetchEntry(group.hash(position)) }
        return group
    }
}
