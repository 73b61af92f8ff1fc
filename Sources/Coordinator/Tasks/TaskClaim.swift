// TaskClaim.swift - FOG.TASK CLAIM: a worker takes the next tasks of a queue under leases, and waits for one when it
// says BLOCK. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum TaskClaim {
    /// Tasks that one CLAIM takes at most.
    private static let countMax = 10_000

    static let subcommands: [Command] = [
        Command(
            "CLAIM",
            "queue worker [COUNT count:integer] [BLOCK milliseconds:integer] [LEASE milliseconds:integer]", arity: -4,
            [.write, .blocking], keys: [.key(at: 2, [.notKey])], in: .fog, since: "8.2.0",
            complexity: "O(M*log N) where N is the number of tasks and M is the number of those returned.",
            summary: "Takes the next tasks of a queue under a lease, or waits until there is one.",
            help: [
                "CLAIM <queue> <worker> [COUNT <count>] [BLOCK <ms>] [LEASE <ms>]",
                "    Take tasks. They are claimable again unless ACK, FAIL or EXTEND comes within the lease.",
            ],
            run: claim)
    ]

    private struct Request {
        var count = 1
        /// Nil: does not wait. 0: without end.
        var blockMilliseconds: Int64?
        var leaseMilliseconds: Int64

        init(_ words: inout Options, _ settings: MarketSettings) throws(CommandError) {
            leaseMilliseconds = settings.leaseMilliseconds
            while !words.isAtEnd {
                if words.take("COUNT", values: 1) {
                    count = try words.integer(
                        in: 1...TaskClaim.countMax, otherwise: .message("ERR COUNT must be from 1 to 10000"))
                } else if words.take("BLOCK", values: 1) {
                    blockMilliseconds = try words.milliseconds()
                } else if words.take("LEASE", values: 1) {
                    leaseMilliseconds = try words.milliseconds(from: 1)
                } else {
                    throw .syntax
                }
            }
        }
    }

    private static let claim: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        let queueName = call.arguments[first]
        let worker = call.arguments[first + 1]
        var words = call.options(from: first + 2)
        let request = try Request(&words, call.settings.fog.market)
        try call.checkWrite(.queue, queueName)
        if worker.isEmpty { throw .message("ERR a worker has a name") }
        if try call.hasWaitedInVain() { return call.reply.nullArray() }
        let tasks = call.tasks()
        let mark = call.reply.length
        var count = 0
        // A queue that nobody filled is not made by who asks for it.
        let queue = tasks.index.findQueue(queueName)
        let aging = tasks.settings.agingMilliseconds
        while count < request.count, let queue,
            let number = tasks.index.next(in: queue, now: call.now, agingMilliseconds: aging)
        {
            if try take(&call, tasks, number, worker, request.leaseMilliseconds) { count += 1 }
        }
        if count > 0 {
            call.reply.insertHeader(UInt8(ascii: "*"), count, at: mark)
        } else if let milliseconds = request.blockMilliseconds {
            let key = call.recordKey(.queue, queueName)
            return call.waitForSignal(key.span, milliseconds: milliseconds)
        } else {
            call.reply.array(0)
        }
        call.wakeWorkers(tasks)
    }

    /// Writes the lease and the task's part of the reply. False when the record is gone after all.
    private static func take(
        _ call: inout Call, _ tasks: TaskRecords, _ number: Int32, _ worker: Span<UInt8>, _ leaseMilliseconds: Int64
    ) throws(CommandError) -> Bool {
        let id = tasks.index.identifier(number)
        let now = call.now
        let key = call.recordKey(.task, id.span)
        guard let slot = try call.recordSlot(key.span) else {
            tasks.forget(id.span)
            return false
        }
        let item = tasks.index[number]
        let entry = slot.entry
        let attempt = entry.integer(TaskField.attempt, now: now).addingReportingOverflow(1).partialValue
        let until = now + leaseMilliseconds
        call.reply.map(5)
        call.reply.pair("id", bytes: id.span)
        let payload = entry.text(TaskField.payload, now: now)
        call.reply.pair("payload", bytes: payload.span)
        call.reply.pair("priority", text: item.priority.name)
        call.reply.pair("attempt", Int(attempt))
        call.reply.pair("lease_until", Int(until))
        let state = call.coordinator
        state.fields.removeAll()
        state.fields.add("status", text: TaskStatus.running.name)
        state.fields.add("attempt", decimal: attempt)
        state.fields.add("worker", worker)
        state.fields.add("claimed_ms", decimal: now)
        state.fields.add("lease_until", decimal: until)
        try call.administration.setRecord(
            key.span, in: call.session.database, state.fields, expiry: .kept, tells: false)
        tasks.index.changeTotals(item.queue) { $0.noteClaim(waitedMilliseconds: now &- item.readyAt) }
        tasks.index.change(number, now: now, worker: worker.array) { item in
            item.status = .running
            item.leaseUntil = until
        }
        return true
    }
}
