// Command.swift - a command is a value: everything the server knows about it is written in the file of its handler
// and nowhere else. COMMAND, COMMAND DOCS, HELP, ACL categories, key extraction and statistics are derived from it.
// `usage` is the human syntax in the small language of `UsageLine.swift`; it is parsed only when somebody asks.

/// What a command may do and where it may run; names as COMMAND INFO prints them.
package struct CommandFlags: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let write = CommandFlags(rawValue: 1 << 0)
    package static let readonly = CommandFlags(rawValue: 1 << 1)
    package static let denyOOM = CommandFlags(rawValue: 1 << 2)
    package static let admin = CommandFlags(rawValue: 1 << 3)
    package static let pubsub = CommandFlags(rawValue: 1 << 4)
    package static let noScript = CommandFlags(rawValue: 1 << 5)
    package static let blocking = CommandFlags(rawValue: 1 << 6)
    package static let loading = CommandFlags(rawValue: 1 << 7)
    package static let stale = CommandFlags(rawValue: 1 << 8)
    package static let skipMonitor = CommandFlags(rawValue: 1 << 9)
    package static let skipSlowlog = CommandFlags(rawValue: 1 << 10)
    package static let asking = CommandFlags(rawValue: 1 << 11)
    package static let fast = CommandFlags(rawValue: 1 << 12)
    package static let noAuth = CommandFlags(rawValue: 1 << 13)
    package static let mayReplicate = CommandFlags(rawValue: 1 << 14)
    package static let noMandatoryKeys = CommandFlags(rawValue: 1 << 15)
    package static let allowBusy = CommandFlags(rawValue: 1 << 16)
    package static let noAsyncLoading = CommandFlags(rawValue: 1 << 17)
    package static let noMulti = CommandFlags(rawValue: 1 << 18)
    package static let protected = CommandFlags(rawValue: 1 << 19)
    /// Key positions depend on the arguments; set where no key spec can say them.
    package static let movableKeys = CommandFlags(rawValue: 1 << 20)
    package static let touchesArbitraryKeys = CommandFlags(rawValue: 1 << 21)
    /// For servers and tests, not for users; COMMAND DOCS says so.
    package static let system = CommandFlags(rawValue: 1 << 22)
    /// Runs at once although its client queues a transaction.
    package static let unqueued = CommandFlags(rawValue: 1 << 23)
    /// Runs what its client has queued, and counts as what these commands are (EXEC).
    package static let runsQueue = CommandFlags(rawValue: 1 << 24)
    /// Allowed to a RESP2 client that listens to channels.
    package static let whileSubscribed = CommandFlags(rawValue: 1 << 25)
    /// Answers by messages, which clients get even when they want no replies.
    package static let pushesReply = CommandFlags(rawValue: 1 << 26)
    /// Asks about keys, or changes what is said of them, and has no use for their values: those may be asleep.
    package static let leavesAsleep = CommandFlags(rawValue: 1 << 27)
}

/// The command families, as COMMAND DOCS groups and ACL categories name them.
package enum CommandGroup: String, Sendable, CaseIterable {
    case generic, string, list, set, hash, stream, bitmap, hyperloglog, geo, connection, server, cluster, pubsub,
        transactions, scripting, sentinel, fog
    case sortedSet = "sorted-set"
}

