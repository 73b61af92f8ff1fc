// ListEdit.swift - LSET, LINSERT, LREM, LTRIM: changes inside a list.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum ListEdit {
    static let commands: [Command] = [
        Command(
            "LSET", "key index:integer element", arity: 4, [.write, .denyOOM], keys: [.key([.readWrite, .update])],
            in: .list, since: "1.0.0",
            complexity: """
                O(N) where N is the length of the list. Setting either the first or the last element of the list \
                is O(1).
                """,
            summary: "Sets the value of an element in a list by its index.", run: set),
        Command(
            "LINSERT", "key where=(BEFORE | AFTER) pivot element", arity: 5, [.write, .denyOOM],
            keys: [.key([.readWrite, .insert])], in: .list, since: "2.2.0",
            complexity: """
                O(N) where N is the number of elements to traverse before seeing the value pivot. This means that \
                inserting somewhere on the left end on the list (head) can be considered O(1) and inserting \
                somewhere on the right end (tail) is O(N).
                """,
            summary: "Inserts an element before or after another element in a list.", run: insert),
        Command(
            "LREM", "key count:integer element", arity: 4, [.write], keys: [.key([.readWrite, .delete])], in: .list,
            since: "1.0.0",
            complexity: "O(N+M) where N is the length of the list and M is the number of elements removed.",
            summary: "Removes elements from a list. Deletes the list if the last element was removed.", run: remove),
        Command(
            "LTRIM", "key start:integer stop:integer", arity: 4, [.write], keys: [.key([.readWrite, .delete])],
            in: .list, since: "1.0.0",
            complexity: "O(N) where N is the number of elements to be removed by the operation.",
            summary: "Removes elements from both ends of a list. Deletes the list if all elements were trimmed.",
            run: trim),
    ]

    private static let set: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let slot = try call.find(1, .list) else { throw .noSuchKey }
        let index = try call.integer(2)
        let total = slot.entry.list.count
        guard index < total, index >= -total else { throw .indexOutOfRange }
        let element = call.arguments[3]
        call.updateList(slot, .replacing(byteCount: element.count)) { list in list.replace(at: index, with: element) }
        call.changed("lset", .list, key: call.arguments[1])
        call.reply.ok()
    }

    private static let insert: Command.Handler = { (call: inout Call) throws(CommandError) in
        let isBehind = call.arguments[2].equalsIgnoringCase("AFTER")
        guard isBehind || call.arguments[2].equalsIgnoringCase("BEFORE") else { throw .syntax }
        guard let slot = try call.find(1, .list) else { return call.reply.integer(0) }
        guard let pivot = slot.entry.list.firstIndex(of: call.arguments[3]) else { return call.reply.integer(-1) }
        let element = call.arguments[4]
        call.updateList(slot, .growing(ListGrowth(element))) { list in
            list.insert(element, at: isBehind ? pivot + 1 : pivot)
        }
        call.changed("linsert", .list, key: call.arguments[1])
        call.reply.integer(slot.entry.list.count)
    }

    private static let remove: Command.Handler = { (call: inout Call) throws(CommandError) in
        let given = try call.integer(2, in: -Int.max...Int.max, otherwise: .belowNegatedMaximum)
        guard let slot = try call.find(1, .list) else { return call.reply.integer(0) }
        let needle = call.arguments[3]
        let limit = given == 0 ? Int.max : Int(clamping: given.magnitude)
        var removed = 0
        // Asked first, so that a list without a match is not touched.
        guard slot.entry.list.firstIndex(of: needle) != nil else { return call.reply.integer(0) }
        call.updateList(slot, .shrinking) { list in
            removed = list.removeMatches(of: needle, fromTail: given < 0, limit: limit)
        }
        call.changed("lrem", .list, key: call.arguments[1])
        call.removeIfEmpty(1, list: slot)
        call.reply.integer(removed)
    }

    private static let trim: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = try call.integer(2)
        let last = try call.integer(3)
        guard let slot = try call.find(1, .list) else { return call.reply.ok() }
        let total = slot.entry.list.count
        let kept = ListRange(first, last, of: total)
        if kept.count > 0 {
            call.updateList(slot, .shrinking) { list in
                list.removeRange(index: kept.start + kept.count, count: total - kept.start - kept.count)
                list.removeRange(index: 0, count: kept.start)
            }
        }
        call.changed("ltrim", .list, key: call.arguments[1])
        if kept.count == 0 { call.removeList(1, slot) }
        call.reply.ok()
    }
}
