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

    /// What a client holds: the connection's buffers, and what it queued for EXEC.
    private static func byteCount(_ session: SessionReference) -> Int {
        session.session.gauges.memoryByteCount + (session.session.transaction?.byteCount ?? 0)
    }

    mutating func evictClients() {
        guard let limit = clientMemoryLimit else { return }
        let all = sessions.all.filter { !$0.session.isReplica }
        var total = all.reduce(0) { $0 + Engine.byteCount($1) }
        guard total > limit else { return }
        let candidates = all.filter { !$0.session.isNoEvict }.sorted { Engine.byteCount($0) > Engine.byteCount($1) }
        for session in candidates where total > limit {
            total -= Engine.byteCount(session)
            Log.shared.notice(
                "Evicting client: id=\(session.session.id) addr=\(session.session.address) "
                    + "tot-mem=\(Engine.byteCount(session))")
            statistics.evictedClients += 1
            dismiss(session)
        }
        if total > limit { Log.shared.warning("Over client maxmemory after evicting all evictable clients") }
    }
}
