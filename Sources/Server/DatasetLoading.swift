// DatasetLoading.swift - the dataset's way from disk into a starting server. Runs on the thread that starts the server,
// while the loops already serve what may be served meanwhile (PING is answered with LOADING, INFO shows progress): the
// turn is taken for slices and given up between them. A file that cannot be loaded stops the start; what went wrong,
// where, and what to do about it is in the log.
internal import Base
internal import CLinux
internal import Engine
internal import Keyspace
internal import Persistence
internal import Synchronization

/// The dataset cannot be loaded; why has been logged.
package struct DatasetFailure: Error {}

extension Server {
    /// Loads what is on disk. Returns when it is complete, or when the server is asked to stop.
    package func loadDataset() throws(DatasetFailure) {
        var path = ""
        var limits = ValueLimits()
        var options = RDBLoader.Options()
        var directory = ""
        shared.turn.take { engine in
            path = engine.datasetPath
            directory = engine.dataDirectory
            limits = engine.settings.valueLimits
            options = engine.loaderOptions
        }
        do throws(StartRefusal) {
            if try loadAppendOnly() { return }
        } catch {
            Log.shared.warning(error.text)
            throw DatasetFailure()
        }
        for name in RDBFile.sweepTemporaries(in: directory) {
            Log.shared.notice("Removed \(name), which a save that did not end has left behind")
        }
        let file: RDBFile?
        do throws(SystemError) { file = try RDBFile(path) } catch {
            Log.shared.warning("Fatal error loading the DB: \(error.description). Exiting.")
            throw DatasetFailure()
        }
        guard let file else {
            warm()
            shared.turn.take { $0.endLoading() }
            return
        }
        try load(file, limits, options)
    }

    private func load(
        _ file: RDBFile, _ limits: ValueLimits, _ options: RDBLoader.Options
    ) throws(DatasetFailure) {
        let clock = Clock()
        let start = clock.monotonicNanoseconds
        shared.turn.take { $0.beginLoading(byteCount: file.byteCount) }
        let summary: RDBLoader.Summary
        do throws(RDBError) {
            let loading = SnapshotLoading(shared: shared, loadedBefore: 0)
            guard let found = try loading.run(file, limits, options) else { return }
            summary = found
        } catch {
            throw explain(error, file)
        }
        var reason: String?
        shared.turn.take { engine in
            engine.report(summary)
            reason = engine.noteLoaded(summary)
        }
        if let reason {
            Log.shared.warning("\(file.path): \(reason)")
            Log.shared.warning("Fatal error loading the DB, check server logs. Exiting.")
            throw DatasetFailure()
        }
        warm()
        shared.turn.take { $0.endLoading() }
        let elapsed = (clock.monotonicNanoseconds - start) / 1_000_000
        let fraction = String(elapsed % 1000 + 1000).dropFirst()
        Log.shared.notice("DB loaded from disk: \(elapsed / 1000).\(fraction) seconds")
    }

    private func explain(_ failure: RDBError, _ file: RDBFile) -> DatasetFailure {
        Log.shared.warning(failure.text(path: file.path))
        Log.shared.warning(
            """
            Nothing of it is served. To go on: restore the file from a backup; or move it away, to start with an empty \
            dataset; `fog-server --check-rdb \(file.path)` says more about it.
            """)
        Log.shared.warning("Terminating server after rdb file reading failure.")
        Log.shared.warning("Fatal error loading the DB, check server logs. Exiting.")
        return DatasetFailure()
    }
}
