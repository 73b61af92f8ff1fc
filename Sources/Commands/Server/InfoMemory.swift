// InfoMemory.swift - INFO memory, and the figures behind it that MEMORY STATS and MEMORY DOCTOR share. All of them come
// from counters that the allocator and the keyspace keep; nothing is walked but the list of clients.
internal import Base
internal import Engine
internal import Keyspace
internal import Structures

/// What the process holds, from one reading.
struct MemoryFigures {
    let used: Int
    let peak: Int
    let peakSeconds: Int64
    let startup: Int
    let resident: Int
    let active: Int
    let allocatorResident: Int
    let restraint: Int
    /// Buffers of all clients.
    let clients: Int
    /// Hash tables of all databases.
    let tables: Int
    let keys: Int

    init(_ call: borrowing Call) {
        let memory = call.administration.memory
        used = max(0, memory.used)
        peak = max(memory.peak, memory.used)
        peakSeconds = memory.peakSeconds
        startup = memory.startup
        resident = memory.resident
        active = memory.allocatorActive
        allocatorResident = memory.allocatorResident
        restraint = memory.restraint
        clients = call.administration.sessions.all.reduce(0) { $0 + $1.session.byteCount }
        var tables = 0
        for index in 0..<call.keyspace.databaseCount { tables += call.keyspace[index].table.allocatedByteCount }
        self.tables = tables
        keys = call.keyspace.count
    }

    /// What is not the clients' data.
    var overhead: Int { min(used, startup + clients + tables) }
    var dataset: Int { max(0, used - overhead) }
    var datasetPercent: Double { InfoText.ratio(dataset, max(1, used - startup)) * 100 }
    var peakPercent: Double { InfoText.ratio(used, peak) * 100 }
    var fragmentation: Double { InfoText.ratio(resident, used) }
    var allocatorFragmentation: Double { InfoText.ratio(active, used) }
    var allocatorResidentRatio: Double { InfoText.ratio(allocatorResident, active) }
    var residentOverheadRatio: Double { InfoText.ratio(resident, allocatorResident) }
}

enum InfoMemory {
    static func write(_ call: borrowing Call, to text: inout InfoText) {
        let figures = MemoryFigures(call)
        text.section("Memory")
        text.size("used_memory", figures.used)
        text.size("used_memory_rss", figures.resident)
        text.size("used_memory_peak", figures.peak)
        text.field("used_memory_peak_time", figures.peakSeconds)
        text.field("used_memory_peak_perc", figures.peakPercent, unit: "%")
        text.field("used_memory_overhead", figures.overhead)
        text.field("used_memory_startup", figures.startup)
        text.field("used_memory_dataset", figures.dataset)
        text.field("used_memory_dataset_perc", figures.datasetPercent, unit: "%")
        text.field("allocator_allocated", figures.used)
        text.field("allocator_active", figures.active)
        text.field("allocator_resident", figures.allocatorResident)
        text.field("fog_rss_restraint_bytes", figures.restraint)
        text.field("allocator_muzzy", 0)
        text.size("total_system_memory", ProcessFacts.systemByteCount)
        scripts(call, &text)
        text.size("maxmemory", call.settings.maxmemory)
        text.field("maxmemory_policy", call.settings.maxmemoryPolicy.rawValue)
        ratios(figures, &text)
        let frees = call.administration.hooks.pendingFrees()
        text.field("mem_not_counted_for_evict", call.administration.memory.uncounted)
        text.field("mem_replication_backlog", 0)
        text.field("mem_total_replication_buffers", 0)
        text.field("mem_replica_full_sync_buffer", 0)
        text.field("mem_clients_slaves", 0)
        text.field("mem_clients_normal", figures.clients)
        text.field("mem_cluster_links", 0)
        text.field("mem_aof_buffer", call.administration.hooks.appendOnlyGauges().pendingByteCount)
        text.field("mem_allocator", MemoryAccount.allocatorName)
        text.field("mem_overhead_db_hashtable_rehashing", 0)
        text.field("active_defrag_running", call.administration.compactionFigures.percent)
        text.field("lazyfree_pending_objects", frees.pending)
        text.field("lazyfreed_objects", frees.freed - call.administration.statistics.freedObjectsBefore)
    }

    private static func scripts(_ call: borrowing Call, _ text: inout InfoText) {
        let scripts = call.scriptFigures
        text.field("used_memory_lua", scripts.evalByteCount)
        text.field("used_memory_vm_eval", scripts.evalByteCount)
        text.field("used_memory_lua_human", MemoryText.human(scripts.evalByteCount))
        text.field("used_memory_scripts_eval", scripts.cacheByteCount)
        text.field("number_of_cached_scripts", scripts.cachedCount)
        text.field("number_of_functions", scripts.functionCount)
        text.field("number_of_libraries", scripts.libraryCount)
        text.field("used_memory_vm_functions", scripts.functionByteCount)
        text.size("used_memory_vm_total", scripts.evalByteCount + scripts.functionByteCount)
        text.field("used_memory_functions", scripts.libraryByteCount)
        text.size("used_memory_scripts", scripts.cacheByteCount + scripts.libraryByteCount)
    }

    private static func ratios(_ figures: MemoryFigures, _ text: inout InfoText) {
        text.field("allocator_frag_ratio", figures.allocatorFragmentation)
        text.field("allocator_frag_bytes", max(0, figures.active - figures.used))
        text.field("allocator_rss_ratio", figures.allocatorResidentRatio)
        text.field("allocator_rss_bytes", figures.allocatorResident - figures.active)
        text.field("rss_overhead_ratio", figures.residentOverheadRatio)
        text.field("rss_overhead_bytes", figures.resident - figures.allocatorResident)
        text.field("mem_fragmentation_ratio", figures.fragmentation)
        text.field("mem_fragmentation_bytes", figures.resident - figures.used)
    }
}
