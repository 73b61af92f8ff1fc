// AllCommands.swift - every command of the server, one line per file that declares some. A tidy test fails when a file
// with `static let commands` is missing here.
package import Engine

package enum AllCommands {
    package static let list: [Command] = [
        StringGet.commands,
        StringSet.commands,
        Ping.commands,
    ].flatMap { $0 }
}
