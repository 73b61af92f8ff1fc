// ColdSnapshotTests.swift - snapshots of keys whose values are on disk: what the file holds is what there was when it
// was begun, whatever clients, the clock, FLUSHDB and SWAPDB do meanwhile, and the disk is read in its own order, not
// key by key.
import Base
import ColdStore
import Engine
import Keyspace
import TestKit
import Testing

@Suite("Snapshots of the cold tier")
struct ColdSnapshotTests {
    private struct Rig {
        let directory: TemporaryDirectory
        let server: TestServer
        let client: TestClient

        init(reader: String, _ more: String = "") throws {
            directory = try TemporaryDirectory()
            server = try TestServer(
                configuration: "enable-debug-command yes\nfog-l3-enabled yes\nfog-l3-path \(directory.path)/cold\n"
                    + "fog-l3-min-bytes 32\nfog-l3-write-rate 0\nhash-max-listpack-value 4096\n"
                    + "fog-l3-reader \(reader)\n" + more,
                directory: directory.path)
            server.withEngine { $0.keyspace.tiers.cold?.store.readsFilesOnly = true }
            client = try server.connect()
        }

        /// Strings and small collections in databases 0 and 1, on disk except for one in ten.
        func fill(_ count: Int) throws {
            for database in [1, 0] {
                _ = try client.run("SELECT \(database)")
                for number in 0..<count {
                    let (key, text) = ("k\(number)", Rig.text(number + database * 7))
                    switch number % 5 {
                    case 0: _ = try client.run("HSET \(key) f \(text) g \(number)")
                    case 1: _ = try client.run("RPUSH \(key) \(text.prefix(60)) \(text.suffix(60)) \(number)")
                    case 2: _ = try client.run("SET \(key) \(text) EX 1000")
                    default: _ = try client.run("SET \(key) \(text)")
                    }
                    guard number % 10 != 9 else { continue }
                    #expect(try client.run("FOG.TIER DEMOTE \(key) L3") == .integer(1))
                }
            }
            server.withEngine { engine in
                guard let store = engine.keyspace.tiers.cold?.store else { return }
                store.submitAll()
                for _ in 0..<20_000 where !store.isIdle {
                    Clock.sleep(nanoseconds: 100_000)
                    engine.pollCold()
                }
            }
        }

        static func text(_ number: Int) -> String { String(repeating: "\(number)-", count: 60 + number % 97) }

        func figure(_ name: String) throws -> Int { try TierModelTests.figures(client)[name] ?? -1 }

        var isSaving: Bool {
            get throws {
                try client.run("INFO persistence").text?.contains("rdb_bgsave_in_progress:0") != true
            }
        }

        /// What a server that loads the file holds.
        func digestOfFile() throws -> ReplyValue {
            let copy = try TestServer(configuration: "enable-debug-command yes", directory: directory.path)
            return try copy.connect().run("DEBUG DIGEST")
        }
    }

    /// One of everything that may happen to a key, and to databases.
    private func disturb(_ rig: Rig, _ generator: inout RandomGenerator, _ count: Int) throws {
        let key = "k\(generator.next() % UInt64(count))"
        let commands = [
            "DEL \(key)", "UNLINK \(key)", "SET \(key) new", "APPEND \(key) more", "GET \(key)", "HSET \(key) f new",
            "RPUSH \(key) new", "EXPIRE \(key) 5000", "PERSIST \(key)", "PEXPIRE \(key) 1", "RENAME \(key) other",
            "MOVE \(key) 2", "COPY \(key) copy:\(key)", "FOG.TIER DEMOTE \(key) L3", "FOG.TIER PROMOTE \(key)",
            "SELECT 1", "SELECT 0", "GETDEL \(key)", "FOG.TIER DEMOTE other L3",
        ]
        _ = try rig.client.run(commands[Int(generator.next() % UInt64(commands.count))])
        switch generator.next() % 100 {
        case 0...1: _ = try rig.client.run("SWAPDB 0 1")
        // What had a time is over.
        case 2: rig.server.advanceClock(milliseconds: 300_000)
        default: break
        }
    }

