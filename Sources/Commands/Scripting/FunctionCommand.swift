// FunctionCommand.swift - FUNCTION: libraries of functions, loaded once and called by name. Under the turn.
internal import Base
internal import Engine
internal import RESP

enum FunctionCommand {
    private static let everywhere = ["request_policy:all_shards", "response_policy:all_succeeded"]

    static let commands: [Command] = [
        Command(
            "FUNCTION", arity: -2, in: .scripting, since: "7.0.0", complexity: "Depends on subcommand.",
            summary: "A container for function commands.",
            subcommands: [load, delete, list, statistics, killing, flush, dump, restore, help])
    ]

    private static let help = Command(
        "HELP", arity: 2, [.loading, .stale], in: .scripting, since: "7.0.0", complexity: "O(1)",
        summary: "Returns helpful text about the different subcommands.", run: Command.help)

    private static let load = Command(
        "LOAD", "[REPLACE] function-code", arity: -3, [.noScript, .write, .denyOOM], in: .scripting, since: "7.0.0",
        complexity: "O(1) (considering compilation time is redundant)", summary: "Creates a library.",
        hints: everywhere,
        help: [
            "LOAD [REPLACE] <FUNCTION CODE>",
            "    Create a new library with the given library name and code.",
        ],
        run: { (call: inout Call) throws(CommandError) in
            var replaces = false
            for index in 2..<(call.arguments.count - 1) {
                guard call.arguments[index].equalsIgnoringCase("replace") else {
                    call.reply.error("ERR Unknown option given: \(call.arguments[index].text)")
                    throw .written
                }
                replaces = true
            }
            let name = try call.loadLibrary(call.arguments.count - 1, replaces: replaces)
            call.reply.bulk(name.span)
        })

    private static let delete = Command(
        "DELETE", "library-name", arity: 3, [.noScript, .write], in: .scripting, since: "7.0.0", complexity: "O(1)",
        summary: "Deletes a library and its functions.", hints: everywhere,
        help: [
            "DELETE <LIBRARY NAME>",
            "    Delete the given library.",
        ],
        run: { (call: inout Call) throws(CommandError) in
            try call.deleteLibrary(2)
            call.reply.ok()
        })

    private static let list = Command(
        "LIST", "[LIBRARYNAME library-name-pattern] [WITHCODE]", arity: -2, [.noScript], in: .scripting,
        since: "7.0.0", complexity: "O(N) where N is the number of functions",
        summary: "Returns information about all libraries.", hints: ["nondeterministic_output_order"],
        help: [
            "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
            "    Return general information on all the libraries:",
            "    * Library name",
            "    * The engine used to run the Library",
            "    * Functions list",
            "    * Library code (if WITHCODE is given)",
            "    It also possible to get only function that matches a pattern using LIBRARYNAME argument.",
        ],
        run: FunctionList.run)

    private static let statistics = Command(
        "STATS", arity: 2, [.noScript, .allowBusy], in: .scripting, since: "7.0.0", complexity: "O(1)",
        summary: "Returns information about a function during execution.",
        hints: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        help: [
            "STATS",
            "    Return information about the current function running:",
            "    * Function name",
            "    * Command used to run the function",
            "    * Duration in MS that the function is running",
            "    If no function is running, return nil",
            "    In addition, returns a list of available engines.",
        ],
        run: FunctionList.statistics)

    private static let killing = Command(
        "KILL", arity: 2, [.noScript, .allowBusy], in: .scripting, since: "7.0.0", complexity: "O(1)",
        summary: "Terminates a function during execution.",
        hints: ["request_policy:all_shards", "response_policy:one_succeeded"],
        help: [
            "KILL",
            "    Kill the current running function.",
        ],
        run: { (call: inout Call) throws(CommandError) in
            try call.killScript(asFunction: true)
            call.reply.ok()
        })

    private static let dump = Command(
        "DUMP", arity: 2, [.noScript], in: .scripting, since: "7.0.0",
        complexity: "O(N) where N is the number of functions",
        summary: "Dumps all libraries into a serialized binary payload.",
        help: [
            "DUMP",
            "    Return a serialized payload representing the current libraries, can be restored using FUNCTION RESTORE command",
        ],
        run: { (call: inout Call) throws(CommandError) in
            let payload = call.dumpLibraries()
            call.reply.bulk(payload.span)
        })

    private static let restore = Command(
        "RESTORE", "serialized-value [policy=(FLUSH | APPEND | REPLACE)]", arity: -3,
        [.noScript, .write, .denyOOM], in: .scripting, since: "7.0.0",
        complexity: "O(N) where N is the number of functions on the payload",
        summary: "Restores all libraries from a payload.", hints: everywhere,
        help: [
            "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
            "    Restore the libraries represented by the given payload, it is possible to give a restore policy to",
            "    control how to handle existing libraries (default APPEND):",
            "    * FLUSH: delete all existing libraries.",
            "    * APPEND: appends the restored libraries to the existing libraries. On collision, abort.",
            "    * REPLACE: appends the restored libraries to the existing libraries, On collision, replace the old",
            "      libraries with the new libraries (notice that even on this option there is a chance of failure",
            "      in case of functions name collision with another library).",
        ],
        run: { (call: inout Call) throws(CommandError) in
            if call.arguments.count > 4 {
                call.reply.error(
                    "ERR unknown subcommand or wrong number of arguments for '\(call.arguments[1].text)'. "
                        + "Try FUNCTION HELP.")
                throw .written
            }
            var policy = RestorePolicy.append
            if call.arguments.count == 4 {
                guard let named = RestorePolicy(call.arguments[3]) else {
                    throw .message(
                        "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.")
                }
                policy = named
            }
            try call.restoreLibraries(2, policy)
            call.reply.ok()
        })

    private static let flush = Command(
        "FLUSH", "[flush-type=(ASYNC | SYNC)]", arity: -2, [.noScript, .write], in: .scripting, since: "7.0.0",
        complexity: "O(N) where N is the number of functions deleted",
        summary: "Deletes all libraries and functions.", hints: everywhere,
        help: [
            "FLUSH [ASYNC|SYNC]",
            "    Delete all the libraries.",
            "    When called without the optional mode argument, the behavior is determined by the",
            "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
            "    * ASYNC: Asynchronously flush the libraries.",
            "    * SYNC: Synchronously flush the libraries.",
        ],
        run: { (call: inout Call) throws(CommandError) in
            if call.arguments.count > 3 {
                call.reply.error(
                    "ERR unknown subcommand or wrong number of arguments for '\(call.arguments[1].text)'. "
                        + "Try FUNCTION HELP.")
                throw .written
            }
            try FlushMode.check(call, text: "ERR FUNCTION FLUSH only supports SYNC|ASYNC option")
            call.flushLibraries()
            call.reply.ok()
        })
}
