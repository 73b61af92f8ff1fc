// MemoryCommand.swift - MEMORY: what a key costs, what the process holds, and what to think of it. Sizes are what the
// allocator really gave.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum MemoryCommand {
    static let commands: [Command] = [
        Command(
            "MEMORY", arity: -2, in: .server, since: "4.0.0", complexity: "Depends on subcommand.",
            summary: "A container for memory diagnostics commands.",
            subcommands: [
                Command(
                    "DOCTOR", arity: 2, in: .server, since: "4.0.0", complexity: "O(1)",
                    summary: "Outputs a memory problems report.",
                    hints: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
                    help: [
                        "DOCTOR",
                        "    Return memory problems reports.",
                    ],
                    run: doctor),
                Command(
                    "MALLOC-STATS", arity: 2, [.loading], in: .server, since: "4.0.0",
                    complexity: "Depends on how much memory is allocated, could be slow",
                    summary: "Returns the allocator statistics.",
                    hints: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
                    help: [
                        "MALLOC-STATS",
                        "    Return internal statistics report from the memory allocator.",
                    ],
                    run: mallocStats),
                Command(
                    "PURGE", arity: 2, [.loading], in: .server, since: "4.0.0",
                    complexity: "Depends on how much memory is allocated, could be slow",
                    summary: "Asks the allocator to release memory.",
                    hints: ["request_policy:all_shards", "response_policy:all_succeeded"],
                    help: [
                        "PURGE",
                        "    Attempt to purge dirty pages for reclamation by the allocator.",
                    ],
                    run: purge),
                Command(
                    "STATS", arity: 2, in: .server, since: "4.0.0", complexity: "O(1)",
                    summary: "Returns details about memory usage.",
                    hints: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
                    help: [
                        "STATS",
                        "    Return information about the memory usage of the server.",
                    ],
                    run: stats),
                Command(
                    "USAGE", "key [SAMPLES count:integer]", arity: -3, [.readonly, .leavesAsleep],
                    keys: [.key(at: 2, [.readOnly])],
                    in: .server, since: "4.0.0", complexity: "O(N) where N is the number of samples.",
                    summary: "Estimates the memory usage of a key.",
                    help: [
                        "USAGE <key> [SAMPLES <count>]",
                        "    Return memory in bytes used by <key> and its value. Nested values are",
                        "    sampled up to <count> times (default: 5, 0 means sample all).",
                    ],
                    run: usage),
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .server, since: "4.0.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help),
            ])
    ]

    /// Counters are exact, so SAMPLES is accepted and changes nothing.
    private static func usage(_ call: inout Call) throws(CommandError) {
        var options = call.options(from: 3)
        while !options.isAtEnd {
            guard options.take("SAMPLES", values: 1) else { throw .syntax }
            if try options.integer() < 0 { throw .syntax }
        }
        guard let slot = call.look(2) else { return call.reply.null() }
        let bytes = call.keyspace.memoryUsage(of: slot.entry, in: call.session.database)
        call.reply.integer(bytes)
    }

    private static func stats(_ call: inout Call) throws(CommandError) {
        call.administration.readMemoryToShow()
        let figures = MemoryFigures(call)
        let scripts = call.scriptFigures
        let reply = call.reply
        reply.deferredMap { count in
            var map = FieldMap(reply: reply)
            map.field("peak.allocated", figures.peak)
            map.field("total.allocated", figures.used)
            map.field("startup.allocated", figures.startup)
            map.field("replication.backlog", 0)
            map.field("clients.slaves", 0)
            map.field("clients.normal", figures.clients)
            map.field("cluster.links", 0)
            map.field("aof.buffer", call.administration.hooks.appendOnlyGauges().pendingByteCount)
            map.field("lua.caches", scripts.cacheByteCount)
            map.field("functions.caches", scripts.libraryByteCount)
            for index in 0..<call.keyspace.databaseCount where call.keyspace[index].count > 0 {
                map.name("db.\(index)")
                reply.map(2)
                reply.bulk("overhead.hashtable.main")
                reply.integer(call.keyspace[index].table.allocatedByteCount)
                // Expiries lie in their entries.
                reply.bulk("overhead.hashtable.expires")
                reply.integer(0)
            }
            map.field("overhead.db.hashtable.lut", figures.tables)
            map.field("overhead.db.hashtable.rehashing", 0)
            map.field("db.dict.rehashing.count", 0)
            map.field("overhead.total", figures.overhead)
            map.field("keys.count", figures.keys)
            map.field("keys.bytes-per-key", max(0, figures.used - figures.startup) / max(1, figures.keys))
            map.field("dataset.bytes", figures.dataset)
            map.field("dataset.percentage", figures.datasetPercent)
            map.field("peak.percentage", figures.peakPercent)
            allocator(figures, &map)
            count = map.count
        }
    }

    private static func allocator(_ figures: MemoryFigures, _ map: inout FieldMap) {
        map.field("allocator.allocated", figures.used)
        map.field("allocator.active", figures.active)
        map.field("allocator.resident", figures.allocatorResident)
        map.field("allocator.muzzy", 0)
        map.field("allocator-fragmentation.ratio", figures.allocatorFragmentation)
        map.field("allocator-fragmentation.bytes", figures.active - figures.used)
        map.field("allocator-rss.ratio", figures.allocatorResidentRatio)
        map.field("allocator-rss.bytes", figures.allocatorResident - figures.active)
        map.field("rss-overhead.ratio", figures.residentOverheadRatio)
        map.field("rss-overhead.bytes", figures.resident - figures.allocatorResident)
        map.field("fragmentation", figures.fragmentation)
        map.field("fragmentation.bytes", figures.resident - figures.used)
    }

    /// Writes name and value pairs and counts them.
    private struct FieldMap {
        let reply: Reply
        private(set) var count = 0

        init(reply: Reply) { self.reply = reply }

        mutating func name(_ name: String) {
            count += 1
            reply.bulk(name)
        }

        mutating func field(_ name: String, _ value: Int) {
            self.name(name)
            reply.integer(value)
        }

        mutating func field(_ name: String, _ value: Double) {
            self.name(name)
            var text = ByteBuffer()
            DoubleText.append(value, to: &text)
            reply.double(text: text.span)
        }
    }

    private static func doctor(_ call: inout Call) throws(CommandError) {
        call.administration.readMemoryToShow()
        call.reply.verbatim(MemoryReport.advice(MemoryFigures(call)))
    }

    private static func purge(_ call: inout Call) throws(CommandError) {
        guard MemoryAccount.purge() else { throw .message("ERR Error purging dirty pages") }
        call.reply.ok()
    }

    private static func mallocStats(_ call: inout Call) throws(CommandError) {
        call.reply.verbatim(MemoryAccount.report().span)
    }
}

