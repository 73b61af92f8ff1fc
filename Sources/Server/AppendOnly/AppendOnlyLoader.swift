// AppendOnlyLoader.swift - reading the append only file at start: the base, then every increment in order. Each file is
// looked at as a whole before any of it runs, so a refused file leaves no half dataset; then its commands run in slices
// of the turn, between which clients are told that the server is loading. Only the last file may be cut back, because
// only it can have been cut off. Runs on the thread that starts the server.
internal import Base
internal import Engine
internal import Keyspace
internal import Persistence
internal import RESP
internal import Reactor
internal import Synchronization

extension Server {
    /// Loads what the append only file holds and goes on with it. False when the server does not use one.
    func loadAppendOnly() throws(StartRefusal) -> Bool {
        var settings = shared.initialSettings
        shared.turn.take { settings = $0.settings }
        try appendOnly.readManifest()
        guard settings.appendOnly else { return false }
        try appendOnly.upgrade()
        let loader = AppendOnlyLoader(shared: shared, places: appendOnly.places, settings: settings)
        guard try loader.load(appendOnly.files) else { return true }
        try appendOnly.open()
        warm()
        shared.turn.take { $0.endLoading() }
        return true
    }
}

struct AppendOnlyLoader {
    let shared: ServerShared
    let places: AppendOnlyPlaces
    let settings: Settings

    /// Commands run in one turn: a fraction of a millisecond for small ones.
    private static let commandsPerTurn = 1024

    /// False when the server was asked to stop meanwhile.
    func load(_ manifest: AOFManifest) throws(StartRefusal) -> Bool {
        let files = manifest.files
        guard !files.isEmpty else { return true }
        let start = Clock().monotonicNanoseconds
        for entry in files where !Disk.exists(places.path(entry)) {
            throw AppendOnlyLoader.cannotOpen(entry.name, "No such file or directory")
        }
        let total = files.reduce(0) { $0 + (Disk.byteCount(places.path($1)) ?? 0) }
        shared.turn.take { $0.beginLoading(byteCount: total) }
        var loaded = 0
        for entry in files {
            let begin = Clock().monotonicNanoseconds
            let file: MappedFile
            do throws(SystemError) {
                file = try MappedFile(places.path(entry))
            } catch {
                throw AppendOnlyLoader.cannotOpen(entry.name, error.reason)
            }
            guard try load(file, entry, isLast: isEnd(entry, of: files), loadedBefore: loaded) else { return false }
            loaded += file.byteCount
            let kind = entry.kind == .base ? "base" : "incr"
            Log.shared.notice("DB loaded from \(kind) file \(entry.name): \(seconds(since: begin)) seconds")
        }
        Log.shared.notice("DB loaded from append only file: \(seconds(since: start)) seconds")
        return true
    }

    private static func cannotOpen(_ name: String, _ reason: String) -> StartRefusal {
        StartRefusal("Fatal error: can't open the append log file \(name) for reading: \(reason)")
    }

    /// Whether nothing was recorded behind this file. A rewrite names the next increment before the writer has synced
    /// the one before it, and writes to it only after: a power cut between leaves a torn file and an empty one behind.
    private func isEnd(_ entry: AOFManifest.Entry, of files: [AOFManifest.Entry]) -> Bool {
        guard let index = files.firstIndex(of: entry) else { return false }
        return files[(index + 1)...].allSatisfy { Disk.byteCount(places.path($0)) == 0 }
    }

    private func load(
        _ file: MappedFile, _ entry: AOFManifest.Entry, isLast: Bool, loadedBefore: Int
    ) throws(StartRefusal) -> Bool {
        guard let start = try loadPreamble(file, loadedBefore) else { return false }
        let inspection = AOFInspection(file.span, from: start)
        if inspection.problem != nil { try mend(file, entry, inspection, isLast: isLast) }
        return try run(file, from: start, to: inspection.goodEnd, loadedBefore: loadedBefore)
    }

    /// A file may begin with a snapshot. Returns where its commands begin; nil when the server was asked to stop.
    private func loadPreamble(_ file: MappedFile, _ loadedBefore: Int) throws(StartRefusal) -> Int? {
        guard file.isSnapshot else { return 0 }
        let snapshot: RDBFile?
        do throws(SystemError) { snapshot = try RDBFile(file.path) } catch {
            throw StartRefusal("Fatal error: can't open \(file.path) for reading: \(error.reason)")
        }
        guard let snapshot else { throw StartRefusal("The AOF file \(file.path) doesn't exist") }
        var options = RDBLoader.Options()
        var limits = ValueLimits()
        shared.turn.take { engine in
            options = engine.loaderOptions
            limits = engine.settings.valueLimits
        }
        // What has died since is removed by the commands behind it.
        options.dropsExpired = false
        let summary: RDBLoader.Summary
        do throws(RDBError) {
            let loading = SnapshotLoading(shared: shared, loadedBefore: loadedBefore)
            guard let found = try loading.run(snapshot, limits, options) else { return nil }
            summary = found
        } catch {
            throw StartRefusal(
                "Error reading the RDB preamble of the AOF file, AOF loading aborted. " + error.text(path: file.path))
        }
        var reason: String?
        shared.turn.take { engine in
            engine.report(summary)
            reason = engine.noteLoaded(summary)
        }
        if let reason { throw StartRefusal("\(reason) (\(file.path))") }
        return summary.progress.byteCount
    }

