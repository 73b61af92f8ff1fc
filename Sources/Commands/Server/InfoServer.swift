// InfoServer.swift - INFO's sections about the process, its clients, persistence, replication and databases.
internal import Base
internal import Engine
internal import Keyspace
internal import Structures

enum InfoServer {
    static func server(_ call: borrowing Call, to text: inout InfoText) {
        let identity = call.administration.identity
        let settings = call.settings
        let port = call.administration.hooks.listeningPort()
        let now = call.administration.clock.nowMicroseconds
        let uptime = max(0, now / 1_000_000 - identity.startMilliseconds / 1000)
        text.section("Server")
        text.field("redis_version", FogVersion.redis)
        text.field("redis_git_sha1", "00000000")
        text.field("redis_git_dirty", 0)
        text.field("redis_build_id", "0000000000000000")
        text.field("redis_mode", settings.clusterEnabled ? "cluster" : "standalone")
        text.field("server_name", "fog")
        text.field("fog_version", FogVersion.fog)
        text.field("server_mode", settings.clusterEnabled ? "cluster" : "standalone")
        text.field("os", ProcessFacts.systemName)
        text.field("arch_bits", Int.bitWidth)
        text.field(
            "monotonic_clock",
            Ticks.usesCounter ? "X86 TSC @ \(Int(Ticks.perMicrosecond)) ticks/us" : "POSIX clock_gettime")
        text.field("multiplexing_api", "epoll")
        text.field("atomicvar_api", "c11-builtin")
        text.field("gcc_version", "0.0.0")
        text.field("process_id", identity.processIdentifier)
        text.field("process_supervised", settings.supervised.rawValue)
        text.field("run_id", identity.runIdentifier)
        text.field("tcp_port", port)
        text.field("server_time_usec", now)
        text.field("uptime_in_seconds", uptime)
        text.field("uptime_in_days", uptime / 86400)
        text.field("hz", settings.hz)
        text.field("configured_hz", settings.hz)
        text.field("lru_clock", now / 1_000_000 & 0xff_ffff)
        text.field("executable", identity.executable)
        text.field("config_file", identity.configurationFile)
        text.field("io_threads_active", identity.loopCount > 1)
        text.field("availability_zone", call.administration.config.string("availability-zone"))
        let addresses = call.administration.config.bindAddresses
        if port > 0 && !addresses.isEmpty {
            text.line("listener0:name=tcp," + addresses.map { "bind=\($0)," }.joined() + "port=\(port)")
        }
    }

    static func clients(_ call: borrowing Call, to text: inout InfoText) {
        let sessions = call.administration.sessions.all
        var inputMax = 0
        var outputMax = 0
        for session in sessions {
            inputMax = max(inputMax, session.session.gauges.queryByteCount)
            outputMax = max(outputMax, session.session.gauges.outputListByteCount)
        }
        text.section("Clients")
        text.field("connected_clients", sessions.count)
        text.field("cluster_connections", 0)
        text.field("maxclients", call.settings.maxClients)
        text.field("client_recent_max_input_buffer", inputMax)
        text.field("client_recent_max_output_buffer", outputMax)
        text.field("blocked_clients", call.administration.waiting.blockedCount)
        text.field("tracking_clients", call.administration.trackingClientCount)
        text.field("pubsub_clients", call.administration.pubsub.clientCount)
        text.field("watching_clients", call.administration.watchingClientCount)
        text.field("clients_in_timeout_table", call.administration.waiting.blockedWithDeadlineCount)
        text.field("total_watched_keys", call.administration.watchedKeyCount)
        text.field("total_blocking_keys", call.administration.waitedKeyCount)
        text.field("total_blocking_keys_on_nokey", call.administration.waitedKeyCountWithoutKey)
        let pause = call.administration.pause
        let isPaused = call.administration.isPaused
        let left = isPaused ? max(0, pause.end - call.administration.clock.monotonicNanoseconds) / 1_000_000 : 0
        text.field("paused_reason", isPaused ? "client_pause" : "none")
        text.field("paused_actions", isPaused ? (pause.mode == .all ? "all" : "write") : "none")
        text.field("paused_timeout_milliseconds", left)
    }

    static func persistence(_ call: borrowing Call, to text: inout InfoText) {
        text.section("Persistence")
        InfoSnapshots.write(call, to: &text)
        appendOnly(call, to: &text)
        text.field("module_fork_in_progress", 0)
        text.field("module_fork_last_cow_size", 0)
        appendOnlySizes(call, to: &text)
        InfoSnapshots.loading(call, to: &text)
    }

    static func replication(_ call: borrowing Call, to text: inout InfoText) {
        let identity = call.administration.replication
        text.section("Replication")
        text.field("role", "master")
        text.field("connected_slaves", 0)
        text.field("master_failover_state", "no-failover")
        text.field("master_replid", identity.identifier)
        text.field("master_replid2", identity.previousIdentifier)
        text.field("master_repl_offset", 0)
        text.field("second_repl_offset", -1)
        text.field("repl_backlog_active", 0)
        text.field("repl_backlog_size", call.settings.replBacklogSize)
        text.field("repl_backlog_first_byte_offset", 0)
        text.field("repl_backlog_histlen", 0)
    }

    static func keyspace(_ call: borrowing Call, to text: inout InfoText) {
        text.section("Keyspace")
        for index in 0..<call.keyspace.databaseCount {
            let (keys, expiring) = (call.keyspace[index].table.count, call.keyspace[index].table.expiryCount)
            guard keys > 0 else { continue }
            let average = expiring > 0 ? averageLifeMilliseconds(call, database: index) : 0
            let hashes = call.keyspace[index].expiringHashCount
            text.line("db\(index):keys=\(keys),expires=\(expiring),avg_ttl=\(average),subexpiry=\(hashes)")
        }
    }

    /// Entries looked at for the average time to live.
    private static let samplesMax = 64

    private static func averageLifeMilliseconds(_ call: borrowing Call, database: Int) -> Int64 {
        var sum: Int64 = 0
        var count: Int64 = 0
        for _ in 0..<samplesMax {
            let entry = call.keyspace[database].table.randomEntry { call.administration.random.next() }
            guard let entry, entry.hasExpiry else { continue }
            let left = max(0, entry.expiryMilliseconds.subtractingReportingOverflow(call.now).partialValue)
            let (total, overflow) = sum.addingReportingOverflow(left)
            if overflow { return Int64.max }
            sum = total
            count += 1
        }
        return count == 0 ? 0 : sum / count
    }
}
