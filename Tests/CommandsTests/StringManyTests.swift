// StringManyTests.swift - MGET, MSET, MSETNX and MSETEX: all keys or none, more keys than one prefetch group holds, and
// keys that are named twice.
import TestKit
import Testing

struct StringManyTests {
    @Test(arguments: TestVariant.all)
    func allOrNone(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("MSET a 1 b 2 a 3", "OK"), ("MGET a none b a", #"["3", (nil), "2", "3"]"#),
            ("MSET a", "(error) ERR wrong number of arguments for 'mset' command"),
            ("MSET a 1 b", "(error) ERR wrong number of arguments for 'mset' command"), ("MSETNX c 1 a 2", "0"),
            ("EXISTS c", "0"), ("MSETNX c 1 d 2 c 5", "1"), ("MGET c d", #"["5", "2"]"#),
            ("MSETNX c 1 d", "(error) ERR wrong number of arguments for 'msetnx' command"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func withExpiry(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let count = "(error) ERR invalid numkeys value or out of range"
        try session.run([
            ("MSETEX 2 a 1 b 2", "1"), ("TTL a", "-1"), ("MSETEX 2 a 1 b 2 EX 100", "1"), ("TTL b", "100"),
            ("MSETEX 2 a 3 b 4 KEEPTTL", "1"), ("TTL a", "100"), ("MGET a b", #"["3", "4"]"#),
            ("MSETEX 2 a 5 c 6 NX", "0"), ("MSETEX 2 a 5 c 6 XX", "0"), ("EXISTS c", "0"),
            ("MSETEX 2 a 5 b 6 PX 50000 XX", "1"), ("TTL a", "50"), ("MSETEX 1 c 1 NX EX 10", "1"),
            ("MSETEX 1 a 1 PXAT 1", "1"), ("EXISTS a", "0"), ("MSETEX 0 a b", count), ("MSETEX -1 a b", count),
            ("MSETEX x a b", count), ("MSETEX 9223372036854775807 a b", count),
            ("MSETEX 2147483647 a b", "(error) ERR syntax error"), ("MSETEX 1 a b c", "(error) ERR syntax error"),
            ("MSETEX 1 a b NX XX", "(error) ERR syntax error"), ("MSETEX 1 a b GET", "(error) ERR syntax error"),
            ("MSETEX 1 a b EX 0", "(error) ERR invalid expire time in 'msetex' command"),
            ("MSETEX 1 a", "(error) ERR wrong number of arguments for 'msetex' command"),
        ])
    }

    @Test(arguments: TestVariant.all, [1, 15, 16, 17, 1000])
    func groups(variant: TestVariant, keyCount: Int) throws {
        let session = try TestSession(variant)
        var write = "MSET"
        var read = "MGET"
        var values: [String] = []
        for number in 0..<keyCount {
            write += " key:\(number) \(number)"
            read += " key:\(number) none:\(number)"
            values += ["\"\(number)\"", "(nil)"]
        }
        try session.run([(write, "OK"), (read, "[\(values.joined(separator: ", "))]"), ("DBSIZE", "\(keyCount)")])
    }
}
