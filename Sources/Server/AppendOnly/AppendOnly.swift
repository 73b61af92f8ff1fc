// AppendOnly.swift - the append only file of one server: its manifest and its writer, from the start of the process to
// its end. Everything that touches files runs on the thread that starts the server or on the control thread, one job
// after another, never on a loop and never with the turn held; what the engine must do is done under short turns.
internal import Base
internal import Engine
internal import Persistence
internal import Reactor
internal import Synchronization

final class AppendOnly: Sendable {
    let shared: ServerShared
    let places: AppendOnlyPlaces
    /// Control thread's and starter's.
    private let manifest = Mutex(AOFManifest())
    private let writer = Mutex<AOFWriter?>(nil)
    private let control: IOPool

    init(_ shared: ServerShared, config: Config) throws(SystemError) {
        self.shared = shared
        places = AppendOnlyPlaces(config)
        control = try IOPool(threadCount: 1)
    }

    // MARK: start

    /// Reads the manifest, taking over an old single file. Whoever starts the server, before clients are served.
    func readManifest() throws(StartRefusal) {
        let swept = places.sweep()
        if swept > 0 { Log.shared.notice("Removed \(swept) temporary files of a rewrite that did not finish") }
        do throws(AOFManifest.Fault) {
            guard Disk.exists(places.manifest) else { return }
            let text = try AppendOnly.text(places.manifest)
            let read = try AOFManifest(text: text)
            manifest.withLock { $0 = read }
        } catch {
            throw StartRefusal("\n*** FATAL AOF MANIFEST FILE ERROR ***\n\(error.text)")
        }
    }

    private static func text(_ path: String) throws(AOFManifest.Fault) -> String {
        do throws(SystemError) {
            return try Disk.text(path, byteCountMax: 64 << 20)
        } catch {
            throw AOFManifest.Fault("Read AOF manifest failed: \(error.description)")
        }
    }

    /// Before Redis 7 there was one file: it becomes the base of a directory.
    func upgrade() throws(StartRefusal) {
        var current = manifest.withLock { $0 }
        let isHalfDone =
            current.increments.isEmpty && current.base?.name == places.prefix
            && !Disk.exists(places.directory + "/" + places.prefix)
        guard Disk.exists(places.oldFile), current.isEmpty || isHalfDone else { return }
        do throws(SystemError) {
            try Disk.makeDirectory(places.directory)
            if !isHalfDone {
                current = AOFManifest(upgrading: places.prefix)
                try persist(current)
            }
            try Disk.rename(places.oldFile, to: places.directory + "/" + places.prefix)
        } catch {
            throw StartRefusal("Cannot move the append only file \(places.prefix): \(error.description)")
        }
        Log.shared.notice(
            "Successfully migrated an old-style AOF configuration (\(places.prefix)) into the AOF directory.")
    }

    /// What loading reads.
    var files: AOFManifest { manifest.withLock { $0 } }

    /// Begins to record. The dataset is what the files say, or empty when there are none.
    func open() throws(StartRefusal) {
        do throws(SystemError) {
            try Disk.makeDirectory(places.directory)
            var next = manifest.withLock { $0 }
            if next.files.isEmpty { try writeEmptyBase(&next) }
            if next.increments.isEmpty {
                let fresh = next.addIncrement(prefix: places.prefix)
                _ = try DiskFile(places.path(fresh), .replace)
                try persist(next)
                Log.shared.notice("Creating AOF incr file \(fresh.name) on server start")
            } else if let last = next.increments.last {
                Log.shared.notice("Opening AOF incr file \(last.name) on server start")
            }
            try removeHistory(&next)
            try startWriter(next)
        } catch {
            throw StartRefusal("Can't open the append-only file: \(error.description)")
        }
    }

    private func writeEmptyBase(_ next: inout AOFManifest) throws(SystemError) {
        var isRDB = true
        shared.turn.take { isRDB = $0.settings.aofUseRDBPreamble }
        let entry = next.addBase(prefix: places.prefix, isRDB: isRDB, keeping: nil)
        Log.shared.notice("Creating AOF base file \(entry.name) on server start")
        let content = EmptyBase.bytes(version: FogVersion.redis)
        try Disk.replace(
            places.path(entry), temporary: places.temporaryBase,
            with: content.span.extracting(0..<(isRDB ? content.count : 0)))
    }

    func persist(_ next: AOFManifest) throws(SystemError) {
        let text = next.makeText()
        try Disk.replace(places.manifest, temporary: places.temporaryManifest, with: text.span)
        manifest.withLock { $0 = next }
    }

    func removeHistory(_ next: inout AOFManifest) throws(SystemError) {
        var isKept = false
        shared.turn.take { isKept = $0.settings.aofDisableAutoGC }
        guard !isKept, !next.history.isEmpty else { return }
        for entry in next.history { Disk.remove(places.path(entry)) }
        next.forgetHistory()
        try persist(next)
    }

