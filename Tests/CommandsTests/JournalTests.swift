// JournalTests.swift - what the journal records of commands: their words as sent, or the deterministic form that Redis
// writes to its append only file for the same input, in units where Redis brackets them.
import Base
import Engine
import RESP
import Structures
import TestKit
import Testing

struct JournalTests {
    /// A session whose journal is on, and what its commands left there, one line a command.
    private struct Recorder {
        let session: TestSession

        init(configuration: String = "") throws {
            session = try TestSession(TestVariant(), configuration: configuration)
            session.server.withEngine { $0.setJournal(.replicas, isOn: true) }
        }

        /// The record of `lines`; a word that is a time near the present reads `<now>`, or `<now+SECONDS>`.
        func record(_ lines: String...) throws -> [String] {
            for line in lines { _ = try session.client.run(line) }
            return take()
        }

        func take() -> [String] {
            var bytes: [UInt8] = []
            var now: Int64 = 0
            session.server.withEngine { engine in
                engine.takeJournal { bytes = $0 }
                now = engine.clock.nowMilliseconds
            }
            return Recorder.commands(bytes).map { words in
                words.map { Recorder.plain($0, now: now) }.joined(separator: " ")
            }
        }

        private static func plain(_ word: String, now: Int64) -> String {
            guard word.utf8.count == 13, let time = Int64(word) else { return word }
            let seconds = (time - now + 59_000) / 1000 - 59
            return abs(seconds) < 100_000 ? "<now+\((seconds + 5) / 10 * 10)>" : word
        }

        private static func commands(_ bytes: [UInt8]) -> [[String]] {
            let text = String(decoding: bytes, as: UTF8.self)
            var lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
            var result: [[String]] = []
            while let head = lines.first, head.first == "*", let count = Int(head.dropFirst()) {
                result.append((0..<count).map { String(lines[2 + 2 * $0]) })
                lines.removeFirst(1 + 2 * count)
            }
            return result
        }
    }

