// Command+Help.swift - what `CONTAINER HELP` answers: the lines each subcommand carries, under the usual heading. Runs
// under the turn, for people at a terminal.
internal import RESP

extension Command {
    /// Every container's HELP.
    package static let help: Handler = { (call: inout Call) throws(CommandError) in
        let commands = call.administration.commands
        guard let container = commands.container(of: commands.canonical(call.slot)) else { throw .syntax }
        let name = commands.commands[container].name
        var lines = ["\(name) <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"]
        lines += commands.commands[container].help
        for child in commands.subcommands(of: container) { lines += commands.commands[child].help }
        lines += ["HELP", "    Print this help."]
        call.reply.array(lines.count)
        for line in lines { call.reply.simple(line) }
    }
}
