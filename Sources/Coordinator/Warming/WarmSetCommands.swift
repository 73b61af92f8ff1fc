// WarmSetCommands.swift - FOG.WARM ADD, DEL, RUN and STATUS: sets of keys that are kept warm. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import RESP
internal import Structures

enum WarmSetCommands {
    static let subcommands: [Command] = [
        Command(
            "ADD", "set pattern...", arity: -4, [.write, .denyOOM], keys: [.key(at: 2, [.notKey])], in: .fog,
            since: "8.2.0", complexity: "O(N) where N is the number of patterns.",
            summary: "Adds keys or patterns to a set that is kept warm.",
            help: [
                "ADD <set> <key or pattern> [<key or pattern> ...]",
                "    Add keys or patterns to a set that is kept warm. Returns how many were new.",
            ],
            run: add),
        Command(
            "DEL", "set [pattern]...", arity: -3, [.write], keys: [.key(at: 2, [.notKey])], in: .fog,
            since: "8.2.0", complexity: "O(N) where N is the number of patterns.",
            summary: "Removes keys or patterns from a warm set, or the whole set.",
            help: [
                "DEL <set> [<key or pattern> ...]", "    Remove keys or patterns from a set, or the whole set.",
            ],
            run: delete),
        Command(
            "RUN", "set", arity: 3, [.write], keys: [.key(at: 2, [.notKey])], in: .fog, since: "8.2.0",
            complexity: "O(N) where N is the number of the set's keys, or of all keys when it has patterns.",
            summary: "Uses the keys of a warm set, and asks by WARM_NEEDED for those that are missing or die soon.",
            help: [
                "RUN <set>",
                "    Use the keys of a set, so that they stay; ask by the event WARM_NEEDED for those that are missing",
                "    or that die within fog-warmup-interval.",
            ],
            run: run),
        Command(
            "STATUS", "[set]", arity: -2, [.readonly], in: .fog, since: "8.2.0",
            complexity: "O(N) where N is the number of sets.",
            summary: "Returns the warm sets and what their last run found.",
            help: ["STATUS [<set>]", "    Return the warm sets, or one, and what their last run found."], run: status),
    ]

    private static let unknownSet = CommandError.message("ERR there is no such warm set; make it with FOG.WARM ADD")
    private static let sliceNanoseconds: Int64 = 300_000

    private static func warm(_ call: borrowing Call) -> WarmIndex {
        guard let index = call.index(.warm) as? WarmIndex else {
            preconditionFailure("warm sets have an index of their own")
        }
        return index
    }

    /// Refuses users who may not read what a key or pattern of a set stands for.
    private static func checkAccess(_ call: borrowing Call, _ pattern: Span<UInt8>) throws(CommandError) {
        if WarmJob.isPattern(pattern) {
            try call.checkPatternAccess(pattern)
        } else {
            try call.checkRecordAccess(pattern, [.readOnly, .access])
        }
    }

    private static let add: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        let id = call.arguments[first]
        try call.checkWrite(.warm, id)
        let index = warm(call)
        let known = Set(index.sets[id.array]?.patterns ?? [])
        let state = call.coordinator
        state.fields.removeAll()
        var added: Set<[UInt8]> = []
        for word in (first + 1)..<call.arguments.count {
            let pattern = call.arguments[word]
            if pattern.isEmpty { throw .message("ERR a key or pattern of a warm set cannot be empty") }
            try checkAccess(call, pattern)
            if known.contains(pattern.array) || !added.insert(pattern.array).inserted { continue }
            state.fields.add(named: pattern, Span())
        }
        if !added.isEmpty { try call.writeRecord(.warm, id, state.fields, expiry: .kept) }
        call.reply.integer(added.count)
    }

    private static let delete: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        let id = call.arguments[first]
        try call.checkWrite(.warm, id)
        _ = warm(call)
        guard call.arguments.count > first + 1 else {
            return call.reply.integer(try call.removeRecord(.warm, id) ? 1 : 0)
        }
        let key = call.recordKey(.warm, id)
        var count = 0
        for word in (first + 1)..<call.arguments.count {
            let isThere = try call.administration.removeRecordField(
                key.span, call.arguments[word], in: call.session.database)
            count += isThere ? 1 : 0
        }
        call.reply.integer(count)
    }

    private static let run: Command.Handler = { (call: inout Call) throws(CommandError) in
        let id = call.arguments[call.firstWord]
        try call.checkRead(.warm, id)
        let index = warm(call)
        let held = call.resumption == nil ? nil : index.jobs.removeValue(forKey: call.session.id)
        var job: WarmJob
        if let held {
            job = held
        } else {
            guard let set = index.sets[id.array] else { throw unknownSet }
            for pattern in set.patterns { try checkAccess(call, pattern.span) }
            let key = call.recordKey(.warm, id)
            job = WarmJob(id.array, set.patterns, call.session.database, record: key.span.array)
        }
        let canWait = call.context == .client && !call.isReplayed
        let now = call.administration.clock.monotonicNanoseconds
        let isDone = job.run(
            &call.administration, call.events, intervalSeconds: index.settings.warmupIntervalSeconds,
            deadlineNanoseconds: canWait ? now + sliceNanoseconds : .max)
        guard isDone else {
            index.jobs[call.session.id] = job
            return call.suspend(
                .slices, deadline: call.administration.clock.monotonicNanoseconds + sliceNanoseconds)
        }
        index.note(job, now: call.now)
        call.reply.map(4)
        write(call.reply, job.result)
        call.reply.pair("events", job.result.needed)
    }

    private static func write(_ reply: Reply, _ result: WarmResult) {
        reply.pair("present", result.present)
        reply.pair("expiring", result.expiring)
        reply.pair("missing", result.missing)
    }

    private static let status: Command.Handler = { (call: inout Call) throws(CommandError) in
        try call.checkReadAll(.warm)
        var words = call.words()
        let index = warm(call)
        var names = index.sets.keys.sorted { $0.lexicographicallyPrecedes($1) }
        if !words.isAtEnd {
            let name = try words.next().array
            try words.finish()
            guard index.sets[name] != nil else { throw unknownSet }
            names = [name]
        }
        call.reply.array(names.count)
        for name in names {
            guard let set = index.sets[name] else { preconditionFailure("a listed set is there") }
            call.reply.map(6)
            call.reply.pair("set", bytes: name.span)
            call.reply.bulk("patterns")
            call.reply.array(set.patterns.count)
            for pattern in set.patterns { call.reply.bulk(pattern.span) }
            write(call.reply, set.result)
            call.reply.pair("last_run_ms", Int(set.lastRun))
        }
    }
}
