// NetworkDirectives.swift - listening, clients, buffers and event loops.
// One line per directive: name, default, what is allowed, flags, alias, the `Settings` field. Defaults and bounds are
// those of the stock servers and checked against them by Conformance/config_check.py. Pure data, joined by
// DirectiveTable.swift.

extension DirectiveTable {
    static let network: [Directive] = [
        .special("bind", .addresses, .texts([Array("*".utf8), Array("-::*".utf8)])),
        .optionalText("bind-source-addr"),
        .boolean("protected-mode", true) { $0.protectedMode = $1 },
        .integer("port", 6379, .port) { $0.port = $1 },
        .integer("tcp-backlog", 511, .int32, .immutable) { $0.tcpBacklog = $1 },
        .integer("tcp-keepalive", 300, .int32) { $0.tcpKeepaliveSeconds = $1 },
        .integer("timeout", 0, .int32) { $0.timeoutSeconds = $1 },
        .optionalText("unixsocket", .immutable),
        .optionalText("unixsocketgroup", .immutable),
        .number("unixsocketperm", 0, .octal, true, 0, 0o777, .immutable, nil) { $0.unixSocketPermissions = $1 },
        .unsigned("socket-mark-id", 0, .uint32, .immutable) { $0.socketMarkId = $1 },
        .boolean("mptcp", false, .immutable) { $0.multipathTCP = $1 },
        .boolean("repl-mptcp", false, .immutable),
        .unsigned("maxclients", 10_000, 1...4_294_967_295) { $0.maxClients = $1 },
        .unsigned("max-new-connections-per-cycle", 10, 1...1000) { $0.maxNewConnectionsPerCycle = $1 },
        .unsigned("max-new-tls-connections-per-cycle", 1, 1...1000) { $0.maxNewTLSConnectionsPerCycle = $1 },
        .memory("proto-max-bulk-len", 512 << 20, (1 << 20)...Int.max) { $0.protoMaxBulkLength = $1 },
        .unsignedMemory(
            "client-query-buffer-limit", 1024 << 20, (1 << 20)...Int.max
        ) { $0.clientQueryBufferLimit = $1 },
        .special(
            "client-output-buffer-limit", .outputBufferLimits,
            .numbers([0, 0, 0, 256 << 20, 64 << 20, 60, 32 << 20, 8 << 20, 60]),
            store: { $0.outputBufferLimits = OutputBufferLimits($1.numbers) }),
        .number(
            "maxmemory-clients", 0, .memoryOrPercent, false, -100, Int.max, [], nil
        ) { $0.maxmemoryClients = $1 },
        // The default is the number of cores, at most eight: see `Config.init`.
        .integer("io-threads", 1, 1...128, .immutable) { $0.ioThreads = $1 },
        .boolean("io-threads-do-reads", false, .immutable),
        .boolean("io-threads-always-active", false, .hidden),
        .integer("prefetch-batch-max-size", 16, 0...128),
        .integer("min-io-threads-avoid-copy-reply", 7, .int32, .hidden),
        .integer("min-string-size-avoid-copy-reply", 16_384, .int32, .hidden),
        .integer("min-string-size-avoid-copy-reply-threaded", 65_536, .int32, .hidden),
        .special("rdma-bind", .unsupported("No RDMA building support."), .texts([])),
        .integer("rdma-port", 0, .port),
        .integer("rdma-rx-size", 1 << 20, (64 << 10)...(16 << 20), .immutable),
        .integer("rdma-completion-vector", -1, -1...1024, .immutable),
    ]
}

extension OutputBufferLimits {
    /// From the nine numbers of the directive; limits beyond `Int.max` are as good as that.
    init(_ numbers: [Int64]) {
        func limit(_ start: Int) -> OutputBufferLimit {
            guard start + 2 < numbers.count else { return OutputBufferLimit() }
            let bytes = numbers[start...start + 1].map { $0 < 0 ? Int.max : Int($0) }
            return OutputBufferLimit(hardBytes: bytes[0], softBytes: bytes[1], softSeconds: Int(numbers[start + 2]))
        }
        self.init(normal: limit(0), replica: limit(3), pubsub: limit(6))
    }
}
