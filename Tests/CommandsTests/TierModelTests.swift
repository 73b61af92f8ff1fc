// TierModelTests.swift - values that sleep are the same values: thousands of random commands over all types, against a
// server whose values are put to sleep, woken and read asleep all the time and against a plain one. Every reply must be
// the same, and so must be what both hold at the end, what a file of it holds and what the journal tells.
import Base
import ColdStore
import Engine
import Keyspace
import TestKit
import Testing

struct TierModelTests {
    private struct Difference: Error, CustomStringConvertible {
        let description: String
    }

    @Test(arguments: [1, 2, 3, 4])
    func repliesAreTheSame(round: Int) throws {
        let variant = TestVariant.all[round % TestVariant.all.count]
        let seed = UInt64(round) &* 7_919 &+ 20_261_126
        let codec = ["auto", "lz4", "zstd"][round % 3]
        let pair = try Pair(variant, "fog-compress-codec \(codec)\n")
        var commands = TierModelCommands(seed: seed)
        try pair.train()
        for number in 0..<2500 { try step(pair, &commands, "seed \(seed), step \(number)") }
        try TierModelTests.compareAll(pair, "seed \(seed)")
        let figures = try TierModelTests.figures(pair.mover)
        #expect(figures["tier_corrupt"] == 0)
        let asleep = (figures["tier_to_warm"] ?? 0) + (figures["tier_to_dense"] ?? 0)
        #expect(asleep > 300, "seed \(seed): \(figures)")
        #expect(figures["tier_to_raw"] ?? 0 > 50, "seed \(seed): \(figures)")
        #expect((figures["tier_warm_hits"] ?? 0) + (figures["tier_dense_hits"] ?? 0) > 50, "seed \(seed): \(figures)")
        // A file of values that sleep holds them all.
        try pair.sleepAll()
        #expect(try pair.tieredClient.run("SAVE").text == "OK")
        let copy = try TestServer(configuration: "enable-debug-command yes", directory: pair.directory.path)
        let digest = try pair.plainClient.run("DEBUG DIGEST")
        #expect(try copy.connect().run("DEBUG DIGEST") == digest, "seed \(seed), loaded")
        #expect(try pair.tieredClient.run("DEBUG RELOAD").text == "OK")
        #expect(try pair.tieredClient.run("DEBUG DIGEST") == digest, "seed \(seed), reloaded")
    }

    /// The same with values on disk, which every command that wants them has to wait for.
    @Test(arguments: [1, 2, 3, 4])
    func repliesFromDiskAreTheSame(round: Int) throws {
        let variant = TestVariant.all[round % TestVariant.all.count]
        let seed = UInt64(round) &* 104_729 &+ 20_261_127
        let reader = ["io_uring", "threads"][round % 2]
        let isCompressed = round < 4
        let pair = try Pair(
            variant,
            "fog-l3-enabled yes\nfog-l3-min-bytes 32\nfog-l3-reader \(reader)\nfog-compress-codec auto\n"
                + (isCompressed ? "" : "fog-compress no\n"))
        pair.tiered.withEngine { $0.keyspace.tiers.cold?.store.readsFilesOnly = true }
        var commands = TierModelCommands(seed: seed)
        if isCompressed { try pair.train() }
        for number in 0..<2000 {
            try sink(pair, &commands)
            if isCompressed {
                try step(pair, &commands, "seed \(seed), step \(number)")
            } else {
                try compare(pair, commands.step(), "seed \(seed), step \(number)")
            }
        }
        try TierModelTests.compareAll(pair, "seed \(seed)")
        let figures = try TierModelTests.figures(pair.mover)
        #expect(figures["tier_corrupt"] == 0 && figures["tier_disk_unreadable"] == 0, "\(figures)")
        #expect(figures["tier_disk_checksum_errors"] == 0, "\(figures)")
        #expect(figures["tier_to_cold"] ?? 0 > 200, "seed \(seed): \(figures)")
        #expect(figures["tier_cold_hits"] ?? 0 > 50, "seed \(seed): \(figures)")
        #expect(figures["tier_disk_reads"] ?? 0 > 50, "seed \(seed): \(figures)")
        // A file of values on disk holds them all.
        try pair.sleepAll("L3")
        #expect(try pair.tieredClient.run("SAVE").text == "OK")
        let copy = try TestServer(configuration: "enable-debug-command yes", directory: pair.directory.path)
        let digest = try pair.plainClient.run("DEBUG DIGEST")
        #expect(try copy.connect().run("DEBUG DIGEST") == digest, "seed \(seed), loaded")
        #expect(try pair.tieredClient.run("DEBUG RELOAD").text == "OK")
        #expect(try pair.tieredClient.run("DEBUG DIGEST") == digest, "seed \(seed), reloaded")
    }

