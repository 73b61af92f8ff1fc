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
        text.field("tier_to_raw", statistics.promotions)
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
    }
}
