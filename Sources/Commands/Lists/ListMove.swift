// ListMove.swift - LMOVE and RPOPLPUSH: an element from an end of one list to an end of another, or of the same one.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum ListMove {
    private static let keys: [KeySpec] = [.key([.readWrite, .access, .delete]), .key(at: 2, [.readWrite, .insert])]

    static let commands: [Command] = [
        Command(
            "LMOVE", "source:key destination:key wherefrom=(LEFT | RIGHT) whereto=(LEFT | RIGHT)", arity: 5,
            [.write, .denyOOM], keys: keys, in: .list, since: "6.2.0", complexity: "O(1)",
            summary: """
                Returns an element after popping it from one list and pushing it to another. Deletes the list if \
                the last element was moved.
                """,
            run: move),
        Command(
            "RPOPLPUSH", "source:key destination:key", arity: 3, [.write, .denyOOM], keys: keys, in: .list,
            since: "1.2.0", complexity: "O(1)",
            summary: """
                Returns the last element of a list after removing and pushing it to another list. Deletes the \
                list if the last element was popped.
                """
        ) { (call: inout Call) throws(CommandError) in
            if try !call.moveElement(from: .right, to: .left) { call.reply.null() }
        },
    ]

    private static let move: Command.Handler = { (call: inout Call) throws(CommandError) in
        let from = try ListEnd(call.arguments[3])
        let to = try ListEnd(call.arguments[4])
        if try !call.moveElement(from: from, to: to) { call.reply.null() }
    }
}

extension Call {
    /// Moves an element from the list at argument 1 to the list at argument 2, answering it. False when there is none.
    func moveElement(from: ListEnd, to: ListEnd) throws(CommandError) -> Bool {
        guard try find(1, .list) != nil else { return false }
        _ = try find(2, .list)
        // Looking for the target may have removed one that had expired.
        guard let source = find(1) else { preconditionFailure("a list does not go while another is looked for") }
        var element = ByteBuffer()
        updateList(source, .shrinking) { list in list.pop(from) { $0.append(to: &element) } }
        let growth = ListGrowth(element.span)
        let target = try listSlot(2, for: growth)
        updateList(target, .growing(growth)) { list in list.push(element.span, to) }
        reply.bulk(element.span)
        changed(to.pushEvent, .list, key: arguments[2])
        changed(from.popEvent, .list, key: arguments[1])
        // Making the target may have moved the source's place in the table.
        if let source = find(1) { removeIfEmpty(1, list: source) }
        return true
    }
}
