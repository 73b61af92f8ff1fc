// SortTests.swift - SORT and SORT_RO: by number, by text, by other keys and their fields, LIMIT, GET, STORE and what
// cannot be sorted. Expected replies were taken from stock servers.
import Engine
import TestKit
import Testing

struct SortTests {
    private static let noNumber = "(error) ERR One or more scores can't be converted into double"

    @Test(arguments: TestVariant.all)
    func byNumbersAndTexts(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("RPUSH l 3 1 2 10 -5 2.5", "6"), ("SORT l", #"["-5", "1", "2", "2.5", "3", "10"]"#),
            ("SORT l DESC", #"["10", "3", "2.5", "2", "1", "-5"]"#),
            ("SORT l ALPHA", #"["-5", "1", "10", "2", "2.5", "3"]"#),
            ("SORT l ALPHA DESC LIMIT 1 2", #"["2.5", "2"]"#),
            ("SORT l LIMIT 4 10", #"["3", "10"]"#), ("SORT l LIMIT -1 2", #"["-5", "1"]"#),
            ("SORT l LIMIT 2 -1", #"["2", "2.5", "3", "10"]"#), ("SORT l LIMIT 10 5", "[]"), ("SORT l LIMIT 0 0", "[]"),
            ("SORT l LIMIT 9223372036854775807 9223372036854775807", "[]"),
            ("SORT l LIMIT -9223372036854775808 -9223372036854775808", #"["-5", "1", "2", "2.5", "3", "10"]"#),
            ("SORT l LIMIT a 1", "(error) ERR value is not an integer or out of range"),
            ("SORT l LIMIT 1", "(error) ERR syntax error"), ("SORT l BY", "(error) ERR syntax error"),
            ("SORT l NONSENSE", "(error) ERR syntax error"), ("SORT none", "[]"),
            ("RPUSH words b a", "2"), ("SORT words", SortTests.noNumber), ("SORT words ALPHA", #"["a", "b"]"#),
            ("RPUSH odd inf -inf 1e3 0x10 ' 7' ''", "6"),
            ("SORT odd", #"["-inf", "", " 7", "0x10", "1e3", "inf"]"#),
            ("RPUSH odd nan", "7"), ("SORT odd", SortTests.noNumber), ("DEL odd", "1"),
            ("RPUSH odd 1e400", "1"), ("SORT odd", SortTests.noNumber),
            ("SET s text", "OK"),
            ("SORT s", "(error) WRONGTYPE Operation against a key holding the wrong kind of value"),
            ("SADD set 3 1 2", "3"), ("SORT set DESC", #"["3", "2", "1"]"#),
            ("ZADD z 3 c 1 a 2 b", "3"), ("SORT z ALPHA DESC", #"["c", "b", "a"]"#), ("SORT z", SortTests.noNumber),
            ("SORT z BY nosort DESC LIMIT 1 5", #"["b", "a"]"#), ("SORT z BY nosort", #"["a", "b", "c"]"#),
            ("SORT_RO l LIMIT 0 1", #"["-5"]"#), ("SORT_RO l STORE d", "(error) ERR syntax error"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func byOtherKeys(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("RPUSH ids 1 2 3 10", "4"), ("MSET w_1 30 w_2 20 w_3 10 w_10 0", "OK"),
            ("MSET o_1 one o_2 two o_3 three o_10 ten", "OK"),
            ("HSET h_1 w 5 n uno", "2"), ("HSET h_2 w 4 n due", "2"), ("HSET h_3 w 6 n tre", "2"),
            ("SORT ids BY w_*", #"["10", "3", "2", "1"]"#),
            ("SORT ids BY w_* DESC GET o_* GET # GET none_* LIMIT 0 2", #"["one", "1", (nil), "two", "2", (nil)]"#),
            ("SORT ids BY h_*->w GET h_*->n", #"[(nil), "due", "uno", "tre"]"#),
            ("SORT ids BY h_*->w GET #", #"["10", "2", "1", "3"]"#),
            ("SORT ids GET h_*->", "[(nil), (nil), (nil), (nil)]"),
            ("SORT ids BY o_*", SortTests.noNumber), ("SORT ids BY o_* ALPHA", #"["1", "10", "3", "2"]"#),
            ("SORT ids BY none_*", #"["1", "10", "2", "3"]"#),
            ("SORT ids BY nosort", #"["1", "2", "3", "10"]"#),
            ("SORT ids BY nosort DESC", #"["10", "3", "2", "1"]"#),
            ("SORT ids BY nosort DESC LIMIT 1 2", #"["3", "2"]"#),
            ("SORT ids BY nosort GET o_* LIMIT 1 2", #"["two", "three"]"#),
            ("SORT ids GET o_", "[(nil), (nil), (nil), (nil)]"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func storing(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let waiter = try session.server.connect()
        try session.run([
            ("RPUSH l 2 3 1", "3"), ("SET d text EX 100", "OK"), ("SORT l STORE d", "3"),
            ("LRANGE d 0 -1", #"["1", "2", "3"]"#), ("TTL d", "-1"), ("OBJECT ENCODING d", #""listpack""#),
            ("SORT l STORE l DESC", "3"), ("LRANGE l 0 -1", #"["3", "2", "1"]"#),
            ("SET o_1 one", "OK"), ("SORT l GET o_* STORE d", "3"), ("LRANGE d 0 -1", #"["one", "", ""]"#),
            ("SORT none STORE d", "0"), ("EXISTS d", "0"), ("SORT none STORE d", "0"),
            ("SADD set b a", "2"), ("SORT set BY nosort STORE d", "2"), ("LRANGE d 0 -1", #"["a", "b"]"#),
            ("DEL d", "1"),
        ])
        // A stored list is a list like others: it serves who waits for it.
        try waiter.send("BLPOP d 0")
        for _ in 0..<2000 {
            var waiting = 0
            session.server.withEngine { waiting = $0.waiting.count }
            if waiting > 0 { break }
            try session.run([("PING", "PONG")])
        }
        try session.run([("SORT l STORE d", "3"), ("LLEN d", "2")])
        #expect(try waiter.reply().description == #"["d", "1"]"#)
    }
}
