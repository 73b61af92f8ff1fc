// InfoTiering.swift - INFO's section about tiers: what is raw, compressed and on disk, and what moved. Only Fog has it.
internal import Engine
internal import Keyspace

enum InfoTiering {
    static func write(_ call: borrowing Call, to text: inout InfoText) {
        let tiers = call.keyspace.tiers
        let figures = TierFigures(call.keyspace)
        let statistics = tiers.statistics
        text.section("Tiering")
        text.field("tier_compression", call.settings.fog.tiers.compresses)
        text.field("tier_raw_keys", figures.rawKeys)
        text.field("tier_raw_bytes", figures.rawByteCount)
        text.field("tier_raw_hits", figures.rawHits)
        text.field("tier_warm_keys", figures.warm.keys)
        text.field("tier_warm_bytes", figures.warm.byteCount)
        text.field("tier_warm_ratio", figures.warm.ratio)
        text.field("tier_warm_hits", statistics.warmHits)
        text.field("tier_dense_keys", figures.dense.keys)
        text.field("tier_dense_bytes", figures.dense.byteCount)
        text.field("tier_dense_ratio", figures.dense.ratio)
        text.field("tier_dense_hits", statistics.denseHits)
        text.field("tier_to_warm", statistics.toWarm)
        text.field("tier_to_dense", statistics.toDense)
        text.field("tier_to_cold", statistics.toCold)
        text.field("tier_to_raw", statistics.promotions)
        text.field("tier_from_cold", statistics.fromCold)
        text.field("tier_incompressible", statistics.incompressible)
        text.field("tier_skipped_for_time", statistics.skippedForTime)
        text.field("tier_outlived", statistics.outlived)
        text.field("tier_corrupt", statistics.corrupt)
        text.field("tier_dictionaries", tiers.dictionaryCount)
        text.field("tier_dictionary_bytes", tiers.dictionaryByteCount)
        text.field("tier_dictionaries_adopted", statistics.dictionariesAdopted)
        text.field("tier_dictionaries_refused", statistics.dictionariesRefused)
        tiers.forEachDictionary { dictionary, prefix, isCurrent in
            let family = String(decoding: prefix.filter { $0 > 32 && $0 < 127 && $0 != 44 && $0 != 61 }, as: UTF8.self)
            text.line(
                "tier_dictionary_\(dictionary.number):family=\(family),current=\(isCurrent ? 1 : 0),"
                    + "bytes=\(dictionary.byteCount),ratio=\(InfoText.fixed(dictionary.ratio, 2))")
        }
        writeDisk(call, figures, to: &text)
    }

    /// The tier on disk; one field where there is none.
    private static func writeDisk(_ call: borrowing Call, _ figures: TierFigures, to text: inout InfoText) {
        guard let cold = call.keyspace.tiers.cold else { return text.field("tier_disk", "off") }
        text.field("tier_disk", "\(cold.stateName)")
        if let reason = cold.failureReason { text.field("tier_disk_failure", reason) }
        text.field("tier_disk_reader", "\(cold.readerName)")
        text.field("tier_cold_keys", figures.cold.keys)
        text.field("tier_cold_hits", call.keyspace.tiers.statistics.coldHits)
        text.field("tier_cold_whole_bytes", figures.cold.wholeByteCount)
        text.field("tier_cold_index_bytes", figures.cold.entryByteCount)
        text.field("tier_disk_bytes", cold.diskByteCount)
        text.field("tier_disk_live_bytes", cold.liveByteCount)
        text.field("tier_disk_segments", cold.segmentCount)
        text.field("tier_disk_buffer_bytes", cold.bufferByteCount)
        text.field("tier_disk_reads_pending", cold.pendingReadCount)
        for (name, value) in cold.counters { text.line("tier_disk_\(name):\(value)") }
    }
}
