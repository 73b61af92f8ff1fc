// ColdTierTests.swift - values on disk: what a command waits for and what it does not, what restarts find again, what
// becomes of records when their keys go, and that a disk that fails or lies costs values and never gives wrong ones.
import Base
import ColdStore
import Engine
import Foundation
@testable import Keyspace
import TestKit
import Testing

@Suite("Cold tier")
struct ColdTierTests {
    /// A server with a tier on disk, whose values are read from files and nowhere else.
    private struct Rig {
        let directory: TemporaryDirectory
        let server: TestServer
        let client: TestClient

        init(_ more: String = "", in directory: TemporaryDirectory? = nil, loops: Int = 1) throws {
            let place = try directory ?? TemporaryDirectory()
            self.directory = place
            server = try TestServer(
                loopCount: loops,
                configuration: "enable-debug-command yes\nfog-l3-enabled yes\nfog-l3-path \(place.path)/cold\n"
                    + "fog-l3-min-bytes 32\n" + more,
                directory: place.path)
            server.withEngine { $0.keyspace.tiers.cold?.store.readsFilesOnly = true }
            client = try server.connect()
        }

        /// Makes a string and sends it to disk.
        func put(_ key: String, _ value: String) throws {
            #expect(try client.run("SET \(key) \(value)").text == "OK")
            #expect(try client.run("FOG.TIER DEMOTE \(key) L3") == .integer(1))
        }

        /// Makes a string that goes to disk compressed, and is in its file; tells what it is.
        func putCompressed(_ key: String) throws -> String {
            let text = String(repeating: "compressible-", count: 100)
            #expect(try client.run("SET \(key) \(text)").text == "OK")
            #expect(try client.run("FOG.TIER DEMOTE \(key) L2") == .integer(1))
            #expect(try client.run("FOG.TIER DEMOTE \(key) L3") == .integer(1))
            settle()
            return text
        }

        /// Everything in buffers goes to the files.
        func settle() {
            server.withEngine { engine in
                guard let store = engine.keyspace.tiers.cold?.store else { return }
                store.submitAll()
                for _ in 0..<20_000 where !store.isIdle {
                    Clock.sleep(nanoseconds: 100_000)
                    engine.pollCold()
                }
            }
        }

        func figure(_ name: String) throws -> Int { try TierModelTests.figures(client)[name] ?? -1 }

        func level(_ key: String) throws -> String? { try client.run("FOG.TIER GET \(key)").text }

