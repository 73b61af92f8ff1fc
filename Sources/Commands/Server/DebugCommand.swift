// DebugCommand.swift - DEBUG: what test suites ask of a server, behind `enable-debug-command`. It is no container: its
// subcommands are words that its own handler reads, as in the stock servers. Data and digests are in DebugData.swift.
internal import Base
internal import Engine
internal import RESP
internal import Structures

enum DebugCommand {
    static let commands: [Command] = [
        Command(
            "DEBUG", arity: -2, [.admin, .noScript, .loading, .stale, .protected, .system], in: .server, since: "1.0.0",
            complexity: "Depends on subcommand.", summary: "A container for debugging commands.", run: debug)
    ]

    private static func debug(_ call: inout Call) throws(CommandError) {
        let client = call.isLocal
        guard call.settings.enableDebugCommand.isAllowed(isLocalClient: client) else {
            throw .message(
                """
                ERR DEBUG command not allowed. If the enable-debug-command option is set to "local", you can run it \
                from a local connection, otherwise you need to set this option in the configuration file, and then \
                restart the server.
                """)
        }
        let name = call.arguments[1].text.uppercased()
        guard let word = words.first(where: { $0.name == name && $0.counts.contains(call.arguments.count) }) else {
            call.reply.error(
                "ERR unknown subcommand or wrong number of arguments for '\(call.arguments[1].text)'. Try DEBUG HELP.")
            throw .written
        }
        try word.run(&call)
    }

    /// A subcommand and how many words the whole command may have.
    private struct Word: Sendable {
        let name: String
        let counts: ClosedRange<Int>
        let run: Command.Handler

        init(_ name: String, _ counts: ClosedRange<Int>, run: @escaping Command.Handler) {
            self.name = name
            self.counts = counts
            self.run = run
        }
    }

    private static let words: [Word] = [
        Word("AOF-FLUSH-SLEEP", 3...3) { (call: inout Call) throws(CommandError) in
            call.administration.hooks.delayJournal(try call.integer(2, in: 0...60_000_000, otherwise: .notInteger))
            call.reply.ok()
        },
        Word("ASSERT", 2...2) { (_: inout Call) throws(CommandError) in DebugCrash.failedAssertion() },
        Word("CHANGE-REPL-ID", 2...2, run: changeReplicationIdentity),
        Word("CLIENT-ENFORCE-REPLY-LIST", 3...3) { (call: inout Call) throws(CommandError) in
            _ = try isOn(call)
            call.reply.ok()
        },
        Word("CONFIG-REWRITE-FORCE-ALL", 2...2, run: rewriteAll),
        Word("DICT-RESIZING", 3...3) { (call: inout Call) throws(CommandError) in
            call.administration.debug.resizesTables = try isOn(call)
            call.reply.ok()
        },
        Word("DIGEST", 2...2, run: DebugData.digest),
        Word("DIGEST-VALUE", 3...Int.max, run: DebugData.digestValue),
        Word("ERROR", 3...3) { (call: inout Call) throws(CommandError) in call.reply.error(call.arguments[2]) },
        Word("HELP", 2...2, run: help),
        Word("HTSTATS", 3...4, run: DebugData.tableStatistics),
        Word("HTSTATS-KEY", 3...4, run: DebugData.keyTableStatistics),
        Word("LOADAOF", 2...2, run: DebugData.loadAppendOnly),
        Word("LOG", 3...3) { (call: inout Call) throws(CommandError) in
            let text = call.arguments[2].text
            Log.shared.warning("DEBUG LOG: \(text)")
            call.reply.ok()
        },
        Word("MALLCTL", 3...4, run: DebugAllocator.number),
        Word("MALLCTL-STR", 3...4, run: DebugAllocator.text),
        Word("OBJECT", 3...4, run: DebugData.object),
        Word("PANIC", 2...2) { (_: inout Call) throws(CommandError) in DebugCrash.panic() },
        Word("PAUSE-CRON", 3...3) { (call: inout Call) throws(CommandError) in
            call.administration.debug.isCronPaused = try isOn(call)
            call.reply.ok()
        },
        Word("POPULATE", 3...5, run: DebugData.populate),
        Word("PROTOCOL", 3...3, run: DebugProtocol.run),
        Word("QUICKLIST-PACKED-THRESHOLD", 3...3, run: packedThreshold),
        Word("RELOAD", 2...5, run: DebugData.reload),
        Word("REPLYBUFFER", 4...4, run: replyBuffer),
        Word("SEGFAULT", 2...2) { (_: inout Call) throws(CommandError) in DebugCrash.segfault() },
        Word("SET-ACTIVE-EXPIRE", 3...3) { (call: inout Call) throws(CommandError) in
            let isActive = try isOn(call)
            call.administration.setActiveExpire(isActive)
            call.reply.ok()
        },
        Word("SET-DISABLE-DENY-SCRIPTS", 3...3) { (call: inout Call) throws(CommandError) in
            call.administration.debug.scriptsMayCallEverything = try isOn(call)
            call.reply.ok()
        },
        Word("SET-SKIP-CHECKSUM-VALIDATION", 3...3) { (call: inout Call) throws(CommandError) in
            call.administration.debug.skipsChecksums = try isOn(call)
            call.reply.ok()
        },
        Word("SLEEP", 3...3) { (call: inout Call) throws(CommandError) in
            DebugSleep.run(seconds: DoubleText.parse(call.arguments[2]) ?? 0)
            call.reply.ok()
        },
        Word("STRINGMATCH-LEN", 4...4, run: stringMatch),
        Word("SUSPEND", 3...3, run: suspend),
    ]

