// ServerCommands.swift - what this server understands: the commands of Commands and those that modules above it bring.
internal import Commands
internal import Coordinator
package import Engine

package enum ServerCommands {
    package static let list: [Command] = AllCommands.list + CoordinatorCommands.list
}
