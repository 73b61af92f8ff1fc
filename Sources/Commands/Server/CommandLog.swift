// CommandLog.swift - SLOWLOG and COMMANDLOG: reading the logs of slow commands, large requests and large replies. The
// logs are kept by the engine (Engine/SlowLog.swift); SLOWLOG is the first of them under its old name.
internal import Base
internal import Engine
internal import RESP

enum CommandLog {
    static let commands: [Command] = [
        Command(
            "SLOWLOG", arity: -2, in: .server, since: "2.2.12", complexity: "Depends on subcommand.",
            summary: "A container for slow log commands.",
            subcommands: [
                Command(
                    "GET", "[count:integer]", arity: -2, [.admin, .loading, .stale], in: .server, since: "2.2.12",
                    complexity: "O(N) where N is the number of entries returned",
                    summary: "Returns the slow log's entries.",
                    history: [("4.0.0", "Added client IP address, port and name to the reply.")],
                    hints: ["request_policy:all_nodes", "nondeterministic_output"],
                    help: [
                        "GET [<count>]",
                        "    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
                        "    Entries are made of:",
                        "    id, timestamp, time in microseconds, arguments array, client IP and port,",
                        "    client name",
                    ],
                    run: slowGet),
                Command(
                    "LEN", arity: 2, [.admin, .loading, .stale], in: .server, since: "2.2.12", complexity: "O(1)",
                    summary: "Returns the number of entries in the slow log.",
                    hints: ["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"],
                    help: [
                        "LEN",
                        "    Return the length of the slowlog.",
                    ],
                    run: slowLen),
                Command(
                    "RESET", arity: 2, [.admin, .loading, .stale], in: .server, since: "2.2.12",
                    complexity: "O(N) where N is the number of entries in the slowlog",
                    summary: "Clears all entries from the slow log.",
                    hints: ["request_policy:all_nodes", "response_policy:all_succeeded"],
                    help: [
                        "RESET",
                        "    Reset the slowlog.",
                    ],
                    run: slowReset),
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .server, since: "6.2.0", complexity: "O(1)",
                    summary: "Shows helpful text about the different subcommands.", run: Command.help),
            ]),
        Command(
            "COMMANDLOG", arity: -2, in: .server, since: "8.1.0", complexity: "Depends on subcommand.",
            summary: "A container for command log commands.",
            subcommands: [
                Command(
                    "GET", "count:integer type=(SLOW | LARGE-REQUEST | LARGE-REPLY)", arity: 4,
                    [.admin, .loading, .stale], in: .server, since: "8.1.0",
                    complexity: "O(N) where N is the number of entries returned",
                    summary: "Returns the specified command log's entries.",
                    hints: ["request_policy:all_nodes", "nondeterministic_output"],
                    help: [
                        "GET <count> <type>",
                        "    Return top <count> entries of the specified <type> from the commandlog (-1 mean all).",
                        "    Entries are made of:",
                        "    id, timestamp,",
                        "        time in microseconds for type of slow,",
                        "        or size in bytes for type of large-request,",
                        "        or size in bytes for type of large-reply",
                        "    arguments array, client IP and port,",
                        "    client name",
                    ],
                    run: get),
                Command(
                    "LEN", "type=(SLOW | LARGE-REQUEST | LARGE-REPLY)", arity: 3, [.admin, .loading, .stale],
                    in: .server, since: "8.1.0", complexity: "O(1)",
                    summary: "Returns the number of entries in the specified type of command log.",
                    hints: ["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"],
                    help: [
                        "LEN <type>",
                        "    Return the length of the specified type of commandlog.",
                    ],
                    run: len),
                Command(
                    "RESET", "type=(SLOW | LARGE-REQUEST | LARGE-REPLY)", arity: 3, [.admin, .loading, .stale],
                    in: .server, since: "8.1.0", complexity: "O(N) where N is the number of entries in the commandlog",
                    summary: "Clears all entries from the specified type of command log.",
                    hints: ["request_policy:all_nodes", "response_policy:all_succeeded"],
                    help: [
                        "RESET <type>",
                        "    Reset the specified type of commandlog.",
                    ],
                    run: reset),
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .server, since: "8.1.0", complexity: "O(1)",
                    summary: "Shows helpful text about the different subcommands.", run: Command.help),
            ]),
    ]

    private enum Kind { case slow, largeRequest, largeReply }

    private static func kind(_ call: borrowing Call, _ index: Int) throws(CommandError) -> Kind {
        let word = call.arguments[index]
        if word.equalsIgnoringCase("slow") { return .slow }
        if word.equalsIgnoringCase("large-request") { return .largeRequest }
        if word.equalsIgnoringCase("large-reply") { return .largeReply }
        throw .message("ERR type should be one of the following: slow, large-request, large-reply")
    }

    private static func log(_ kind: Kind, _ call: borrowing Call) -> SlowLog {
        switch kind {
        case .slow: call.administration.slowlog
        case .largeRequest: call.administration.largeRequests
        case .largeReply: call.administration.largeReplies
        }
    }

    /// Entries when no count is given.
    private static let countDefault = 10

    private static func count(_ call: borrowing Call) throws(CommandError) -> Int {
        guard let count = IntegerText.parse(call.arguments[2]), count >= -1 else {
            throw .message("ERR count should be greater than or equal to -1")
        }
        return count == -1 ? Int.max : Int(count)
    }

    // MARK: SLOWLOG

    static func slowGet(_ call: inout Call) throws(CommandError) {
        guard call.arguments.count <= 3 else {
            call.reply.error(
                "ERR unknown subcommand or wrong number of arguments for '\(call.arguments[1].text)'. "
                    + "Try SLOWLOG HELP.")
            throw .written
        }
        write(.slow, try call.arguments.count == 3 ? count(call) : countDefault, call)
    }

    static func slowLen(_ call: inout Call) throws(CommandError) {
        call.reply.integer(call.administration.slowlog.count)
    }

    static func slowReset(_ call: inout Call) throws(CommandError) {
        call.administration.slowlog.removeAll()
        call.reply.ok()
    }

    // MARK: COMMANDLOG

    static func get(_ call: inout Call) throws(CommandError) {
        let limit = try count(call)
        write(try kind(call, 3), limit, call)
    }

    static func len(_ call: inout Call) throws(CommandError) {
        call.reply.integer(log(try kind(call, 2), call).count)
    }

    static func reset(_ call: inout Call) throws(CommandError) {
        switch try kind(call, 2) {
        case .slow: call.administration.slowlog.removeAll()
        case .largeRequest: call.administration.largeRequests.removeAll()
        case .largeReply: call.administration.largeReplies.removeAll()
        }
        call.reply.ok()
    }

    private static func write(_ kind: Kind, _ limit: Int, _ call: borrowing Call) {
        let entries = log(kind, call).newest(limit)
        call.reply.array(entries.count)
        for entry in entries {
            call.reply.array(6)
            call.reply.integer(entry.id)
            call.reply.integer(Int(entry.seconds))
            call.reply.integer(entry.value)
            call.reply.array(entry.arguments.count)
            for argument in entry.arguments { call.reply.bulk(argument.span) }
            call.reply.bulk(entry.address)
            call.reply.bulk(entry.clientName)
        }
    }
}