    /// Who waited comes behind what served it, as the command that does not wait.
    @Test func waitingCommandsAreRecordedAsWhatTheyDid() throws {
        let recorder = try Recorder()
        #expect(
            try recorder.record(
                "RPUSH l 1 2 3 4 5", "BLPOP none l 0", "BRPOP l 0", "BLMOVE l m left RIGHT 0", "BRPOPLPUSH l m 0",
                "BLMPOP 0 1 m LEFT COUNT 9", "BLPOP l 0", "BLPOP l 0.001")
                == [
                    "SELECT 0", "RPUSH l 1 2 3 4 5", "LPOP l", "RPOP l", "LMOVE l m left RIGHT", "RPOPLPUSH l m",
                    "LPOP m 2", "LPOP l",
                ])
        let waiter = try recorder.session.server.connect()
        try waiter.send("BLMOVE a b LEFT LEFT 0")
        var waiting = 0
        while waiting == 0 { recorder.session.server.withEngine { waiting = $0.waiting.count } }
        #expect(
            try recorder.record("MULTI", "RPUSH a 1", "RPUSH a 2", "EXEC")
                == ["MULTI", "RPUSH a 1", "RPUSH a 2", "EXEC", "LMOVE a b LEFT LEFT"])
    }

    @Test func poppedMembersAreRecordedByTheirKey() throws {
        let recorder = try Recorder()
        #expect(
            try recorder.record(
                "ZADD z 1 a 2 b 3 c 4 d 5 e", "ZMPOP 2 none z MAX COUNT 2", "BZPOPMIN none z 0", "BZMPOP 0 1 z MIN COUNT 9",
                "ZMPOP 1 z MIN", "BZPOPMAX z 0.001", "GEOADD g CH 13.361389 38.115556 Palermo", "GEOADD g XX 1 1 none")
                == [
                    "SELECT 0", "ZADD z 1 a 2 b 3 c 4 d 5 e", "ZPOPMAX z 2", "ZPOPMIN z", "ZPOPMIN z 2",
                    "ZADD g CH 3479099956230698 Palermo",
                ])
    }

    @Test func plainCommandsAreRecordedAsSent() throws {
        let recorder = try Recorder()
        #expect(try recorder.record("SET a 1") == ["SELECT 0", "SET a 1"])
        #expect(
            try recorder.record("sEt a 2 nx", "set b 2 nX", "get b", "rpush l 1 2", "lrem l 0 x") == [
                "set b 2 nX", "rpush l 1 2",
            ])
        #expect(try recorder.record("set a", "incr l", "nonsense", "rename none x") == [])
        #expect(
            try recorder.record("select 3", "append a x", "select 3", "append a y") == [
                "SELECT 3", "append a x", "append a y",
            ])
    }

    @Test func stringsAreRewritten() throws {
        let recorder = try Recorder()
        _ = try recorder.record("set k 1")
        let rows: [(String, [String])] = [
            ("set k 1 ex 100", ["SET k 1 PXAT <now+100>"]),
            ("set k 1 pxat 9999999999999", ["SET k 1 PXAT 9999999999999"]),
            ("set k 1 get", ["SET k 1"]),
            ("set k 1 KeepTTL get xx", ["SET k 1 KeepTTL xx"]),
            ("set k 2 ifeq 1", ["SET k 2"]),
            ("set k 3 ifeq 1", []),
            ("setex k 100 v", ["SET k v PXAT <now+100>"]),
            ("psetex k 100000 v", ["SET k v PXAT <now+100>"]),
            ("set k 1 exat 1", ["SET k 1 PXAT 1000"]),
            ("getset k 2", ["DEL k", "SET k 2"]),
            ("getex k", []),
            ("getex k ex 100", ["PEXPIREAT k <now+100>"]),
            ("getex k persist", ["PERSIST k"]),
            ("getex k pxat 1", ["DEL k"]),
            ("getdel k", []),
            ("set k 10", ["set k 10"]),
            ("incrbyfloat k 1.5", ["SET k 11.5 KEEPTTL"]),
            ("getdel k", ["DEL k"]),
            ("bitop and d k k", []),
            ("setrange k 1 abc", ["setrange k 1 abc"]),
            ("bitop one d k k2", ["SET d \0abc"]),
            ("delex d", ["DEL d"]),
        ]
        for (command, expected) in rows {
            var recorded = try recorder.record(command)
            if recorded.first == "MULTI" { recorded = Array(recorded.dropFirst().dropLast()) }
            #expect(recorded == expected, "\(command)")
        }
    }

    @Test func expiriesAreRewritten() throws {
        let recorder = try Recorder()
        _ = try recorder.record("set k 1")
        let rows: [(String, [String])] = [
            ("expire k 100", ["PEXPIREAT k <now+100>"]),
            ("expire k 100 xx", ["PEXPIREAT k <now+100> xx"]),
            ("expire k 100 nx", []),
            ("pexpireat k 9999999999999 gt", ["pexpireat k 9999999999999 gt"]),
            ("persist k", ["persist k"]),
            ("expireat k 9999999999", ["PEXPIREAT k 9999999999000"]),
            ("expire k -1", ["DEL k"]),
            ("expire k 10", []),
        ]
        for (command, expected) in rows { #expect(try recorder.record(command) == expected, "\(command)") }
    }

    @Test func poppingFromTheFirstListNamesIt() throws {
        let recorder = try Recorder()
        _ = try recorder.record("rpush l 1 2 3")
        #expect(try recorder.record("lmpop 2 none l left count 2") == ["LPOP l 2"])
        #expect(try recorder.record("lmpop 1 l right count 9") == ["RPOP l 1"])
    }

    @Test func flushesAreRecordedEvenOfNothing() throws {
        let recorder = try Recorder()
        #expect(try recorder.record("flushall", "flushdb async") == ["SELECT 0", "flushall", "flushdb async"])
    }

    @Test(arguments: [false, true]) func expiredKeysAreDeletedFirst(lazily: Bool) throws {
        let recorder = try Recorder(configuration: lazily ? "lazyfree-lazy-expire yes" : "")
        let word = lazily ? "UNLINK" : "DEL"
        recorder.session.server.withEngine { $0.setActiveExpire(false) }
        _ = try recorder.record("psetex a 5 1", "psetex b 5 1", "psetex c 5 1")
        recorder.session.server.advanceClock(milliseconds: 10)
        #expect(try recorder.record("get a") == ["\(word) a"])
        #expect(try recorder.record("set b 2") == ["MULTI", "\(word) b", "set b 2", "EXEC"])
        #expect(try recorder.record("psetex c 100000 2") == ["MULTI", "\(word) c", "SET c 2 PXAT <now+100>", "EXEC"])
    }

    @Test func keysThatDieOnTheirOwnAreUnitsOfTheirOwn() throws {
        let recorder = try Recorder()
        _ = try recorder.record("psetex a 5 1", "psetex b 5 1")
        recorder.session.server.advanceClock(milliseconds: 10)
        recorder.session.server.withEngine { _ = $0.tick() }
        #expect(recorder.take().sorted() == ["DEL a", "DEL b"])
    }

    @Test func transactionsAreUnits() throws {
        let recorder = try Recorder()
        _ = try recorder.record("set x 0")
        #expect(try recorder.record("multi", "set a 1", "get a", "exec") == ["set a 1"])
        #expect(try recorder.record("multi", "get a", "exec") == [])
        #expect(try recorder.record("multi", "set a 1", "incr nope", "discard") == [])
        #expect(
            try recorder.record("multi", "set a 1", "rpush a 1", "expire a 100", "exec") == [
                "MULTI", "set a 1", "PEXPIREAT a <now+100>", "EXEC",
            ])
        #expect(
            try recorder.record("select 1", "multi", "get a", "select 2", "set b 2", "set b 3", "select 0", "exec") == [
                "SELECT 2", "MULTI", "set b 2", "set b 3", "EXEC",
            ])
        #expect(
            try recorder.record("multi", "set a 1", "select 1", "set b 2", "exec", "set c 1") == [
                "SELECT 0", "MULTI", "set a 1", "SELECT 1", "set b 2", "EXEC", "set c 1",
            ])
    }

    @Test func streamsAreRecordedAsWhatTheyDid() throws {
        let recorder = try Recorder()
        _ = try recorder.record("config set stream-node-max-entries 2", "xadd s 1-0 f v", "xadd s 2-0 f v")
        #expect(try recorder.record("xadd s maxlen 5 3-0 f v") == ["xadd s maxlen 5 3-0 f v"])
        #expect(try recorder.record("xadd s nomkstream maxlen ~ 1 4-* f v") == ["XADD s MAXLEN = 2 4-0 f v"])
        #expect(try recorder.record("xadd s minid ~ 5 5-* f v") == ["XADD s MINID = 5-0 5-0 f v"])
        _ = try recorder.record("xadd s 6-0 f v", "xadd s 7-0 f v", "xgroup create s g 5 entriesread 5")
        #expect(try recorder.record("xtrim s minid ~ 7 limit 10") == ["XTRIM s MINID = 7-0"])
        let claim = "TIME <now+0> RETRYCOUNT 1 FORCE JUSTID LASTID 7-0"
        #expect(
            try recorder.record("xreadgroup group g c streams s >") == [
                "MULTI", "XGROUP CREATECONSUMER s g c", "XCLAIM s g c 0 7-0 \(claim)",
                "XGROUP SETID s g 7-0 ENTRIESREAD 7", "EXEC",
            ])
        #expect(try recorder.record("xreadgroup group g c streams s 0", "xreadgroup group g c streams s >") == [])
        #expect(
            try recorder.record("xclaim s g c 0 7-0 retrycount 3 justid") == [
                "XCLAIM s g c 0 7-0 TIME <now+0> RETRYCOUNT 3 FORCE JUSTID LASTID 7-0"
            ])
        #expect(
            try recorder.record("xautoclaim s g d 0 0 justid") == [
                "MULTI", "XGROUP CREATECONSUMER s g d",
                "XCLAIM s g d 0 7-0 TIME <now+0> RETRYCOUNT 3 FORCE JUSTID LASTID 7-0", "EXEC",
            ])
        #expect(try recorder.record("xclaim s g d 0 9-0 lastid 8-0") == ["XGROUP SETID s g 8-0 ENTRIESREAD 7"])
        #expect(try recorder.record("xackdel s g ids 2 7-0 8-0") == ["MULTI", "XACK s g 7-0", "XDEL s 7-0", "EXEC"])
        _ = try recorder.record("xadd s 10-0 f v", "xreadgroup group g d streams s >")
        #expect(try recorder.record("xdelex s delref ids 1 10-0") == ["MULTI", "XACK s g 10-0", "XDEL s 10-0", "EXEC"])
        #expect(try recorder.record("xdelex s ids 1 10-0", "xack s g 10-0", "xdel s 10-0") == [])
    }

    /// Redis records exact thresholds and leaves LIMIT where it was; a client may not ask for that.
    @Test func replayedTrimmingHasNoLimit() throws {
        let session = try TestSession()
        for id in 1...9 { _ = try session.client.run("XADD s \(id)-0 f v") }
        let refusal = "(error) ERR syntax error, LIMIT cannot be used without the special ~ option"
        try session.run([("XTRIM s MAXLEN = 4 LIMIT 1", refusal), ("XADD s MAXLEN = 4 LIMIT 1 10-0 f v", refusal)])
        session.server.withEngine { engine in
            let reference = engine.beginReplay()
            var output = ByteBuffer()
            for line in ["XTRIM s MAXLEN = 4 LIMIT 1", "XADD s MAXLEN = 2 LIMIT 1 10-0 f v"] {
                let bytes = Array(line.utf8)
                var ranges = ArgumentRanges()
                var offset = 0
                for word in line.split(separator: " ") {
                    ranges.append(ArgumentRange(offset: offset, count: word.utf8.count))
                    offset += word.utf8.count + 1
                }
                do { try engine.replay(reference, bytes.span, ranges, output: &output) } catch {
                    Issue.record("\(line): \(error)")
                }
            }
            engine.endReplay(reference)
        }
        try session.run([("XRANGE s - +", #"[["9-0", ["f", "v"]], ["10-0", ["f", "v"]]]"#)])
    }

    /// A reader that waits leaves its consumer behind, and nothing of it in the next command's record.
    @Test func waitingReadersLeaveTheirConsumer() throws {
        let recorder = try Recorder()
        _ = try recorder.record("xgroup create s g 0 mkstream")
        let reader = try recorder.session.server.connect()
        try reader.send("xreadgroup group g c block 0 streams s >")
        var isWaiting = false
        while !isWaiting {
            recorder.session.server.withEngine { isWaiting = $0.waiting.count > 0 }
            _ = try recorder.session.client.run("PING")
        }
        #expect(recorder.take() == ["XGROUP CREATECONSUMER s g c"])
        #expect(try recorder.record("set a 1") == ["set a 1"])
        #expect(
            try recorder.record("xadd s 1-0 f v") == [
                "xadd s 1-0 f v", "MULTI", "XCLAIM s g c 0 1-0 TIME <now+0> RETRYCOUNT 1 FORCE JUSTID LASTID 1-0",
                "XGROUP SETID s g 1-0 ENTRIESREAD 1", "EXEC",
            ])
    }

    @Test func nothingIsKeptWhileNobodyReads() throws {
        let session = try TestSession()
        try session.run([("SET a 1", "OK"), ("SET a 1 EX 100", "OK"), ("MULTI", "OK"), ("DEL a", "QUEUED")])
        session.server.withEngine { engine in
            let isOn = engine.journal.isOn
            let byteCount = engine.journal.replicas.bytes.count + engine.journal.file.bytes.count
            #expect(!isOn && byteCount == 0)
        }
    }
}
