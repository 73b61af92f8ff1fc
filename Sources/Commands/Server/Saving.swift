// Saving.swift - SAVE, BGSAVE and LASTSAVE. What saving is stands in Engine/Persistence.
internal import Base
internal import Engine
internal import RESP

enum Saving {
    static let commands: [Command] = [
        Command(
            "SAVE", arity: 1, [.admin, .noScript, .noAsyncLoading, .noMulti], in: .server, since: "1.0.0",
            complexity: "O(N) where N is the total number of keys in all databases",
            summary: "Synchronously saves the database(s) to disk.", run: save),
        Command(
            "BGSAVE", "[operation=(SCHEDULE@3.2.2 | CANCEL@8.1.0)]", arity: -1, [.admin, .noScript, .noAsyncLoading],
            in: .server, since: "1.0.0", complexity: "O(1)",
            summary: "Asynchronously saves the database(s) to disk.",
            history: [("3.2.2", "Added the `SCHEDULE` option."), ("8.1.0", "Added the `CANCEL` option.")],
            run: saveInBackground),
        Command(
            "LASTSAVE", arity: 1, [.loading, .stale, .fast], in: .server, categories: ["admin", "dangerous"],
            since: "1.0.0", complexity: "O(1)",
            summary: "Returns the Unix timestamp of the last successful save to disk.",
            hints: ["nondeterministic_output"], run: lastSave),
    ]

    private static func save(_ call: inout Call) throws(CommandError) {
        if call.administration.snapshotPurpose == .save {
            throw .message("ERR Background save already in progress")
        }
        do throws(SystemError) {
            try call.administration.saveNow()
        } catch {
            // What went wrong is in the log; the stock servers answer just this.
            throw .message("ERR")
        }
        call.reply.ok()
    }

    private static func saveInBackground(_ call: inout Call) throws(CommandError) {
        var isScheduling = false
        if call.arguments.count > 1 {
            guard call.arguments.count == 2 else { throw .syntax }
            if call.arguments[1].equalsIgnoringCase("cancel") { return try cancel(&call) }
            guard call.arguments[1].equalsIgnoringCase("schedule") else { throw .syntax }
            isScheduling = true
        }
        do throws(SaveRefusal) {
            try call.administration.startSave()
            call.reply.simple("Background saving started")
        } catch {
            switch error {
            case .isSaving: throw .message("ERR Background save already in progress")
            case .isBusy where isScheduling || call.context == .transaction:
                call.administration.scheduleSave()
                call.reply.simple("Background saving scheduled")
            case .isBusy:
                throw .message(
                    """
                    ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order \
                    to schedule a BGSAVE whenever possible.
                    """)
            case .system: throw .message("ERR")
            }
        }
    }

    private static func cancel(_ call: inout Call) throws(CommandError) {
        let wasSaving = call.administration.snapshotPurpose == .save
        guard call.administration.cancelSave() else {
            throw .message("ERR Background saving is currently not in progress or scheduled")
        }
        call.reply.simple(wasSaving ? "Background saving cancelled" : "Scheduled background saving cancelled")
    }

    private static func lastSave(_ call: inout Call) throws(CommandError) {
        call.reply.integer(Int(call.administration.saving.lastSaveSecond))
    }
}
