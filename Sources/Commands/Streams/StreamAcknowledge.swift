// StreamAcknowledge.swift - XACK and XACKDEL: entries leave a group's pending list, and perhaps the stream.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum StreamAcknowledge {
    static let commands: [Command] = [
        Command(
            "XACK", "key group id...", arity: -4, [.write, .fast], keys: [.key([.readWrite, .update])], in: .stream,
            since: "5.0.0", complexity: "O(1) for each message ID processed.",
            summary: """
                Returns the number of messages that were successfully acknowledged by the consumer group member of a \
                stream.
                """,
            run: acknowledge),
        Command(
            "XACKDEL", "key group [condition=(KEEPREF | DELREF | ACKED)] IDS (numids:integer id...)", arity: -6,
            [.write, .fast], keys: [.key([.readWrite, .update, .delete])], in: .stream, since: "8.2.0",
            complexity: "O(1) for each entry ID processed.",
            summary: "Acknowledges and conditionally deletes one or multiple entries for a stream consumer group.",
            run: acknowledgeAndDelete),
    ]

    private static let acknowledge: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let slot = try call.find(1, .stream),
            let group = slot.entry.stream.group(named: call.arguments[2])
        else { return call.reply.integer(0) }
        let arguments = call.arguments
        // Read twice in place of being kept: most commands acknowledge one entry, which then costs no allocation.
        for index in 3..<arguments.count { _ = try StreamID(argument: arguments[index]) }
        var acknowledged = 0
        call.updateStream(slot, .group(group)) { _ in
            for index in 3..<arguments.count {
                guard let id = StreamID(parsing: arguments[index], missingSequence: 0) else { continue }
                if group.acknowledge(id) { acknowledged &+= 1 }
            }
        }
        if acknowledged > 0 { call.changedUnseen() }
        call.reply.integer(acknowledged)
    }

    private static let acknowledgeAndDelete: Command.Handler = { (call: inout Call) throws(CommandError) in
        let slot = try call.find(1, .stream)
        let request = try StreamDeletion(call, from: 3)
        let reply = call.reply
        guard let slot, let group = slot.entry.stream.group(named: call.arguments[2]) else {
            return request.replyNothingFound(reply)
        }
        let ids = try call.streamIDs(from: request.firstID, to: request.endID)
        var acknowledged: [StreamID] = []
        var deleted: [StreamID] = []
        reply.array(ids.count)
        call.propagateNothing()
        call.updateStream(slot, .all) { stream in
            for id in ids {
                guard group.acknowledge(id) else {
                    reply.integer(StreamDeletion.notFound)
                    continue
                }
                acknowledged.append(id)
                if request.policy == .requireAcknowledged && stream.isReferenced(id) {
                    reply.integer(StreamDeletion.kept)
                    continue
                }
                if request.policy == .remove { _ = call.removeReferences(to: id, in: &stream, key: 1) }
                if stream.delete(id) { deleted.append(id) }
                reply.integer(StreamDeletion.deleted)
            }
        }
        if acknowledged.isEmpty { return }
        let arguments = call.arguments
        call.propagate("XACK") { words in
            words.add(arguments[1])
            words.add(arguments[2])
            for id in acknowledged { id.add(to: &words) }
        }
        call.changed(key: 1, deleted: deleted, orUnseen: true)
    }
}
