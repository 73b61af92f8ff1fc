// SchemaCommand.swift - FOG.SCHEMA: which form of records this server writes. Under the turn.
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP

enum SchemaCommand {
    static let commands: [Command] = [
        Command(
            "FOG.SCHEMA", arity: -2, in: .fog, since: "8.2.0",
            summary: "A container for commands on the form of records.",
            subcommands: [
                Command(
                    "VERSION", arity: 2, [.readonly, .fast], in: .fog, since: "8.2.0", complexity: "O(1)",
                    summary: "Returns the version of the records' form, which dumps carry as fog-schema.",
                    help: ["VERSION", "    Return the version of the records' form, which dumps carry as fog-schema."],
                    run: version),
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .fog, since: "8.2.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help),
            ])
    ]

    private static let version: Command.Handler = { (call: inout Call) throws(CommandError) in
        call.reply.integer(RecordSchema.version)
    }
}
