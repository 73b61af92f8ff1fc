// TagTable.swift - which keys belong to which tags, kept as cohorts: all keys that were given the same set of tags
// since any of these tags was last invalidated. A key carries its cohort's number and nothing else (`Entry.label`).
// Invalidating a tag gives it a new stamp; a cohort that is older than the stamp of one of its tags is dead, and its
// keys with it, however many there are. So that costs O(1), and so does asking whether a key is dead: one compare of
// stamps, as long as nothing was invalidated since the last look.  How many living keys a tag has is kept exactly. When
// a tag dies, its cohorts leave the counts of their other tags: that is owed ("unsettled") and paid later in slices, or
// before somebody asks for a count that it may change. Pure: knows no keys, no databases and no time. One owner (the
// keyspace); a class because every database needs it.
internal import Base

package final class TagTable {
    /// Of a cohort: 0 is no cohort.
    package typealias Number = Int32

    private struct Tag {
        /// The clock when it was last invalidated; 0 for never.
        var invalidatedAt: UInt64 = 0
        /// Keys of living cohorts, and of dead ones that are not settled.
        var keyCount = 0
        /// The sets of tags that it is in.
        var sets: [Int32] = []
    }

    private struct TagSet {
        let tags: [Int32]
        /// Where the set stands in the list of each of its tags.
        var places: [Int]
        /// The youngest cohort; only that one can be alive or unsettled.
        var current: Number = 0
        var cohortCount = 0
    }

    private struct Cohort {
        var set: Int32
        /// The clock when it was made.
        var stamp: UInt64
        /// The clock when it was last found alive.
        var checkedAt: UInt64
        var keyCount = 0
        var isDead = false
        /// Its keys were taken off the counts of its tags.
        var isSettled = false
    }

    private var names = NameTable()
    private var tags: [Tag] = []
    private var setNames = NameTable()
    private var sets: [TagSet] = []
    private var cohorts = [Cohort(set: -1, stamp: 0, checkedAt: 0)]
    private var freeNumbers: [Number] = []
    /// Tags whose dead cohorts may be unsettled, oldest first, and how far the first one's sets were looked at.
    private var unsettled: [Int32] = []
    private var unsettledPlace = 0

    /// Grows with every invalidation.
    package private(set) var clock: UInt64 = 1
    /// Keys of dead cohorts that still lie in their tables.
    package private(set) var deadKeyCount = 0
    /// While somebody may ask for the names of a cohort whose keys are gone (a snapshot), numbers are not given out
    /// again.
    package var keepsNumbers = false {
        didSet { if !keepsNumbers { freeRetired() } }
    }
    private var retired: [Number] = []

    package init() {}

    /// Tags with at least one key, dead ones included.
    package var tagCount: Int { names.count }
    package var isEmpty: Bool { names.isEmpty }
    /// Whether counts are owed (`settle`).
    package var hasUnsettled: Bool { !unsettled.isEmpty }

    // MARK: cohorts

    /// The number by which a tag is known until it has no keys any more. Make a cohort with it before anything else.
    package func tag(_ name: Span<UInt8>) -> Int32 {
        let (number, isNew) = names.insert(name, hash: NameTable.hash(name))
        if number == tags.count { tags.append(Tag()) } else if isNew { tags[number] = Tag() }
        return Int32(number)
    }

    /// The cohort that a key with these tags joins now (`retain`). `list` may be in any order and name tags twice.
    package func cohort(of list: [Int32]) -> Number {
        if list.isEmpty { return 0 }
        let set = tagSet(list)
        let current = sets[set].current
        if current != 0 {
            if !isDead(current) { return current }
            settle(current)
        }
        let number = freeNumbers.popLast() ?? Number(cohorts.count)
        let cohort = Cohort(set: Int32(set), stamp: clock, checkedAt: clock)
        if Int(number) == cohorts.count { cohorts.append(cohort) } else { cohorts[Int(number)] = cohort }
        sets[set].current = number
        sets[set].cohortCount += 1
        return number
    }

    private func tagSet(_ list: [Int32]) -> Int {
        var unique: [Int32] = []
        for tag in list.sorted() where unique.last != tag { unique.append(tag) }
        var spelling = ByteBuffer(capacity: unique.count * 4)
        for tag in unique {
            for shift in [0, 8, 16, 24] as [Int32] { spelling.append(UInt8(truncatingIfNeeded: tag >> shift)) }
        }
        let (number, isNew) = setNames.insert(spelling.span, hash: NameTable.hash(spelling.span))
        guard isNew else { return number }
        let places = unique.map { tags[Int($0)].sets.count }
        for tag in unique { tags[Int(tag)].sets.append(Int32(number)) }
        let set = TagSet(tags: unique, places: places)
        if number == sets.count { sets.append(set) } else { sets[number] = set }
        return number
    }

    /// Whether the keys of a cohort are invalid.
    package func isDead(_ number: Number) -> Bool {
        let index = Int(number)
        if cohorts[index].isDead { return true }
        if cohorts[index].checkedAt == clock || number == 0 { return false }
        return look(index)
    }

    private func look(_ index: Int) -> Bool {
        let stamp = cohorts[index].stamp
        for tag in sets[Int(cohorts[index].set)].tags where tags[Int(tag)].invalidatedAt > stamp {
            cohorts[index].isDead = true
            return true
        }
        cohorts[index].checkedAt = clock
        return false
    }

    /// A key joins its cohort.
    package func retain(_ number: Number) {
        guard number != 0 else { return }
        let index = Int(number)
        cohorts[index].keyCount += 1
        if isDead(number) { deadKeyCount += 1 }
        count(index, 1)
    }

    /// `keyCount` keys leave their cohort: they were removed, overwritten or flushed. A cohort without keys is gone.
    package func release(_ number: Number, keyCount: Int = 1) {
        guard number != 0, keyCount > 0 else { return }
        let index = Int(number)
        precondition(cohorts[index].keyCount >= keyCount, "only keys of a cohort leave it")
        if isDead(number) { deadKeyCount -= keyCount }
        count(index, -keyCount)
        cohorts[index].keyCount -= keyCount
        if cohorts[index].keyCount == 0 { remove(index) }
    }

    /// Tells the tags of a cohort that are still owed its keys.
    private func count(_ index: Int, _ change: Int) {
        if cohorts[index].isSettled { return }
        let stamp = cohorts[index].stamp
        for tag in sets[Int(cohorts[index].set)].tags where tags[Int(tag)].invalidatedAt <= stamp {
            tags[Int(tag)].keyCount += change
        }
    }

    private func remove(_ index: Int) {
        let set = Int(cohorts[index].set)
        let number = Number(index)
        if sets[set].current == number { sets[set].current = 0 }
        sets[set].cohortCount -= 1
        if keepsNumbers {
            retired.append(number)
            return
        }
        freeNumbers.append(number)
        if sets[set].cohortCount == 0 { removeSet(set) }
    }

    /// Numbers whose names nobody asks for any more.
    private func freeRetired() {
        for number in retired {
            freeNumbers.append(number)
            let set = Int(cohorts[Int(number)].set)
            cohorts[Int(number)].set = -1
            if set >= 0, set < sets.count, sets[set].cohortCount == 0, !sets[set].tags.isEmpty { removeSet(set) }
        }
        retired = []
    }

    private func removeSet(_ set: Int) {
        let members = sets[set].tags
        let places = sets[set].places
        for (tag, place) in zip(members, places) {
            let last = tags[Int(tag)].sets.removeLast()
            if Int(last) != set {
                tags[Int(tag)].sets[place] = last
                if unsettled.first == tag { unsettledPlace = min(unsettledPlace, place) }
                if let position = sets[Int(last)].tags.firstIndex(of: tag) { sets[Int(last)].places[position] = place }
            }
            if tags[Int(tag)].sets.isEmpty { removeTag(tag) }
        }
        setNames.remove(set)
        sets[set] = TagSet(tags: [], places: [])
    }

    private func removeTag(_ tag: Int32) {
        names.remove(Int(tag))
        tags[Int(tag)] = Tag()
        guard let place = unsettled.firstIndex(of: tag) else { return }
        if place == 0 { unsettledPlace = 0 }
        unsettled.remove(at: place)
    }

    // MARK: invalidating

    /// Makes every key of the tag invalid and returns how many living ones there were. O(1), unless counts are owed
    /// that this one depends on.
    package func invalidate(_ name: Span<UInt8>) -> Int {
        guard let tag = names.find(name, hash: NameTable.hash(name)) else { return 0 }
        settleCount(of: tag)
        let count = tags[tag].keyCount
        guard count > 0 else { return 0 }
        clock += 1
        tags[tag].invalidatedAt = clock
        tags[tag].keyCount = 0
        deadKeyCount += count
        if !unsettled.contains(Int32(tag)) { unsettled.append(Int32(tag)) }
        return count
    }

    /// Living keys of a tag.
    package func keyCount(of name: Span<UInt8>) -> Int {
        guard let tag = names.find(name, hash: NameTable.hash(name)) else { return 0 }
        settleCount(of: tag)
        return tags[tag].keyCount
    }

    /// Pays what the tag's count is owed: by its own sets, or by all that is owed where that is less.
    private func settleCount(of tag: Int) {
        guard hasUnsettled else { return }
        var owed = -unsettledPlace
        for other in unsettled { owed += tags[Int(other)].sets.count }
        if owed <= tags[tag].sets.count {
            _ = settle(limit: .max)
        } else {
            for set in tags[tag].sets { settleSet(Int(set)) }
        }
    }

    /// Pays what is owed, at most `limit` sets' worth. True when nothing is owed any more.
    package func settle(limit: Int) -> Bool {
        var left = limit
        while let tag = unsettled.first {
            while unsettledPlace < tags[Int(tag)].sets.count {
                if left == 0 { return false }
                left -= 1
                settleSet(Int(tags[Int(tag)].sets[unsettledPlace]))
                unsettledPlace += 1
            }
            unsettled.removeFirst()
            unsettledPlace = 0
        }
        return true
    }

    private func settleSet(_ set: Int) {
        let current = sets[set].current
        if current != 0, isDead(current) { settle(current) }
    }

    /// Takes a dead cohort's keys off the counts of its tags.
    private func settle(_ number: Number) {
        let index = Int(number)
        if cohorts[index].isSettled { return }
        count(index, -cohorts[index].keyCount)
        cohorts[index].isSettled = true
    }

    // MARK: names

    /// The names of a cohort's tags, in no order that means anything.
    package func names(of number: Number) -> [[UInt8]] {
        guard number != 0 else { return [] }
        return sets[Int(cohorts[Int(number)].set)].tags.map { names.name(Int($0)) }
    }

    /// Keys of a cohort.
    package func keyCount(ofCohort number: Number) -> Int { cohorts[Int(number)].keyCount }
}
