// AppendOnly+Reload.swift - DEBUG LOADAOF: the dataset is dropped and read back from the append only file of the
// running server, as a start would. Tests use it to see that what was recorded says the same as what was done. Control
// thread.
internal import Base
internal import Engine
internal import Persistence
internal import Synchronization

extension AppendOnly {
    /// Longer than this nobody waits for a disk that does not take what was recorded.
    private static var flushMillisecondsMax: Int64 { 30_000 }

    /// A file that was just switched on is loaded when it has its base: until then the files are those of before.
    func reload() { reload(patienceMilliseconds: AppendOnly.flushMillisecondsMax) }

    private func reload(patienceMilliseconds: Int64) {
        var settings = shared.initialSettings
        var end: Int64?
        shared.turn.take { engine in
            settings = engine.settings
            let mayWait = patienceMilliseconds > 0 && !shared.isStopping.load(ordering: .relaxed)
            if engine.appendOnly.isFirstRewrite && mayWait { return }
            end = engine.beginAppendOnlyReload()
        }
        guard let end else {
            // The rewrite ends on this thread, behind this job.
            Clock.sleep(nanoseconds: 1_000_000)
            return submit { [self] in reload(patienceMilliseconds: patienceMilliseconds - 1) }
        }
        let failure = load(settings, from: end)
        if let failure { Log.shared.warning(failure) }
        shared.turn.take { $0.endAppendOnlyReload(failure: failure) }
    }

    private func load(_ settings: Settings, from end: Int64) -> String? {
        let files = files
        guard !files.files.isEmpty else { return "There is no append only file to load" }
        guard isWritten(until: end) else { return "The append only file cannot be loaded before it is written" }
        shared.turn.take { $0.dropDataset() }
        do throws(StartRefusal) {
            let loader = AppendOnlyLoader(shared: shared, places: places, settings: settings)
            return try loader.load(files) ? nil : "The server was asked to stop while it loaded"
        } catch {
            return error.text
        }
    }

    /// Waits until the writer has given the file everything up to `end`.
    private func isWritten(until end: Int64) -> Bool {
        guard let writer = currentWriter else { return true }
        let deadline = Clock().nowMilliseconds + AppendOnly.flushMillisecondsMax
        while writer.writtenOffset.load(ordering: .sequentiallyConsistent) < end {
            if Clock().nowMilliseconds > deadline { return false }
            Clock.sleep(nanoseconds: 1_000_000)
        }
        return true
    }
}