    /// Sends some values to disk, and what is in buffers on to the files.
    private func sink(_ pair: Pair, _ commands: inout TierModelCommands) throws {
        let kind = commands.below(100)
        if kind < 40 {
            let line = "FOG.TIER DEMOTE \(commands.anyKey()) L3"
            let reply = try pair.mover.run(line)
            pair.note(line, reply)
            #expect(!reply.isError, "\(reply)")
        }
        if kind < 20 {
            pair.tiered.withEngine { engine in
                guard let store = engine.keyspace.tiers.cold?.store else { return }
                store.submitAll()
                for _ in 0..<2000 where !store.isIdle {
                    Clock.sleep(nanoseconds: 100_000)
                    engine.pollCold()
                }
            }
        }
    }

    /// The journal knows nothing of moves, and a rewrite of it reads values asleep.
    @Test func journalTellsTheSame() throws {
        let (directory, digest) = try keepJournal(seed: 4711)
        let copy = try TestServer(
            configuration: "enable-debug-command yes\nappendonly yes", directory: directory.path)
        #expect(try copy.connect().run("DEBUG DIGEST") == digest, "replayed")
    }

    /// What a server leaves that has ended, and what it held.
    private func keepJournal(seed: UInt64) throws -> (directory: TemporaryDirectory, digest: ReplyValue) {
        let pair = try Pair(TestVariant(), "appendonly yes\nappendfsync no\n")
        var commands = TierModelCommands(seed: seed)
        try pair.train()
        for number in 0..<1000 { try step(pair, &commands, "seed \(seed), step \(number)") }
        try pair.sleepAll()
        #expect(try !pair.tieredClient.run("BGREWRITEAOF").isError)
        for number in 1000..<1400 { try step(pair, &commands, "seed \(seed), step \(number)") }
        for _ in 0..<500 {
            let text = try pair.tieredClient.run("INFO persistence").text ?? ""
            if text.contains("aof_rewrite_in_progress:0") && text.contains("aof_rewrite_scheduled:0") { break }
            pair.tiered.advanceClock(milliseconds: 0)
        }
        try TierModelTests.compareAll(pair, "seed \(seed)")
        return (pair.directory, try pair.plainClient.run("DEBUG DIGEST"))
    }

    // MARK: steps

    private func step(_ pair: Pair, _ commands: inout TierModelCommands, _ place: String) throws {
        try move(pair, &commands)
        try compare(pair, commands.step(), place)
        switch commands.below(400) {
        case 0...3: try watch(pair, &commands, place)
        case 4...7: try restore(pair, &commands, place)
        case 8:
            try pair.advance(milliseconds: 400_000)
            commands.secondsPassed += 400
            try TierModelTests.compareAll(pair, place)
        default: break
        }
    }

