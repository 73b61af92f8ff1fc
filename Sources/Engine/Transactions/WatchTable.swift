// WatchTable.swift - who watches which key. While it is empty, nothing of a change is recorded for it; while it is not,
// a change costs one look into a dictionary of hashes. Whether a key existed when it was watched is kept with it: any
// change before EXEC ends the watch, so that it tells what the key is like now, which is how the loss of a key that had
// expired already is told from a real one. Under the turn.
internal import Base

struct WatchTable: ~Copyable {
    struct Watcher {
        let key: KeyIdentity
        let session: SessionReference
        /// Whether the key was alive at WATCH.
        let existed: Bool
    }

    /// Watchers by the hash of their key, whatever its database.
    private var byHash: [UInt64: [Watcher]] = [:]

    var isEmpty: Bool { byHash.isEmpty }

    mutating func add(_ key: KeyIdentity, existed: Bool, _ session: SessionReference) {
        byHash[key.hash, default: []].append(Watcher(key: key, session: session, existed: existed))
    }

    mutating func remove(_ key: KeyIdentity, _ session: SessionReference) {
        byHash[key.hash]?.removeAll { $0.session == session && $0.key == key }
        if byHash[key.hash]?.isEmpty == true { byHash[key.hash] = nil }
    }

    /// Sessions that watch `key`; only those for which it existed when `thatHadIt`.
    func watchers(
        of key: Span<UInt8>, hash: UInt64, database: Int, thatHadIt: Bool = false
    ) -> [SessionReference] {
        guard let found = byHash[hash] else { return [] }
        return found.filter { $0.key.database == database && $0.key.spells(key) && ($0.existed || !thatHadIt) }
            .map(\.session)
    }

    /// Everybody who watches keys of `database`.
    func watchers(in database: Int) -> [Watcher] {
        byHash.values.flatMap { $0.filter { $0.key.database == database } }
    }

    /// What `session` watches.
    func watchers(_ session: SessionReference, of keys: [KeyIdentity]) -> [Watcher] {
        keys.flatMap { key in (byHash[key.hash] ?? []).filter { $0.session == session && $0.key == key } }
    }

    /// Different keys watched (INFO total_watched_keys).
    var keyCount: Int {
        byHash.values.reduce(0) { total, watchers in
            var different: [KeyIdentity] = []
            for watcher in watchers where !different.contains(watcher.key) { different.append(watcher.key) }
            return total + different.count
        }
    }

    /// Sessions that watch any key (INFO watching_clients).
    var sessionCount: Int {
        Set(byHash.values.flatMap { $0.map { $0.session.session.id } }).count
    }
}
