// InfoStatistics.swift - INFO stats and INFO cpu: the server's counters. What a feature that is not in use would count
// is zero, under its stock name, because dashboards expect the field.
internal import Base
internal import Engine
internal import Keyspace

enum InfoStatistics {
    static func write(_ call: borrowing Call, to text: inout InfoText) {
        text.section("Stats")
        traffic(call, &text)
        keys(call, &text)
        features(call, &text)
        errorsAndLoops(call, &text)
    }

    private static func traffic(_ call: borrowing Call, _ text: inout InfoText) {
        let counters = call.administration.statistics
        var (input, output) = (counters.networkInput, counters.networkOutput)
        for session in call.administration.sessions.all {
            input += session.session.gauges.networkInput
            output += session.session.gauges.networkOutput
        }
        text.field("total_connections_received", counters.connectionsReceived)
        text.field("total_commands_processed", counters.commandsProcessed)
        text.field("instantaneous_ops_per_sec", Int(counters.instantaneousOperations.perSecond))
        text.field("total_net_input_bytes", input)
        text.field("total_net_output_bytes", output)
        text.field("total_net_repl_input_bytes", 0)
        text.field("total_net_repl_output_bytes", 0)
        text.field("instantaneous_input_kbps", counters.instantaneousInput.perSecond / 1024)
        text.field("instantaneous_output_kbps", counters.instantaneousOutput.perSecond / 1024)
        text.field("instantaneous_input_repl_kbps", 0.0)
        text.field("instantaneous_output_repl_kbps", 0.0)
        text.field("rejected_connections", counters.connectionsRejected)
        text.field("sync_full", 0)
        text.field("sync_partial_ok", 0)
        text.field("sync_partial_err", 0)
    }

    private static func keys(_ call: borrowing Call, _ text: inout InfoText) {
        let counters = call.administration.statistics
        let keyspace = call.keyspace.statistics
        text.field("expired_subkeys", keyspace.expiredFields)
        text.field("expired_keys", keyspace.expired)
        text.field("expired_stale_perc", 0.0)
        text.field("expired_time_cap_reached_count", keyspace.expiryTimeCapReached)
        text.field(
            "expire_cycle_cpu_milliseconds", Int(Double(counters.activeExpireTicks) / Ticks.perMicrosecond / 1000))
        text.field("evicted_keys", call.administration.keyspace.statistics.evicted)
        text.field("evicted_clients", counters.evictedClients)
        text.field("evicted_scripts", call.scriptFigures.evictedCount)
        text.field("total_eviction_exceeded_time", 0)
        text.field("current_eviction_exceeded_time", 0)
        text.field("keyspace_hits", keyspace.hits)
        text.field("keyspace_misses", keyspace.misses)
    }

    private static func features(_ call: borrowing Call, _ text: inout InfoText) {
        text.field("pubsub_channels", call.subscribedNameCount(.channel))
        text.field("pubsub_patterns", call.subscribedNameCount(.pattern))
        text.field("pubsubshard_channels", call.subscribedNameCount(.shardChannel))
        let unused: [StaticString] = [
            "latest_fork_usec", "total_forks", "migrate_cached_sockets", "slave_expires_tracked_keys",
        ]
        for name in unused { text.field(name, 0) }
        let (moved, held) = (
            call.administration.statistics.compactionMoved, call.administration.statistics.compactionHeld
        )
        let compaction = call.administration.compactionFigures
        text.field("active_defrag_hits", moved)
        text.field("active_defrag_misses", held)
        text.field("active_defrag_key_hits", moved)
        text.field("active_defrag_key_misses", held)
        text.field("total_active_defrag_time", compaction.total)
        text.field("current_active_defrag_time", compaction.current)
        text.field("tracking_total_keys", call.administration.trackedKeyCount)
        text.field("tracking_total_items", call.administration.trackedItemCount)
        text.field("tracking_total_prefixes", call.administration.trackedPrefixCount)
    }

    private static func errorsAndLoops(_ call: borrowing Call, _ text: inout InfoText) {
        let counters = call.administration.statistics
        text.field("unexpected_error_replies", counters.unexpectedErrorReplies)
        text.field("total_error_replies", counters.errorReplies)
        text.field("dump_payload_sanitizations", 0)
        let loops = call.administration.loopCounters
        text.field("total_reads_processed", loops.reads)
        text.field("total_writes_processed", loops.writes)
        text.field("io_threaded_reads_processed", 0)
        text.field("io_threaded_writes_processed", 0)
        text.field("client_query_buffer_limit_disconnections", counters.queryBufferLimitDisconnections)
        text.field("client_output_buffer_limit_disconnections", counters.outputBufferLimitDisconnections)
        text.field("reply_buffer_shrinks", 0)
        text.field("reply_buffer_expands", 0)
        text.field("eventloop_cycles", loops.cycles)
        text.field("eventloop_duration_sum", loops.nanoseconds / 1000)
        text.field("eventloop_duration_cmd_sum", call.administration.commandMicroseconds)
        text.field("fog_eventloop_longest_usec", loops.longestNanoseconds / 1000)
        let cycles = counters.instantaneousCycles.perSecond
        let nanoseconds = counters.instantaneousCycleNanoseconds.perSecond
        text.field("instantaneous_eventloop_cycles_per_sec", Int(cycles))
        text.field("instantaneous_eventloop_duration_usec", cycles > 0 ? Int(nanoseconds / cycles / 1000) : 0)
        text.field("acl_access_denied_auth", counters.accessDeniedAuth)
        text.field("acl_access_denied_cmd", counters.accessDeniedCommand)
        text.field("acl_access_denied_key", counters.accessDeniedKey)
        text.field("acl_access_denied_channel", counters.accessDeniedChannel)
        text.field("acl_access_denied_db", counters.accessDeniedDatabase)
    }

    static func processor(to text: inout InfoText) {
        let own = ProcessFacts.processorSeconds()
        let children = ProcessFacts.processorSeconds(children: true)
        let thread = ProcessFacts.threadProcessorSeconds()
        text.section("CPU")
        text.field("used_cpu_sys", own.system, decimals: 6)
        text.field("used_cpu_user", own.user, decimals: 6)
        text.field("used_cpu_sys_children", children.system, decimals: 6)
        text.field("used_cpu_user_children", children.user, decimals: 6)
        text.field("used_cpu_sys_main_thread", thread.system, decimals: 6)
        text.field("used_cpu_user_main_thread", thread.user, decimals: 6)
    }
}
