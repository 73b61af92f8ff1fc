// ConfigChoices.swift - directives whose value is one of a few names and steers the running server, as enums: the raw
// value is the name in a configuration file, the order of cases is the order in which an error lists them.
// Plain tags, a byte each: `Settings` stays trivially copyable.
internal import Base

/// A closed list of names that a directive accepts.
package protocol ConfigChoice: CaseIterable, RawRepresentable, Sendable, BitwiseCopyable where RawValue == String {}

extension ConfigChoice {
    /// The choice of that name, in either case; nil when there is none.
    package static func named(_ name: Span<UInt8>) -> Self? {
        allCases.first { Array($0.rawValue.utf8).span.equalsIgnoringCase(name) }
    }
}

/// `maxmemory-policy`: what is evicted when memory is full. Behind the stock names stand two for what the hand is here:
/// S3-FIFO's order, and the one that counts uses as TinyLFU does. They mean what allkeys-lru and allkeys-lfu mean.
package enum MaxmemoryPolicy: String, ConfigChoice {
    case volatileLRU = "volatile-lru"
    case volatileLFU = "volatile-lfu"
    case volatileRandom = "volatile-random"
    case volatileTTL = "volatile-ttl"
    case volatileLRM = "volatile-lrm"
    case allKeysLRU = "allkeys-lru"
    case allKeysLFU = "allkeys-lfu"
    case allKeysRandom = "allkeys-random"
    case allKeysLRM = "allkeys-lrm"
    case noEviction = "noeviction"
    case allKeysS3FIFO = "allkeys-s3fifo"
    case allKeysTinyLFU = "allkeys-tinylfu"

    /// Keeps a logarithmic access counter per key instead of an access time.
    package var isLFU: Bool { self == .volatileLFU || self == .allKeysLFU || self == .allKeysTinyLFU }
    /// Orders keys by their last access.
    package var isLRU: Bool { self == .volatileLRU || self == .allKeysLRU || self == .allKeysS3FIFO }
    /// Orders keys by their last change: reads do not make them younger (Redis 8.6).
    package var isLRM: Bool { self == .volatileLRM || self == .allKeysLRM }
    /// May evict keys without an expiry.
    package var coversAllKeys: Bool {
        switch self {
        case .allKeysLRU, .allKeysLFU, .allKeysRandom, .allKeysLRM, .allKeysS3FIFO, .allKeysTinyLFU: true
        case .volatileLRU, .volatileLFU, .volatileRandom, .volatileTTL, .volatileLRM, .noEviction: false
        }
    }
}

/// `loglevel`.
package enum LogLevelSetting: String, ConfigChoice {
    case debug, verbose, notice, warning, nothing
}

/// `appendfsync`.
package enum AppendFsync: String, ConfigChoice {
    case everySecond = "everysec"
    case always
    case no
}

/// `supervised`.
package enum SupervisedMode: String, ConfigChoice {
    case upstart, systemd, auto, no
}

/// `syslog-facility`.
package enum SyslogFacility: String, ConfigChoice {
    case user, local0, local1, local2, local3, local4, local5, local6, local7
}

/// `enable-protected-configs`, `enable-debug-command`, `enable-module-command`: who may.
package enum ProtectedAction: String, ConfigChoice {
    case no, yes, local

    /// Whether a client may, given whether it came over a Unix socket or the loopback interface.
    package func isAllowed(isLocalClient: Bool) -> Bool {
        self == .yes || (self == .local && isLocalClient)
    }
}

/// `repl-diskless-load`.
package enum ReplicaDisklessLoad: String, ConfigChoice {
    case disabled
    case onEmptyDatabase = "on-empty-db"
    case swapDatabase = "swapdb"
}

/// `sanitize-dump-payload`.
package enum SanitizeDumpPayload: String, ConfigChoice {
    case no, yes, clients
}

/// `acl-pubsub-default`: what channels a new ACL user may use.
package enum ACLPubSubDefault: String, ConfigChoice {
    case allChannels = "allchannels"
    case resetChannels = "resetchannels"
}

/// `propagation-error-behavior`.
package enum PropagationErrorBehavior: String, ConfigChoice {
    case ignore, panic
    case panicOnReplicas = "panic-on-replicas"
}

/// `cluster-preferred-endpoint-type`.
package enum ClusterEndpointType: String, ConfigChoice {
    case address = "ip"
    case hostname
    case unknown = "unknown-endpoint"
}

/// `tls-auth-clients`.
package enum TLSClientAuthentication: String, ConfigChoice {
    case no, yes, optional
}

/// `log-format`.
package enum LogFormat: String, ConfigChoice {
    case legacy, logfmt, json
}

/// `log-timestamp-format`.
package enum LogTimestampFormat: String, ConfigChoice {
    case legacy, iso8601, milliseconds
}

/// `rdb-version-check`.
package enum RDBVersionCheck: String, ConfigChoice {
    case strict, relaxed
}

/// `shutdown-on-sigterm`, `shutdown-on-sigint`: how the signal shuts the server down; empty means the default.
package struct ShutdownFlags: OptionSet, Sendable, BitwiseCopyable {
    /// The bits.
    package let rawValue: Int
    /// From bits.
    package init(rawValue: Int) { self.rawValue = rawValue }
    /// Save even without save points.
    package static let save = ShutdownFlags(rawValue: 1)
    /// Do not save even with save points.
    package static let noSave = ShutdownFlags(rawValue: 2)
    /// Do not wait for replicas that lag behind.
    package static let now = ShutdownFlags(rawValue: 4)
    /// Exit even if saving fails.
    package static let force = ShutdownFlags(rawValue: 8)
}
