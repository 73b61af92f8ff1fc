// TaskFinish.swift - FOG.TASK ACK, FAIL, EXTEND: what a worker says about a task that it holds. Whoever does not hold
// it (any more) is refused, so two workers never finish one task. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum TaskFinish {
    static let subcommands: [Command] = [
        Command(
            "ACK", "id worker [RESULT result]", arity: -4, [.write, .denyOOM, .fast], keys: [.key(at: 2, [.notKey])],
            in: .fog, since: "8.2.0", complexity: "O(log N) where N is the number of tasks.",
            summary: "Marks a task that a worker holds as done.",
            help: [
                "ACK <id> <worker> [RESULT <result>]",
                "    The task is done. Its record, with the result, lives for fog-default-ttl seconds more.",
            ],
            run: acknowledge),
        Command(
            "FAIL", "id worker [REASON reason] [RETRYIN milliseconds:integer]", arity: -4, [.write, .denyOOM, .fast],
            keys: [.key(at: 2, [.notKey])], in: .fog, since: "8.2.0",
            complexity: "O(log N) where N is the number of tasks.",
            summary: "Gives a task that a worker holds back: it is tried again, or dead when no attempt is left.",
            help: [
                "FAIL <id> <worker> [REASON <reason>] [RETRYIN <ms>]",
                "    The attempt failed. Return 'failed' when the task will be tried again, else 'dead'.",
            ],
            run: fail),
        Command(
            "EXTEND", "id worker milliseconds:integer", arity: 5, [.write, .fast], keys: [.key(at: 2, [.notKey])],
            in: .fog, since: "8.2.0", complexity: "O(log N) where N is the number of tasks.",
            summary: "Makes a worker's lease end that many milliseconds from now and returns when that is.",
            help: ["EXTEND <id> <worker> <ms>", "    Move the end of a lease. Return it, in Unix milliseconds."],
            run: extend),
    ]

    /// The task in the first word, which the worker in the second holds: by a lease, or because it is the node that the
    /// task was assigned to.
    private static func held(_ call: borrowing Call, _ tasks: TaskRecords) throws(CommandError) -> Int32 {
        let first = call.firstWord
        try call.checkWrite(.task, call.arguments[first])
        guard let number = tasks.index.find(call.arguments[first]) else { throw TaskCommand.unknownTask }
        let item = tasks.index[number]
        let worker = tasks.index.findName(call.arguments[first + 1])
        let isLeased = item.status == .running && item.worker >= 0 && item.worker == worker
        let isAssigned = (item.status == .assigned || item.status == .running && item.leaseUntil == 0)
            && item.node >= 0 && item.node == worker
        guard isLeased || isAssigned else { throw TaskCommand.notLeased }
        return number
    }

    private static let acknowledge: Command.Handler = { (call: inout Call) throws(CommandError) in
        var words = call.options(from: call.firstWord + 2)
        var result = 0
        while !words.isAtEnd {
            guard words.take("RESULT", values: 1) else { throw .syntax }
            result = try words.nextIndex()
        }
        let tasks = call.tasks()
        let number = try held(call, tasks)
        let id = call.arguments[call.firstWord]
        let state = call.coordinator
        let began = try call.foundRecord(.task, id)?.entry.integer(TaskField.claimed, now: call.now)
        state.fields.removeAll()
        state.fields.add("status", text: TaskStatus.done.name)
        state.fields.add("lease_until", decimal: 0)
        state.fields.add("finished_ms", decimal: call.now)
        if result > 0 { state.fields.add("result", call.arguments[result]) }
        let expiry = call.defaultExpiry
        try call.writeRecord(.task, id, state.fields, expiry: expiry, tells: false)
        if case .at(let time) = expiry { tasks.lifetimes.set(number, time) }
        let now = call.now
        tasks.index.changeTotals(tasks.index[number].queue) { totals in
            totals.noteDone(ranMilliseconds: now &- (began ?? now))
        }
        tasks.index.change(number, now: now) { item in
            item.status = .done
            item.leaseUntil = 0
        }
        call.reply.ok()
        call.wakeWorkers(tasks)
    }

    private static let fail: Command.Handler = { (call: inout Call) throws(CommandError) in
        var words = call.options(from: call.firstWord + 2)
        var reason = 0
        var retryMilliseconds: Int64?
        while !words.isAtEnd {
            if words.take("REASON", values: 1) {
                reason = try words.nextIndex()
            } else if words.take("RETRYIN", values: 1) {
                retryMilliseconds = try words.milliseconds()
            } else {
                throw .syntax
            }
        }
        let tasks = call.tasks()
        let number = try held(call, tasks)
        let id = call.arguments[call.firstWord]
        let now = call.now
        guard let entry = try call.foundRecord(.task, id)?.entry else {
            throw TaskCommand.unknownTask
        }
        let attempt = entry.integer(TaskField.attempt, now: now)
        let isLast = attempt > entry.integer(TaskField.retries, now: now) || tasks.index[number].queue < 0
        let status = isLast ? TaskStatus.dead : .failed
        let ready = now + (isLast ? 0 : retryMilliseconds ?? tasks.settings.backOff(attempt: attempt))
        let state = call.coordinator
        state.fields.removeAll()
        state.fields.add("status", text: status.name)
        state.fields.add("ready_ms", decimal: ready)
        state.fields.add("lease_until", decimal: 0)
        if reason > 0 { state.fields.add("reason", call.arguments[reason]) }
        if isLast { state.fields.add("finished_ms", decimal: now) }
        try call.writeRecord(.task, id, state.fields, expiry: .kept, tells: false)
        tasks.index.changeTotals(tasks.index[number].queue) { $0.failed += 1 }
        tasks.index.change(number, now: now) { item in
            item.status = status
            item.readyAt = ready
            item.leaseUntil = 0
        }
        call.reply.bulk(status.name)
        call.wakeWorkers(tasks)
    }

    private static let extend: Command.Handler = { (call: inout Call) throws(CommandError) in
        var words = call.options(from: call.firstWord + 2)
        let until = call.now + (try words.milliseconds(from: 1))
        let tasks = call.tasks()
        let number = try held(call, tasks)
        guard tasks.index[number].holdsLease else { throw TaskCommand.notLeased }
        let state = call.coordinator
        state.fields.removeAll()
        state.fields.add("lease_until", decimal: until)
        try call.writeRecord(.task, call.arguments[call.firstWord], state.fields, expiry: .kept, tells: false)
        tasks.index.change(number, now: call.now) { $0.leaseUntil = until }
        call.reply.integer(Int(until))
    }
}
