// SaveTests.swift - the dataset on disk as clients see it: saving, starting from a file, what happens when it cannot be
// written or read. Every test has a directory of its own.
import Base
import Engine
import TestKit
import Testing

struct SaveTests {
    @Test func savesAndStartsFromTheFile() throws {
        let directory = try TemporaryDirectory()
        do {
            let server = try TestServer(directory: directory.path)
            let client = try server.connect()
            for line in ["SET a 1", "SET b two EX 1000", "RPUSH l 1 2 3", "SELECT 3", "SET c 3", "SAVE"] {
                #expect(try !client.run(line).isError, "\(line)")
            }
            #expect(try SaveTests.information(client, "rdb_changes_since_last_save") == "0")
            server.stop()
        }
        let server = try TestServer(directory: directory.path)
        let client = try server.connect()
        #expect(try client.run("GET a") == .bulk(Array("1".utf8)))
        #expect(try client.run("TTL b") == .integer(1000))
        #expect(try client.run("LRANGE l 0 -1").description == #"["1", "2", "3"]"#)
        #expect(try client.run("DBSIZE") == .integer(3))
        #expect(try SaveTests.information(client, "rdb_last_load_keys_loaded") == "4")
        #expect(directory.names == ["dump.rdb"])
    }

    /// Two counters that only ever change together are equal in every file.
    @Test func backgroundSavesAreExact() throws {
        let directory = try TemporaryDirectory()
        let server = try TestServer(configuration: "enable-debug-command yes", directory: directory.path)
        let client = try server.connect()
        _ = try client.run("DEBUG POPULATE 20000 key 200")
        for round in 0..<3 {
            #expect(try client.run("BGSAVE") == .simple(Array("Background saving started".utf8)))
            var writes = 0
            while try SaveTests.information(client, "rdb_bgsave_in_progress") == "1" {
                for line in ["MULTI", "INCR first", "SET key:\(writes % 20000) changed", "INCR second", "EXEC"] {
                    _ = try client.run(line)
                }
                writes += 1
            }
            #expect(try SaveTests.information(client, "rdb_last_bgsave_status") == "ok")
            let copy = try TestServer(directory: directory.path)
            let reader = try copy.connect()
            let first = try reader.run("GET first")
            #expect(try reader.run("GET second") == first, "round \(round), \(writes) writes meanwhile")
            let keyCount: Int64 = round == 0 ? 20000 : 20002
            #expect(try reader.run("DBSIZE") == .integer(keyCount))
        }
    }

    @Test func reloadGivesTheSameDataset() throws {
        let directory = try TemporaryDirectory()
        let server = try TestServer(configuration: "enable-debug-command yes", directory: directory.path)
        let client = try server.connect()
        _ = try client.run("DEBUG POPULATE 500")
        _ = try client.run("RPUSH list a b c 1 2 3")
        let digest = try client.run("DEBUG DIGEST")
        #expect(try client.run("DEBUG RELOAD") == .simple(Array("OK".utf8)))
        #expect(try client.run("DEBUG DIGEST") == digest)
        // Without flushing, keys that are there are an error, unless they are merged.
        #expect(try client.run("DEBUG RELOAD NOSAVE NOFLUSH").isError)
        #expect(try client.run("DEBUG RELOAD NOSAVE NOFLUSH MERGE") == .simple(Array("OK".utf8)))
        #expect(try client.run("DEBUG DIGEST") == digest)
        // So are libraries.
        _ = try client.run("FLUSHALL")
        let library = ##"FUNCTION LOAD "#!lua name=lib\nredis.register_function('f', function() return 7 end)""##
        #expect(try client.run(library).text == "lib")
        #expect(try client.run("DEBUG RELOAD NOFLUSH").isError)
        #expect(try client.run("DEBUG RELOAD NOFLUSH MERGE") == .simple(Array("OK".utf8)))
        #expect(try client.run("FCALL f 0").description == "(integer) 7")
        directory.write("dump.rdb", Array("REDIS0010garbage".utf8))
        _ = try client.run("DEBUG POPULATE 500")
        let populated = try client.run("DEBUG DIGEST")
        #expect(try client.run("DEBUG RELOAD NOSAVE").isError)
        #expect(try client.run("DEBUG DIGEST") == populated)
    }

