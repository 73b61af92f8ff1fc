// Call+Slices.swift - how commands wait for indexes without holding the turn: after a start, a load or many changes by
// plain commands, an index has to read records, which is done in slices between which others are served. The client
// that asks is suspended until it is done, and its command then runs as if it had just come. In a transaction, a script
// or a replayed file nobody can wait: there the index is brought up to date in one go. Under the turn.
internal import Base
internal import Engine

extension Command {
    /// The command as it is, and its subcommands, run when the indexes of the session's database are up to date.
    var onRecords: Command {
        let run = run
        return replacing(subcommands: subcommands.map { $0.onRecords }) { (call: inout Call) throws(CommandError) in
            if call.waitsForRecords() { return }
            try run(&call)
        }
    }
}

extension Call {
    /// How long an asker works, and how long others then have their turn.
    private static var sliceNanoseconds: Int64 { 300_000 }
    private static var pauseNanoseconds: Int64 { 200_000 }

    /// Whether the client waits for the indexes; the handler returns then.
    mutating func waitsForRecords() -> Bool {
        let state = coordinator
        // A command that waited here begins anew; one that waits for something else (a task) goes on as it is.
        let hasWaited = resumption != nil && state.waitingSessions.removeValue(forKey: session.id) != nil
        if hasWaited { forgetResumption() }
        let records = state.records(session.database, &administration)
        guard records.isBehind, context == .client, !isReplayed, resumption == nil else { return false }
        let prefix = state.prefix
        let deadline = administration.clock.monotonicNanoseconds + Call.sliceNanoseconds
        let isDone = records.catchUp(
            &administration, database: session.database, prefix: prefix.span, deadlineNanoseconds: deadline)
        if isDone || !records.isBehind { return false }
        waitForSlice()
        return true
    }

    /// Suspends the session until others had their turn; the command then runs again as if for the first time.
    mutating func waitForSlice() {
        coordinator.waitingSessions[session.id] = now
        suspend(.slices, deadline: administration.clock.monotonicNanoseconds + Call.pauseNanoseconds)
    }
}
