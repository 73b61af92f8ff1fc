// TierDirectives.swift - where values are kept (`Keyspace/Tiering`): raw (L1), compressed in memory (L2), on disk (L3).
// Numbers and times of 0 are none, which is the default: values then move only when memory is full. Pure data, joined
// by DirectiveTable.swift; fields in `TierOptions`.
internal import Keyspace

extension CompressionChoice: ConfigChoice {}
extension ColdReading: ConfigChoice {}

extension DirectiveTable {
    /// A year; nothing waits longer.
    private static let secondsMax = 31_536_000

    static let tiers: [Directive] = [
        .boolean("fog-l1-enabled", true) { $0.fog.tiers.keepsRaw = $1 },
        .integer("fog-l1-capacity", 0, 0...2_147_483_647) { $0.fog.tiers.rawCountMax = $1 },
        .integer("fog-l1-ttl", 0, 0...secondsMax) { $0.fog.tiers.rawSeconds = $1 },
        .integer("fog-l1-cleanup", 30, 1...secondsMax) { $0.fog.tiers.roundSeconds = $1 },
        .boolean("fog-l2-enabled", true) { $0.fog.tiers.hasCompressedTier = $1 },
        .integer("fog-l2-ttl", 0, 0...secondsMax) { $0.fog.tiers.compressedSeconds = $1 },
        .boolean("fog-l3-enabled", false) { $0.fog.tiers.hasDisk = $1 },
        .text("fog-l3-path", "cold", .immutable),
        .memory("fog-l3-max-bytes", 10 << 30, (64 << 20)...(1 << 43)) { $0.fog.tiers.diskByteCountMax = $1 },
        .memory("fog-l3-min-bytes", 64, 32...(1 << 20)) { $0.fog.tiers.coldByteCountMin = $1 },
        .memory("fog-l3-write-rate", 100 << 20, 0...(1 << 40)) { $0.fog.tiers.diskBytesPerSecond = $1 },
        .integer("fog-l3-ttl", 0, 0...secondsMax) { $0.fog.tiers.coldSeconds = $1 },
        .choice("fog-l3-reader", ColdReading.auto, .immutable) { $0.fog.tiers.reading = $1 },
        .boolean("tier-persist", false, .immutable) { $0.fog.tiers.persistsDisk = $1 },
        .boolean("fog-compress", false) { $0.fog.tiers.isCompressionOn = $1 },
        .choice("fog-compress-codec", CompressionChoice.auto) { $0.fog.tiers.choice = $1 },
        .integer("fog-compress-level", 1, 1...19) { $0.fog.tiers.level = $1 },
        .memory("fog-compress-min-bytes", 96, 16...(1 << 20)) { $0.fog.tiers.byteCountMin = $1 },
        .memory("fog-compress-max-bytes", 64 << 10, 64...(1 << 20)) { $0.fog.tiers.byteCountMax = $1 },
        .integer("fog-promote-hits", 2, 1...255) { $0.fog.tiers.promoteHits = $1 },
        .integer("fog-promote-window", 60, 0...65_535) { $0.fog.tiers.promoteWindowSeconds = $1 },
    ]
}
