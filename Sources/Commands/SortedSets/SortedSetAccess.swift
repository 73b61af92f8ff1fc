// SortedSetAccess.swift - what the sorted set commands share: limits, changing a set and removing its key with the last
// member, scores as replies, and stretches of members as RESP2 and RESP3 shape them. Engine's turn only.
internal import Base
internal import Engine
internal import Keyspace
package import RESP
internal import Structures

extension Reply {
    /// A double in RESP3, a bulk with its text in RESP2.
    @inline(__always)
    package func double(_ value: Double) {
        // Most scores are whole and small; minus zero is not.
        if value.magnitude < 1e15, value != 0 || value.sign == .plus {
            let integer = Int(value)
            if Double(integer) == value { return double(whole: integer) }
        }
        double(fractional: value)
    }

    @inline(__always)
    private func double(whole value: Int) {
        guard protocolVersion >= 3 else { return bulk(decimal: value) }
        buffer.append(UInt8(ascii: ","))
        buffer.append(decimal: value)
        buffer.append("\r\n")
    }

    @inline(never)
    private func double(fractional value: Double) {
        if protocolVersion >= 3 {
            buffer.append(UInt8(ascii: ","))
            DoubleText.append(value, to: &buffer)
            buffer.append("\r\n")
            return
        }
        // The length stands in front of the text: the text is written first and its header put before it.
        let mark = buffer.count
        DoubleText.append(value, to: &buffer)
        insertHeader(UInt8(ascii: "$"), buffer.count - mark, at: mark)
        buffer.append("\r\n")
    }

    /// The header of `count` members, with their scores or without: RESP3 nests each pair, RESP2 lays them flat.
    func scoredArray(_ count: Int, withScores: Bool) {
        array(withScores && protocolVersion < 3 ? count * 2 : count)
    }

    /// One member below `scoredArray`.
    @inline(__always)
    func scored(_ member: ListpackElement, _ score: Double, withScores: Bool) {
        guard withScores else { return bulk(member) }
        if protocolVersion >= 3 { array(2) }
        bulk(member)
        double(score)
    }

    /// The members of `stretch`, from its end when `isReversed`.
    func members(
        of set: borrowing SortedSetView, in stretch: SortedStretch, isReversed: Bool = false, withScores: Bool
    ) {
        scoredArray(stretch.count, withScores: withScores)
        guard withScores else {
            return set.appendBulkStrings(in: stretch, isReversed: isReversed, to: &buffer)
        }
        set.forEach(in: stretch, isReversed: isReversed) { member, score in
            scored(member, score, withScores: withScores)
        }
    }

    /// The members of `stretch` as an array of pairs in either protocol.
    func pairs(of set: borrowing SortedSetView, in stretch: SortedStretch, isReversed: Bool) {
        array(stretch.count)
        set.forEach(in: stretch, isReversed: isReversed) { member, score in
            array(2)
            bulk(member)
            double(score)
        }
    }
}

extension Call {
    /// What the configuration says about small sorted sets.
    var sortedSetLimits: SortedSetLimits {
        SortedSetLimits(
            countMax: settings.zsetMaxListpackEntries, memberByteCountMax: settings.zsetMaxListpackValue)
    }

    /// Changes the sorted set at argument `index`. The entry may move: look at `slot` again afterwards.
    @inline(__always)
    func updateSortedSet(_ index: Int, _ slot: EntryTable.Slot, _ body: (inout SortedSetDraft) -> Void) {
        keyspace.updateSortedSet(slot, hash: hash(index), in: session.database, sortedSetLimits, body)
    }

    /// Makes a sorted set the value of the key at argument `index`, without an expiry; its members came from elsewhere.
    func storeSortedSet(_ index: Int, _ draft: consuming SortedSetDraft) {
        let slot = look(index)
        overwrote(arguments[index], from: slot?.entry.type, to: ObjectType.sortedSet.rawValue)
        keyspace.setSortedSet(
            arguments[index], hash: hash(index), in: session.database, slot: slot, draft: draft, expiry: nil)
    }

    /// After members of the set at argument `index` went: removes its key when none is left.
    func removeIfEmpty(_ index: Int, sortedSet slot: EntryTable.Slot) {
        guard slot.entry.sortedSet.count == 0 else { return }
        removeSortedSet(index, slot)
    }

    /// Removes a sorted set's key as the second event of a command.
    func removeSortedSet(_ index: Int, _ slot: EntryTable.Slot) {
        remove(index, slot: slot)
        alsoHappened("del", .generic, key: arguments[index])
    }

    /// Makes what a command computed the value of the key at argument `index`, or removes that key when nothing came
    /// out, and answers how many members there are.
    mutating func storeResult(_ index: Int, _ draft: consuming SortedSetDraft, event: StaticString) {
        let count = draft.count
        if count > 0 {
            storeSortedSet(index, draft)
            changed(event, .sortedSet, key: arguments[index])
        } else if let slot = look(index) {
            remove(index, slot: slot)
            changed("del", .generic, key: arguments[index])
        }
        reply.integer(count)
    }

    /// Takes the members of `ranks` out of the set at argument `index`. A set that goes as a whole is not walked.
    func removeRanks(_ index: Int, _ slot: EntryTable.Slot, _ ranks: Range<Int>, event: StaticString) {
        if ranks.isEmpty { return }
        let isWhole = ranks.count == slot.entry.sortedSet.count
        if !isWhole { updateSortedSet(index, slot) { $0.removeRanks(ranks) } }
        changed(event, .sortedSet, key: arguments[index])
        if isWhole { removeSortedSet(index, slot) }
    }
}

extension CommandError {
    static let scoreNotNumber = CommandError.message("ERR resulting score is not a number (NaN)")
    static let badScoreRange = CommandError.message("ERR min or max is not a float")
    static let badMemberRange = CommandError.message("ERR min or max not valid string range item")
}
