// ClassCommand.swift - FOG.CLASS: classes of data, each a pattern of keys with a time to live, a bound for it, a share
// of memory and a say in how values are kept. A definition is a record like any other, so it is saved, recorded and
// replicated; what the class's keys cost and how often they were found is counted by the engine. Classes are of one
// database. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum ClassCommand {
    static let commands: [Command] = [
        Command(
            "FOG.CLASS", arity: -2, in: .fog, since: "8.2.0", summary: "A container for commands on classes of data.",
            subcommands: [
                Command(
                    "SET",
                    """
                    name PATTERN pattern:pattern [TTL seconds:integer] [MAXTTL seconds:integer] \
                    [JITTER percent:integer] [MAXMEM bytes] [POLICY policy] [PRIORITY priority:integer] \
                    [L1 yes-or-no] [L1TTL seconds:integer] [COMPRESS choice] [L3 yes-or-no]
                    """,
                    arity: -5, [.write, .denyOOM], keys: [.key(at: 2, [.notKey])], in: .fog, since: "8.2.0",
                    complexity: "O(1), and O(N) in slices where N is the number of keys in the database.",
                    summary: "Defines a class: keys that match a pattern, their life and their share of memory.",
                    help: [
                        "SET <name> PATTERN <pattern> [TTL <s>] [MAXTTL <s>] [JITTER <pct>] [MAXMEM <bytes>]",
                        "    [POLICY <policy>] [PRIORITY <n>] [L1 YES|NO] [L1TTL <s>]",
                        "    [COMPRESS YES|NO|AUTO|LZ4|ZSTD] [L3 YES|NO]",
                        "    Keys of the class that are written without a time to live get TTL, give or take",
                        "    JITTER per cent, and never more than MAXTTL. Together they keep to MAXMEM: some of",
                        "    them are evicted, which ones POLICY says, a maxmemory-policy but for the lrm ones; the",
                        "    unused ones when it is not given. Under noeviction, and under a volatile policy",
                        "    without a key that expires, writes to the class are refused. A key of several classes",
                        "    is in that of the greatest PRIORITY, then of the longest prefix. What is not given is",
                        "    off.",
                        "    L1 NO keeps values compressed, L1TTL compresses what is unused for so long, COMPRESS",
                        "    says whether and how they are, L3 NO keeps them off the disk. What is not given of",
                        "    these is as the directives fog-l1-enabled, fog-l1-ttl, fog-compress,",
                        "    fog-compress-codec and fog-l3-enabled say.",
                    ],
                    run: set),
                Command(
                    "GET", "name", arity: 3, [.readonly, .fast], keys: [.key(at: 2, [.notKey])], in: .fog,
                    since: "8.2.0", complexity: "O(1)", summary: "Returns the definition of a class.",
                    help: ["GET <name>", "    Return the definition of a class."], run: get),
                Command(
                    "LIST", arity: 2, [.readonly, .fast], in: .fog, since: "8.2.0",
                    complexity: "O(N) where N is the number of classes.",
                    summary: "Returns the names of all classes, in order of precedence.",
                    help: ["LIST", "    Return the names of all classes, in order of precedence."], run: list),
                Command(
                    "DEL", "name", arity: 3, [.write, .fast], keys: [.key(at: 2, [.notKey])], in: .fog, since: "8.2.0",
                    complexity: "O(1), and O(N) in slices where N is the number of keys in the database.",
                    summary: "Removes a class; its keys stay as they are.",
                    help: ["DEL <name>", "    Remove a class. Its keys stay."], run: delete),
                Command(
                    "STATS", "[name]", arity: -2, [.readonly], in: .fog, since: "8.2.0",
                    complexity: "O(N) where N is the number of classes.",
                    summary: "Returns keys, bytes, hits and misses of classes.",
                    help: [
                        "STATS [<name>]",
                        "    Return what the keys of a class, or of every class, cost and how often they were found.",
                    ],
                    run: stats),
                Command(
                    "OF", "key", arity: 3, [.readonly, .fast], keys: [.key(at: 2, [.notKey])], in: .fog,
                    since: "8.2.0", complexity: "O(log(N)) where N is the number of classes.",
                    summary: "Returns the class that a key falls in.",
                    help: ["OF <key>", "    Return the class that a key falls in, be it there or not."], run: of),
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .fog, since: "8.2.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help),
            ])
    ]

    private static let set: Command.Handler = { (call: inout Call) throws(CommandError) in
        let name = call.arguments[call.firstWord]
        var words = call.options(from: call.firstWord + 1)
        let item = try ClassRecord.parse(name, &words)
        let index = call.classes
        if index.count >= DataClass.countMax && index.find(name) == nil {
            throw .message("ERR a database has at most 256 classes")
        }
        try call.checkWrite(.dataClass, name)
        let state = call.coordinator
        state.fields.removeAll()
        ClassRecord.write(item, to: &state.fields)
        try call.writeRecord(.dataClass, name, state.fields, expiry: .kept)
        call.tellClasses()
        call.reply.ok()
    }

    private static let get: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = try call.record(.dataClass, call.arguments[call.firstWord]) else { return call.reply.null() }
        call.reply.fields(of: entry, now: call.now)
    }

    private static let list: Command.Handler = { (call: inout Call) throws(CommandError) in
        try call.checkReadAll(.dataClass)
        call.tellClasses()
        let figures = call.administration.classFigures(database: call.session.database).list
        call.reply.array(figures.count)
        for item in figures {
            let name = item.definition.name
            call.reply.bulk(name.span)
        }
    }

    private static let delete: Command.Handler = { (call: inout Call) throws(CommandError) in
        let name = call.arguments[call.firstWord]
        try call.checkWrite(.dataClass, name)
        let isThere = try call.removeRecord(.dataClass, name)
        call.tellClasses()
        call.reply.integer(isThere ? 1 : 0)
    }

    private static let stats: Command.Handler = { (call: inout Call) throws(CommandError) in
        var words = call.words()
        let isOne = !words.isAtEnd
        let name = isOne ? try words.next().array : []
        try words.finish()
        if isOne { try call.checkRead(.dataClass, name.span) } else { try call.checkReadAll(.dataClass) }
        call.tellClasses()
        let (list, isCounted) = call.administration.classFigures(database: call.session.database)
        if isOne {
            guard let item = list.first(where: { $0.definition.name == name }) else { return call.reply.null() }
            return write(item, isCounted, call.reply)
        }
        call.reply.map(list.count)
        for item in list {
            let name = item.definition.name
            call.reply.bulk(name.span)
            write(item, isCounted, call.reply)
        }
    }

    private static func write(_ item: Engine.ClassFigures, _ isCounted: Bool, _ reply: borrowing Reply) {
        let counters = item.counters
        let reads = counters.hits + counters.misses
        let rate = reads == 0 ? 0 : (Double(counters.hits) * 1000 / Double(reads)).rounded() / 10
        reply.map(12)
        reply.pair("keys", item.keyCount)
        reply.pair("bytes", item.byteCount)
        reply.pair("maxmem", item.definition.limits.byteCountMax)
        reply.bulk("policy")
        reply.bulk(item.definition.limits.policy?.rawValue ?? "default")
        reply.pair("hits", counters.hits)
        reply.pair("misses", counters.misses)
        reply.pair("hit_rate", double: rate)
        reply.pair("evicted", counters.evicted)
        reply.pair("expired", counters.expired)
        reply.pair("refused", counters.refused)
        reply.pair("ledger_bytes", item.ledgerByteCount)
        reply.pair("counting", isCounted ? 0 : 1)
    }

    private static let of: Command.Handler = { (call: inout Call) throws(CommandError) in
        call.tellClasses()
        let key = call.arguments[call.firstWord]
        guard let name = call.administration.className(of: key, database: call.session.database) else {
            return call.reply.null()
        }
        call.reply.bulk(name.span)
    }
}

extension Call {
    /// The classes of the session's database.
    var classes: ClassIndex {
        guard let index = index(.dataClass) as? ClassIndex else {
            preconditionFailure("classes have an index of their own")
        }
        return index
    }

    /// The engine applies from now on what the records say.
    func tellClasses() { classes.tell(&administration, session.database) }
}