    @Test func aBrokenFileStopsTheStart() throws {
        let directory = try TemporaryDirectory()
        for bytes in [Array("REDIS0010".utf8), Array("nonsense".utf8), [], Array("REDIS0010\u{0}\u{1}k\u{1}v".utf8)] {
            directory.write("dump.rdb", bytes)
            #expect(throws: StartFailure.self) { try TestServer(directory: directory.path) }
        }
        // Whatever was wrong with it, the file is still there for whoever wants to mend it.
        #expect(directory.names == ["dump.rdb"])
    }

    @Test func writesAreRefusedAfterAFailedSave() throws {
        let directory = try TemporaryDirectory()
        let server = try TestServer(directory: directory.path)
        let client = try server.connect()
        // The file cannot take its name, because a directory has it.
        directory.makeDirectory("dump.rdb")
        _ = try client.run("CONFIG SET save \"3600 1\"")
        #expect(try client.run("SAVE").isError)
        #expect(try client.run("SET k v") == .simple(Array("OK".utf8)))
        _ = try client.run("BGSAVE")
        while try SaveTests.information(client, "rdb_bgsave_in_progress") == "1" {}
        #expect(try SaveTests.information(client, "rdb_last_bgsave_status") == "err")
        #expect(try client.run("SET k v").description.contains("MISCONF"))
        #expect(try client.run("PING").description.contains("MISCONF"))
        #expect(try client.run("GET k") == .bulk(Array("v".utf8)))
        _ = try client.run("CONFIG SET stop-writes-on-bgsave-error no")
        #expect(try client.run("SET k v") == .simple(Array("OK".utf8)))
        _ = try client.run("CONFIG SET stop-writes-on-bgsave-error yes")
        #expect(try client.run("SET k v").description.contains("MISCONF"))
        directory.remove("dump.rdb")
        _ = try client.run("BGSAVE")
        while try SaveTests.information(client, "rdb_bgsave_in_progress") == "1" {}
        #expect(try client.run("SET k v") == .simple(Array("OK".utf8)))
        #expect(directory.names == ["dump.rdb"])
    }

