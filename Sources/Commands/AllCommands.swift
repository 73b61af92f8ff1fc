// AllCommands.swift - every command of the server, one line per file that declares some. A tidy test fails when a file
// with `static let commands` is missing here.
package import Engine

package enum AllCommands {
    package static let list: [Command] = [
        StringGet.commands,
        StringSet.commands,
        ClientCommand.commands,
        ConnectionState.commands,
        Hello.commands,
        Ping.commands,
        CommandLog.commands,
        ConfigCommand.commands,
        DebugCommand.commands,
        Info.commands,
        LatencyCommand.commands,
        Lolwut.commands,
        MemoryCommand.commands,
        Monitor.commands,
        ServerFacts.commands,
    ].flatMap { $0 }
}