/// What MEMORY DOCTOR says.
enum MemoryReport {
    /// Below this everything is start-up noise.
    private static let smallByteCount = 5 << 20
    private static let fragmentedByteCountMin = 10 << 20
    private static let clientByteCountMax = 200 << 10

    static func advice(_ figures: MemoryFigures) -> String {
        guard figures.used >= smallByteCount else {
            return "This server holds too little data for its memory to tell anything. Ask again when it is filled.\n"
        }
        var findings: [String] = []
        if InfoText.ratio(figures.peak, figures.used) > 1.5 {
            findings.append(
                "Peak: the server once held \(MemoryText.human(figures.peak)), far more than now. The process may keep "
                    + "pages from then; MEMORY PURGE returns what is free.")
        }
        if figures.allocatorFragmentation > 1.1, figures.active - figures.used > fragmentedByteCountMin {
            findings.append(
                "Fragmentation: the allocator keeps \(MemoryText.human(figures.active - figures.used)) in partly used "
                    + "pages, as after many deletes or changes of size.")
        }
        if figures.allocatorResidentRatio > 1.1,
            figures.allocatorResident - figures.active > fragmentedByteCountMin
        {
            findings.append(
                "Free pages: \(MemoryText.human(figures.allocatorResident - figures.active)) are free but not yet "
                    + "returned to the system; MEMORY PURGE returns them.")
        }
        if figures.keys > 0, figures.clients > max(clientByteCountMax, figures.used / 4) {
            findings.append(
                "Clients: their buffers take \(MemoryText.human(figures.clients)). CLIENT LIST shows who does not "
                    + "read.")
        }
        guard !findings.isEmpty else { return "The memory of this server looks healthy.\n" }
        return findings.map { "* \($0)\n" }.joined(separator: "\n")
    }
}
