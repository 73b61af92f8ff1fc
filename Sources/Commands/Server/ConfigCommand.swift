// ConfigCommand.swift - CONFIG: reading and changing the configuration of the running server. What must follow a change
// (log, limits, listeners) does so through `engine.hooks.configHooks`; loops copy the settings at their next turn.
internal import Base
internal import Engine
internal import RESP

enum ConfigCommand {
    static let commands: [Command] = [
        Command(
            "CONFIG", arity: -2, in: .server, since: "2.0.0", complexity: "Depends on subcommand.",
            summary: "A container for server configuration commands.",
            subcommands: [
                Command(
                    "GET", "parameter...", arity: -3, [.admin, .noScript, .loading, .stale], in: .server,
                    since: "2.0.0", complexity: "O(N) when N is the number of configuration parameters provided",
                    summary: "Returns the effective values of configuration parameters.",
                    history: [("7.0.0", "Added the ability to pass multiple pattern parameters in one call")],
                    help: [
                        "GET <pattern>",
                        "    Return parameters matching the glob-like <pattern> and their values.",
                    ],
                    run: get),
                Command(
                    "SET", "data=(parameter value)...", arity: -4, [.admin, .noScript, .loading, .stale], in: .server,
                    since: "2.0.0", complexity: "O(N) when N is the number of configuration parameters provided",
                    summary: "Sets configuration parameters in-flight.",
                    history: [("7.0.0", "Added the ability to set multiple parameters in one call.")],
                    hints: ["request_policy:all_nodes", "response_policy:all_succeeded"],
                    help: [
                        "SET <directive> <value>",
                        "    Set the configuration <directive> to <value>.",
                    ],
                    run: set),
                Command(
                    "RESETSTAT", arity: 2, [.admin, .noScript, .loading, .stale], in: .server, since: "2.0.0",
                    complexity: "O(1)", summary: "Resets the server's statistics.",
                    hints: ["request_policy:all_nodes", "response_policy:all_succeeded"],
                    help: [
                        "RESETSTAT",
                        "    Reset statistics reported by the INFO command.",
                    ],
                    run: resetstat),
                Command(
                    "REWRITE", arity: 2, [.admin, .noScript, .loading, .stale], in: .server, since: "2.8.0",
                    complexity: "O(1)", summary: "Persists the effective configuration to file.",
                    hints: ["request_policy:all_nodes", "response_policy:all_succeeded"],
                    help: [
                        "REWRITE",
                        "    Rewrite the configuration file.",
                    ],
                    run: rewrite),
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .server, since: "5.0.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help),
            ])
    ]

    private static func get(_ call: inout Call) throws(CommandError) {
        var patterns: [[UInt8]] = []
        for index in 2..<call.arguments.count { patterns.append(call.arguments[index].array) }
        let found = call.administration.config.get(patterns)
        call.reply.map(found.count)
        for (name, value) in found {
            call.reply.bulk(name.span)
            call.reply.bulk(value.span)
        }
    }

    private static func set(_ call: inout Call) throws(CommandError) {
        guard call.arguments.count % 2 == 0 else { throw .syntax }
        var pairs: [(name: [UInt8], value: [UInt8])] = []
        for index in stride(from: 2, to: call.arguments.count, by: 2) {
            pairs.append((call.arguments[index].array, call.arguments[index + 1].array))
        }
        let client = ConfigClient(isLocal: call.isLocal, isLoading: call.administration.isLoading)
        let hooks = call.administration.hooks.configHooks
        let hadAppendOnly = call.settings.appendOnly
        do throws(ConfigSetError) {
            try call.administration.config.set(pairs, by: client, fileSystem: .live, hooks: hooks)
        } catch {
            call.reply.error(error.reply.span)
            throw .written
        }
        if pairs.contains(where: { $0.name.span.equalsIgnoringCase("requirepass") }) {
            call.administration.setDefaultPassword(call.administration.config.requirePass)
        }
        call.administration.settingsChanged()
        // The control thread does it; whoever asks from now on hears that a rewrite runs.
        if call.administration.settings.appendOnly && !hadAppendOnly {
            call.administration.noteAppendOnlySwitched(on: true)
        }
        call.administration.wakeLoops()
        call.reply.ok()
    }

    private static func resetstat(_ call: inout Call) throws(CommandError) {
        call.administration.resetStatistics()
        call.reply.ok()
    }

    private static func rewrite(_ call: inout Call) throws(CommandError) {
        let path = call.administration.identity.configurationFile
        guard !path.isEmpty else { throw .message("ERR The server is running without a config file") }
        do throws(SystemError) {
            // With an ACL file the users are its business.
            let hasFile = !call.administration.config.text("aclfile").isEmpty
            let users = hasFile ? nil : ACLFile.lines(call.administration.acl)
            try call.administration.config.rewrite(path: Array(path.utf8), fileSystem: .live, users: users)
        } catch {
            Log.shared.warning("CONFIG REWRITE failed: \(error.reason)")
            call.reply.error("ERR Rewriting config file: \(error.reason)")
            throw .written
        }
        Log.shared.notice("CONFIG REWRITE executed with success.")
        call.reply.ok()
    }
}

extension Call {
    /// Whether the client is on this machine: over a unix socket or the loopback interface.
    var isLocal: Bool {
        let address = session.address
        return session.isUnixSocket || ["127.", "[::1]", "::1"].contains { address.hasPrefix($0) }
    }
}
