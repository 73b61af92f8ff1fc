// NodeCommand.swift - FOG.NODE: registering, reading and removing the nodes of the fleet. A node is the record
// fog:node:<id>, a hash whose fields carry the options' names in small letters. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum NodeCommand {
    static let commands: [Command] = [
        Command(
            "FOG.NODE", arity: -2, in: .fog, since: "8.2.0", summary: "A container for commands on the fleet's nodes.",
            subcommands: NodeRegister.subcommands + NodeRead.subcommands + NodeList.subcommands
                + NodeLife.subcommands + NodeImport.subcommands + [
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .fog, since: "8.2.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help)
            ])
    ]
}
