// CacheStats.swift - FOG.STATS CACHE and EVENTS, and FOG.HEALTH: the mission's own names for what the server counts
// anyway. CONFIG RESETSTAT begins the counts anew. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum CacheStats {
    static let subcommands: [Command] = [
        Command(
            "CACHE", arity: 2, [.readonly, .fast], in: .fog, since: "8.2.0", complexity: "O(1)",
            summary: "Returns hits, misses and their like.",
            help: ["CACHE", "    Return hits, misses, hit rate in per cent, keys and what was removed."], run: cache),
        Command(
            "EVENTS", arity: 2, [.readonly, .fast], in: .fog, since: "8.2.0", complexity: "O(1)",
            summary: "Returns counts and times of events and invalidations.",
            help: ["EVENTS", "    Return counts and times of events and invalidations."], run: events),
    ]

    static let commands: [Command] = [
        Command(
            "FOG.HEALTH", arity: 1, [.readonly, .fast], in: .fog, since: "8.2.0", complexity: "O(1)",
            summary: "Returns whether the server is well, and its most telling counts.", run: health)
    ]

    /// Of reads, in per cent with one decimal; 0 before the first.
    private static func hitRate(_ statistics: Keyspace.Statistics) -> Double {
        let total = statistics.hits + statistics.misses
        return total == 0 ? 0 : (Double(statistics.hits) * 1000 / Double(total)).rounded() / 10
    }

    private static let cache: Command.Handler = { (call: inout Call) throws(CommandError) in
        let statistics = call.keyspace.statistics
        let leases = call.cache.leases
        call.reply.map(12)
        call.reply.pair("hits", statistics.hits)
        call.reply.pair("misses", statistics.misses)
        call.reply.pair("hit_rate", double: hitRate(statistics))
        call.reply.pair("lru_size", TierFigures(call.keyspace).rawKeys)
        call.reply.pair("lru_capacity", call.settings.fog.tiers.rawCountMax)
        // A primary is its own source of truth; there is no link that could be down.
        call.reply.pair("connected", 1)
        call.reply.pair("evictions", statistics.evicted)
        call.reply.pair("expired", statistics.expired)
        call.reply.pair("invalidated", statistics.invalidated)
        call.reply.pair("tags", call.keyspace.tags.tagCount)
        call.reply.pair("leases_granted", leases.granted)
        call.reply.pair("leases_filled", leases.filled)
    }

    private static func milliseconds(_ histogram: Histogram, _ percent: Double) -> Double {
        Double(histogram.percentile(percent)) / 1_000_000
    }

    /// Seconds since the last event, -1 before the first.
    private static func lastEventAge(_ call: borrowing Call) -> Double {
        guard let last = call.events.lastNanoseconds else { return -1 }
        return Double((call.administration.clock.monotonicNanoseconds - last) / 1_000_000) / 1000
    }

    private static let events: Command.Handler = { (call: inout Call) throws(CommandError) in
        let events = call.events
        call.reply.map(14)
        call.reply.pair("event_queue_size", events.queuedCount)
        call.reply.pair("last_event_age", double: lastEventAge(call))
        call.reply.pair("events_processed", events.processed)
        call.reply.pair("invalidations", events.invalidations)
        call.reply.pair("pubsub_active", 1)
        call.reply.pair("deduped", events.deduplicated)
        call.reply.pair("event_log_size", events.log.count)
        call.reply.pair("event_log_bytes", events.log.byteCount)
        call.reply.pair("first_seq", Int(events.log.firstSequence))
        call.reply.pair("next_seq", Int(events.log.nextSequence))
        call.reply.pair("event_propagation_latency_ms_p50", double: milliseconds(events.propagation, 50))
        call.reply.pair("event_propagation_latency_ms_p99", double: milliseconds(events.propagation, 99))
        call.reply.pair("invalidation_latency_ms_p50", double: milliseconds(events.invalidation, 50))
        call.reply.pair("invalidation_latency_ms_p99", double: milliseconds(events.invalidation, 99))
    }

    private static let health: Command.Handler = { (call: inout Call) throws(CommandError) in
        let events = call.events
        let statistics = call.keyspace.statistics
        call.reply.map(6)
        call.reply.pair("status", text: "healthy")
        call.reply.pair("redis_connected", 1)
        call.reply.pair("pubsub_active", 1)
        call.reply.pair("event_queue_size", events.queuedCount)
        call.reply.pair("last_event_age", double: lastEventAge(call))
        call.reply.bulk("cache_stats")
        call.reply.map(6)
        call.reply.pair("cache_hits", statistics.hits)
        call.reply.pair("cache_misses", statistics.misses)
        call.reply.pair("events_processed", events.processed)
        call.reply.pair("invalidations", events.invalidations)
        call.reply.pair("l1_cache_size", call.keyspace.count)
        let megabytes = Double(call.administration.usedMemory) / 1_048_576
        call.reply.pair("redis_memory_used_mb", double: (megabytes * 10).rounded() / 10)
    }
}
