// AllCommands.swift - every command of the server, one line per file that declares some. A tidy test fails when a file
// with `static let commands` is missing here.
package import Engine

package enum AllCommands {
    package static let list: [Command] = [
        ClientCommand.commands,
        CommandCommand.commands,
        CommandLog.commands,
        ConfigCommand.commands,
        ConnectionState.commands,
        DebugCommand.commands,
        Hello.commands,
        HyperLogLogCommands.commands,
        HyperLogLogDebug.commands,
        Info.commands,
        KeyDatabases.commands,
        KeyDump.commands,
        KeyExpire.commands,
        KeyInspect.commands,
        KeyObject.commands,
        KeyRemove.commands,
        KeyRename.commands,
        KeyScan.commands,
        KeyTimeToLive.commands,
        LatencyCommand.commands,
        Lolwut.commands,
        MemoryCommand.commands,
        Monitor.commands,
        Ping.commands,
        ServerFacts.commands,
        StringCompare.commands,
        StringCount.commands,
        StringEdit.commands,
        StringGet.commands,
        StringGetAndChange.commands,
        StringLCS.commands,
        StringSet.commands,
        StringSetMany.commands,
    ].flatMap { $0 }
}
