// TaskReports.swift - FOG.TASK GET, LIST, CONCURRENCY, STATS. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum TaskReports {
    static let subcommands: [Command] = [
        Command(
            "GET", "task", arity: 3, [.readonly, .fast], keys: [.key(at: 2, [.notKey])], in: .fog, since: "8.2.0",
            complexity: "O(1)", summary: "Returns everything that is known of a task.",
            help: ["GET <task>", "    Return a task's fields and values."], run: get),
        Command(
            "LIST",
            """
            [status=STATUS (QUEUED | ASSIGNED | RUNNING | DONE | FAILED | DEAD)] [NODE node] [JOB job] \
            [LIMIT (offset:integer count:integer)] [WITHFIELDS]
            """,
            arity: -2, [.readonly], in: .fog, since: "8.2.0",
            complexity: "O(N) where N is the number of tasks with the rarest of the conditions, up to the limit.",
            summary: "Returns tasks by status, node and job.",
            help: [
                "LIST [STATUS QUEUED|ASSIGNED|RUNNING|DONE|FAILED|DEAD] [NODE <node>] [JOB <job>]"
                    + " [LIMIT <offset> <count>] [WITHFIELDS]",
                "    Return ids, or with WITHFIELDS all fields as well.",
            ],
            run: list),
        Command(
            "CONCURRENCY", "queue [count:integer]", arity: -3, [.write, .denyOOM, .fast],
            keys: [.key(at: 2, [.notKey])], in: .fog, since: "8.2.0", complexity: "O(1)",
            summary: "Sets or returns how many tasks of a queue may be leased at a time.",
            help: [
                "CONCURRENCY <queue> [<count>]",
                "    Never have more than <count> leases; 0 for any number. Without it, return the limit.",
            ],
            run: concurrency),
        Command(
            "STATS", "[queue]", arity: -2, [.readonly], in: .fog, since: "8.2.0",
            complexity: "O(N) where N is the number of queues, O(1) for one.",
            summary: "Returns counts of the tasks of one queue or of all.",
            help: ["STATS [<queue>]", "    Return counts and average times of a queue, or of all queues."], run: stats),
    ]

    private static let get: Command.Handler = { (call: inout Call) throws(CommandError) in
        _ = call.tasks()
        let id = call.arguments[call.firstWord]
        guard let entry = try call.record(.task, id) else { return call.reply.null() }
        write(&call, id, entry)
    }

    private static func write(_ call: inout Call, _ id: Span<UInt8>, _ entry: Entry) {
        call.reply.map(entry.liveFieldCount(now: call.now) + 1)
        call.reply.pair("id", bytes: id)
        entry.forEachField(now: call.now) { field, value, _ in
            field.withText { call.reply.bulk($0) }
            value.withText { call.reply.bulk($0) }
        }
    }

    // MARK: LIST

    private static let list: Command.Handler = { (call: inout Call) throws(CommandError) in
        var words = call.words()
        var status: TaskStatus?
        var node = 0
        var job = 0
        var offset = 0
        var count = Int.max
        var hasFields = false
        while !words.isAtEnd {
            if words.take("STATUS", values: 1) {
                guard let named = TaskStatus(try words.next()) else { throw TaskCommand.statusError }
                status = named
            } else if words.take("NODE", values: 1) {
                node = try words.nextIndex()
            } else if words.take("JOB", values: 1) {
                job = try words.nextIndex()
            } else if words.take("LIMIT", values: 2) {
                offset = try words.nonnegative()
                count = try words.nonnegative()
            } else if words.take("WITHFIELDS") {
                hasFields = true
            } else {
                throw .syntax
            }
        }
        try call.checkReadAll(.task)
        let tasks = call.tasks()
        let nodeNumber = node > 0 ? tasks.index.findName(call.arguments[node]) : nil
        let jobNumber = job > 0 ? tasks.index.findName(call.arguments[job]) : nil
        if node > 0 && nodeNumber == nil || job > 0 && jobNumber == nil || count == 0 {
            return call.reply.array(0)
        }
        var found: [Int32] = []
        tasks.index.forEach(status: status, node: nodeNumber, job: jobNumber) { number in
            if offset > 0 {
                offset -= 1
                return true
            }
            found.append(number)
            return found.count < count
        }
        try write(&call, tasks, found, hasFields)
    }

    private static func write(
        _ call: inout Call, _ tasks: TaskRecords, _ found: [Int32], _ hasFields: Bool
    ) throws(CommandError) {
        let mark = call.reply.length
        var count = 0
        for number in found {
            let id = tasks.index.identifier(number)
            if !hasFields {
                call.reply.bulk(id.span)
                count += 1
            } else if let entry = try call.foundRecord(.task, id.span)?.entry {
                write(&call, id.span, entry)
                count += 1
            }
        }
        call.reply.insertHeader(UInt8(ascii: "*"), count, at: mark)
    }

    // MARK: queues

    private static let concurrency: Command.Handler = { (call: inout Call) throws(CommandError) in
        let name = call.arguments[call.firstWord]
        var words = call.options(from: call.firstWord + 1)
        let tasks = call.tasks()
        guard !words.isAtEnd else {
            let limit = tasks.index.findQueue(name).flatMap { tasks.index.limit($0) }
            return call.reply.integer(limit ?? 0)
        }
        let limit = try words.integer(
            in: 0...Int(Int32.max), otherwise: .message("ERR the number of leases must be from 0 (any number)"))
        try words.finish()
        try call.checkWrite(.queue, name)
        let state = call.coordinator
        state.fields.removeAll()
        state.fields.add("concurrency", decimal: Int64(limit))
        try call.writeRecord(.queue, name, state.fields, expiry: .kept)
        call.wakeWorkers(call.tasks())
        call.reply.ok()
    }

    private static let stats: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        guard call.arguments.count <= first + 1 else { throw .syntax }
        try call.checkReadAll(.task)
        let tasks = call.tasks()
        var gauges = TaskGauges()
        var totals = TaskTotals()
        if call.arguments.count > first {
            if let queue = tasks.index.findQueue(call.arguments[first]) {
                gauges = tasks.index.gauges(queue)
                totals = tasks.index.totals(queue)
            }
        } else {
            tasks.index.forEachQueue { queue, _ in
                gauges.add(tasks.index.gauges(queue))
                totals.add(tasks.index.totals(queue))
            }
        }
        write(&call, gauges, totals)
    }

    static func write(_ call: inout Call, _ gauges: TaskGauges, _ totals: TaskTotals) {
        call.reply.map(8)
        call.reply.bulk("queued")
        call.reply.map(Priority.allCases.count)
        for priority in Priority.allCases {
            call.reply.bulk(priority.name)
            call.reply.integer(gauges.waiting[Int(priority.rawValue)])
        }
        call.reply.pair("leased", gauges.leased)
        call.reply.pair("done", totals.done)
        call.reply.pair("failed", totals.failed)
        call.reply.pair("dead", gauges.count(.dead))
        call.reply.pair("avg_wait_ms", double: totals.averageWaitMilliseconds)
        call.reply.pair("avg_run_ms", double: totals.averageRunMilliseconds)
        call.reply.pair("workers", gauges.workers)
    }
}

extension TaskGauges {
    mutating func add(_ other: TaskGauges) {
        for index in 0..<4 { waiting[index] += other.waiting[index] }
        for index in 0..<6 { statuses[index] += other.statuses[index] }
        leased += other.leased
        workers += other.workers
    }
}

/// FOG.STATS TASKS: all queues together.
enum TaskStats {
    static let subcommand = Command(
        "TASKS", arity: 2, [.readonly], in: .fog, since: "8.2.0",
        complexity: "O(N) where N is the number of queues.",
        summary: "Returns counts of the tasks of all queues of this database.",
        help: ["TASKS", "    Return counts and average times of all task queues."]
    ) { (call: inout Call) throws(CommandError) in
        try call.checkReadAll(.task)
        let tasks = call.tasks()
        var gauges = TaskGauges()
        var totals = TaskTotals()
        tasks.index.forEachQueue { queue, _ in
            gauges.add(tasks.index.gauges(queue))
            totals.add(tasks.index.totals(queue))
        }
        TaskReports.write(&call, gauges, totals)
    }
}
