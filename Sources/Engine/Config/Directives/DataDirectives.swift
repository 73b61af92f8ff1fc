// DataDirectives.swift - memory limits, eviction, lazy freeing, encodings, active defragmentation.
// One line per directive: name, default, what is allowed, flags, alias, the `Settings` field. Defaults and bounds are
// those of the stock servers and checked against them by Conformance/config_check.py. Pure data, joined by
// DirectiveTable.swift.

extension DirectiveTable {
    static let memory: [Directive] = [
        Directive(
            "maxmemory", [],
            .number(Directive.Number(unit: .memoryOrAuto, isUnsigned: true, lower: 0, upper: -1)), [], .number(0),
            store: { settings, value in
                settings.maxmemoryIsAuto = value.number == Directive.Number.automatic
                settings.maxmemory = settings.maxmemoryIsAuto ? 0 : value.number < 0 ? .max : Int(value.number)
            }),
        .choice("maxmemory-policy", MaxmemoryPolicy.noEviction) { $0.maxmemoryPolicy = $1 },
        .integer("maxmemory-samples", 5, 1...64) { $0.maxmemorySamples = $1 },
        .integer("maxmemory-eviction-tenacity", 10, 0...100) { $0.maxmemoryEvictionTenacity = $1 },
        .integer("lfu-log-factor", 10, .int32) { $0.lfuLogFactor = $1 },
        .integer("lfu-decay-time", 1, .int32) { $0.lfuDecayTimeMinutes = $1 },
        .integer("active-expire-effort", 1, 1...10) { $0.activeExpireEffort = $1 },
        .boolean("lazyfree-lazy-eviction", false) { $0.lazyfreeLazyEviction = $1 },
        .boolean("lazyfree-lazy-expire", false) { $0.lazyfreeLazyExpire = $1 },
        .boolean("lazyfree-lazy-server-del", false) { $0.lazyfreeLazyServerDel = $1 },
        .boolean("lazyfree-lazy-user-del", false) { $0.lazyfreeLazyUserDel = $1 },
        .boolean("lazyfree-lazy-user-flush", false) { $0.lazyfreeLazyUserFlush = $1 },
        .boolean("jemalloc-bg-thread", true) { $0.jemallocBackgroundThread = $1 },
        .boolean("activedefrag", false) { $0.activeDefragmentation = $1 },
        .unsignedMemory("active-defrag-ignore-bytes", 100 << 20, 1...Int.max) { $0.activeDefragIgnoreBytes = $1 },
        .integer("active-defrag-threshold-lower", 10, 0...1000) { $0.activeDefragThresholdLower = $1 },
        .integer("active-defrag-threshold-upper", 100, 0...1000) { $0.activeDefragThresholdUpper = $1 },
        .integer("active-defrag-cycle-min", 1, 1...99) { $0.activeDefragCycleMin = $1 },
        .integer("active-defrag-cycle-max", 25, 1...99) { $0.activeDefragCycleMax = $1 },
        .integer("active-defrag-cycle-us", 500, 0...100_000) { $0.activeDefragCycleMicroseconds = $1 },
        .integer("active-defrag-max-scan-fields", 1000, 1...Int.max),
    ]

    static let dataTypes: [Directive] = [
        .unsigned(
            "hash-max-listpack-entries", 512, .int64, alias: "hash-max-ziplist-entries"
        ) { $0.hashMaxListpackEntries = $1 },
        .unsignedMemory(
            "hash-max-listpack-value", 64, .int64, alias: "hash-max-ziplist-value"
        ) { $0.hashMaxListpackValue = $1 },
        .integer("list-max-listpack-size", -2, .anyInt32, alias: "list-max-ziplist-size") {
            $0.listMaxListpackSize = $1
        },
        .integer("list-compress-depth", 0, .int32) { $0.listCompressDepth = $1 },
        .unsigned("set-max-intset-entries", 512, .int64) { $0.setMaxIntsetEntries = $1 },
        .unsigned("set-max-listpack-entries", 128, .int64) { $0.setMaxListpackEntries = $1 },
        .unsigned("set-max-listpack-value", 64, .int64) { $0.setMaxListpackValue = $1 },
        .unsigned(
            "zset-max-listpack-entries", 128, .int64, alias: "zset-max-ziplist-entries"
        ) { $0.zsetMaxListpackEntries = $1 },
        .unsignedMemory(
            "zset-max-listpack-value", 64, .int64, alias: "zset-max-ziplist-value"
        ) { $0.zsetMaxListpackValue = $1 },
        .unsignedMemory("hll-sparse-max-bytes", 3000, .int64) { $0.hllSparseMaxBytes = $1 },
        .unsignedMemory("stream-node-max-bytes", 4096, .int64) { $0.streamNodeMaxBytes = $1 },
        .integer("stream-node-max-entries", 100, .int64) { $0.streamNodeMaxEntries = $1 },
        .choice("sanitize-dump-payload", SanitizeDumpPayload.no) { $0.sanitizeDumpPayload = $1 },
    ]
}
