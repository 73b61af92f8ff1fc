// SnapshotLoading.swift - one RDB file's way into the keyspace of a starting server: a thread of its own reads and
// decodes, this one takes the turn and places what has come. Between turns clients are told that the server is loading;
// INFO shows how far it is. Runs on the thread that starts the server; must not hold the turn while it waits.
internal import Base
internal import Engine
internal import Keyspace
internal import Persistence
internal import Synchronization

struct SnapshotLoading {
    let shared: ServerShared
    /// Bytes of other files that were loaded before this one.
    let loadedBefore: Int

    /// The turn is left alone for a moment after so long.
    private static let busyNanosecondsMax: Int64 = 1_000_000

    /// What the file says, when all of it is in the keyspace; nil when the server was asked to stop meanwhile.
    func run(
        _ file: RDBFile, _ limits: ValueLimits, _ options: RDBLoader.Options
    ) throws(RDBError) -> RDBLoader.Summary? {
        let feed = try RDBReadAhead(file, limits: limits, options: options)
        defer { feed.stop() }
        let clock = Clock()
        var busySince = clock.monotonicNanoseconds
        var loaded = 0
        var expired = 0
        while true {
            if shared.isStopping.load(ordering: .relaxed) { return nil }
            switch feed.next() {
            case .failure(let error): throw error
            case .end(var summary):
                summary.progress.keysLoaded = loaded
                summary.progress.keysExpired = expired
                return summary
            case .batch(let batch):
                try place(batch, options, clock, &busySince)
                loaded += batch.records.keysLoaded
                expired += batch.records.keysExpired
                feed.recycle(batch)
            }
        }
    }

    private func place(
        _ batch: RDBReadAhead.Batch, _ options: RDBLoader.Options, _ clock: Clock, _ busySince: inout Int64
    ) throws(RDBError) {
        var failure: RDBError?
        repeat {
            var delay = 0
            shared.turn.take { engine in
                engine.keyspace.now = engine.clock.nowMilliseconds
                delay = max(0, engine.settings.keyLoadDelayMicroseconds)
                do throws(RDBError) {
                    let countMax = delay > 0 ? 1 : Int.max
                    try batch.records.place(into: &engine.keyspace, countMax: countMax, options: options)
                } catch {
                    failure = error
                }
                let end = batch.records.end
                if end > 0 { engine.noteLoading(byteCount: loadedBefore + end) }
                engine.noteLoading(usedMemory: batch.records.usedMemory)
            }
            if let failure { throw failure }
            if delay == 0 && clock.monotonicNanoseconds - busySince < SnapshotLoading.busyNanosecondsMax { continue }
            // A sleep, however short, lets a loop that waits for the turn have it.
            Clock.sleep(nanoseconds: Int64(delay) * 1000 + 1)
            busySince = clock.monotonicNanoseconds
        } while !batch.records.isPlaced && !shared.isStopping.load(ordering: .relaxed)
    }
}
