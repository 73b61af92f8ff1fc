// CommandHelp.swift - the frame of every HELP subcommand: a headline, the lines, HELP itself. Clients print the lines
// as they come, so each is a status line as the stock servers send it.
internal import Engine
internal import RESP

enum CommandHelp {
    /// Lines that start with a blank explain the line above them.
    static func write(_ call: borrowing Call, _ command: StaticString, _ lines: [StaticString]) {
        call.reply.array(lines.count + 3)
        call.reply.simple("\(command) <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
        for line in lines { call.reply.simple(line) }
        call.reply.simple("HELP")
        call.reply.simple("    Print this help.")
    }
}
