// StringEditTests.swift - strings that are counted, cut, grown and compared: INCR, GETRANGE, APPEND, SETRANGE, LCS, and
// the encodings they leave behind. Expected replies were taken from stock servers.
import TestKit
import Testing

struct StringEditTests {
    private static let notInteger = "(error) ERR value is not an integer or out of range"

    @Test(arguments: TestVariant.all)
    func counting(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let overflow = "(error) ERR increment or decrement would overflow"
        try session.run([
            ("INCR n", "1"), ("INCRBY n 41", "42"), ("DECR n", "41"), ("DECRBY n 50", "-9"),
            ("SET n 9223372036854775806", "OK"), ("INCR n", "9223372036854775807"), ("INCR n", overflow),
            ("GET n", #""9223372036854775807""#), ("SET n -9223372036854775808", "OK"), ("DECR n", overflow),
            ("DECRBY n -9223372036854775808", "(error) ERR decrement would overflow"), ("INCRBY n x", Self.notInteger),
            ("SET n 01", "OK"), ("INCR n", Self.notInteger), (#"SET n """#, "OK"), ("INCR n", Self.notInteger),
            ("INCRBY new -5", "-5"), ("OBJECT ENCODING new", #""int""#),
        ])
    }

    @Test(arguments: TestVariant.all)
    func countingFloats(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("INCRBYFLOAT f 10.5", #""10.5""#), ("INCRBYFLOAT f 0.1", #""10.6""#), ("INCRBYFLOAT f -10.6", #""0""#),
            ("SET f 3.0e3", "OK"), ("INCRBYFLOAT f 200", #""3200""#), ("OBJECT ENCODING f", #""embstr""#),
            ("INCR f", "3201"), ("OBJECT ENCODING f", #""int""#),
            ("INCRBYFLOAT f x", "(error) ERR value is not a valid float"),
            ("INCRBYFLOAT f inf", "(error) ERR increment would produce NaN or Infinity"), ("SET f abc", "OK"),
            ("INCRBYFLOAT f 1", "(error) ERR value is not a valid float"), ("SET f 1 EX 100", "OK"),
            ("INCRBYFLOAT f 1", #""2""#), ("TTL f", "100"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func parts(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("SET s \"Hello World\"", "OK"), ("GETRANGE s 0 4", #""Hello""#), ("GETRANGE s -5 -1", #""World""#),
            ("SUBSTR s 0 -7", #""Hello""#), ("GETRANGE s 5 3", #""""#), ("GETRANGE s -1 -5", #""""#),
            ("GETRANGE s -100 -50", #""H""#), ("GETRANGE s 0 9223372036854775807", #""Hello World""#),
            ("GETRANGE s 9223372036854775807 -9223372036854775808", #""""#), ("GETRANGE none 0 -1", #""""#),
            ("GETRANGE none a 1", Self.notInteger), ("SET i 12345", "OK"), ("GETRANGE i 1 2", #""23""#),
            ("STRLEN i", "5"), ("STRLEN none", "0"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func growing(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let tooLong = "(error) ERR string exceeds maximum allowed size (proto-max-bulk-len)"
        try session.run([
            ("APPEND a 12", "2"), ("OBJECT ENCODING a", #""int""#), ("APPEND a 34", "4"), ("GET a", #""1234""#),
            ("OBJECT ENCODING a", #""raw""#), (#"APPEND empty """#, "0"), ("EXISTS empty", "1"),
            ("SETRANGE s 3 x", "4"), ("GET s", #""\x00\x00\x00x""#), ("SETRANGE s 0 abc", "4"), ("GET s", #""abcx""#),
            (#"SETRANGE s 99 """#, "4"), (#"SETRANGE none 5 """#, "0"), ("EXISTS none", "0"),
            ("SETRANGE s -1 x", "(error) ERR offset is out of range"), ("SETRANGE s x x", Self.notInteger),
            ("SETRANGE s 536870912 x", tooLong), ("SETRANGE none 9223372036854775807 x", tooLong),
            ("SETRANGE i 1 5", "2"), ("SETRANGE s 40000 y", "40001"), ("GETRANGE s 39999 -1", #""\x00y""#),
            ("GETRANGE s 0 4", #""abcx\x00""#), ("APPEND s z", "40002"), ("GETRANGE s -2 -1", #""yz""#),
            ("SET s short", "OK"), ("GET s", #""short""#),
        ])
    }

    /// A string that grows byte by byte passes from the entry into memory of its own without losing any.
    @Test
    func appendsOneByOne() throws {
        let session = try TestSession()
        var expected: [UInt8] = []
        for step in 0..<300 {
            let piece = [UInt8](repeating: UInt8(truncatingIfNeeded: step), count: step)
            expected += piece
            let reply = try session.client.run(arguments: [Array("APPEND".utf8), Array("k".utf8), piece])
            #expect(reply == .integer(Int64(expected.count)))
        }
        #expect(try session.client.run(arguments: [Array("GET".utf8), Array("k".utf8)]) == .bulk(expected))
    }

    @Test(arguments: TestVariant.all)
    func commonSubsequences(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let matches = variant.protocolVersion == 3
        let all = #"[[[4, 7], [5, 8]], [[2, 3], [0, 1]]]"#
        let long = #"[[[4, 7], [5, 8], 4]]"#
        try session.run([
            ("MSET a ohmytext b mynewtext", "OK"), ("LCS a b", #""mytext""#), ("LCS a b LEN", "6"),
            ("LCS a b IDX", matches ? #"{"matches": \#(all), "len": 6}"# : #"["matches", \#(all), "len", 6]"#),
            (
                "LCS a b IDX WITHMATCHLEN MINMATCHLEN 4",
                matches ? #"{"matches": \#(long), "len": 6}"# : #"["matches", \#(long), "len", 6]"#
            ), ("LCS a none", #""""#), ("LCS a none LEN", "0"),
            ("LCS a b LEN IDX", "(error) ERR If you want both the length and indexes, please just use IDX."),
            ("LCS a b MINMATCHLEN", "(error) ERR syntax error"), ("LCS a b MINMATCHLEN x", Self.notInteger),
            ("SETRANGE big 200000 x", "200001"),
            (
                "LCS big big",
                "(error) ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"
            ),
        ])
    }
}