    private func compare(_ pair: Pair, _ step: TierModelStep, _ place: String) throws {
        let expected = try pair.plainClient.run(arguments: step.words)
        let found = try pair.tieredClient.run(arguments: step.words)
        let isSame =
            switch step.comparison {
            case .exact: expected == found
            case .unordered: TierModelTests.flat(expected) == TierModelTests.flat(found)
            case .nearly: TierModelTests.isNear(expected, found)
            case .encoding:
                expected == found
                    || expected != .null && (found.text?.hasPrefix("compressed-") == true || found.text == "cold")
            case .presence: (expected == .null) == (found == .null) && expected.isError == found.isError
            }
        pair.note(step.text, found)
        guard !isSame else { return }
        let figures = try TierModelTests.figures(pair.mover)
        throw Difference(
            description: "\(place): \(step.text)\nplain \(String(expected.description.prefix(500)))\n"
                + "tiers \(String(found.description.prefix(500)))\ncorrupt \(figures["tier_corrupt"] ?? -1)\n"
                + pair.history(of: step))
    }

    /// Puts values to sleep and wakes some.
    private func move(_ pair: Pair, _ commands: inout TierModelCommands) throws {
        switch commands.below(150) {
        case 0...59:
            let tier = commands.below(2) == 0 ? "WARM" : "L2"
            let line = "FOG.TIER DEMOTE \(commands.anyKey()) \(tier)"
            let reply = try pair.mover.run(line)
            pair.note(line, reply)
            #expect(!reply.isError, "\(reply)")
        case 60...62:
            let reply = try pair.mover.run("FOG.TIER PROMOTE \(commands.anyKey())")
            #expect(!reply.isError, "\(reply)")
        case 63: try pair.sleepAll()
        default: break
        }
    }

    /// A value that moves has not changed: a transaction that watches it runs.
    private func watch(_ pair: Pair, _ commands: inout TierModelCommands, _ place: String) throws {
        let key = commands.anyKey()
        try compare(pair, TierModelStep(["WATCH", key]), place)
        _ = try pair.mover.run("FOG.TIER DEMOTE \(key)")
        try compare(pair, TierModelStep(["MULTI"]), place)
        for _ in 0..<4 {
            let step = commands.step()
            if case .exact = step.comparison { try compare(pair, step, place) }
        }
        try compare(pair, TierModelStep(["TYPE", key]), place)
        try compare(pair, TierModelStep(["EXEC"]), place + ", transaction")
    }

    /// What one server dumps the other takes.
    private func restore(_ pair: Pair, _ commands: inout TierModelCommands, _ place: String) throws {
        let (source, target) = (commands.anyKey(), commands.anyKey())
        guard let dump = try pair.tieredClient.run("DUMP \(source)").bytes else { return }
        var step = TierModelStep(["RESTORE", target, "0", "", "REPLACE"])
        step.words[3] = dump
        // Reading is a use, which the plain server must see as well.
        _ = try pair.plainClient.run("DUMP \(source)")
        try compare(pair, step, place)
        try compare(pair, TierModelStep(["DEBUG", "DIGEST-VALUE", target]), place)
    }

    // MARK: support

    /// Both hold the same; what is over by the clock may take a moment to go.
    private static func compareAll(_ pair: Pair, _ place: String) throws {
        var (expected, found) = (ReplyValue.null, ReplyValue.null)
        for _ in 0..<300 {
            expected = try pair.plainClient.run("DEBUG DIGEST")
            found = try pair.tieredClient.run("DEBUG DIGEST")
            if expected == found { return }
            try pair.advance(milliseconds: 0)
        }
        throw Difference(description: "\(place): plain \(expected), tiers \(found)")
    }

    static func figures(_ client: TestClient) throws -> [String: Int] {
        var result: [String: Int] = [:]
        for line in (try client.run("INFO tiering").text ?? "").split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":")
            if parts.count == 2, let number = Int(parts[1]) { result[String(parts[0])] = number }
        }
        return result
    }

    /// Elements in one order, whatever the nesting.
    private static func flat(_ reply: ReplyValue) -> [String] {
        (reply.elements?.flatMap(flat) ?? [reply.description]).sorted()
    }

    private static func isNear(_ left: ReplyValue, _ right: ReplyValue) -> Bool {
        if let first = left.elements, let second = right.elements {
            return first.count == second.count && zip(first, second).allSatisfy { isNear($0, $1) }
        }
        guard let first = left.integer, let second = right.integer else { return left == right }
        return first == second || first >= 0 && second >= 0 && abs(first - second) <= 3
    }
}

