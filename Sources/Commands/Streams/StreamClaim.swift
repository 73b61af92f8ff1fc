// StreamClaim.swift - XCLAIM and XAUTOCLAIM: pending entries change their consumer. An entry that the stream no longer
// has leaves the pending list on the way.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum StreamClaim {
    static let commands: [Command] = [
        Command(
            "XCLAIM",
            """
            key group consumer min-idle-time id... [IDLE ms:integer] [TIME unix-time-milliseconds:unix-time] \
            [RETRYCOUNT count:integer] [FORCE] [JUSTID] [LASTID lastid]
            """,
            arity: -6, [.write, .fast], keys: [.key([.readWrite, .update])], in: .stream, since: "5.0.0",
            complexity: "O(log N) with N being the number of messages in the PEL of the consumer group.",
            summary: """
                Changes, or acquires, ownership of a message in a consumer group, as if the message was delivered to \
                a consumer group member.
                """,
            hints: ["nondeterministic_output"], run: claim)
    ]

    private struct Request {
        var idleMilliseconds: Int64 = 0
        var ids: [StreamID] = []
        /// When the entries count as delivered: at IDLE or TIME, now if neither was given.
        var deliveryTime: Int64?
        var deliveryCount: UInt64?
        var isForced = false
        var isJustID = false
        var lastID = StreamID.zero
    }

    private static let claim: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let slot = try call.find(1, .stream), let group = slot.entry.stream.group(named: call.arguments[2])
        else { throw call.noGroup(key: 1, group: 2) }
        let request = try parse(call)
        let reply = call.reply
        let now = call.now
        call.propagateNothing()
        let consumer = call.consumer(named: 3, in: group, of: slot, key: 1)
        let movesGroup = request.lastID > group.lastID
        var changed: [StreamPending] = []
        call.updateStream(slot, .group(group)) { stream in
            if movesGroup { group.lastID = request.lastID }
            reply.deferredArray { written in
                for id in request.ids {
                    guard let entry = stream.entry(id) else {
                        if let pending = group.pending(id) {
                            changed.append(pending)
                            group.acknowledge(id)
                        }
                        continue
                    }
                    guard let count = newCount(of: id, in: group, request, now: now) else { continue }
                    group.assign(
                        id, to: consumer, timeMilliseconds: request.deliveryTime ?? now, count: count)
                    consumer.activeMilliseconds = now
                    if let pending = group.pending(id) { changed.append(pending) }
                    if request.isJustID { reply.streamID(id) } else { reply.streamEntry(entry) }
                    written += 1
                }
            }
        }
        guard movesGroup || !changed.isEmpty else { return }
        for pending in changed { call.propagateClaim(pending, of: group, key: call.arguments[1]) }
        if changed.isEmpty { call.propagatePlace(of: group, key: call.arguments[1]) }
        call.changedUnseen()
    }

    /// How often an entry counts as delivered once it is claimed; nil when it may not be.
    private static func newCount(
        of id: StreamID, in group: StreamGroup, _ request: Request, now: Int64
    ) -> UInt64? {
        let pending = group.pending(id)
        if let pending {
            let idle = now &- pending.deliveryTimeMilliseconds
            if request.idleMilliseconds > 0 && idle < request.idleMilliseconds { return nil }
        } else if !request.isForced {
            return nil
        }
        if let count = request.deliveryCount { return count }
        let count = pending?.deliveryCount ?? 1
        return request.isJustID ? count : count &+ 1
    }

    private static func parse(_ call: borrowing Call) throws(CommandError) -> Request {
        let arguments = call.arguments
        var request = Request()
        guard let idle = IntegerText.parse(arguments[4]) else {
            throw .message("ERR Invalid min-idle-time argument for XCLAIM")
        }
        request.idleMilliseconds = max(idle, 0)
        var index = 5
        while index < arguments.count, let id = StreamID(parsing: arguments[index], missingSequence: 0) {
            request.ids.append(id)
            index += 1
        }
        var options = call.options(from: index)
        while !options.isAtEnd { try take(&options, into: &request, call) }
        // A time that is negative or lies ahead is no reason to fail: clients reckon with clocks of their own.
        if let time = request.deliveryTime, time < 0 || time > call.now { request.deliveryTime = nil }
        return request
    }

    private static func take(
        _ options: inout Options, into request: inout Request, _ call: borrowing Call
    ) throws(CommandError) {
        if options.take("FORCE") {
            request.isForced = true
        } else if options.take("JUSTID") {
            request.isJustID = true
        } else if options.take("IDLE", values: 1) {
            guard let idle = IntegerText.parse(try options.next()) else {
                throw .message("ERR Invalid IDLE option argument for XCLAIM")
            }
            let (time, overflow) = call.now.subtractingReportingOverflow(idle)
            request.deliveryTime = overflow ? -1 : time
        } else if options.take("TIME", values: 1) {
            guard let time = IntegerText.parse(try options.next()) else {
                throw .message("ERR Invalid TIME option argument for XCLAIM")
            }
            request.deliveryTime = time
        } else if options.take("RETRYCOUNT", values: 1) {
            guard let count = IntegerText.parse(try options.next()) else {
                throw .message("ERR Invalid RETRYCOUNT option argument for XCLAIM")
            }
            request.deliveryCount = count < 0 ? nil : UInt64(count)
        } else if options.take("LASTID", values: 1) {
            request.lastID = try StreamID(argument: options.next())
        } else {
            var text = ByteBuffer()
            text.append("ERR Unrecognized XCLAIM option '")
            text.append(try options.next())
            text.append("'")
            call.reply.error(text.span)
            throw .written
        }
    }
}
