// Engine+Cold.swift - commands that need values from disk. A gate looks at a command's keys before it runs; when values
// are on disk and cannot be had at once, the reads are started, all of them together, and the session is suspended
// until they are done, while other clients go on. EXEC asks for what its queue needs, a script for the keys it
// declares. Whatever is not asked for here is read by who needs it, and the disk is waited for. Under the turn.
internal import Base
internal import ColdStore
internal import Keyspace
internal import RESP
internal import Structures

/// Who waits for which values.
struct ColdWaits {
    struct Waiter {
        let session: SessionReference
        /// Of its suspension: it may be gone when the values come.
        let order: UInt64
    }

    /// By the group of values in `ColdTier`.
    var waiters: [Int: Waiter] = [:]
    /// The values of the command that runs, to be let go by the next one.
    var passing: Int?
    /// The session whose values have come and whose command runs again: it does not wait a second time.
    var served: SessionReference?
    /// The keys of a command, in a buffer that is used again.
    var keys: [KeyReference] = []
    init() {}
}

extension Engine {
    // MARK: start and end

    /// Opens the tier on disk when the configuration wants it and there is none. At a start the dataset is complete: a
    /// file that was loaded is the truth, except that with `tier-persist` a record on disk is newer than an RDB file.
    package mutating func openColdTier() {
        let options = keyspace.tiers.options
        guard options.hasDisk, keyspace.tiers.cold == nil else { return }
        let wanted = coldOptions()
        guard let store = hooks.openCold(wanted) else { return }
        let isTruth = !settings.appendOnly && (options.persistsDisk || keyspace.count == 0)
        guard recover(store, isTruth: isTruth) else { return }
        let cold = ColdTier(store)
        keyspace.tiers.cold = cold
        keyspace.releaseCold()
        setGate(.cold, true)
    }

    /// What the configuration says to the store.
    private func coldOptions() -> ColdOptions {
        let options = keyspace.tiers.options
        let path = config.string("fog-l3-path")
        var wanted = ColdOptions(directory: path.hasPrefix("/") ? path : "\(dataDirectory)/\(path)")
        wanted.byteCountMax = options.diskByteCountMax
        wanted.bytesPerSecond = options.diskBytesPerSecond
        wanted.persists = options.persistsDisk
        if settings.maxmemory > 0 {
            // Buffers are memory too: of a small one they must not take much.
            wanted.chunkByteCount = max(64 << 10, min(wanted.chunkByteCount, settings.maxmemory / 128))
            wanted.inFlightByteCountMax = max(128 << 10, min(wanted.inFlightByteCountMax, settings.maxmemory / 32))
        }
        wanted.reading =
            switch options.reading {
            case .auto: .automatic
            case .ring: .ring
            case .threads: .threads
            }
        return wanted
    }

    /// Takes what an earlier process left, or nothing of it. False when the directory cannot be used.
    private mutating func recover(_ store: ColdStore, isTruth: Bool) -> Bool {
        var numbers: [UInt16: Int] = [:]
        let start = clock.monotonicNanoseconds
        var count = 0
        do throws(SystemError) {
            let tiers = keyspace.tiers
            let outcome = try store.recover(now: keyspace.now) { number, bytes in
                if isTruth { numbers[number] = tiers.adopt(dictionary: bytes) }
            } found: { head, key, address in
                guard isTruth, keyspace.recover(head, key, address, dictionary: numbers[head.dictionary] ?? 0) else {
                    return false
                }
                count += 1
                return true
            }
            if outcome != .none {
                let milliseconds = (clock.monotonicNanoseconds - start) / 1_000_000
                Log.shared.notice("Disk tier: \(count) values found again in \(milliseconds) ms")
            }
            return true
        } catch {
            Log.shared.warning("The disk tier cannot be used: \(error.description)")
            store.abandon()
            return false
        }
    }

    /// The server ends in an orderly way: the next start finds the values again.
    package mutating func closeColdTier() {
        guard let cold = keyspace.tiers.cold else { return }
        keyspace.releaseCold()
        setGate(.cold, false)
        keyspace.tiers.cold = nil
        let isClean = cold.store.close { body in keyspace.forEachCold(body) }
        if !isClean { Log.shared.warning("The disk tier could not be closed: its values are lost") }
    }

    /// Follows the configuration while the server runs.
    mutating func coldSettingsChanged() {
        let options = keyspace.tiers.options
        guard let cold = keyspace.tiers.cold else {
            if !isLoading { openColdTier() }
            return
        }
        cold.takesValues = options.hasDisk
        coldStoreFollows()
    }

    /// The store follows the configuration: also `maxmemory`, of which its buffers may take a share.
    mutating func coldStoreFollows() {
        guard let cold = keyspace.tiers.cold else { return }
        cold.store.follow(coldOptions())
        // What is kept free for them is part of a reading.
        readAllocator()
    }

    // MARK: waiting