extension TierModelTests {
    /// A plain server and one with tiers, with a client each.
    fileprivate struct Pair {
        let plain: TestServer
        let tiered: TestServer
        let plainClient: TestClient
        let tieredClient: TestClient
        /// Moves values of the tiered server, and looks at it.
        let mover: TestClient
        private let observer: TestClient
        private let journal = Journal()
        let directory: TemporaryDirectory

        private static let tiers = """
            fog-compress yes
            fog-compress-min-bytes 16
            fog-l1-ttl 300
            fog-l1-cleanup 1
            fog-promote-hits 3

            """

        init(_ variant: TestVariant, _ configuration: String) throws {
            directory = try TemporaryDirectory()
            let common = "enable-debug-command yes\n"
            plain = try TestServer(loopCount: variant.loopCount, configuration: common)
            tiered = try TestServer(
                loopCount: variant.loopCount,
                configuration: common + Pair.tiers + configuration + "fog-l3-path \(directory.path)/cold\n",
                directory: directory.path)
            plainClient = try plain.connect(protocolVersion: variant.protocolVersion)
            tieredClient = try tiered.connect(protocolVersion: variant.protocolVersion)
            mover = try tiered.connect()
            observer = try plain.connect()
        }

        /// What was done, for the report of a failure.
        private final class Journal {
            var lines: [String] = []
        }

        func note(_ line: String, _ reply: ReplyValue) {
            journal.lines.append("\(line) -> \(reply.description.prefix(60))")
        }

        /// The last steps that name a key which `step` names.
        func history(of step: TierModelStep) -> String {
            let words = step.words.map { String(decoding: $0, as: UTF8.self) }
            let keys = words.filter { $0.contains(":") && $0.count < 12 }
            let lines = journal.lines.filter { line in
                line.hasPrefix("SWAPDB") || line.hasPrefix("FLUSH") || line.hasPrefix("all ")
                    || keys.contains { line.contains(" \($0) ") || line.hasSuffix(" \($0)") }
            }
            return lines.suffix(40).joined(separator: "\n")
        }

        /// Moves the clocks; what is over goes at once, so that both count the same keys.
        func advance(milliseconds: Int64) throws {
            note("all later by \(milliseconds)", .null)
            plain.advanceClock(milliseconds: milliseconds)
            tiered.advanceClock(milliseconds: milliseconds)
            for client in [mover, observer] {
                for database in [1, 0] {
                    _ = try client.run("SELECT \(database)")
                    _ = try client.run("SCAN 0 COUNT 100000")
                }
            }
        }

        func sleepAll(_ tier: String = "L2") throws {
            note("all asleep", .null)
            for database in [1, 0] {
                _ = try mover.run("SELECT \(database)")
                for key in try mover.run("KEYS *").elements ?? [] {
                    guard let bytes = key.bytes else { continue }
                    _ = try mover.run(
                        arguments: [Array("FOG.TIER".utf8), Array("DEMOTE".utf8), bytes, Array(tier.utf8)])
                }
            }
        }

        /// Gives the tiered server's strings a dictionary: enough values of a kind, and time for the training.
        func train() throws {
            var commands = TierModelCommands(seed: 1)
            for index in 0..<120 {
                let value = (0..<24).map { _ in commands.record() }.joined()
                _ = try mover.run(arguments: ["SET", "text:sample:\(index)", value].map { Array($0.utf8) })
            }
            try sleepAll()
            for _ in 0..<2000 {
                tiered.advanceClock(milliseconds: 1)
                if try figures(mover)["tier_dictionaries_adopted"] ?? 0 > 0 { break }
            }
            let figures = try figures(mover)
            #expect(figures["tier_dictionaries_adopted"] == 1, "\(figures)")
            _ = try mover.run("FLUSHALL")
        }

        private func figures(_ client: TestClient) throws -> [String: Int] { try TierModelTests.figures(client) }
    }
}