        var segmentFiles: [String] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path + "/cold")) ?? []
            return names.filter { $0.hasSuffix(".segment") }
        }
    }

    private static func value(_ number: Int) -> String {
        String(repeating: "\(number)-", count: 30)
    }

    @Test("questions about a key leave its value on disk")
    func questionsDoNotRead() throws {
        let rig = try Rig()
        try rig.put("a", ColdTierTests.value(1))
        rig.settle()
        #expect(try rig.client.run("STRLEN a") == .integer(60))
        #expect(try rig.client.run("EXISTS a") == .integer(1))
        #expect(try rig.client.run("TYPE a").text == "string")
        #expect(try rig.client.run("OBJECT ENCODING a").text == "cold")
        #expect(try rig.client.run("EXPIRE a 1000") == .integer(1))
        #expect(try rig.client.run("TTL a") == .integer(1000))
        #expect(try rig.client.run("PERSIST a") == .integer(1))
        #expect(try rig.client.run("MEMORY USAGE a").integer ?? 0 > 0)
        #expect(try rig.level("a") == "L3")
        #expect(try rig.figure("tier_disk_reads") == 0 && rig.figure("tier_disk_reads_waited") == 0)
        #expect(try rig.client.run("SET a other").text == "OK")
        #expect(try rig.figure("tier_disk_reads") == 0 && rig.figure("tier_cold_keys") == 0)
    }

    @Test("a value that lives some seconds more goes to disk, one of half a second does not")
    func briefValuesGoToDisk() throws {
        let rig = try Rig()
        let value = String(repeating: "v", count: 200)
        #expect(try rig.client.run("SET seconds \(value) EX 5").text == "OK")
        #expect(try rig.figure("tier_raw_bytes") > 200)
        #expect(try rig.client.run("FOG.TIER DEMOTE seconds L3") == .integer(1))
        // Not quite nothing: the cold entry's cell is larger than it.
        #expect(try rig.figure("tier_raw_keys") == 0 && rig.figure("tier_raw_bytes") < 64)
        #expect(try rig.client.run("SET moment \(value) PX 450").text == "OK")
        #expect(try rig.client.run("FOG.TIER DEMOTE moment L3") == .integer(0))
        #expect(try rig.client.run("GET seconds").text == value)
    }

    @Test("a first read serves the value from disk, a second one brings it back", arguments: TestVariant.all)
    func readsPromote(_ variant: TestVariant) throws {
        let rig = try Rig(
            "fog-l3-reader \(variant.protocolVersion == 2 ? "threads" : "auto")", loops: variant.loopCount)
        try rig.put("a", ColdTierTests.value(2))
        rig.settle()
        #expect(try rig.client.run("GET a").text == ColdTierTests.value(2))
        #expect(try rig.level("a") == "L3")
        #expect(try rig.client.run("GET a").text == ColdTierTests.value(2))
        #expect(try rig.level("a") == "L1")
        #expect(try rig.figure("tier_disk_reads") == 2 && rig.figure("tier_disk_reads_waited") == 0)
        #expect(try rig.figure("tier_cold_hits") == 2)
    }

    @Test("while raw values have more than their share, a value comes back compressed and stays so")
    func comesBackCompressed() throws {
        let rig = try Rig("fog-compress yes")
        let text = try rig.putCompressed("a")
        rig.server.withEngine { $0.keyspace.tiers.isRawCrowded = true }
        for _ in 0..<3 {
            #expect(try rig.client.run("GET a").text == text)
            #expect(try rig.level("a") == "L2")
        }
        #expect(try rig.figure("tier_disk_reads") == 1 && rig.figure("tier_from_cold") == 1)
        #expect(try rig.figure("tier_cold_keys") == 0 && rig.figure("tier_to_raw") == 0)
        rig.server.withEngine { $0.keyspace.tiers.isRawCrowded = false }
        #expect(try rig.client.run("GET a").text == text)
        #expect(try rig.level("a") == "L1")
    }

    @Test("a compressed value is in memory at its first read from disk, and raw at its second")
    func risesByReads() throws {
        let rig = try Rig("fog-compress yes")
        let text = try rig.putCompressed("a")
        for level in ["L2", "L1"] {
            #expect(try rig.client.run("GET a").text == text)
            #expect(try rig.level("a") == level)
        }
        #expect(try rig.figure("tier_disk_reads") == 1 && rig.figure("tier_from_cold") == 1)
    }

    @Test("where nothing is to become raw again, a value comes back compressed and stays so")
    func comesBackWithoutRawTier() throws {
        let rig = try Rig("fog-compress yes\nfog-l1-enabled no")
        let text = try rig.putCompressed("a")
        for _ in 0..<4 {
            #expect(try rig.client.run("GET a").text == text)
            #expect(try rig.level("a") == "L2")
        }
        #expect(try rig.figure("tier_from_cold") == 1 && rig.figure("tier_to_raw") == 0)
    }

    @Test("MGET, transactions, scripts and pipelines ask for all their values before they begin")
    func manyAtOnce() throws {
        let rig = try Rig("fog-promote-hits 255")
        for number in 0..<20 { try rig.put("k\(number)", ColdTierTests.value(number)) }
        rig.settle()
        let keys = (0..<20).map { "k\($0)" }.joined(separator: " ")
        let expected = (0..<20).map { ReplyValue.bulk(Array(ColdTierTests.value($0).utf8)) }
        #expect(try rig.client.run("MGET \(keys)") == .array(expected))
        _ = try rig.client.run("MULTI")
        for number in 0..<20 { #expect(try rig.client.run("GET k\(number)").text == "QUEUED") }
        #expect(try rig.client.run("EXEC") == .array(expected))
        let script =
            "EVAL \"local r = {} for i = 1, #KEYS do r[i] = redis.call('GET', KEYS[i]) end return r\" 20 \(keys)"
        #expect(try rig.client.run(script) == .array(expected))
        #expect(try rig.figure("tier_disk_reads_waited") == 0)
        // A key that is not declared is read all the same, while everybody waits.
        #expect(try rig.client.run("EVAL \"return redis.call('GET', 'k1')\" 0").text == ColdTierTests.value(1))
        #expect(try rig.figure("tier_disk_reads_waited") == 1)
        try rig.client.send(raw: (0..<20).map { "GET k\($0)\r\n" }.joined())
        for number in 0..<20 { #expect(try rig.client.reply().text == ColdTierTests.value(number)) }
        #expect(try rig.figure("tier_disk_reads_waited") == 1)
    }

    @Test("others are served while one client waits, and a write ends what was asked for")
    func othersGoOn() throws {
        let rig = try Rig()
        try rig.put("a", ColdTierTests.value(1))
        rig.settle()
        let other = try rig.server.connect()
        try rig.client.send("GET a")
        #expect(try other.run("SET a fresh").text == "OK")
        let seen = try rig.client.reply().text
        #expect(seen == "fresh" || seen == ColdTierTests.value(1))
        #expect(try rig.client.run("GET a").text == "fresh")
    }

    @Test("a cold key can be renamed, copied, moved, appended to and dumped")
    func keysTravel() throws {
        let rig = try Rig("fog-promote-hits 255")
        let value = ColdTierTests.value(7)
        for name in ["a", "b", "c", "d", "e"] { try rig.put(name, value) }
        rig.settle()
        #expect(try rig.client.run("RENAME a a2").text == "OK")
        #expect(try rig.client.run("GET a2").text == value && rig.client.run("EXISTS a") == .integer(0))
        #expect(try rig.client.run("COPY b b2") == .integer(1))
        #expect(try rig.client.run("GET b").text == value && rig.client.run("GET b2").text == value)
        #expect(try rig.client.run("MOVE c 1") == .integer(1))
        #expect(try rig.client.run("APPEND d x") == .integer(Int64(value.utf8.count + 1)))
        #expect(try rig.client.run("GET d").text == value + "x")
        let dump = try rig.client.run("DUMP e").bytes ?? []
        #expect(try rig.client.run(arguments: [Array("RESTORE".utf8), Array("e2".utf8), [48], dump]).text == "OK")
        #expect(try rig.client.run("GET e2").text == value)
        #expect(try rig.client.run("SWAPDB 0 1").text == "OK")
        #expect(try rig.client.run("GET c").text == value)
        #expect(try rig.figure("tier_disk_unreadable") == 0)
    }

    /// Members of large hashes and sets are prefetched for such commands; these have a table no more.
    @Test("commands that follow each other on one sleeping hash or set find it", arguments: ["L2", "L3"])
    func pipelinesOnOneCollection(tier: String) throws {
        let rig = try Rig("fog-compress yes\nfog-promote-hits 255")
        let fields = (0..<60).map { "field\($0) value-value-value\($0)" }.joined(separator: " ")
        _ = try rig.client.run("HSET h \(fields)")
        _ = try rig.client.run("SADD s \(fields)")
        for key in ["h", "s"] {
            #expect(try rig.client.run("FOG.TIER DEMOTE \(key) L2") == .integer(1))
            if tier == "L3" { #expect(try rig.client.run("FOG.TIER DEMOTE \(key) L3") == .integer(1)) }
        }
        rig.settle()
        try rig.client.send(raw: (0..<20).map { "HGET h field\($0)\r\n" }.joined())
        for number in 0..<20 { #expect(try rig.client.reply().text == "value-value-value\(number)") }
        try rig.client.send(raw: (0..<20).map { "SISMEMBER s field\($0)\r\n" }.joined())
        for _ in 0..<20 { #expect(try rig.client.reply() == .integer(1)) }
    }

    @Test("collections that are small go to disk too")
    func collections() throws {
        let rig = try Rig()
        let filler = String(repeating: "x", count: 30)
        _ = try rig.client.run("HSET h f1 \(filler) f2 \(filler)")
        _ = try rig.client.run("RPUSH l \(filler) \(filler)")
        _ = try rig.client.run("SADD s \(filler)1 \(filler)2")
        _ = try rig.client.run("ZADD z 1 \(filler)1 2 \(filler)2")
        _ = try rig.client.run("XADD x 1-1 f \(filler)")
        for key in ["h", "l", "s", "z"] { #expect(try rig.client.run("FOG.TIER DEMOTE \(key) L3") == .integer(1)) }
        #expect(try rig.client.run("FOG.TIER DEMOTE x L3") == .integer(0))
        rig.settle()
        #expect(try rig.client.run("HGET h f2").text == filler)
        #expect(try rig.client.run("LRANGE l 0 -1").elements?.count == 2)
        #expect(try rig.client.run("SADD s more") == .integer(1))
        #expect(try rig.client.run("ZSCORE z \(filler)2").text == "2")
        #expect(try rig.client.run("SCARD s") == .integer(3))
    }

    @Test("an orderly restart finds what was on disk, with its times and databases, and nothing else")
    func cleanRestart() throws {
        var rig: Rig? = try Rig("fog-compress yes")
        let directory = try #require(rig).directory
        for number in 0..<50 { try rig?.put("k\(number)", ColdTierTests.value(number)) }
        _ = try rig?.client.run("EXPIRE k1 5000")
        _ = try rig?.client.run("DEL k2")
        _ = try rig?.client.run("SET k3 other")
        _ = try rig?.client.run("SELECT 3")
        try rig?.put("third", ColdTierTests.value(99))
        rig?.server.stop()
        rig = nil
        let again = try Rig("fog-compress yes", in: directory)
        #expect(try again.client.run("DBSIZE") == .integer(48))
        #expect(try again.client.run("GET k0").text == ColdTierTests.value(0))
        #expect(try again.client.run("TTL k1").integer ?? 0 > 4900)
        #expect(try again.client.run("EXISTS k2 k3") == .integer(0))
        _ = try again.client.run("SELECT 3")
        #expect(try again.client.run("GET third").text == ColdTierTests.value(99))
        #expect(try again.figure("tier_disk_unreadable") == 0)
    }

    @Test("a dataset that was saved is the truth")
    func savedDatasetWins() throws {
        var rig: Rig? = try Rig()
        let directory = try #require(rig).directory
        try rig?.put("a", ColdTierTests.value(1))
        try rig?.put("b", ColdTierTests.value(2))
        #expect(try rig?.client.run("SAVE").text == "OK")
        rig?.server.stop()
        rig = nil
        let again = try Rig(in: directory)
        #expect(try again.client.run("MGET a b").elements?.map { $0.text } == [1, 2].map(ColdTierTests.value))
        #expect(try again.figure("tier_cold_keys") == 0)
    }

    @Test("FLUSHALL takes the segments away at once, FLUSHDB those of its database")
    func flushing() throws {
        let rig = try Rig()
        for number in 0..<50 { try rig.put("k\(number)", ColdTierTests.value(number)) }
        _ = try rig.client.run("SELECT 1")
        try rig.put("kept", ColdTierTests.value(77))
        rig.settle()
        _ = try rig.client.run("SELECT 0")
        #expect(try rig.client.run("FLUSHDB").text == "OK")
        // What the database had on disk is given back when a thread has freed it and the clock has ticked.
        for _ in 0..<1000 where try rig.figure("tier_disk_live_bytes") > 200 { Clock.sleep(nanoseconds: 10_000_000) }
        #expect(try rig.figure("tier_disk_live_bytes") <= 200 && rig.figure("tier_cold_keys") == 1)
        _ = try rig.client.run("SELECT 1")
        #expect(try rig.client.run("GET kept").text == ColdTierTests.value(77))
        #expect(try rig.client.run("FLUSHALL").text == "OK")
        #expect(try rig.figure("tier_disk_segments") == 0)
        // The files are the writing thread's to remove.
        for _ in 0..<200 where !rig.segmentFiles.isEmpty { Clock.sleep(nanoseconds: 10_000_000) }
        #expect(rig.segmentFiles.isEmpty)
        try rig.put("after", ColdTierTests.value(5))
        rig.settle()
        #expect(try rig.client.run("GET after").text == ColdTierTests.value(5))
    }

    @Test("a snapshot holds values on disk, also of keys that go while it is taken")
    func snapshots() throws {
        let rig = try Rig()
        for number in 0..<300 { try rig.put("k\(number)", ColdTierTests.value(number)) }
        rig.settle()
        let digest = try rig.client.run("DEBUG DIGEST")
        #expect(try !rig.client.run("BGSAVE").isError)
        for number in 0..<100 { _ = try rig.client.run("DEL k\(number)") }
        for number in 100..<200 { _ = try rig.client.run("APPEND k\(number) more") }
        for _ in 0..<1000 {
            if try rig.client.run("INFO persistence").text?.contains("rdb_bgsave_in_progress:0") == true { break }
            Clock.sleep(nanoseconds: 5_000_000)
        }
        let copy = try TestServer(configuration: "enable-debug-command yes", directory: rig.directory.path)
        #expect(try copy.connect().run("DEBUG DIGEST") == digest)
        #expect(try rig.figure("tier_disk_unreadable") == 0)
    }

    @Test("a record that is not what was written is a miss, is counted, and harms nobody else")
    func corruption() throws {
        let rig = try Rig()
        for number in 0..<20 { try rig.put("k\(number)", ColdTierTests.value(number)) }
        rig.settle()
        let name = try #require(rig.segmentFiles.first)
        let path = rig.directory.path + "/cold/" + name
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        let bytes = try #require(try file.readToEnd())
        let wrong = try #require(bytes.range(of: Data(ColdTierTests.value(11).utf8)))
        try file.seek(toOffset: UInt64(wrong.lowerBound + 10))
        try file.write(contentsOf: Data([1, 2, 3]))
        try file.close()
        #expect(try rig.client.run("GET k11") == .null)
        #expect(try rig.figure("tier_disk_checksum_errors") > 0)
        for number in 0..<20 where number != 11 {
            #expect(try rig.client.run("GET k\(number)").text == ColdTierTests.value(number))
        }
    }
}
