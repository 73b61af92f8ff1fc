// ScriptCommand.swift - SCRIPT: the cache of scripts, and ending one that does not end. Under the turn.
internal import Base
internal import Engine
internal import RESP

enum ScriptCommand {
    private static let everywhere = ["request_policy:all_nodes", "response_policy:all_succeeded"]

    static let commands: [Command] = [
        Command(
            "SCRIPT", arity: -2, in: .scripting, since: "2.6.0", complexity: "Depends on subcommand.",
            summary: "A container for Lua scripts management commands.",
            subcommands: [debug, exists, flush, killing, load, show, help])
    ]

    private static let help = Command(
        "HELP", arity: 2, [.loading, .stale], in: .scripting, since: "5.0.0", complexity: "O(1)",
        summary: "Returns helpful text about the different subcommands.", run: Command.help)

    private static let debug = Command(
        "DEBUG", "mode=(YES | SYNC | NO) [engine@9.1.0]", arity: -3, [.noScript], in: .scripting, since: "3.2.0",
        complexity: "O(1)",
        summary: "Sets the debug mode of server-side Lua scripts.",
        help: [
            "DEBUG (YES|SYNC|NO) [<engine_name>]",
            "    Set the debug mode for subsequent scripts executed of the specified engine.",
            "    Default engine name: 'lua'",
        ],
        run: { (call: inout Call) throws(CommandError) in
            guard call.arguments.count <= 4 else {
                throw .message("ERR unknown subcommand or wrong number of arguments for 'debug'. Try SCRIPT HELP.")
            }
            if call.arguments.count == 4, !call.arguments[3].equalsIgnoringCase("lua") {
                let engine = call.arguments[3].text
                call.reply.error("ERR No scripting engine found with name '\(engine)' to enable debug")
                throw .written
            }
            let mode = call.arguments[2]
            if mode.equalsIgnoringCase("no") { return call.reply.ok() }
            if mode.equalsIgnoringCase("yes") || mode.equalsIgnoringCase("sync") {
                throw .message("ERR This server has no script debugger")
            }
            throw .message("ERR Use SCRIPT DEBUG YES/SYNC/NO")
        })

    private static let exists = Command(
        "EXISTS", "sha1...", arity: -3, [.noScript, .stale], in: .scripting, since: "2.6.0",
        complexity:
            "O(N) with N being the number of scripts to check (so checking a single script is an O(1) operation).",
        summary: "Determines whether server-side Lua scripts exist in the script cache.",
        hints: ["request_policy:all_shards", "response_policy:agg_logical_and"],
        help: [
            "EXISTS <sha1> [<sha1> ...]",
            "    Return information about the existence of the scripts in the script cache.",
        ],
        run: { (call: inout Call) throws(CommandError) in
            call.reply.array(call.arguments.count - 2)
            for index in 2..<call.arguments.count { call.reply.integer(call.hasScript(index) ? 1 : 0) }
        })

    private static let flush = Command(
        "FLUSH", "[flush-type=(ASYNC | SYNC)@6.2.0]", arity: -2, [.noScript, .stale], in: .scripting, since: "2.6.0",
        complexity: "O(N) with N being the number of scripts in cache",
        summary: "Removes all server-side Lua scripts from the script cache.",
        history: [("6.2.0", "Added the `ASYNC` and `SYNC` flushing mode modifiers.")], hints: everywhere,
        help: [
            "FLUSH [ASYNC|SYNC]",
            "    Flush the Lua scripts cache. Very dangerous on replicas.",
            "    When called without the optional mode argument, the behavior is determined",
            "     by the lazyfree-lazy-user-flush configuration directive. Valid modes are:",
            "    * ASYNC: Asynchronously flush the scripts cache.",
            "    * SYNC: Synchronously flush the scripts cache.",
        ],
        run: { (call: inout Call) throws(CommandError) in
            try FlushMode.check(call, text: "ERR SCRIPT FLUSH only support SYNC|ASYNC option")
            call.flushScripts()
            call.reply.ok()
        })

    private static let killing = Command(
        "KILL", arity: 2, [.noScript, .allowBusy], in: .scripting, since: "2.6.0", complexity: "O(1)",
        summary: "Terminates a server-side Lua script during execution.",
        hints: ["request_policy:all_shards", "response_policy:one_succeeded"],
        help: [
            "KILL",
            "    Kill the currently executing Lua script.",
        ],
        run: { (call: inout Call) throws(CommandError) in
            try call.killScript(asFunction: false)
            call.reply.ok()
        })

    private static let load = Command(
        "LOAD", "script", arity: 3, [.noScript, .stale], in: .scripting, since: "2.6.0",
        complexity: "O(N) with N being the length in bytes of the script body.",
        summary: "Loads a server-side Lua script to the script cache.", hints: everywhere,
        help: [
            "LOAD <script>",
            "    Load a script into the scripts cache without executing it.",
        ],
        run: { (call: inout Call) throws(CommandError) in
            let digest = try call.loadScript(2)
            call.reply.bulk(digest.span)
        })

    private static let show = Command(
        "SHOW", "sha1", arity: 3, [.noScript, .stale], in: .scripting, since: "8.0.0", complexity: "O(1).",
        summary: "Show server-side Lua script in the script cache.",
        help: [
            "SHOW <sha1>",
            "    Show a script from the scripts cache.",
        ],
        run: { (call: inout Call) throws(CommandError) in
            guard let text = call.scriptText(2) else {
                throw .message("NOSCRIPT No matching script. Please use EVAL.")
            }
            call.reply.bulk(text.span)
        })
}

/// The last word of SCRIPT FLUSH and FUNCTION FLUSH. Both modes do the same here: an interpreter goes as a whole.
enum FlushMode {
    static func check(_ call: borrowing Call, text: StaticString) throws(CommandError) {
        let count = call.arguments.count
        if count == 2 { return }
        let mode = call.arguments[2]
        guard count == 3, mode.equalsIgnoringCase("sync") || mode.equalsIgnoringCase("async") else {
            throw .message(text)
        }
    }
}
