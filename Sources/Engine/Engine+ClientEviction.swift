// Engine+ClientEviction.swift - `maxmemory-clients`: when the buffers of all clients together pass the limit, those who
// hold most are disconnected until the rest fits, except who asked for CLIENT NO-EVICT. Sizes are what the clients'
// loops left last, which they do ten times a second while there is a limit. By the clock, under the turn.
internal import Base
internal import Keyspace

extension Engine {
    /// Bytes that all clients' buffers may take; nil for no limit. A percentage is one of `maxmemory`.
    private var clientMemoryLimit: Int? {
        let wanted = settings.maxmemoryClients
        if wanted == 0 { return nil }
        if wanted > 0 { return wanted }
        return settings.maxmemory > 0 ? settings.maxmemory / 100 * -wanted : nil
    }

    mutating func evictClients() {
        guard let limit = clientMemoryLimit else { return }
        let all = sessions.all.filter { !$0.session.isReplica }
        var total = all.reduce(0) { $0 + $1.session.byteCount }
        guard total > limit else { return }
        let candidates = all.filter { !$0.session.isNoEvict }.sorted { $0.session.byteCount > $1.session.byteCount }
        for session in candidates where total > limit {
            total -= session.session.byteCount
            Log.shared.notice(
                "Evicting client: id=\(session.session.id) addr=\(session.session.address) "
                    + "tot-mem=\(session.session.byteCount)")
            statistics.evictedClients += 1
            dismiss(session)
        }
        if total > limit { Log.shared.warning("Over client maxmemory after evicting all evictable clients") }
    }
}
