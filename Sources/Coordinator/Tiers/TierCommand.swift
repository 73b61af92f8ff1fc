// TierCommand.swift - FOG.TIER: in which tier a key's value is kept, and moving it to another. Values move of their own
// accord (`Keyspace/Tiering`); these are for people who want to see or to help. Moving a value is no change of its key:
// nothing is recorded, announced or refused to readers. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum TierCommand {
    static let commands: [Command] = [
        Command(
            "FOG.TIER", arity: -2, in: .fog, since: "8.2.0",
            summary: "A container for commands about where values are kept.",
            subcommands: [
                Command(
                    "INFO", arity: 2, [.readonly], in: .fog, since: "8.2.0",
                    complexity: "O(N) where N is the number of dictionaries.",
                    summary: "Returns what is kept in each tier, and what moved between them.",
                    help: ["INFO", "    Return keys, bytes and hits of each tier, and the dictionaries in use."],
                    run: info),
                Command(
                    "GET", "key", arity: 3, [.readonly, .fast, .leavesAsleep], keys: [.key(at: 2, [.readOnly])],
                    in: .fog,
                    since: "8.2.0", complexity: "O(1)", summary: "Returns the level at which a key's value is kept.",
                    help: ["GET <key>", "    Return L1 (raw), L2 (compressed) or L3 (on disk); nil: no such key."],
                    run: get),
                Command(
                    "PROMOTE", "key [L1]", arity: -3, [.readonly, .fast], keys: [.key(at: 2, [.readOnly])], in: .fog,
                    since: "8.2.0", complexity: "O(N) where N is the size of the value.",
                    summary: "Makes a key's value raw.",
                    help: ["PROMOTE <key> [L1]", "    Make the value raw. Returns whether it moved."], run: promote),
                Command(
                    "DEMOTE", "key [tier=(L2 | WARM | DENSE | L3)]", arity: -3, [.readonly, .fast, .leavesAsleep],
                    keys: [.key(at: 2, [.readOnly])], in: .fog, since: "8.2.0",
                    complexity: "O(N) where N is the size of the value.",
                    summary: "Compresses a key's value, or writes it to disk.",
                    help: [
                        "DEMOTE <key> [L2|WARM|DENSE|L3]",
                        "    Compress the value (WARM: quick to read; DENSE: smallest) or write it to disk (L3).",
                        "    Returns whether it moved.",
                    ],
                    run: demote),
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .fog, since: "8.2.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help),
            ])
    ]

    private static let get: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = call.peek(call.firstWord, silently: true) else { return call.reply.null() }
        call.reply.bulk(entry.tier.level)
    }

    /// The key in argument `index`. Moving its value is no use of it.
    private static func find(_ call: borrowing Call, _ index: Int) -> EntryTable.Slot? {
        call.keyspace.look(call.arguments[index], hash: call.hash(index), in: call.session.database)
    }

    private static let promote: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        var words = call.options(from: first + 1)
        while !words.isAtEnd { guard words.take("L1") else { throw .syntax } }
        guard let slot = find(call, first), slot.entry.isAsleep else { return call.reply.integer(0) }
        let hash = call.hash(first)
        let isMoved = call.keyspace.wake(slot, hash: hash, in: call.session.database)
        call.reply.integer(isMoved ? 1 : 0)
    }

    private static let demote: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        var tier = Tier.dense
        var words = call.options(from: first + 1)
        while !words.isAtEnd {
            if words.take("WARM") {
                tier = .warm
            } else if words.take("L3") {
                tier = .cold
            } else if !words.take("L2") && !words.take("DENSE") {
                throw .syntax
            }
        }
        if tier == .cold {
            guard call.keyspace.tiers.cold?.takesValues == true else { throw .message("ERR fog-l3-enabled is off") }
        } else if !call.keyspace.tiers.mayCompress {
            throw .message("ERR fog-l2-enabled or fog-compress is off")
        }
        guard let slot = find(call, first) else { return call.reply.integer(0) }
        call.reply.integer(call.keyspace.demote(slot, in: call.session.database, to: tier) ? 1 : 0)
    }

    // MARK: figures

    private static let info: Command.Handler = { (call: inout Call) throws(CommandError) in
        call.reply.map(5)
        call.reply.bulk("l1")
        writeRaw(call)
        call.reply.bulk("l2")
        writeCompressed(call)
        call.reply.bulk("l3")
        writeCold(call)
        call.reply.bulk("moves")
        writeMoves(call)
        call.reply.bulk("dictionaries")
        writeDictionaries(call)
    }

    private static func writeRaw(_ call: borrowing Call) {
        let options = call.settings.fog.tiers
        let figures = TierFigures(call.keyspace)
        call.reply.map(7)
        call.reply.pair("enabled", options.keepsRaw ? 1 : 0)
        call.reply.pair("keys", figures.rawKeys)
        call.reply.pair("bytes", figures.rawByteCount)
        call.reply.pair("hits", figures.rawHits)
        call.reply.pair("capacity", options.rawCountMax)
        call.reply.pair("ttl", options.rawSeconds)
        call.reply.pair("cleanup", options.roundSeconds)
    }

    private static func writeCompressed(_ call: borrowing Call) {
        let options = call.settings.fog.tiers
        let figures = TierFigures(call.keyspace)
        let statistics = call.keyspace.tiers.statistics
        call.reply.map(12)
        call.reply.pair("enabled", options.compresses ? 1 : 0)
        call.reply.pair("keys", figures.warm.keys + figures.dense.keys)
        call.reply.pair("bytes", figures.warm.byteCount + figures.dense.byteCount)
        call.reply.pair("hits", statistics.warmHits + statistics.denseHits)
        call.reply.pair("ttl", options.compressedSeconds)
        call.reply.pair("whole_bytes", figures.warm.wholeByteCount + figures.dense.wholeByteCount)
        call.reply.pair("warm_keys", figures.warm.keys)
        call.reply.pair("warm_ratio", double: figures.warm.ratio)
        call.reply.pair("warm_hits", statistics.warmHits)
        call.reply.pair("dense_keys", figures.dense.keys)
        call.reply.pair("dense_ratio", double: figures.dense.ratio)
        call.reply.pair("dense_hits", statistics.denseHits)
    }

    private static func writeCold(_ call: borrowing Call) {
        let options = call.settings.fog.tiers
        let figures = TierFigures(call.keyspace).cold
        let cold = call.keyspace.tiers.cold
        call.reply.map(8)
        call.reply.pair("enabled", options.hasDisk && cold != nil ? 1 : 0)
        call.reply.pair("keys", figures.keys)
        call.reply.pair("bytes", cold?.liveByteCount ?? 0)
        call.reply.pair("hits", call.keyspace.tiers.statistics.coldHits)
        call.reply.pair("ttl", options.coldSeconds)
        call.reply.pair("whole_bytes", figures.wholeByteCount)
        call.reply.pair("disk_bytes", cold?.diskByteCount ?? 0)
        call.reply.pair("capacity", options.diskByteCountMax)
    }

    private static func writeMoves(_ call: borrowing Call) {
        let statistics = call.keyspace.tiers.statistics
        call.reply.map(9)
        call.reply.pair("to_warm", statistics.toWarm)
        call.reply.pair("to_dense", statistics.toDense)
        call.reply.pair("to_cold", statistics.toCold)
        call.reply.pair("to_raw", statistics.promotions)
        call.reply.pair("from_cold", statistics.fromCold)
        call.reply.pair("incompressible", statistics.incompressible)
        call.reply.pair("skipped_for_time", statistics.skippedForTime)
        call.reply.pair("outlived", statistics.outlived)
        call.reply.pair("corrupt", statistics.corrupt)
    }

    private static func writeDictionaries(_ call: borrowing Call) {
        let (reply, tiers) = (call.reply, call.keyspace.tiers)
        reply.array(tiers.dictionaryCount)
        tiers.forEachDictionary { dictionary, prefix, isCurrent in
            reply.map(5)
            reply.pair("number", dictionary.number)
            reply.pair("family", bytes: prefix.span)
            reply.pair("current", isCurrent ? 1 : 0)
            reply.pair("bytes", dictionary.byteCount)
            reply.pair("ratio", double: dictionary.ratio)
        }
    }
}