    /// Whether the command was suspended, because it needs values that have to be read from disk.
    @inline(never)
    mutating func coldGate(_ reference: SessionReference, _ id: Int, _ arguments: borrowing Arguments) -> Bool {
        // In this order: with nothing on disk a command is not to take a reference to the tier.
        guard context == .client, coldWaits.served != reference,
            coldWaits.passing != nil || keyspace.hasCold(in: reference.session.database),
            let cold = keyspace.tiers.cold
        else { return false }
        letPassedGo(cold)
        guard keyspace.hasCold(in: reference.session.database) else { return false }
        let group = cold.begin()
        if reference.session.gates.contains(.queueing) && !commands.slot(id).flags.contains(.unqueued) {
            askForQueue(reference, id, cold, group)
        } else if commands.slot(id).flags.contains(.runsQueue) {
            askForQueue(reference, id, cold, group)
        } else {
            ask(id, arguments, reference.session.database, cold, group)
        }
        guard cold.missingCount(group) > 0 else {
            coldWaits.passing = group
            return false
        }
        suspend(reference, reason: .cold, deadline: nil, slot: id, arguments: arguments)
        guard let order = reference.session.suspension?.order else { return true }
        coldWaits.waiters[group] = ColdWaits.Waiter(session: reference, order: order)
        return true
    }

    /// EXEC needs what its queue needs; a command that is queued needs nothing yet.
    private mutating func askForQueue(_ reference: SessionReference, _ id: Int, _ cold: ColdTier, _ group: Int) {
        guard commands.slot(id).flags.contains(.runsQueue), let transaction = reference.session.transaction,
            transaction.mayRun
        else { return }
        transaction.queue.forEach(from: 0) { slot, words in
            ask(slot, words, reference.session.database, cold, group)
            return true
        }
    }

    /// Asks for the values of a command's keys.
    private mutating func ask(
        _ id: Int, _ arguments: borrowing Arguments, _ database: Int, _ cold: ColdTier, _ group: Int
    ) {
        let flags = commands.slot(id).flags
        // A snapshot that runs takes the value of a key that changes, which it had better find at hand.
        let forSnapshot = flags.contains(.leavesAsleep)
        guard !forSnapshot || flags.contains(.write) && keyspace.isSnapshotRunning else { return }
        switch commands.keyShape(id) {
        case .none: return
        case .one(let index, let use):
            guard index < arguments.count, Engine.needsValue(use) else { return }
            ask(arguments[index], database, cold, group, forSnapshot: forSnapshot)
        case .any:
            var keys: [KeyReference] = []
            swap(&keys, &coldWaits.keys)
            if KeyExtraction.append(keysOf: commands.commands[id], in: arguments, to: &keys) {
                for key in keys where Engine.needsValue(key.flags) {
                    ask(arguments[key.index], database, cold, group, forSnapshot: forSnapshot)
                }
            }
            keys.removeAll(keepingCapacity: keys.count <= Observer.keptCount)
            swap(&keys, &coldWaits.keys)
        }
    }

    /// A key that is removed or replaced whole is not read, unless the reply says what it was.
    private static func needsValue(_ use: KeySpec.Flags) -> Bool {
        !use.contains(.notKey) && (use.contains(.access) || use.isDisjoint(with: [.overwrite, .remove]))
    }

    private mutating func ask(
        _ key: Span<UInt8>, _ database: Int, _ cold: ColdTier, _ group: Int, forSnapshot: Bool
    ) {
        let hash = KeyHash.hash(key, seed: KeyHash.seed)
        guard let entry = keyspace[database].table.find(key, hash: hash)?.entry, entry.tier == .cold,
            !keyspace.isExpired(entry), !forSnapshot || keyspace.isAwaitingSnapshot(entry, in: database)
        else { return }
        cold.ask(entry, in: group)
    }

    private mutating func letPassedGo(_ cold: ColdTier) {
        guard let group = coldWaits.passing else { return }
        coldWaits.passing = nil
        cold.end(group)
    }

    /// A command that comes soon will need this key's value.
    func expect(_ key: Span<UInt8>, hash: UInt64, in database: Int) {
        guard let cold = keyspace.tiers.cold, let entry = keyspace[database].table.find(key, hash: hash)?.entry,
            entry.tier == .cold
        else { return }
        cold.store.expect(SleepingValue(entry).coldAddress)
    }

    // MARK: by the clock

    /// The end of a turn: reads that were asked for begin, places that are free are given back before anybody hears of
    /// their removal.
    mutating func settleCold() {
        guard let cold = keyspace.tiers.cold else { return }
        letPassedGo(cold)
        if keyspace.garbage.hasCold { keyspace.releaseCold() }
        cold.store.commit()
        cold.store.flush()
    }

    /// Something was read or written: whoever waited for it goes on.
    package mutating func pollCold() {
        guard let cold = keyspace.tiers.cold else { return }
        keyspace.now = clock.nowMilliseconds
        var complete: [Int] = []
        cold.poll { complete.append($0) }
        for group in complete {
            if let waiter = coldWaits.waiters.removeValue(forKey: group), waiting.isWaiting(waiter.order) {
                resume(waiter.session, .ready)
            }
            cold.end(group)
        }
        _ = resumeHeldUp()
        if cold.store.isReclaiming { _ = tidyCold() }
        if trackers.broadcasts.hasPending { broadcastChanges() }
        flushJournal()
        settleCold()
        collectGarbage()
    }

    /// The timer's share: buffers that have waited are written, segments are emptied. True when it wants to go on soon.
    mutating func tidyCold() -> Bool {
        guard let cold = keyspace.tiers.cold else { return false }
        keyspace.releaseCold()
        cold.store.tidy(now: keyspace.now, reclaims: !keyspace.isSnapshotRunning) { head, key, address in
            keyspace.judge(head, key, address)
        } moved: { head, key, from, to in
            keyspace.moved(head, key, from, to)
        }
        if !keyspace.removals.isEmpty { applyEffects() }
        settleCold()
        return cold.store.isReclaiming
    }
}
