// InvalidateCommand.swift - FOG.INVALIDATE: keys that are not true any more go, by name, tag, pattern, node, data class
// or all of the cluster's. Patterns are worked off in slices between which other clients have their turn: without ASYNC
// the client waits for the end and gets the exact number, with ASYNC it gets what went at once. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum InvalidateCommand {
    /// How long a slice holds the turn.
    static let sliceNanoseconds: Int64 = 300_000
    /// Between two slices, for others.
    private static let pauseNanoseconds: Int64 = 200_000
    /// Keys that the event of FOG.INVALIDATE KEY names.
    private static let namedKeysMax = 100

    static let commands: [Command] = [
        Command(
            "FOG.INVALIDATE", arity: -2, in: .fog, since: "8.2.0",
            summary: "A container for commands that make cached keys invalid.",
            subcommands: [
                Command(
                    "KEY", "key...", arity: -3, [.write], keys: [.keys(from: 2, [.readWrite, .delete])], in: .fog,
                    since: "8.2.0", complexity: "O(N) where N is the number of keys.",
                    summary: "Removes keys and ends their leases; returns how many there were.",
                    help: ["KEY <key> [<key> ...]", "    Remove keys and end their leases."], run: keys),
                Command(
                    "TAG", "tag...", arity: -3, [.write, .fast], in: .fog, since: "8.2.0",
                    complexity: "O(N) where N is the number of tags, however many keys they have.",
                    summary: "Makes all keys of some tags invalid, in all databases; returns how many there were.",
                    help: ["TAG <tag> [<tag> ...]", "    Make all keys with one of the tags invalid."], run: tags),
                Command(
                    "PATTERN", "pattern:pattern [ASYNC]", arity: -3, [.write, .touchesArbitraryKeys], in: .fog,
                    since: "8.2.0", complexity: "O(N) where N is the number of keys in the database.",
                    summary: "Removes the keys that match a pattern; returns how many there were.",
                    help: [
                        "PATTERN <pattern> [ASYNC]",
                        "    Remove the keys that match. ASYNC: do not wait for the end; reply what went at once.",
                    ],
                    run: pattern),
                Command(
                    "NODE", "node [ASYNC]", arity: -3, [.write, .touchesArbitraryKeys], in: .fog, since: "8.2.0",
                    complexity: "O(1) unless rules for NODE_INVALIDATED have patterns.",
                    summary: "Removes what is cached of a node: the rules' keys and those of its tag.",
                    help: ["NODE <node> [ASYNC]", "    Remove what is cached of a node."], run: node),
                Command(
                    "TYPE", "class [ASYNC]", arity: -3, [.write, .touchesArbitraryKeys], in: .fog, since: "8.2.0",
                    complexity: "O(N) where N is the number of keys in the database.",
                    summary: "Removes the keys of a class of data: by its pattern, or those that begin with its name.",
                    help: [
                        "TYPE <class> [ASYNC]",
                        "    Remove the keys of a class (FOG.CLASS) by its pattern; of a name that is no class, those",
                        "    that begin with it and a colon, for example vm:state.",
                    ],
                    run: type),
                Command(
                    "CLUSTER", "[ASYNC]", arity: -2, [.write, .touchesArbitraryKeys], in: .fog, since: "8.2.0",
                    complexity: "O(N) where N is the number of keys in the database.",
                    summary: "Removes what is cached of the whole cluster, by the rules of CLUSTER_INVALIDATED.",
                    help: ["CLUSTER [ASYNC]", "    Remove what is cached of the whole cluster."], run: cluster),
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .fog, since: "8.2.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help),
            ])
    ]

    private static let keys: Command.Handler = { (call: inout Call) throws(CommandError) in
        let start = call.administration.clock.monotonicNanoseconds
        let first = call.firstWord
        var removed: [Int] = []
        for index in first..<call.arguments.count where call.invalidate(call.arguments[index]) { removed.append(index) }
        call.reply.integer(removed.count)
        let arguments = call.arguments
        let named = removed.prefix(namedKeysMax)
        if removed.isEmpty { return }
        tell(call, "KEY", arguments[removed[0]], count: removed.count, start) { event in
            for index in named { event.addKey(arguments[index]) }
        }
    }

    private static let tags: Command.Handler = { (call: inout Call) throws(CommandError) in
        let start = call.administration.clock.monotonicNanoseconds
        var count = 0
        for index in call.firstWord..<call.arguments.count {
            let ofTag = call.invalidate(tag: call.arguments[index])
            count += ofTag
            tell(call, "TAG", call.arguments[index], count: ofTag, start) { _ in }
        }
        call.reply.integer(count)
    }

    private static func tell(
        _ call: borrowing Call, _ selector: StaticString, _ subject: Span<UInt8>, count: Int, _ start: Int64,
        _ addKeys: (inout EventDraft) -> Void
    ) {
        let events = call.events
        events.invalidation.record(nanoseconds: call.administration.clock.monotonicNanoseconds - start)
        if call.isReplayed { return }
        call.administration.tellInvalidation(selector, subject, count: count, events, addKeys)
    }

    private static let pattern: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        let isInBackground = try isAsynchronous(call, at: first + 1)
        let pattern = call.arguments[first].array
        try run(&call, "PATTERN", pattern, [pattern], isInBackground: isInBackground, alreadyRemoved: 0)
    }

    private static let type: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        let isInBackground = try isAsynchronous(call, at: first + 1)
        let name = call.arguments[first]
        if let item = call.classes.find(name) {
            return try run(
                &call, "TYPE", name.array, [item.pattern], isInBackground: isInBackground, alreadyRemoved: 0)
        }
        var pattern = ByteBuffer()
        for index in 0..<name.count {
            let byte = name[index]
            if byte == UInt8(ascii: "*") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "[")
                || byte == UInt8(ascii: "\\")
            {
                pattern.append(UInt8(ascii: "\\"))
            }
            pattern.append(byte)
        }
        pattern.append(":*")
        try run(
            &call, "TYPE", name.array, [pattern.span.array], isInBackground: isInBackground, alreadyRemoved: 0)
    }

    private static let node: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        let isInBackground = try isAsynchronous(call, at: first + 1)
        let name = call.arguments[first]
        try byRules(&call, .nodeInvalidated, "NODE", name, isInBackground) { call in
            var tag = ByteBuffer()
            tag.append("node:")
            tag.append(call.arguments[call.firstWord])
            return call.invalidate(tag: tag.span)
        }
    }

    private static let cluster: Command.Handler = { (call: inout Call) throws(CommandError) in
        let isInBackground = try isAsynchronous(call, at: call.firstWord)
        let name: [UInt8] = Array("cluster".utf8)
        try byRules(&call, .clusterInvalidated, "CLUSTER", name.span, isInBackground) { _ in 0 }
    }

    private static func isAsynchronous(_ call: borrowing Call, at index: Int) throws(CommandError) -> Bool {
        var words = call.options(from: index)
        let isAsynchronous = words.take("ASYNC")
        try words.finish()
        return isAsynchronous
    }

    /// What the rules of a type say of `subject`, and what `more` removes, once.
    private static func byRules(
        _ call: inout Call, _ type: EventType, _ selector: StaticString, _ subject: Span<UInt8>,
        _ isInBackground: Bool, _ more: (borrowing Call) -> Int
    ) throws(CommandError) {
        var name = ByteBuffer()
        name.append(type.name)
        let targets = call.rules(of: name.span).map {
            EventRules.fill($0.span, EventWords(resource: subject.array, node: subject.array))
        }
        var removed = 0
        if call.resumption == nil {
            for target in targets where !target.isPattern {
                try call.checkRecordAccess(target.text.span, [.readWrite, .delete])
            }
            for target in targets where !target.isPattern && call.invalidate(target.text.span) { removed += 1 }
            removed += more(call)
        }
        let patterns = targets.filter { $0.isPattern }.map { $0.text }
        try run(&call, selector, subject.array, patterns, isInBackground: isInBackground, alreadyRemoved: removed)
    }

    /// Works on a job as long as a slice lasts and suspends the session until the next one; in a transaction or a
    /// script, to its end.
    private static func run(
        _ call: inout Call, _ selector: StaticString, _ subject: [UInt8], _ patterns: [[UInt8]],
        isInBackground: Bool, alreadyRemoved: Int
    ) throws(CommandError) {
        for pattern in patterns { try call.checkPatternAccess(pattern.span) }
        let now = call.administration.clock.monotonicNanoseconds
        let cache = call.cache
        let held = call.resumption == nil ? nil : cache.jobs.removeValue(forKey: call.session.id)
        var job = held ?? PatternJob(
            patterns, database: call.session.database, selector: selector, subject: subject,
            startNanoseconds: now, removed: alreadyRemoved)
        if isInBackground { return call.reply.integer(call.start(job)) }
        let isAlone = call.context != .client || call.isReplayed
        let before = job.removed
        let isDone = patterns.isEmpty
            || job.run(&call.administration, cache, deadlineNanoseconds: isAlone ? .max : now + sliceNanoseconds)
        call.events.invalidations += job.removed - before
        if isDone {
            call.administration.finish(job, call.events)
            return call.reply.integer(job.removed)
        }
        cache.jobs[call.session.id] = job
        call.suspend(
            .slices, deadline: call.administration.clock.monotonicNanoseconds + pauseNanoseconds)
    }
}