    @Test("a snapshot is the state at its beginning", arguments: ["threads", "auto"], [0, 1, 2])
    func isExact(reader: String, round: Int) throws {
        let rig = try Rig(reader: reader, round == 1 ? "fog-compress yes" : "")
        let count = 1200
        try rig.fill(count)
        // The reader of the file sees nothing die: times are far away for its clock.
        let digest = try rig.client.run("DEBUG DIGEST")
        let windows = try rig.figure("tier_disk_windows_read")
        let waited = try rig.figure("tier_disk_reads_waited")
        if round == 2 { _ = try rig.client.run("CONFIG SET rdb-key-save-delay 200") }
        #expect(try !rig.client.run("BGSAVE").isError)
        let seed = UInt64(round) &* 31 &+ 2_026_1127
        var generator = RandomGenerator(seed: seed)
        var steps = 0
        while try steps % 20 != 0 || rig.isSaving {
            try disturb(rig, &generator, count)
            steps += 1
            if steps == 150 { _ = try rig.client.run("FLUSHDB") }
            if steps == 2000 { _ = try rig.client.run("CONFIG SET rdb-key-save-delay 0") }
        }
        #expect(try rig.digestOfFile() == digest, "seed \(seed), \(steps) steps")
        #expect(try rig.figure("tier_disk_windows_read") > windows)
        #expect(try rig.figure("tier_disk_reads_waited") - waited <= 2, "\(steps) steps")
        #expect(try rig.figure("tier_disk_unreadable") == 0 && rig.figure("tier_disk_checksum_errors") == 0)
    }

    @Test("SAVE and DEBUG RELOAD read in order too", arguments: ["threads", "auto"])
    func atOnce(reader: String) throws {
        let rig = try Rig(reader: reader)
        try rig.fill(600)
        let digest = try rig.client.run("DEBUG DIGEST")
        let waited = try rig.figure("tier_disk_reads_waited")
        #expect(try rig.client.run("SAVE").text == "OK")
        #expect(try rig.digestOfFile() == digest)
        // One that was begun in the background is taken to its end by one at once.
        #expect(try !rig.client.run("BGSAVE").isError)
        #expect(try rig.client.run("DEBUG RELOAD").text == "OK")
        #expect(try rig.figure("tier_disk_reads_waited") == waited)
        #expect(try rig.figure("tier_disk_windows_read") > 3)
        #expect(try rig.client.run("DEBUG DIGEST") == digest)
    }

    @Test("a snapshot that is given up leaves no trace, FLUSHALL in the middle of one neither")
    func givenUp() throws {
        let rig = try Rig(reader: "auto", "rdb-key-save-delay 100")
        try rig.fill(600)
        let digest = try rig.client.run("DEBUG DIGEST")
        for number in 0..<3 {
            #expect(try !rig.client.run("BGSAVE").isError)
            _ = try rig.client.run("DEL gone\(number) k0")
            _ = try rig.client.run("HSET k0 f \(Rig.text(0)) g 0")
            Clock.sleep(nanoseconds: 20_000_000)
            rig.server.withEngine { $0.cancelSnapshot() }
        }
        #expect(try rig.client.run("DEBUG DIGEST") == digest)
        #expect(try !rig.client.run("BGSAVE").isError)
        #expect(try rig.client.run("FLUSHALL").text == "OK")
        try rig.fill(20)
        for _ in 0..<1000 where try rig.isSaving { Clock.sleep(nanoseconds: 5_000_000) }
        #expect(try rig.client.run("SAVE").text == "OK")
        #expect(try rig.digestOfFile() == rig.client.run("DEBUG DIGEST"))
        #expect(try rig.figure("tier_disk_unreadable") == 0)
    }

    @Test("a rewrite of the journal reads in order")
    func rewrite() throws {
        let rig = try Rig(reader: "auto", "appendonly yes")
        try rig.fill(600)
        let digest = try rig.client.run("DEBUG DIGEST")
        let waited = try rig.figure("tier_disk_reads_waited")
        #expect(try !rig.client.run("BGREWRITEAOF").isError)
        for _ in 0..<1000 {
            if try rig.client.run("INFO persistence").text?.contains("aof_rewrite_in_progress:0") == true { break }
            Clock.sleep(nanoseconds: 5_000_000)
        }
        #expect(try rig.figure("tier_disk_reads_waited") == waited && rig.figure("tier_disk_windows_read") > 0)
        #expect(try rig.client.run("DEBUG LOADAOF").text == "OK")
        #expect(try rig.client.run("DEBUG DIGEST") == digest)
    }
}
