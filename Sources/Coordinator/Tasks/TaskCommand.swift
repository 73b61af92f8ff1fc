// TaskCommand.swift - FOG.TASK: leased priority queues and assignments to nodes. The subcommands stand in the files of
// their verbs. What they share is here. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import RESP

enum TaskCommand {
    static let commands: [Command] = [
        Command(
            "FOG.TASK", arity: -2, in: .fog, since: "8.2.0",
            summary: "A container for commands on task queues and assignments.",
            subcommands: TaskEnqueue.subcommands + TaskClaim.subcommands + TaskFinish.subcommands
                + TaskAssign.subcommands + TaskReports.subcommands + [
                    Command(
                        "HELP", arity: 2, [.loading, .stale], in: .fog, since: "8.2.0", complexity: "O(1)",
                        summary: "Returns helpful text about the different subcommands.", run: Command.help)
                ])
    ]

    static let priorityError = CommandError.message("ERR PRIORITY must be critical, high, normal or low")
    static let statusError = CommandError.message(
        "ERR STATUS must be queued, assigned, running, done, failed or dead")
    static let unknownTask = CommandError.message("NOTASK there is no task with this id")
    static let notLeased = CommandError.message(
        "NOLEASE the task is not leased by this worker: its lease ended, or somebody else has it")
}

extension Options {
    /// A number of milliseconds from `minimum` on, small enough to be added to any time of day.
    mutating func milliseconds(from minimum: Int = 0) throws(CommandError) -> Int64 {
        let value = try integer(
            in: minimum...Int(Int32.max) * 1000,
            otherwise: .message("ERR milliseconds are out of range"))
        return Int64(value)
    }
}
