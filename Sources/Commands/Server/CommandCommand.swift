// CommandCommand.swift - COMMAND: what the server knows about its own commands. Everything is derived from their
// declarations; INFO's entries are written in CommandInfoReply.swift, DOCS' in CommandDocsReply.swift. Engine's turn;
// asked by clients when they connect, so it may take a while but must not be quadratic.
internal import Base
internal import Engine
internal import RESP

enum CommandCommand {
    static let commands: [Command] = [
        Command(
            "COMMAND", arity: -1, [.loading, .stale], in: .server, categories: ["connection"], since: "2.8.13",
            complexity: "O(N) where N is the total number of commands",
            summary: "Returns detailed information about all commands.", hints: ["nondeterministic_output_order"],
            help: [
                "(no subcommand)",
                "    Return details about all commands.",
            ],
            subcommands: [
                Command(
                    "COUNT", arity: 2, [.loading, .stale], in: .server, categories: ["connection"], since: "2.8.13",
                    complexity: "O(1)", summary: "Returns a count of commands.",
                    help: [
                        "COUNT",
                        "    Return the total number of commands in this server.",
                    ],
                    run: count),
                Command(
                    "LIST", "[FILTERBY (MODULE module-name | ACLCAT category | PATTERN pattern:pattern)]", arity: -2,
                    [.loading, .stale], in: .server, categories: ["connection"], since: "7.0.0",
                    complexity: "O(N) where N is the total number of commands",
                    summary: "Returns a list of command names.", hints: ["nondeterministic_output_order"],
                    help: [
                        "LIST",
                        "    Return a list of all commands in this server.",
                    ],
                    run: list),
                Command(
                    "INFO", "[command-name...]", arity: -2, [.loading, .stale], in: .server, categories: ["connection"],
                    since: "2.8.13", complexity: "O(N) where N is the number of commands to look up",
                    summary: "Returns information about one, multiple or all commands.",
                    history: [("7.0.0", "Allowed to be called with no argument to get info on all commands.")],
                    hints: ["nondeterministic_output_order"],
                    help: [
                        "INFO [<command-name> ...]",
                        "    Return details about multiple commands.",
                        "    If no command names are given, documentation details for all",
                        "    commands are returned.",
                    ],
                    run: info),
                Command(
                    "DOCS", "[command-name...]", arity: -2, [.loading, .stale], in: .server, categories: ["connection"],
                    since: "7.0.0", complexity: "O(N) where N is the number of commands to look up",
                    summary: "Returns documentary information about one, multiple or all commands.",
                    hints: ["nondeterministic_output_order"],
                    help: [
                        "DOCS [<command-name> ...]",
                        "    Return documentation details about multiple commands.",
                        "    If no command names are given, documentation details for all",
                        "    commands are returned.",
                    ],
                    run: docs),
                Command(
                    "GETKEYS", "command [arg...]", arity: -3, [.loading, .stale], in: .server,
                    categories: ["connection"], since: "2.8.13",
                    complexity: "O(N) where N is the number of arguments to the command",
                    summary: "Extracts the key names from an arbitrary command.",
                    help: [
                        "GETKEYS <full-command>",
                        "    Return the keys from a full command.",
                    ],
                    run: getkeys),
                Command(
                    "GETKEYSANDFLAGS", "command [arg...]", arity: -3, [.loading, .stale], in: .server,
                    categories: ["connection"], since: "7.0.0",
                    complexity: "O(N) where N is the number of arguments to the command",
                    summary: "Extracts the key names and access flags for an arbitrary command.",
                    help: [
                        "GETKEYSANDFLAGS <full-command>",
                        "    Return the keys and the access flags from a full command.",
                    ],
                    run: getkeysandflags),
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .server, categories: ["connection"], since: "5.0.0",
                    complexity: "O(1)", summary: "Returns helpful text about the different subcommands.",
                    run: Command.help),
            ],
            runsAlone: true, run: all)
    ]

    // MARK: lists of commands

    private static let all: Command.Handler = { (call: inout Call) throws(CommandError) in
        let commands = call.administration.commands
        call.reply.array(commands.topLevelSlots.count)
        for id in commands.topLevelSlots { CommandInfoReply.write(id, of: commands, to: call.reply) }
    }

    private static let count: Command.Handler = { (call: inout Call) throws(CommandError) in
        call.reply.integer(call.administration.commands.topLevelSlots.count)
    }

    private static let info: Command.Handler = { (call: inout Call) throws(CommandError) in
        if call.arguments.count == 2 { return try all(&call) }
        let commands = call.administration.commands
        call.reply.array(call.arguments.count - 2)
        for index in 2..<call.arguments.count {
            if let id = commands.find(fullName: call.arguments[index]) {
                CommandInfoReply.write(id, of: commands, to: call.reply)
            } else {
                call.reply.null()
            }
        }
    }

    private static let docs: Command.Handler = { (call: inout Call) throws(CommandError) in
        let commands = call.administration.commands
        var ids: [Int] = []
        if call.arguments.count == 2 {
            ids = commands.topLevelSlots
        } else {
            // Names that nobody knows are left out.
            for index in 2..<call.arguments.count {
                if let id = commands.find(fullName: call.arguments[index]) { ids.append(id) }
            }
        }
        call.reply.map(ids.count)
        for id in ids {
            call.reply.bulk(commands.fullNames[id])
            CommandDocsReply.write(id, of: commands, to: call.reply)
        }
    }

    private static let list: Command.Handler = { (call: inout Call) throws(CommandError) in
        let commands = call.administration.commands
        let count = call.arguments.count
        guard count == 2 || count == 5 && call.arguments[2].equalsIgnoringCase("FILTERBY") else { throw .syntax }
        var ids: [Int] = []
        for id in commands.topLevelSlots {
            ids.append(id)
            ids.append(contentsOf: commands.subcommands(of: id))
        }
        if count == 5 {
            if call.arguments[3].equalsIgnoringCase("MODULE") {
                // Modules cannot be loaded, so none brought a command.
                ids = []
            } else if call.arguments[3].equalsIgnoringCase("ACLCAT") {
                let category = ACLCategory(rawValue: call.arguments[4].text.lowercased())
                ids.removeAll { id in
                    category.map { !commands.commands[id].aclCategories.contains($0) } ?? true
                }
            } else if call.arguments[3].equalsIgnoringCase("PATTERN") {
                let pattern = call.arguments[4]
                var matching: [Int] = []
                for id in ids {
                    let name = commands.fullNames[id]
                    if Glob.matches(pattern: pattern, text: name.utf8.span, ignoringCase: true) { matching.append(id) }
                }
                ids = matching
            } else {
                throw .syntax
            }
        }
        call.reply.array(ids.count)
        for id in ids { call.reply.bulk(commands.fullNames[id]) }
    }

    // MARK: keys of a command line

    private static let getkeys: Command.Handler = { (call: inout Call) throws(CommandError) in
        let keys = try keys(call)
        call.reply.array(keys.count)
        for key in keys { call.reply.bulk(call.arguments[2 + key.index]) }
    }

    private static let getkeysandflags: Command.Handler = { (call: inout Call) throws(CommandError) in
        let keys = try keys(call)
        call.reply.array(keys.count)
        for key in keys {
            call.reply.array(2)
            call.reply.bulk(call.arguments[2 + key.index])
            CommandInfoReply.names(key.flags.names, to: call.reply)
        }
    }

    /// The keys of the line that begins with the third word.
    private static func keys(_ call: borrowing Call) throws(CommandError) -> [KeyReference] {
        let line = call.arguments.dropFirst(2)
        let commands = call.administration.commands
        // A container is what `resolve` answers for a subcommand that nobody knows.
        guard let id = commands.resolve(line[0], line), line.count == 1 || !commands.slot(id).isContainer else {
            throw .message("ERR Invalid command specified")
        }
        let command = commands.commands[id]
        guard command.hasKeys else { throw .message("ERR The command has no key arguments") }
        guard command.arity >= 0 ? line.count == command.arity : line.count >= -command.arity else {
            throw .message("ERR Invalid number of arguments specified for command")
        }
        var keys: [KeyReference] = []
        let isTold = KeyExtraction.append(keysOf: command, in: line, to: &keys)
        guard isTold && !keys.isEmpty || command.flags.contains(.noMandatoryKeys) else {
            throw .message("ERR Invalid arguments specified for command")
        }
        return keys
    }
}
