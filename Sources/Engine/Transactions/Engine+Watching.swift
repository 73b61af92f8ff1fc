// Engine+Watching.swift - WATCH: from a changed key to the sessions whose EXEC must not run. `applyEffects` brings
// changes and removals here. A session that was told once watches nothing any more. Under the turn.
internal import Base
internal import Keyspace
internal import Structures

extension Engine {
    // MARK: watching and not watching any more

    mutating func watch(_ key: Span<UInt8>, hash: UInt64, _ session: SessionReference) {
        let transaction = transaction(of: session)
        // EXEC will not run anyway.
        if transaction.isStale { return }
        let watched = KeyIdentity(hash: hash, database: session.session.database, bytes: key.array)
        if transaction.watched.contains(watched) { return }
        transaction.watch(watched)
        watches.add(watched, existed: isAlive(watched), session)
        effects.wanted.insert(watched.hash)
        armEffects()
    }

    mutating func unwatchAll(_ session: SessionReference) {
        guard let transaction = session.session.transaction, !transaction.watched.isEmpty else { return }
        for key in transaction.watched {
            watches.remove(key, session)
            effects.wanted.remove(key.hash)
        }
        transaction.unwatchAll()
        armEffects()
    }

    package var watchingClientCount: Int { watches.sessionCount }

    package var watchedKeyCount: Int { watches.keyCount }

    // MARK: what changed

    /// A command changed the key.
    mutating func noteChange(of key: Span<UInt8>, database: Int) {
        if watches.isEmpty && waiters.isEmpty { return }
        let hash = KeyHash.hash(key, seed: KeyHash.seed)
        if !watches.isEmpty {
            for session in watches.watchers(of: key, hash: hash, database: database) { markStale(session) }
        }
        if !waiters.isEmpty { waiters.noteChange(of: key, hash: hash, database: database) }
    }

    /// The key expired or was evicted. Who watched it when its time was over already loses nothing.
    mutating func noteRemoval(of key: Span<UInt8>, database: Int) {
        if watches.isEmpty && waiters.isEmpty { return }
        let hash = KeyHash.hash(key, seed: KeyHash.seed)
        if !watches.isEmpty {
            let watchers = watches.watchers(of: key, hash: hash, database: database, thatHadIt: true)
            for session in watchers { markStale(session) }
        }
        if !waiters.isEmpty { waiters.noteChange(of: key, hash: hash, database: database) }
    }

    /// All keys of the database went or are others now: that matters to keys which existed or exist.
    mutating func noteReplacement(of database: Int) {
        for watcher in watches.watchers(in: database) where watcher.existed || isAlive(watcher.key) {
            markStale(watcher.session)
        }
        if !waiters.isEmpty { waiters.noteReplacement(of: database) }
    }

    private mutating func markStale(_ session: SessionReference) {
        session.session.transaction?.isStale = true
        unwatchAll(session)
    }

    /// Whether a key that existed at WATCH is gone: its time is over, though nothing may have noticed yet.
    func hasLostWatchedKey(_ session: SessionReference) -> Bool {
        guard let keys = session.session.transaction?.watched, !keys.isEmpty else { return false }
        return watches.watchers(session, of: keys).contains { $0.existed && !isAlive($0.key) }
    }

    /// Looks without touching: an expired key stays where it is.
    private func isAlive(_ key: KeyIdentity) -> Bool {
        guard let slot = keyspace[key.database].table.find(key.bytes.span, hash: key.hash) else { return false }
        return !keyspace.isExpired(slot.entry)
    }
}
