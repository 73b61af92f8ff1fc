// TierOptions.swift - what the configuration says about tiers, in the form the keyspace reads. Engine's turn only.
internal import Codec

/// `fog-compress-codec`.
package enum CompressionChoice: String, Sendable, CaseIterable, BitwiseCopyable {
    /// Dense where memory is short, else warm.
    case auto
    case lz4
    case zstd

    /// The codec of a raw value, compressed because memory is short or for another reason.
    func codec(memoryIsShort: Bool) -> BlockCodec {
        switch self {
        case .auto: memoryIsShort ? .zstd : .lz4
        case .lz4: .lz4
        case .zstd: .zstd
        }
    }
}

/// `fog-l3-reader`: how values are read from disk.
package enum ColdReading: String, Sendable, CaseIterable, BitwiseCopyable {
    /// io_uring where the kernel allows it, else threads.
    case auto
    case ring = "io_uring"
    case threads
}

package struct TierOptions: Sendable, Equatable, BitwiseCopyable {
    /// `fog-l1-enabled`: values that were read often enough become raw again.
    package var keepsRaw = true
    /// `fog-l2-enabled`: there are compressed values.
    package var hasCompressedTier = true
    /// `fog-compress`: values that go down are compressed.
    package var isCompressionOn = false
    /// `fog-compress-codec`.
    package var choice = CompressionChoice.auto
    /// `fog-compress-level`: Zstd's; 1 to 3 are one with a dictionary (`fog_zstd_make_dictionary`).
    package var level = 1
    /// `fog-compress-min-bytes` and `fog-compress-max-bytes`: sizes of values that are compressed.
    package var byteCountMin = 96
    package var byteCountMax = 64 << 10
    /// `fog-promote-hits`: reads within `fog-promote-window` after which a value becomes raw again.
    package var promoteHits = 2
    package var promoteWindowSeconds = 60
    /// `fog-l1-capacity`: most raw values of those that could be compressed; 0 for any number.
    package var rawCountMax = 0
    /// `fog-l1-ttl`: seconds without use after which a raw value goes to sleep; 0 never.
    package var rawSeconds = 0
    /// `fog-l2-ttl`: seconds without use after which a compressed value goes on to the next tier, or goes; 0 never.
    package var compressedSeconds = 0
    /// `fog-l3-enabled`: values go to disk.
    package var hasDisk = false
    /// `fog-l3-min-bytes`: smaller values do not.
    package var coldByteCountMin = 64
    /// `fog-l3-max-bytes`: what the files may take.
    package var diskByteCountMax = 10 << 30
    /// `fog-l3-write-rate`: bytes a second that may be written; 0 for any number.
    package var diskBytesPerSecond = 100 << 20
    /// `fog-l3-ttl`: seconds without use after which a value on disk goes; 0 never.
    package var coldSeconds = 0
    /// `fog-l3-reader`.
    package var reading = ColdReading.auto
    /// `tier-persist`: what is on disk survives a crash.
    package var persistsDisk = false
    /// `fog-l1-cleanup`: seconds between two looks at these times and numbers.
    package var roundSeconds = 30
    package init() {}

    /// Whether values are compressed at all.
    package var compresses: Bool { hasCompressedTier && isCompressionOn }

    /// Whether values move without memory being full.
    package var hasStandingOrders: Bool {
        compresses && (rawSeconds > 0 || rawCountMax > 0 || !keepsRaw) || compressedSeconds > 0 || coldSeconds > 0
    }
}

/// Plain counters that INFO shows; reset by CONFIG RESETSTAT.
package struct TierStatistics {
    package var warmHits = 0
    package var denseHits = 0
    package var coldHits = 0
    /// Values that went to each tier, and that became raw again.
    package var toWarm = 0
    package var toDense = 0
    package var toCold = 0
    package var promotions = 0
    /// Values that came back from disk without becoming raw.
    package var fromCold = 0
    /// Values that did not shrink.
    package var incompressible = 0
    /// Victims that were not tried, because enough time was spent on compressing.
    package var skippedForTime = 0
    /// Values that could not be read again.
    package var corrupt = 0
    /// Keys that went because their time in a tier was over.
    package var outlived = 0
    package var dictionariesAdopted = 0
    package var dictionariesRefused = 0
    package init() {}
}