    // MARK: writing

    private func startWriter(_ next: AOFManifest) throws(SystemError) {
        guard let last = next.increments.last else { return }
        let fresh = try makeWriter(places.path(last))
        let older = next.files.dropLast().reduce(0) { $0 + (Disk.byteCount(places.path($1)) ?? 0) }
        shared.turn.take { engine in
            record(with: fresh, &engine)
            engine.appendOnly.olderByteCount = older
            engine.appendOnly.baseByteCount = older + fresh.fileByteCount.load(ordering: .relaxed)
        }
    }

    /// A writer for the file at `path`, which goes on where the journal's stream has ended.
    func makeWriter(_ path: String) throws(SystemError) -> AOFWriter {
        var offset: Int64 = 0
        var policy = AOFSyncPolicy.everySecond
        shared.turn.take { engine in
            offset = engine.journal.file.end
            policy = AppendOnly.policy(engine.settings)
        }
        return try AOFWriter(path, offset: offset, policy: policy, events: events)
    }

    /// From this turn on the journal goes to `fresh`.
    func record(with fresh: AOFWriter, _ engine: inout Engine) {
        writer.withLock { $0 = fresh }
        shared.durability.offset.store(engine.journal.file.end, ordering: .sequentiallyConsistent)
        engine.hooks.writeJournal = { fresh.write(&$0) }
        engine.hooks.appendOnlyGauges = { fresh.gauges }
        engine.hooks.isAppendOnlyResting = { fresh.isResting }
        engine.hooks.delayJournal = { fresh.writeDelayMicroseconds.store($0, ordering: .relaxed) }
        engine.setJournal(.file, isOn: true)
        fresh.follow(engine.settings)
    }

    var currentWriter: AOFWriter? { writer.withLock { $0 } }

    func takeWriter() -> AOFWriter? { writer.withLock { $0.take() } }

    /// Runs `job` on the control thread, behind those before it.
    func submit(_ job: @escaping @Sendable () -> Void) { control.submit(job) }

    private var events: AOFWriterEvents {
        let shared = shared
        var events = AOFWriterEvents()
        let letGo: @Sendable (Int64) -> Void = { offset in
            shared.durability.offset.max(offset, ordering: .sequentiallyConsistent)
            for inbox in shared.inboxes where inbox.isHolding.load(ordering: .sequentiallyConsistent) {
                inbox.wakeup.signal()
            }
        }
        events.wrote = letGo
        events.progressed = { offset in
            letGo(offset)
            guard shared.durability.hasWaiters.exchange(false, ordering: .sequentiallyConsistent) else { return }
            shared.turn.take { engine in
                engine.resumeDurable()
                if engine.durabilityWaiterCount > 0 {
                    shared.durability.hasWaiters.store(true, ordering: .sequentiallyConsistent)
                }
            }
        }
        events.troubled = { reason in
            shared.turn.take { $0.setAppendOnlyFailure(reason) }
            shared.durability.setFailure(reason)
            for inbox in shared.inboxes { inbox.wakeup.signal() }
        }
        return events
    }

    static func policy(_ settings: Settings) -> AOFSyncPolicy {
        switch settings.appendFsync {
        case .always: .always
        case .everySecond: .everySecond
        case .no: .never
        }
    }

    /// How CONFIG SET reaches the file. Under the turn.
    var configHooks: [ConfigHook] {
        [
            ConfigHook(["appendfsync", "fog-aof-checksums"]) { [self] new, _ in
                currentWriter?.follow(new.settings)
                return nil
            },
            ConfigHook(["appendonly"]) { [self] new, old in
                guard new.settings.appendOnly != old.settings.appendOnly else { return nil }
                let isOn = new.settings.appendOnly
                submit { [self] in if isOn { switchOn() } else { switchOff() } }
                return nil
            },
        ]
    }

    /// Writes and syncs the rest; after the loops have ended.
    func close() {
        control.close()
        guard let last = takeWriter() else { return }
        shared.turn.take { $0.flushJournal() }
        Log.shared.notice("Calling fsync() on the AOF file.")
        last.close()
    }
}

/// The server cannot start; says why and how to go on.
package struct StartRefusal: Error, Sendable {
    package let text: String
    init(_ text: String) { self.text = text }
}

extension AOFWriter {
    var gauges: AppendOnlyGauges {
        var gauges = AppendOnlyGauges()
        gauges.fileByteCount = fileByteCount.load(ordering: .relaxed)
        gauges.pendingByteCount = pendingByteCount
        gauges.isSyncing = isSyncing
        gauges.delayedSyncCount = delayedSyncs.load(ordering: .relaxed)
        gauges.durableOffset = durableOffset.load(ordering: .sequentiallyConsistent)
        return gauges
    }

    func follow(_ settings: Settings) {
        setPolicy(AppendOnly.policy(settings))
        addsChecksums.store(settings.aofChecksums, ordering: .relaxed)
    }
}
