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
        ) { (call: inout Call) throws(CommandError) in try move(&call, from: .right, to: .left) },
    ]

    private static let move: Command.Handler = { (call: inout Call) throws(CommandError) in
        let from = try ListEnd(call.arguments[3])
        let to = try ListEnd(call.arguments[4])
        try move(&call, from: from, to: to)
    }

    private static func move(_ call: inout Call, from: ListEnd, to: ListEnd) throws(CommandError) {
        guard try call.find(1, .list) != nil else { return call.reply.null() }
        let target = try call.listSlot(2)
        // Making the target may have moved the source's place in the table.
        guard let source = call.find(1) else { preconditionFailure("a list does not go while another is made") }
        var element = ByteBuffer()
        call.updateList(source, .shrinking) { list in list.pop(from) { $0.append(to: &element) } }
        call.updateList(target, .growing(byteCount: element.count, count: 1)) { list in list.push(element.span, to) }
        call.reply.bulk(element.span)
        call.changed(to.pushEvent, .list, key: call.arguments[2])
        call.changed(from.popEvent, .list, key: call.arguments[1])
        call.removeIfEmpty(1, list: source)
    }
}
