// TaskAssign.swift - FOG.TASK ASSIGN: giving a task to a node of the fleet by name. The task may stand in a queue,
// which it then leaves, or be known by nothing but its id. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum TaskAssign {
    static let subcommands: [Command] = [
        Command(
            "ASSIGN",
            """
            task node [JOB job] \
            [status=STATUS (QUEUED | ASSIGNED | RUNNING | DONE | FAILED | DEAD)]
            """,
            arity: -4, [.write, .denyOOM, .fast], keys: [.key(at: 2, [.notKey])], in: .fog, since: "8.2.0",
            complexity: "O(log N) where N is the number of tasks.",
            summary: "Assigns a task to a node.",
            help: [
                "ASSIGN <task> <node> [JOB <uuid>] [STATUS QUEUED|ASSIGNED|RUNNING|DONE|FAILED|DEAD]",
                "    Assign a task to a node that is registered. Its node may then ACK or FAIL it.",
            ],
            run: assign)
    ]

    private static let assign: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        let id = call.arguments[first]
        let node = call.arguments[first + 1]
        var words = call.options(from: first + 2)
        var status = TaskStatus.assigned
        var job = 0
        while !words.isAtEnd {
            if words.take("JOB", values: 1) {
                job = try words.nextIndex()
            } else if words.take("STATUS", values: 1) {
                guard let named = TaskStatus(try words.next()) else { throw TaskCommand.statusError }
                status = named
            } else {
                throw .syntax
            }
        }
        try call.checkWrite(.task, id)
        guard try call.foundRecord(.node, node) != nil else {
            throw .message("NONODE there is no node with this id")
        }
        let tasks = call.tasks()
        try write(call, tasks, status, job)
        call.reply.ok()
        call.wakeWorkers(tasks)
    }

    private static func write(
        _ call: borrowing Call, _ tasks: TaskRecords, _ status: TaskStatus, _ job: Int
    ) throws(CommandError) {
        let first = call.firstWord
        let id = call.arguments[first]
        let known = tasks.index.find(id)
        var item = known.map { tasks.index[$0] } ?? TaskItem()
        let state = call.coordinator
        state.fields.removeAll()
        state.fields.add("node", call.arguments[first + 1])
        state.fields.add("status", text: status.name)
        if job > 0 { state.fields.add("job", call.arguments[job]) }
        state.fields.add("assigned_ms", decimal: call.now)
        state.fields.add("lease_until", decimal: 0)
        item.readyAt = known == nil || status.isWaiting ? call.now : item.readyAt
        state.fields.add("ready_ms", decimal: item.readyAt)
        if known == nil {
            item.order = tasks.index.order
            state.fields.add("priority", text: item.priority.name)
            state.fields.add("attempt", decimal: 0)
            state.fields.add("seq", decimal: item.order)
            state.fields.add("created_ms", decimal: call.now)
        }
        // Work that is not finished is no cache entry: it does not go by age.
        let expiry = status == .done ? call.defaultExpiry : .kept
        try call.writeRecord(.task, id, state.fields, expiry: expiry, tells: false)
        item.status = status
        item.leaseUntil = 0
        item.worker = -1
        item.node = tasks.index.hold(call.arguments[first + 1])
        if job > 0 { item.job = tasks.index.hold(call.arguments[job]) } else { tasks.index.holdAgain(item.job) }
        tasks.index.set(id, item, now: call.now)
        if case .at(let time) = expiry, let number = tasks.index.find(id) { tasks.lifetimes.set(number, time) }
    }
}
