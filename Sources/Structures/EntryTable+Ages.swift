// EntryTable+Ages.swift - what eviction needs of a table: a walk over buckets as they lie in memory, and two bits of
// age per entry, kept in the bucket's line beside the address. A hand that looks for entries of one age reads bucket
// lines only, eight entries each and one behind another, and touches no entry that it does not want. Ages survive
// growth, splits and the replacement of an entry; they are no part of what the table promises its users.
internal import Base
internal import CLinux

extension EntryTable {
    /// A bucket on the way of a hand. Stays usable whatever happens to the table: at worst a bucket is met twice.
    package struct Place: Equatable {
        var position: UInt64 = 0
        var bucket = 0
        package init() {}
    }

    /// Calls `visit` with every entry of the bucket at `place` and moves `place` on. False when it has passed the end
    /// of the table and stands at its start again. The callback must not change the table, ages aside.
    @inline(__always)
    package func visitBucket(at place: inout Place, _ visit: (Slot) -> Void) -> Bool {
        guard let directory = unsafe directory else {
            place = Place()
            return false
        }
        let word = unsafe directory[directoryIndex(place.position)]
        let segment = EntryTable.segment(word)
        let end = segment.homeCount &+ segment.stashCount
        if place.bucket < end {
            var used = ~segment.freeLanes(in: place.bucket) & 0xFF
            while used != 0 {
                visit(Slot(segment: segment, bucket: place.bucket, lane: used.trailingZeroBitCount))
                used &= used &- 1
            }
        }
        place.bucket &+= 1
        guard place.bucket >= end else { return true }
        place.bucket = 0
        guard let next = EntryTable.position(after: place.position, depth: EntryTable.depth(word)) else {
            place.position = 0
            return false
        }
        place.position = next
        return true
    }

    /// The entry counts as one that has just come.
    package mutating func beginProbation(_ slot: Slot) {
        slot.age = newcomerAge
        insertionCount &+= 1
    }

    /// The age that says that the entry's value is not in memory: hands pass it without a look at the entry. Lost when
    /// the entry is replaced.
    package static let asideAge: UInt8 = 3

    /// Buckets of the table.
    package var bucketCount: Int { allocatedByteCount / EntrySegment.lineByteCount }
}

extension EntryTable.Slot {
    /// The entry's age, 0...3.
    package var age: UInt8 {
        @inline(__always) get { segment.age(bucket, lane) }
        @inline(__always) nonmutating set { segment.setAge(bucket, lane, newValue) }
    }
}
