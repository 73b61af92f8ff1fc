// StringSetGetTests.swift - SET and GET in their plain form: values of every encoding come back byte for byte.
import TestKit
import Testing

struct StringSetGetTests {
    @Test(arguments: TestVariant.all)
    func valuesComeBack(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("GET nothing", "(nil)"),
            ("SET a 1", "OK"),
            ("GET a", #""1""#),
            ("SET a -9223372036854775808", "OK"),
            ("GET a", #""-9223372036854775808""#),
            ("SET a 007", "OK"),
            ("GET a", #""007""#),
            (#"SET "" """#, "OK"),
            (#"GET """#, #""""#),
            (#"SET k "\x00\xff\r\n""#, "OK"),
            ("GET k", #""\x00\xff\r\n""#),
            ("GET", "(error) ERR wrong number of arguments for 'get' command"),
        ])
    }

    @Test(arguments: [0, 1, 43, 44, 45, 255, 256, 4095, 65536, 1 << 20])
    func valuesOfManySizes(byteCount: Int) throws {
        let session = try TestSession()
        let value = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let key = Array("key".utf8)
        #expect(try session.client.run(arguments: [Array("SET".utf8), key, value]) == .simple(Array("OK".utf8)))
        #expect(try session.client.run(arguments: [Array("GET".utf8), key]) == .bulk(value))
    }
}