    // MARK: running

    /// False when the server was asked to stop meanwhile.
    private func run(
        _ file: MappedFile, from start: Int, to end: Int, loadedBefore: Int
    ) throws(StartRefusal) -> Bool {
        var session: SessionReference?
        shared.turn.take { session = $0.beginReplay() }
        guard let session else { return false }
        defer { shared.turn.take { $0.endReplay(session) } }
        var scanner = AOFScanner(from: start)
        var ranges = ArgumentRanges()
        var remark = AOFRemark()
        var output = ByteBuffer()
        let bytes = file.span
        while scanner.offset < end {
            if shared.isStopping.load(ordering: .relaxed) { return false }
            var unknown: String?
            var delay = 0
            shared.turn.take { engine in
                delay = engine.settings.keyLoadDelayMicroseconds
                var left = delay > 0 ? 1 : AppendOnlyLoader.commandsPerTurn
                while left > 0 && scanner.offset < end {
                    left -= 1
                    let step = scanner.next(bytes, into: &ranges)
                    if step == .annotation(second: nil) {
                        if remark.take(bytes.extracting(scanner.annotationRange), into: &ranges) {
                            try? engine.replay(session, remark.command, ranges, output: &output)
                        }
                        continue
                    }
                    guard step == .command else { continue }
                    // A transaction is whole, and nobody sees the dataset before all is loaded.
                    if AOFInspection.isWord(bytes, ranges, "MULTI") || AOFInspection.isWord(bytes, ranges, "EXEC") {
                        continue
                    }
                    do throws(ReplayFault) {
                        try engine.replay(session, bytes, ranges, output: &output)
                    } catch {
                        if case .unknown(let name) = error { unknown = name }
                        return
                    }
                }
                engine.noteLoading(byteCount: loadedBefore + scanner.offset)
            }
            if let unknown { throw StartRefusal("Unknown command '\(unknown)' reading the append only file") }
            // A sleep, however short, lets a loop that waits for the turn have it.
            Clock.sleep(nanoseconds: Int64(max(0, delay)) * 1000 + 1)
        }
        return true
    }

    // MARK: mending

    private func mend(
        _ file: MappedFile, _ entry: AOFManifest.Entry, _ inspection: AOFInspection, isLast: Bool
    ) throws(StartRefusal) {
        let goodEnd = inspection.goodEnd
        let tail = file.byteCount - goodEnd
        switch inspection.problem {
        case nil: return
        case .cut, .openTransaction:
            if inspection.problem == .openTransaction {
                Log.shared.warning("Revert incomplete MULTI/EXEC transaction from AOF file \(entry.name)")
            }
            guard isLast else { throw StartRefusal("Fatal error: the truncated file is not the last file") }
            guard settings.aofLoadTruncated else {
                throw StartRefusal(
                    """
                    Unexpected end of file reading the append only file \(entry.name). You can: 1) Make a backup of \
                    your AOF file, then use ./redis-check-aof --fix <filename.manifest>. 2) Alternatively you can set \
                    the 'aof-load-truncated' configuration option to yes and restart the server.
                    """)
            }
            Log.shared.warning("!!! Warning: short read while loading the AOF file \(entry.name)!!!")
            Log.shared.warning("!!! Truncating the AOF \(entry.name) at offset \(goodEnd) !!!")
            try cut(file, entry, to: goodEnd)
            Log.shared.warning("AOF \(entry.name) loaded anyway because aof-load-truncated is enabled")
        case .malformed, .checksum, .nestedMulti, .strayExec:
            let what =
                inspection.problem == .checksum
                ? "Bad checksum in the append only file \(entry.name) at offset \(inspection.faultOffset)"
                : "Bad file format reading the append only file \(entry.name) at offset \(inspection.faultOffset): "
                    + "\(inspection.expectation) was expected"
            guard isLast, tail <= settings.aofLoadCorruptTailMaxBytes else {
                throw StartRefusal(
                    """
                    \(what). Make a backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>. \
                    Up to 'aof-load-corrupt-tail-max-size' bytes at the end are given up at start; here it would be \
                    \(tail).
                    """)
            }
            Log.shared.warning(what)
            try keepTail(file, entry, from: goodEnd)
            try cut(file, entry, to: goodEnd)
        }
    }

    private func cut(_ file: MappedFile, _ entry: AOFManifest.Entry, to byteCount: Int) throws(StartRefusal) {
        do throws(SystemError) {
            try Disk.cut(file.path, to: byteCount)
        } catch {
            throw StartRefusal("Error truncating the AOF file \(entry.name): \(error.reason)")
        }
    }

    /// What is given up stays in a file beside, for whoever wants to look at it.
    private func keepTail(_ file: MappedFile, _ entry: AOFManifest.Entry, from offset: Int) throws(StartRefusal) {
        let path: String
        do throws(SystemError) {
            path = try Disk.keepTail(of: file, from: offset)
        } catch {
            throw StartRefusal("Cannot keep the end of the AOF file \(entry.name): \(error.description)")
        }
        Log.shared.warning(
            "!!! Giving up \(file.byteCount - offset) bytes at the end of the AOF \(entry.name), kept in \(path)"
        )
    }

    private func seconds(since start: Int64) -> String {
        let thousandths = (Clock().monotonicNanoseconds - start) / 1_000_000
        let fraction = String(thousandths % 1000)
        return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - fraction.utf8.count) + fraction
    }
}
