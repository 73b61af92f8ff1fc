// BitmapCommandTests.swift - single bits, counts, searches, combinations and bit fields of strings. Expected replies
// were taken from stock servers; those of BITOP's newer operations follow from Redis 8.2's documentation.
import TestKit
import Testing

struct BitmapCommandTests {
    private static let badOffset = "(error) ERR bit offset is not an integer or out of range"
    private static let badBit = "(error) ERR bit is not an integer or out of range"
    private static let notInteger = "(error) ERR value is not an integer or out of range"
    private static let syntax = "(error) ERR syntax error"
    private static let wrongType = "(error) WRONGTYPE Operation against a key holding the wrong kind of value"

    @Test(arguments: TestVariant.all)
    func singleBits(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("SETBIT b 7 1", "0"), ("SETBIT b 7 0", "1"), ("SETBIT b 0 1", "0"), ("GET b", #""\x80""#),
            ("SETBIT b 100 1", "0"), ("STRLEN b", "13"), ("GETBIT b 100", "1"), ("GETBIT b 99", "0"),
            ("GETBIT b 1000000", "0"), ("GETBIT none 5", "0"), ("SETBIT new 0 0", "0"), ("STRLEN new", "1"),
            ("OBJECT ENCODING new", #""raw""#), ("SET n 123 EX 100", "OK"), ("SETBIT n 6 1", "0"),
            ("GET n", #""323""#), ("OBJECT ENCODING n", #""raw""#), ("TTL n", "100"), ("SET n 1", "OK"),
            ("GETBIT n 7", "1"), ("SETBIT n 4294967295 x", Self.badBit),
        ])
    }

    @Test(arguments: TestVariant.all)
    func singleBitMistakes(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("SETBIT b -1 1", Self.badOffset), ("SETBIT b x 1", Self.badOffset), ("SETBIT b #1 1", Self.badOffset),
            ("SETBIT b 4294967296 1", Self.badOffset), ("GETBIT b 4294967296", Self.badOffset),
            ("GETBIT b 4294967295", "0"), ("GETBIT b 9223372036854775807", Self.badOffset),
            ("SETBIT b 1 2", Self.badBit), ("SETBIT b 1 -1", Self.badBit), ("EXISTS b", "0"),
            ("CONFIG SET proto-max-bulk-len 1mb", "OK"), ("SETBIT b 8388608 1", Self.badOffset),
            ("SETBIT b 8388607 1", "0"), ("STRLEN b", "1048576"),
            ("BITFIELD b SET u8 8388608 1", Self.badOffset), ("BITCOUNT b", "1"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func counting(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("SET s foobar", "OK"), ("BITCOUNT s", "26"), ("BITCOUNT s 0 0", "4"), ("BITCOUNT s 1 1", "6"),
            ("BITCOUNT s -2 -1", "7"), ("BITCOUNT s 5 30 BIT", "17"), ("BITCOUNT s 1 1 byte", "6"),
            ("BITCOUNT s 4 2", "0"), ("BITCOUNT s 100 200", "0"), ("BITCOUNT s -50 -100", "0"),
            ("BITCOUNT s -100 -50", "4"), ("BITCOUNT s 5", "4"),
            ("BITCOUNT s -9223372036854775808 9223372036854775807 BIT", "26"), ("BITCOUNT none 0 1", "0"),
            ("BITCOUNT s 0 x", Self.notInteger), ("BITCOUNT s 0 1 FOO", Self.syntax),
            ("BITCOUNT s 0 1 BIT x", Self.syntax), (#"SET e """#, "OK"), ("BITCOUNT e", "0"),
            ("BITCOUNT e 0 -1", "0"), ("SET n 3", "OK"), ("BITCOUNT n", "4"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func searching(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            (#"SET p "\xff\xf0\x00""#, "OK"), ("BITPOS p 0", "12"), ("BITPOS p 1", "0"), ("BITPOS p 1 2", "-1"),
            ("BITPOS p 0 2", "16"), ("BITPOS p 0 0 0", "-1"), ("BITPOS p 1 7 15 BIT", "7"),
            ("BITPOS p 0 7 15 BIT", "12"), ("BITPOS p 1 -50 -100", "0"), ("BITPOS p 0 100", "-1"),
            (#"SET ones "\xff\xff\xff""#, "OK"), ("BITPOS ones 0", "24"), ("BITPOS ones 0 1", "24"),
            ("BITPOS ones 0 0 -1", "-1"), ("BITPOS ones 0 1 2 BIT", "-1"), ("BITPOS none 0", "0"),
            ("BITPOS none 1", "-1"), (#"SET e """#, "OK"), ("BITPOS e 0", "-1"), ("BITPOS e 1", "-1"),
            ("BITPOS p 2", "(error) ERR The bit argument must be 1 or 0."), ("BITPOS p x", Self.notInteger),
            ("BITPOS p 1 0 1 FOO", Self.syntax), ("BITPOS p 1 0 BIT", Self.notInteger),
        ])
    }

    @Test(arguments: TestVariant.all)
    func combining(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            (#"SET a "\xff\x0f\xaa""#, "OK"), (#"SET b "\x0f\xff""#, "OK"), ("BITOP AND d a b", "3"),
            ("GET d", #""\x0f\x0f\x00""#), ("OBJECT ENCODING d", #""raw""#), ("BITOP OR d a b", "3"),
            ("GET d", #""\xff\xff\xaa""#), ("BITOP XOR d a b", "3"), ("GET d", #""\xf0\xf0\xaa""#),
            ("EXPIRE d 100", "1"), ("BITOP NOT d a", "3"), ("GET d", #""\x00\xf0U""#), ("TTL d", "-1"),
            ("BITOP not d a b", "(error) ERR BITOP NOT must be called with a single source key."),
            ("BITOP FOO d a", Self.syntax), ("BITOP AND d none none2", "0"), ("EXISTS d", "0"),
            ("BITOP AND d a none", "3"), ("GET d", #""\x00\x00\x00""#), ("BITOP XOR a a a", "3"),
            ("GET a", #""\x00\x00\x00""#), ("SET n 12", "OK"), ("BITOP OR n n", "2"), ("GET n", #""12""#),
            ("OBJECT ENCODING n", #""raw""#), ("INCR n", "13"),
        ])
    }

    /// X is the first source, Y any other: X and not Y, Y and not X, X and Y, in exactly one.
    @Test(arguments: TestVariant.all)
    func combiningWithNewerOperations(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let tooFew = "must be called with at least two source keys."
        try session.run([
            (#"SET x "\xf0\x01""#, "OK"), (#"SET y "\x90""#, "OK"), (#"SET z "\x03\x01\x80""#, "OK"),
            ("BITOP DIFF d x y z", "3"), ("GET d", #""`\x00\x00""#), ("BITOP DIFF1 d x y z", "3"),
            ("GET d", #""\x03\x00\x80""#), ("BITOP ANDOR d x y z", "3"), ("GET d", #""\x90\x01\x00""#),
            ("BITOP ONE d x y z", "3"), ("GET d", #""c\x00\x80""#), ("BITOP one d x", "2"),
            ("GET d", #""\xf0\x01""#), ("BITOP DIFF d x", "(error) ERR BITOP DIFF \(tooFew)"),
            ("BITOP diff1 d x", "(error) ERR BITOP DIFF1 \(tooFew)"),
            ("BITOP ANDOR d x", "(error) ERR BITOP ANDOR \(tooFew)"), ("GET d", #""\xf0\x01""#),
        ])
    }

    @Test(arguments: TestVariant.all)
    func fields(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("BITFIELD f SET u8 0 255 GET u8 0", "[0, 255]"), ("BITFIELD f INCRBY u8 0 1", "[0]"),
            ("BITFIELD f INCRBY i8 0 -129", "[127]"), ("BITFIELD f OVERFLOW SAT INCRBY u8 8 300", "[255]"),
            ("BITFIELD f OVERFLOW SAT INCRBY u8 8 -300", "[0]"),
            ("BITFIELD f OVERFLOW FAIL INCRBY u8 8 300 SET u2 8 5 GET u8 8", "[(nil), (nil), 0]"),
            ("BITFIELD f OVERFLOW WRAP SET u2 8 5 GET u2 8", "[0, 1]"),
            ("BITFIELD f SET i64 #1 -1 GET i64 #1 GET u63 #1", "[0, -1, 4611686018427387903]"),
            ("BITFIELD g SET i64 0 9223372036854775807 OVERFLOW FAIL INCRBY i64 0 1", "[0, (nil)]"),
            ("BITFIELD g OVERFLOW SAT INCRBY i64 0 1 OVERFLOW WRAP INCRBY i64 0 1",
             "[9223372036854775807, -9223372036854775808]"),
            ("BITFIELD h SET u1 100 1", "[0]"), ("STRLEN h", "13"), ("BITFIELD h", "[]"),
            ("BITFIELD none GET u8 0 GET i16 100", "[0, 0]"), ("EXISTS none", "0"),
            ("BITFIELD new INCRBY u8 0 0", "[0]"), ("EXISTS new", "1"), ("SET n 1", "OK"),
            ("BITFIELD_RO n GET u8 0 GET u8 #1", "[49, 0]"), ("OBJECT ENCODING n", #""int""#),
            ("BITFIELD n INCRBY u8 0 1", "[50]"), ("GET n", #""2""#), ("BITFIELD_RO none GET u8 0", "[0]"),
        ])
    }

    @Test(arguments: TestVariant.all)
    func fieldMistakes(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let type =
            "(error) ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."
        let overflow = "(error) ERR Invalid OVERFLOW type specified"
        let readOnly = "(error) ERR BITFIELD_RO only supports the GET subcommand"
        try session.run([
            ("BITFIELD f SET u8 0 1 SET u64 0 1", type), ("EXISTS f", "0"), ("BITFIELD f GET i65 0", type),
            ("BITFIELD f GET u0 0", type), ("BITFIELD f GET u-1 0", type), (#"BITFIELD f GET "" 0"#, type),
            ("BITFIELD f GET u8", Self.syntax), ("BITFIELD f SET u8 0", Self.syntax),
            ("BITFIELD f SET u8 0 x", Self.notInteger), ("BITFIELD f GET u8 -1", Self.badOffset),
            ("BITFIELD f GET u8 #", Self.badOffset), ("BITFIELD f GET u8 #-1", Self.badOffset),
            ("BITFIELD f GET i64 #9223372036854775807", Self.badOffset),
            ("BITFIELD f GET i64 9223372036854775807", Self.badOffset), ("BITFIELD f GET i64 4294967295", "[0]"),
            ("BITFIELD f OVERFLOW FOO", overflow), ("BITFIELD f OVERFLOW", Self.syntax),
            ("BITFIELD_RO f SET u8 0 1", readOnly), ("BITFIELD_RO f INCRBY u8 0 1", readOnly),
            ("BITFIELD_RO f OVERFLOW WRAP GET u8 0", "[0]"), ("EXISTS f", "0"),
            ("CONFIG SET proto-max-bulk-len 9223372036854775807", "OK"),
            ("BITFIELD f GET i64 9223372036854775807", Self.badOffset),
            ("BITFIELD f GET i64 9223372036854775743", "[0]"), ("GETBIT f 9223372036854775743", "0"),
        ])
    }
}
