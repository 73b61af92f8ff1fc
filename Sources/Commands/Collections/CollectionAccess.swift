// CollectionAccess.swift - what hashes and sets share: removing the key with the last element, random numbers, and the
// bound on replies that repeat elements. Engine's turn only.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

extension Call {
    /// After elements of the hash or set at argument `index` went: removes its key when none is left.
    @inline(__always)
    func removeIfEmpty(_ index: Int, collection slot: EntryTable.Slot) {
        let entry = slot.entry
        guard entry.isMemberTable ? entry.members.isEmpty : entry.memberCount == 0 else { return }
        remove(index, slot: slot)
        alsoHappened("del", .generic, key: arguments[index])
    }

    /// A random number in 0..<bound.
    func random(below bound: Int) -> Int {
        precondition(bound > 0, "a random number below nothing does not exist")
        return Int(truncatingIfNeeded: random().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// How often random elements may be repeated in one reply is bounded by its size: the command holds the engine, and
    /// the reply the server's memory, until the last one is written. `entry` is what they are picked from.
    func checkRepeats(_ count: Int, of entry: Entry, elementCount: Int) throws(CommandError) {
        let byteCount: Int
        if !entry.isMemberTable {
            byteCount = entry.valueByteCount
        } else {
            byteCount =
                entry.objectType == .sortedSet ? entry.sortedSet.allocatedBytes : entry.members.allocatedBytes
        }
        let average = byteCount / max(1, elementCount) + 16
        let (total, overflow) = average.multipliedReportingOverflow(by: count)
        guard !overflow, total <= Call.repeatedByteCountMax, count <= Call.repeatCountMax else {
            throw .message("ERR value is out of range")
        }
    }

    private static var repeatedByteCountMax: Int { 512 << 20 }
    /// About half a second of picking.
    private static var repeatCountMax: Int { 10_000_000 }
}

extension MemberTable {
    /// `count` different members (at most as many as there are), each set of members about equally likely.
    func pick(_ wanted: Int, below: (Int) -> Int, random: () -> UInt64) -> [Entry] {
        var picked: [Entry] = []
        var picksLeft = min(wanted, count)
        picked.reserveCapacity(picksLeft)
        if picksLeft > count / 3 {
            // One pass: each member is taken with the chance (picks left) / (members left).
            var membersLeft = count
            forEach { member in
                if picksLeft > 0, below(membersLeft) < picksLeft {
                    picked.append(member)
                    picksLeft -= 1
                }
                membersLeft -= 1
            }
            return picked
        }
        var seen = Set<UInt>(minimumCapacity: picksLeft)
        while picked.count < picksLeft, let member = randomEntry(random) {
            if seen.insert(member.addressNumber).inserted { picked.append(member) }
        }
        return picked
    }
}