    /// Copying a large value in passing would hold everybody up: whoever changes one waits until the snapshot has it.
    @Test func largeValuesAreNotCopiedInOneTurn() throws {
        let directory = try TemporaryDirectory()
        let server = try TestServer(configuration: "rdb-key-save-delay 10000000", directory: directory.path)
        let (first, second, third) = (try server.connect(), try server.connect(), try server.connect())
        for line in ["SETRANGE big 699999 x", "SET a 1", "SET b 2", "HSET hash large 1", "HSET hash field 1"] {
            #expect(try !first.run(line).isError, "\(line)")
        }
        let large = ["HSET", "hash", "large", String(repeating: "y", count: 700_000)]
        _ = try first.run(arguments: large.map { Array($0.utf8) })
        #expect(try first.run("HPEXPIRE hash 1000 FIELDS 1 field").description == "[1]")
        let fill = """
            for number = 1, 4000 do
                local member = string.rep('m', 100) .. number
                redis.call('SADD', 'set', member)
                redis.call('HSET', 'fields', member, '')
                redis.call('ZADD', 'zset', number, member)
            end
            """
        _ = try first.run(arguments: ["EVAL", fill, "0"].map { Array($0.utf8) })
        _ = try first.run("BGSAVE")
        // What a script does not declare is handed over in passing, whole.
        for line in ["'SADD', 'set', 'x'", "'HSET', 'fields', 'x', ''", "'ZADD', 'zset', 1, 'x'"] {
            #expect(try third.run("EVAL \"return redis.call(\(line))\" 0") == .integer(1), "\(line)")
        }
        for line in ["MULTI", "APPEND big y", "SET small 1"] { _ = try first.run(line) }
        try first.send("EXEC")
        try second.send(#"EVAL "return redis.call('APPEND', KEYS[1], 'z')" 1 big"#)
        #expect(try first.reply(withinMilliseconds: 100) == nil)
        #expect(try second.reply(withinMilliseconds: 20) == nil)
        // The transaction has not begun, and nobody else waits.
        #expect(try third.run("EXISTS small") == .integer(0))
        #expect(try third.run("STRLEN big") == .integer(700_000))
        #expect(try third.run(#"EVAL "return redis.call('APPEND', KEYS[1], 'z')" 1 a"#) == .integer(2))
        // Neither a reader nor the clock copies the hash to rid it of a field.
        server.advanceClock(milliseconds: 2000)
        #expect(try third.run("HEXISTS hash field") == .integer(0))
        var written = 0
        server.withEngine { written = $0.snapshotProgress.keysWritten }
        #expect(written == 4, "three tables and the small key were handed over")
        server.advanceClock(milliseconds: 1_000_000)
        #expect(try first.reply().description == #"[700001, OK]"#)
        #expect(try second.reply() == .integer(700_002))
        try SaveTests.expect { try SaveTests.information(third, "rdb_bgsave_in_progress") == "0" }
        try SaveTests.expect { try third.run("HLEN hash") == .integer(1) }
        let copy = try TestServer(directory: directory.path)
        let reader = try copy.connect()
        #expect(try reader.run("STRLEN big") == .integer(700_000))
        #expect(try reader.run("GET a") == .bulk(Array("1".utf8)))
        for line in ["SCARD set", "HLEN fields", "ZCARD zset"] {
            #expect(try reader.run(line) == .integer(4000), "\(line)")
        }
    }

    private static func expect(_ condition: () throws -> Bool) throws {
        let deadline = Clock().monotonicNanoseconds + 5_000_000_000
        while try !condition(), Clock().monotonicNanoseconds < deadline { Clock.sleep(nanoseconds: 1_000_000) }
        #expect(try condition())
    }

    @Test func savePointsSave() throws {
        let directory = try TemporaryDirectory()
        let server = try TestServer(directory: directory.path)
        let client = try server.connect()
        _ = try client.run("CONFIG SET save \"100 2\"")
        _ = try client.run("SET a 1")
        server.advanceClock(milliseconds: 200_000)
        _ = try client.run("SET b 1")
        var tries = 0
        while try SaveTests.information(client, "rdb_saves") == "0" && tries < 2000 {
            tries += 1
            Clock.sleep(nanoseconds: 2_000_000)
        }
        #expect(try SaveTests.information(client, "rdb_saves") == "1")
        #expect(try SaveTests.information(client, "rdb_changes_since_last_save") == "0")
    }

    @Test func scheduledAndCancelledSaves() throws {
        let directory = try TemporaryDirectory()
        let server = try TestServer(
            configuration: "enable-debug-command yes\nrdb-key-save-delay 10000000", directory: directory.path)
        let session = try TestSession(server: server)
        try session.run([
            ("DEBUG POPULATE 100", "OK"), ("BGSAVE nonsense", "(error) ERR syntax error"),
            ("BGSAVE CANCEL", "(error) ERR Background saving is currently not in progress or scheduled"),
            ("BGSAVE", "Background saving started"),
            ("BGSAVE", "(error) ERR Background save already in progress"),
            ("SAVE", "(error) ERR Background save already in progress"),
            ("BGSAVE CANCEL", "Background saving cancelled"),
            ("SHUTDOWN ABORT", "(error) ERR No shutdown in progress."),
            ("SHUTDOWN SAVE NOSAVE", "(error) ERR syntax error"),
        ])
        let deadline = Clock().monotonicNanoseconds + 5_000_000_000
        while !directory.names.isEmpty && Clock().monotonicNanoseconds < deadline {}
        #expect(directory.names.isEmpty)
    }

    @Test func whatKilledSavesLeftIsRemoved() throws {
        let directory = try TemporaryDirectory()
        directory.write("temp-2147483600.rdb", [1, 2, 3])
        directory.write("temp-1.rdb", [1])
        directory.write("temp-x.rdb", [1])
        let server = try TestServer(directory: directory.path)
        _ = server.port
        // Process 1 lives, and the last name is none of ours.
        #expect(directory.names.sorted() == ["temp-1.rdb", "temp-x.rdb"])
    }

    private static func information(_ client: TestClient, _ field: String) throws -> String {
        let text = try client.run("INFO persistence").text ?? ""
        for line in text.split(separator: "\r\n") where line.hasPrefix(field + ":") {
            return String(line.dropFirst(field.utf8.count + 1))
        }
        return ""
    }
}
