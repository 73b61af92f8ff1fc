// TaskEnqueue.swift - FOG.TASK ENQUEUE. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum TaskEnqueue {
    static let subcommands: [Command] = [
        Command(
            "ENQUEUE",
            """
            queue payload [priority=PRIORITY (CRITICAL | HIGH | NORMAL | LOW)] [ID id] [DELAY milliseconds:integer] \
            [TTL seconds:integer] [MAXRETRY count:integer] [UNIQUE]
            """,
            arity: -4, [.write, .denyOOM, .fast], keys: [.key(at: 2, [.notKey])], in: .fog, since: "8.2.0",
            complexity: "O(log N) where N is the number of tasks.",
            summary: "Adds a task to a queue and returns its id.",
            help: [
                "ENQUEUE <queue> <payload> [PRIORITY CRITICAL|HIGH|NORMAL|LOW] [ID <id>] [DELAY <ms>] [TTL <seconds>]"
                    + " [MAXRETRY <count>] [UNIQUE]",
                "    Add a task. UNIQUE: while one with this id, or without ID this payload, is not finished, answer"
                    + " that one's id.",
            ],
            run: enqueue)
    ]

    private struct Request: ~Escapable {
        var priority = Priority.normal
        /// Argument index; 0 for an id of the server's making.
        var id = 0
        var delayMilliseconds: Int64 = 0
        var seconds = 0
        var retries: Int?
        var isUnique = false

        @_lifetime(copy words)
        init(_ words: inout Options) throws(CommandError) {
            while !words.isAtEnd {
                if words.take("PRIORITY", values: 1) {
                    guard let named = Priority(try words.next()) else { throw TaskCommand.priorityError }
                    priority = named
                } else if words.take("ID", values: 1) {
                    id = try words.nextIndex()
                } else if words.take("DELAY", values: 1) {
                    delayMilliseconds = try words.milliseconds()
                } else if words.take("TTL", values: 1) {
                    seconds = try words.integer(in: 1...Int(Int32.max), otherwise: .invalidExpire)
                } else if words.take("MAXRETRY", values: 1) {
                    retries = try words.integer(
                        in: 0...1_000_000, otherwise: .message("ERR MAXRETRY must be from 0 to 1000000"))
                } else if words.take("UNIQUE") {
                    isUnique = true
                } else {
                    throw .syntax
                }
            }
        }
    }

    private static let enqueue: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        let queueName = call.arguments[first]
        let payload = call.arguments[first + 1]
        var words = call.options(from: first + 2)
        let request = try Request(&words)
        try call.checkWrite(.queue, queueName)
        let tasks = call.tasks()
        let queue = tasks.index.queue(queueName)
        let hash = request.isUnique && request.id == 0 ? TaskRecords.uniqueHash(payload) : 0
        if hash != 0, let known = tasks.index.unique(hash, in: queue) {
            return call.reply.bulk(tasks.index.identifier(known).span)
        }
        let id = try identifier(call, tasks, request.id)
        try call.checkWrite(.task, id.span)
        if let known = tasks.index.find(id.span) {
            if !tasks.index[known].status.isFinished {
                guard request.isUnique else {
                    throw .message("ERR a task with this id is not finished: with UNIQUE its id is answered")
                }
                return call.reply.bulk(id.span)
            }
            _ = try call.removeRecord(.task, id.span, tells: false)
            tasks.forget(id.span)
        }
        var item = TaskItem()
        item.priority = request.priority
        item.queue = queue
        item.readyAt = call.now + request.delayMilliseconds
        item.order = tasks.index.order
        item.uniqueHash = hash
        let retries = request.retries ?? tasks.settings.retryCount
        try write(call, tasks, id, item, payload, queueName, retries, request.seconds)
        call.reply.bulk(id.span)
        call.wakeWorkers(tasks)
    }

    /// The id that was given, or one of the time and the place in line, which no other task has.
    private static func identifier(
        _ call: borrowing Call, _ tasks: TaskRecords, _ argument: Int
    ) throws(CommandError) -> [UInt8] {
        if argument > 0 { return call.arguments[argument].array }
        var order = tasks.index.order
        while true {
            var text = ByteBuffer()
            text.append(decimal: Int(call.now))
            text.append(UInt8(ascii: "-"))
            text.append(decimal: Int(order))
            let id = text.span.array
            if tasks.index.find(id.span) == nil { return id }
            order &+= 1
        }
    }

    private static func write(
        _ call: borrowing Call, _ tasks: TaskRecords, _ id: [UInt8], _ item: TaskItem, _ payload: Span<UInt8>,
        _ queueName: Span<UInt8>, _ retries: Int, _ seconds: Int
    ) throws(CommandError) {
        let state = call.coordinator
        state.fields.removeAll()
        state.fields.add("queue", queueName)
        state.fields.add("payload", payload)
        state.fields.add("priority", text: item.priority.name)
        state.fields.add("status", text: item.status.name)
        state.fields.add("attempt", decimal: 0)
        state.fields.add("max_retry", decimal: Int64(retries))
        state.fields.add("seq", decimal: item.order)
        state.fields.add("created_ms", decimal: call.now)
        state.fields.add("ready_ms", decimal: item.readyAt)
        if item.uniqueHash != 0 { state.fields.add("unique", decimal: 1) }
        let expiry = seconds == 0 ? nil : call.now + Int64(seconds) * 1000
        try call.writeRecord(
            .task, id.span, state.fields, expiry: expiry.map { .at($0) } ?? .kept, tells: false)
        tasks.index.set(id.span, item, now: call.now)
        if let number = tasks.index.find(id.span) { tasks.lifetimes.set(number, expiry) }
        tasks.index.changeTotals(item.queue) { $0.enqueued += 1 }
    }
}