/// Where keys stand among the arguments, as Redis' key specifications say it.
package struct KeySpec: Sendable {
    package struct Flags: OptionSet, Sendable {
        package let rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }
        package static let readOnly = Flags(rawValue: 1 << 0)
        package static let readWrite = Flags(rawValue: 1 << 1)
        package static let overwrite = Flags(rawValue: 1 << 2)
        package static let remove = Flags(rawValue: 1 << 3)
        package static let access = Flags(rawValue: 1 << 4)
        package static let update = Flags(rawValue: 1 << 5)
        package static let insert = Flags(rawValue: 1 << 6)
        package static let delete = Flags(rawValue: 1 << 7)
        package static let notKey = Flags(rawValue: 1 << 8)
        package static let incomplete = Flags(rawValue: 1 << 9)
        package static let variableFlags = Flags(rawValue: 1 << 10)
    }
    package enum Begin: Sendable {
        case index(Int)
        case keyword(String, startFrom: Int)
        case unknown
    }
    package enum Find: Sendable {
        /// Last key relative to the first (-1: the last argument), step, limit.
        case range(last: Int, step: Int, limit: Int)
        /// Index of the count, of the first key, and step, relative to the beginning.
        case keyCount(index: Int, first: Int, step: Int)
        case unknown
    }
    package let flags: Flags
    package let begin: Begin
    package let find: Find
    package let notes: String

    package init(_ flags: Flags, begin: Begin, find: Find, notes: String = "") {
        self.flags = flags
        self.begin = begin
        self.find = find
        self.notes = notes
    }

    /// One key at argument `index`.
    package static func key(at index: Int = 1, _ flags: Flags, notes: String = "") -> KeySpec {
        KeySpec(flags, begin: .index(index), find: .range(last: 0, step: 1, limit: 0), notes: notes)
    }

    /// Keys from argument `index` to the last argument (or `last` before it), every `step`.
    package static func keys(
        from index: Int = 1, last: Int = -1, step: Int = 1, _ flags: Flags, notes: String = ""
    ) -> KeySpec {
        KeySpec(flags, begin: .index(index), find: .range(last: last, step: step, limit: 0), notes: notes)
    }

    /// A count at argument `index`, followed by that many keys.
    package static func counted(at index: Int, _ flags: Flags, notes: String = "") -> KeySpec {
        KeySpec(flags, begin: .index(index), find: .keyCount(index: 0, first: 1, step: 1), notes: notes)
    }
}

package final class Command: Sendable {
    package typealias Handler = @Sendable (inout Call) throws(CommandError) -> Void

    /// Upper case, as documented; subcommands carry their own name only ("GETNAME").
    package let name: String
    package let usage: String
    /// Redis' arity: n = exactly n words, -n = at least n words, the name included.
    package let arity: Int
    package let flags: CommandFlags
    package let keys: [KeySpec]
    package let group: CommandGroup
    /// ACL categories beyond those that follow from flags and group, lower case (`Command+Derived`).
    package let categories: [String]
    package let since: String
    package let complexity: String
    package let summary: String
    /// (version, change) pairs.
    package let history: [(String, String)]
    /// "nondeterministic_output", "request_policy:all_shards" and so on.
    package let hints: [String]
    /// The version that deprecated the command, and what to use instead.
    package let deprecated: (since: String, replacedBy: String)?
    /// What the container's HELP says about this subcommand: its syntax, then indented lines. A container's own lines
    /// come before those of its subcommands.
    package let help: [String]
    package let subcommands: [Command]
    /// Whether the command does something without a subcommand; pure containers do not.
    package let runsAlone: Bool
    /// Never optional on its way here: an optional closure would be called through two thunks, for every command.
    package let run: Handler

    package init(
        _ name: String, _ usage: String = "", arity: Int, _ flags: CommandFlags = [], keys: [KeySpec] = [],
        in group: CommandGroup, categories: [String] = [], since: String, complexity: String = "",
        summary: String = "", history: [(String, String)] = [], hints: [String] = [],
        deprecated: (since: String, replacedBy: String)? = nil, help: [String] = [], subcommands: [Command] = [],
        runsAlone: Bool? = nil, run: @escaping Handler = Command.missingSubcommand
    ) {
        self.name = name
        self.usage = usage
        self.arity = arity
        self.flags = flags
        self.keys = keys
        self.group = group
        self.categories = categories
        self.since = since
        self.complexity = complexity
        self.summary = summary
        self.history = history
        self.hints = hints
        self.deprecated = deprecated
        self.help = help
        self.subcommands = subcommands
        self.runsAlone = runsAlone ?? subcommands.isEmpty
        self.run = run
    }

    /// The same declaration with other subcommands and, unless it is a pure container, another handler.
    package func replacing(subcommands: [Command], run: @escaping Handler) -> Command {
        Command(
            name, usage, arity: arity, flags, keys: keys, in: group, categories: categories, since: since,
            complexity: complexity, summary: summary, history: history, hints: hints, deprecated: deprecated,
            help: help, subcommands: subcommands, runsAlone: runsAlone, run: run)
    }

    /// What a pure container runs: dispatch refuses it before, so reaching this is our own mistake.
    package static let missingSubcommand: Handler = { (call: inout Call) throws(CommandError) in
        throw .syntax
    }
}
