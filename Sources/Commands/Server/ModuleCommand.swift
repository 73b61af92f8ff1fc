// ModuleCommand.swift - MODULE, on a server that cannot load any: the stock servers' modules are made for the inside of
// those servers. So nothing is ever loaded, every attempt fails with the reply of a module that cannot be loaded there,
// and the log says why. Who may try follows `enable-module-command`. Engine's turn.
internal import Base
internal import Engine
internal import RESP

enum ModuleCommand {
    private static let flags: CommandFlags = [.admin, .noScript, .noAsyncLoading, .protected]

    static let commands: [Command] = [
        Command(
            "MODULE", arity: -2, in: .server, since: "4.0.0", complexity: "Depends on subcommand.",
            summary: "A container for module commands.",
            subcommands: [
                Command(
                    "LIST", arity: 2, [.admin, .noScript], in: .server, since: "4.0.0",
                    complexity: "O(N) where N is the number of loaded modules.", summary: "Returns all loaded modules.",
                    hints: ["nondeterministic_output_order"],
                    help: [
                        "LIST",
                        "    Return a list of loaded modules.",
                    ],
                    run: list),
                Command(
                    "LOAD", "path [arg...]", arity: -3, flags, in: .server, since: "4.0.0", complexity: "O(1)",
                    summary: "Loads a module.",
                    help: [
                        "LOAD <path> [<arg> ...]",
                        "    Load a module library from <path>, passing to it any optional arguments.",
                    ],
                    run: load),
                Command(
                    "LOADEX", "path [configs=CONFIG (name value)]... [ARGS args...]", arity: -3, flags, in: .server,
                    since: "7.0.0", complexity: "O(1)", summary: "Loads a module using extended parameters.",
                    help: [
                        "LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]",
                        """
                            Load a module library from <path>, while passing it module configurations and optional \
                        arguments.
                        """,
                    ],
                    run: load),
                Command(
                    "UNLOAD", "name", arity: 3, flags, in: .server, since: "4.0.0", complexity: "O(1)",
                    summary: "Unloads a module.",
                    help: [
                        "UNLOAD <name>",
                        "    Unload a module.",
                    ],
                    run: unload),
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .server, since: "5.0.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help),
            ])
    ]

    private static func list(_ call: inout Call) throws(CommandError) { call.reply.array(0) }

    private static func load(_ call: inout Call) throws(CommandError) {
        try checkAllowed(call)
        Log.shared.warning("Module \(call.arguments[2].text) failed to load: this server has no modules")
        throw .message("ERR Error loading the extension. Please check the server logs.")
    }

    private static func unload(_ call: inout Call) throws(CommandError) {
        try checkAllowed(call)
        throw .message("ERR Error unloading module: no such module with that name")
    }

    private static func checkAllowed(_ call: borrowing Call) throws(CommandError) {
        guard call.settings.enableModuleCommand.isAllowed(isLocalClient: call.isLocal) else {
            throw .message(
                """
                ERR MODULE command not allowed. If the enable-module-command option is set to "local", you can run it \
                from a local connection, otherwise you need to set this option in the configuration file, and then \
                restart the server.
                """)
        }
    }
}