    /// 0 is off, every other number on, as C's atoi reads it: no number at all is 0.
    private static func isOn(_ call: borrowing Call) throws(CommandError) -> Bool {
        (IntegerText.parse(call.arguments[2]) ?? 0) != 0
    }

    private static func changeReplicationIdentity(_ call: inout Call) throws(CommandError) {
        Log.shared.notice("Changing replication IDs after receiving change-repl-id")
        call.administration.replication.renew()
        call.reply.ok()
    }

    private static func rewriteAll(_ call: inout Call) throws(CommandError) {
        let path = call.administration.identity.configurationFile
        guard !path.isEmpty else { throw .message("ERR CONFIG-REWRITE-FORCE-ALL failed: Bad address") }
        do throws(SystemError) {
            try call.administration.config.rewrite(path: Array(path.utf8), fileSystem: .live, writesAll: true)
        } catch {
            call.reply.error("ERR CONFIG-REWRITE-FORCE-ALL failed: \(error.reason)")
            throw .written
        }
        call.reply.ok()
    }

    private static func packedThreshold(_ call: inout Call) throws(CommandError) {
        guard let bytes = MemoryText.parse(call.arguments[2]), bytes < 1 << 32 else {
            throw .message("ERR argument must be a memory value bigger than 1 and smaller than 4gb")
        }
        ListLimits.packedThreshold = Int(bytes)
        call.reply.ok()
    }

    private static func replyBuffer(_ call: inout Call) throws(CommandError) {
        if call.arguments[2].equalsIgnoringCase("resizing") {
            call.administration.debug.resizesReplyBuffers = (IntegerText.parse(call.arguments[3]) ?? 0) != 0
        } else if call.arguments[2].equalsIgnoringCase("peak-reset-time") {
            let isWord =
                call.arguments[3].equalsIgnoringCase("never") || call.arguments[3].equalsIgnoringCase("reset")
            if !isWord { _ = try call.integer(3) }
        } else {
            call.reply.error(
                "ERR unknown subcommand or wrong number of arguments for '\(call.arguments[1].text)'. Try DEBUG HELP.")
            throw .written
        }
        call.reply.ok()
    }

