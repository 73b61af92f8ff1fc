// MemberRun.swift - the table of members against a dictionary: values, times to live, its byte accounts, its walks;
// also as large as it must be to keep its members in slabs of its own.
internal import Base
internal import Structures

enum MemberRun {
    private struct Row: Equatable {
        var value: [UInt8]
        var expiry: Int64?
    }

    private static let checkStep = 64
    /// More than a table needs to count as large.
    private static let initialCount = 33_000

    static func run(_ tape: inout Tape) { run(&tape, isLarge: false) }

    static func run(_ tape: inout Tape, isLarge: Bool) {
        var table = MemberTable()
        var model: [[UInt8]: Row] = [:]
        if isLarge {
            for number in 0..<initialCount {
                let member = Array("initial:\(number)".utf8)
                table.insert(member.span, hash: table.hash(member.span), value: member.span)
                model[member] = Row(value: member, expiry: nil)
            }
        }
        var steps = 0
        while !tape.isEnded {
            edit(&table, &model, &tape)
            steps += 1
            if !isLarge && steps % checkStep == 0 { check(table, model) }
        }
        check(table, model)
        check(table.duplicate(), model)
        for member in model.keys {
            let wasThere = table.remove(member.span)
            precondition(wasThere, "a member can be removed")
        }
        precondition(table.isEmpty && table.slabByteCount == 0, "an emptied table has no members")
        precondition(table.allocatedBytes == table.table.allocatedByteCount, "an emptied table counts no members")
    }

    private static func edit(_ table: inout MemberTable, _ model: inout [[UInt8]: Row], _ tape: inout Tape) {
        let member = tape.below(4) == 0 ? Array("initial:\(tape.below(initialCount))".utf8) : tape.element()
        let hash = table.hash(member.span)
        let expiry = tape.below(3) == 0 ? Int64(tape.below(60_000)) : nil
        guard let slot = table.find(member.span, hash: hash) else {
            precondition(model[member] == nil, "what is in the table is found")
            let value = tape.element()
            table.insert(member.span, hash: hash, value: value.span, expiry: expiry)
            model[member] = Row(value: value, expiry: expiry)
            return
        }
        switch tape.below(4) {
        case 0:
            table.remove(slot, hash: hash)
            precondition(model.removeValue(forKey: member) != nil, "only members are found")
        case 1:
            table.setExpiry(slot, to: expiry)
            model[member]?.expiry = expiry
        default:
            let value = tape.element()
            table.setValue(slot, value.span, expiry: expiry)
            model[member] = Row(value: value, expiry: expiry)
        }
    }

    private static func check(_ table: borrowing MemberTable, _ model: [[UInt8]: Row]) {
        var seen: [[UInt8]: Row] = [:]
        var byteCount = 0
        table.forEach { entry in
            let expiry = entry.hasExpiry ? entry.expiryMilliseconds : nil
            let before = seen.updateValue(Row(value: array(entry.value), expiry: expiry), forKey: array(entry.key))
            precondition(before == nil, "a member is there once")
            byteCount += entry.byteCount
        }
        precondition(seen == model && table.count == model.count, "a table holds what was put there")
        precondition(table.expiryCount == model.values.count { $0.expiry != nil }, "times to live are counted")
        precondition(table.allocatedBytes >= byteCount, "members take at least their bytes")
        var cursor: UInt64 = 0
        var scanned: Set<[UInt8]> = []
        repeat { cursor = table.scan(cursor: cursor) { scanned.insert(array($0.key)) } } while cursor != 0
        precondition(scanned == Set(model.keys), "a scan sees all")
    }
}
