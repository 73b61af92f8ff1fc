// StreamAutoClaim.swift - XAUTOCLAIM: claims whatever has been pending for long, a part of the list at a time, and says
// where to go on. How many entries are looked at is bounded by COUNT.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum StreamAutoClaim {
    /// Entries looked at for each that may be claimed.
    private static let attemptsFactor = 10
    /// A client may ask for no more, so that counting cannot overflow.
    private static let limitMax = Int.max / 16

    static let commands: [Command] = [
        Command(
            "XAUTOCLAIM", "key group consumer min-idle-time start [COUNT count:integer] [JUSTID]", arity: -6,
            [.write, .fast], keys: [.key([.readWrite, .delete])], in: .stream, since: "6.2.0",
            complexity: "O(1) if COUNT is small.",
            summary: """
                Changes, or acquires, ownership of messages in a consumer group, as if the messages were delivered \
                to a consumer group member.
                """,
            history: [
                (
                    "7.0.0",
                    """
                    Added an element to the reply array, containing deleted entries the command cleared from the PEL
                    """
                )
            ],
            hints: ["nondeterministic_output"], run: claim)
    ]

    private struct Request {
        var idleMilliseconds: Int64 = 0
        var start = StreamID.zero
        var limit = 100
        var isJustID = false

        init(_ call: borrowing Call) throws(CommandError) {
            guard let idle = IntegerText.parse(call.arguments[4]) else {
                throw .message("ERR Invalid min-idle-time argument for XAUTOCLAIM")
            }
            idleMilliseconds = max(idle, 0)
            start = try StreamInterval.start(call.arguments[5])
            var options = call.options(from: 6)
            while !options.isAtEnd {
                if options.take("COUNT", values: 1) {
                    // No number at all is told so too.
                    guard let count = try IntegerText.parse(options.next()), count > 0, count <= limitMax else {
                        throw .message("ERR COUNT must be > 0")
                    }
                    limit = Int(count)
                } else if options.take("JUSTID") {
                    isJustID = true
                } else {
                    throw .syntax
                }
            }
        }
    }

    private static let claim: Command.Handler = { (call: inout Call) throws(CommandError) in
        let request = try Request(call)
        guard let slot = try call.find(1, .stream), let group = slot.entry.stream.group(named: call.arguments[2])
        else { throw call.noGroup(key: 1, group: 2) }
        call.propagateNothing()
        let consumer = call.consumer(named: 3, in: group, of: slot, key: 1)
        let reply = call.reply
        let now = call.now
        var entries = ByteBuffer()
        var claimed = 0
        var gone: [StreamID] = []
        var changed: [StreamPending] = []
        var next: StreamID?
        call.updateStream(slot, .group(group)) { stream in
            var left = request.limit
            var attempts = request.limit &* attemptsFactor
            var cursor = group.pendingCursor(from: request.start)
            next = nil
            while let pending = cursor.next() {
                if attempts == 0 || left == 0 {
                    next = pending.id
                    break
                }
                attempts &-= 1
                guard let entry = stream.entry(pending.id) else {
                    group.acknowledge(pending.id)
                    gone.append(pending.id)
                    changed.append(pending)
                    left &-= 1
                    cursor = group.pendingCursor(from: pending.id)
                    continue
                }
                let idle = now &- pending.deliveryTimeMilliseconds
                if request.idleMilliseconds > 0 && idle < request.idleMilliseconds { continue }
                group.assign(
                    pending.id, to: consumer, timeMilliseconds: now,
                    count: request.isJustID ? pending.deliveryCount : pending.deliveryCount &+ 1)
                if request.isJustID { pending.id.appendBulk(to: &entries) } else { entry.appendReply(to: &entries) }
                if let now = group.pending(pending.id) { changed.append(now) }
                claimed &+= 1
                left &-= 1
            }
        }
        reply.array(3)
        reply.streamID(next ?? .zero)
        reply.array(claimed)
        reply.buffer.append(entries.span)
        reply.array(gone.count)
        for id in gone { reply.streamID(id) }
        if claimed > 0 { consumer.activeMilliseconds = now }
        for pending in changed { call.propagateClaim(pending, of: group, key: call.arguments[1]) }
        if !changed.isEmpty { call.changedUnseen() }
    }
}