    /// Whether a text of so many letters "a" matches a pattern; for patterns that are slow to refuse.
    private static func stringMatch(_ call: inout Call) throws(CommandError) {
        let length = try call.integer(2, in: 0...(1 << 20), otherwise: .outOfRange)
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: length)
        call.reply.integer(Glob.matches(pattern: call.arguments[3], text: text.span) ? 1 : 0)
    }

    /// Waits for so many milliseconds, or for CLIENT UNBLOCK; 0 waits without end. For tests of the suspension itself.
    private static func suspend(_ call: inout Call) throws(CommandError) {
        switch call.resumption {
        case .timedOut, .ready: return call.reply.null()
        case .unblocked: throw .message("UNBLOCKED client unblocked via CLIENT UNBLOCK")
        case nil: break
        }
        let milliseconds = try call.timeoutMilliseconds(2)
        let (length, isLong) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        let start = call.administration.clock.monotonicNanoseconds
        let (deadline, isEndless) = start.addingReportingOverflow(isLong ? .max : length)
        call.suspend(.debug, deadline: milliseconds == 0 || isEndless ? nil : deadline)
    }

    private static func help(_ call: inout Call) throws(CommandError) {
        CommandHelp.write(
            call, "DEBUG",
            [
                "AOF-FLUSH-SLEEP <microseconds>", "    Write the append only file only after so long a wait.",
                "ASSERT, PANIC, SEGFAULT", "    End the process by a failed assertion, a panic, an invalid access.",
                "CHANGE-REPL-ID", "    Begin a new replication history.",
                "CONFIG-REWRITE-FORCE-ALL", "    As CONFIG REWRITE, with every directive.",
                "DIGEST", "    A digest of all keys, values and expiries' presence.",
                "DIGEST-VALUE <key> [<key> ...]", "    Digests of single values.",
                "ERROR <text>", "    Answer an error with this text.",
                "HTSTATS <database>, HTSTATS-KEY <key>", "    The shape of a database's table, or of a key's.",
                "LOADAOF", "    Load the append only file again, in the place of the dataset.",
                "RELOAD [MERGE] [NOFLUSH] [NOSAVE]", "    Save the dataset and load it again.",
                "LOG <text>", "    Write a line to the log.",
                "MALLCTL <name> [<number>], MALLCTL-STR <name> [VOID]", "    Ask the allocator, or tell it.",
                "OBJECT <key>", "    How a value is held.",
                "PAUSE-CRON (0|1)", "    Stop the work that is done by the clock.",
                "POPULATE <count> [<prefix>] [<size>]", "    Make string keys \"prefix:number\".",
                "PROTOCOL <type>", "    Answer a sample of a type of reply.",
                "QUICKLIST-PACKED-THRESHOLD <bytes>", "    From which size a list element has a node of its own.",
                "REPLYBUFFER (PEAK-RESET-TIME|RESIZING) <value>, DICT-RESIZING (0|1)",
                "    Accepted: there is nothing here that they would change.",
                "SET-ACTIVE-EXPIRE (0|1)", "    Whether keys die of age without being looked at.",
                "SET-DISABLE-DENY-SCRIPTS (0|1), SET-SKIP-CHECKSUM-VALIDATION (0|1)", "    Lift two safety rules.",
                "SLEEP <seconds>", "    Serve nobody for so long.",
                "STRINGMATCH-LEN <length> <pattern>", "    Match a pattern against that many letters \"a\".",
                "SUSPEND <milliseconds>", "    Block this client for so long, or until CLIENT UNBLOCK.",
            ])
    }
}

/// DEBUG PROTOCOL: one reply of every type, for tests of clients.
enum DebugProtocol {
    static func run(_ call: inout Call) throws(CommandError) {
        let reply = call.reply
        switch call.arguments[2].text.lowercased() {
        case "string": reply.bulk("Hello World")
        case "integer": reply.integer(12345)
        case "double": reply.double(text: Array("3.141".utf8).span)
        case "bignum": reply.bigNumber(text: Array("1234567999999999999999999999999999999".utf8).span)
        case "null": reply.null()
        case "array":
            reply.array(3)
            for number in 0..<3 { reply.integer(number) }
        case "set":
            reply.set(3)
            for number in 0..<3 { reply.integer(number) }
        case "map":
            reply.map(3)
            for number in 0..<3 {
                reply.integer(number)
                reply.boolean(number == 1)
            }
        case "attrib":
            if reply.protocolVersion >= 3 {
                reply.attribute(1)
                reply.bulk("key-popularity")
                reply.array(2)
                reply.bulk("key:123")
                reply.integer(90)
            }
            reply.bulk("Some real reply following the attribute")
        case "push": try push(reply)
        case "verbatim": reply.verbatim("This is a verbatim\nstring")
        case "true": reply.boolean(true)
        case "false": reply.boolean(false)
        default:
            throw .message(
                """
                ERR Wrong protocol type name. Please use one of the following: \
                string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false
                """)
        }
    }

    /// A push is no answer, so one follows.
    private static func push(_ reply: borrowing Reply) throws(CommandError) {
        guard reply.protocolVersion >= 3 else { throw .message("ERR RESP2 is not supported by this command") }
        reply.push(2)
        reply.bulk("server-cpu-usage")
        reply.integer(42)
        reply.bulk("Some real reply following the push reply")
    }
}
