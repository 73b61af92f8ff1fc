// StreamPending.swift - XPENDING: what a group's consumers were given and have not acknowledged, as a summary or entry
// by entry.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum StreamPendingRead {
    static let commands: [Command] = [
        Command(
            "XPENDING",
            "key group [filters=([IDLE min-idle-time:integer@6.2.0] start end count:integer [consumer])]",
            arity: -3, [.readonly], keys: [.key([.readOnly, .access])], in: .stream, since: "5.0.0",
            complexity: """
                O(N) with N being the number of elements returned, so asking for a small fixed number of entries per \
                call is O(1). O(M), where M is the total number of entries scanned when used with the IDLE filter. \
                When the command returns just the summary and the list of consumers is small, it runs in O(1) time; \
                otherwise, an additional O(N) time for iterating every consumer.
                """,
            summary: "Returns the information and entries from a stream consumer group's pending entries list.",
            history: [("6.2.0", "Added the `IDLE` option and exclusive range intervals.")],
            hints: ["nondeterministic_output"], run: pending)
    ]

    private struct Filter {
        let interval: StreamInterval
        let limit: Int
        let idleMilliseconds: Int64
        /// Argument index; 0 for all consumers.
        let consumerIndex: Int

        init(_ call: borrowing Call) throws(CommandError) {
            let arguments = call.arguments
            guard arguments.count >= 6, arguments.count <= 9 else { throw .syntax }
            var start = 3
            var idle = 0
            if arguments[3].equalsIgnoringCase("IDLE") {
                idle = try call.integer(4)
                guard arguments.count >= 8 else { throw .syntax }
                start = 5
            }
            limit = max(try call.integer(start + 2), 0)
            interval = try StreamInterval(start: arguments[start], end: arguments[start + 1])
            idleMilliseconds = Int64(idle)
            consumerIndex = start + 3 < arguments.count ? start + 3 : 0
        }
    }

    private static let pending: Command.Handler = { (call: inout Call) throws(CommandError) in
        let filter = call.arguments.count == 3 ? nil : try Filter(call)
        guard let entry = try call.read(1, .stream), let group = entry.stream.group(named: call.arguments[2]) else {
            throw call.noGroup(key: 1, group: 2)
        }
        guard let filter else { return write(summaryOf: group, to: call.reply) }
        var cursor = group.pendingCursor(from: filter.interval.start)
        if filter.consumerIndex > 0 {
            guard let consumer = group.consumer(named: call.arguments[filter.consumerIndex]) else {
                return call.reply.array(0)
            }
            cursor = group.pendingCursor(of: consumer, from: filter.interval.start)
        }
        write(cursor, filter, now: call.now, to: call.reply)
    }

    private static func write(summaryOf group: StreamGroup, to reply: Reply) {
        reply.array(4)
        reply.integer(group.pendingCount)
        guard let first = group.firstPending(), let last = group.lastPending else {
            reply.null()
            reply.null()
            return reply.nullArray()
        }
        reply.streamID(first.id)
        reply.streamID(last.id)
        reply.deferredArray { written in
            for consumer in group.consumers where consumer.pendingCount > 0 {
                reply.array(2)
                reply.bulk(consumer.name)
                reply.bulk(decimal: consumer.pendingCount)
                written += 1
            }
        }
    }

    private static func write(_ cursor: StreamPendingCursor, _ filter: Filter, now: Int64, to reply: Reply) {
        var cursor = cursor
        reply.deferredArray { written in
            while written < filter.limit, let pending = cursor.next(), pending.id <= filter.interval.end {
                let idle = now &- pending.deliveryTimeMilliseconds
                if filter.idleMilliseconds != 0 && idle < filter.idleMilliseconds { continue }
                reply.array(4)
                reply.streamID(pending.id)
                reply.bulk(pending.consumer.name)
                reply.integer(Int(max(idle, 0)))
                reply.integer(Int(clamping: pending.deliveryCount))
                written += 1
            }
        }
    }
}
