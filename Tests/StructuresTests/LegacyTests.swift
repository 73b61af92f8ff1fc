// LegacyTests.swift - ziplists and zipmaps of old servers: what a naive writer of the format wrote is read back, and no
// damaged byte makes reading trap. The golden bytes are those of Redis 2.4 and 6.2 files.
import Base
import Structures
import Testing

struct LegacyTests {
    // MARK: a naive writer

    /// A ziplist of texts, written from the format's description.
    private static func ziplist(_ texts: [String], longPrevious: Bool = false) -> [UInt8] {
        var entries: [UInt8] = []
        var previous = 0
        var last = 10
        for text in texts {
            last = 10 + entries.count
            var entry: [UInt8] = []
            if previous < 254 && !longPrevious {
                entry.append(UInt8(previous))
            } else {
                entry.append(0xFE)
                entry += little(previous, 4)
            }
            let bytes = Array(text.utf8)
            if let value = Int64(text), String(value) == text {
                entry += integer(value)
            } else if bytes.count < 64 {
                entry += [UInt8(bytes.count)] + bytes
            } else if bytes.count < 16384 {
                entry += [0x40 | UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)] + bytes
            } else {
                entry += [0x80] + little(bytes.count, 4).reversed() + bytes
            }
            previous = entry.count
            entries += entry
        }
        let total = 10 + entries.count + 1
        return little(total, 4) + little(last, 4) + little(min(texts.count, 0xFFFF), 2) + entries + [0xFF]
    }

    private static func integer(_ value: Int64) -> [UInt8] {
        switch value {
        case 0...12: [0xF1 + UInt8(value)]
        case -128...127: [0xFE] + little(Int(value), 1)
        case -32768...32767: [0xC0] + little(Int(value), 2)
        case -8_388_608...8_388_607: [0xF0] + little(Int(value), 3)
        case -2_147_483_648...2_147_483_647: [0xD0] + little(Int(value), 4)
        default: [0xE0] + little(Int(value), 8)
        }
    }

    private static func little(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    private static func texts(ofZiplist bytes: [UInt8]) -> [String]? {
        guard Ziplist.validate(bytes.span) else { return nil }
        var walk = ZiplistWalk(bytes.span)
        var found: [String] = []
        while let element = walk.next() { found.append(element.withText { $0.text }) }
        return found
    }

    private static let examples: [[String]] = [
        [], ["a"], ["", ""], ["0", "12", "13", "-1", "127", "128", "-32768", "32768", "-8388608", "8388608"],
        ["2147483647", "2147483648", "-9223372036854775808", "9223372036854775807", "007", "-0"],
        [String(repeating: "x", count: 63), String(repeating: "y", count: 64), "z"],
        [String(repeating: "q", count: 300), "after", String(repeating: "w", count: 20000), "end"],
    ]

    @Test func ziplistsAreRead() {
        for example in LegacyTests.examples {
            for longPrevious in [false, true] {
                let bytes = LegacyTests.ziplist(example, longPrevious: longPrevious)
                #expect(LegacyTests.texts(ofZiplist: bytes) == example)
            }
        }
    }

    @Test func goldenZiplist() {
        // What Redis 6.2 keeps for RPUSH l 1 300 hello -70000.
        let bytes: [UInt8] = [
            0x1d, 0, 0, 0, 0x17, 0, 0, 0, 4, 0, 0, 0xf2, 2, 0xc0, 0x2c, 0x01, 4, 5, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 7,
            0xf0, 0x90, 0xee, 0xfe, 0xff,
        ]
        #expect(LegacyTests.texts(ofZiplist: bytes) == ["1", "300", "hello", "-70000"])
    }

    @Test func pairsAreUnique() {
        let good = LegacyTests.ziplist(["a", "1", "b", "1"])
        func arePairs(_ bytes: [UInt8]) -> Bool { Ziplist.validate(bytes.span, uniqueEach: 2) }
        #expect(arePairs(good))
        #expect(!arePairs(LegacyTests.ziplist(["a", "1", "a", "2"])))
        #expect(!arePairs(LegacyTests.ziplist(["a", "1", "b"])))
        #expect(arePairs(LegacyTests.ziplist([])))
    }

    @Test func damagedZiplistsNeverTrap() {
        var random = SeededRandom(seed: 20_260_726)
        for example in LegacyTests.examples where !example.isEmpty {
            let bytes = LegacyTests.ziplist(example)
            for round in 0..<4000 {
                var damaged = bytes
                for _ in 0...Int(random.next() % 3) {
                    damaged[Int(random.next() % UInt64(min(damaged.count, 400)))] = UInt8(
                        truncatingIfNeeded: random.next())
                }
                if round % 5 == 0 { damaged.removeLast(Int(random.next() % UInt64(damaged.count))) }
                // Whatever passes must be walkable to its end.
                _ = LegacyTests.texts(ofZiplist: damaged)
            }
        }
    }

    // MARK: zipmaps

    private static func pairs(ofZipmap bytes: [UInt8]) -> [String: String]? {
        guard Zipmap.validate(bytes.span) else { return nil }
        var walk = ZipmapWalk(bytes.span)
        var found: [String: String] = [:]
        var field = ByteBuffer()
        var value = ByteBuffer()
        while walk.next(field: &field, value: &value) { found[field.span.text] = value.span.text }
        return found
    }

    private static func zipmap(_ pairs: [(String, String)], free: Int = 0) -> [UInt8] {
        func length(_ count: Int) -> [UInt8] { count < 254 ? [UInt8(count)] : [254] + little(count, 4) }
        var bytes: [UInt8] = [UInt8(min(pairs.count, 254))]
        for (field, value) in pairs {
            bytes += length(field.utf8.count) + Array(field.utf8) + length(value.utf8.count) + [UInt8(free)]
            bytes += Array(value.utf8) + [UInt8](repeating: 0xAA, count: free)
        }
        return bytes + [0xFF]
    }

    @Test func zipmapsAreRead() {
        let long = String(repeating: "v", count: 700)
        let pairs = [("name", "fog"), ("", "empty"), ("long", long)]
        for free in [0, 3] {
            let found = LegacyTests.pairs(ofZipmap: LegacyTests.zipmap(pairs, free: free))
            #expect(found == ["name": "fog", "": "empty", "long": long])
        }
        #expect(LegacyTests.pairs(ofZipmap: [0, 0xFF]) == [:])
        #expect(LegacyTests.pairs(ofZipmap: LegacyTests.zipmap([("a", "1"), ("a", "2")])) == nil)
        #expect(LegacyTests.pairs(ofZipmap: [1, 0xFF]) == nil)
    }

    @Test func damagedZipmapsNeverTrap() {
        var random = SeededRandom(seed: 77)
        let bytes = LegacyTests.zipmap([("name", "fog"), ("k", String(repeating: "v", count: 300))], free: 2)
        for _ in 0..<20000 {
            var damaged = bytes
            for _ in 0...Int(random.next() % 2) {
                damaged[Int(random.next() % UInt64(min(damaged.count, 40)))] = UInt8(truncatingIfNeeded: random.next())
            }
            _ = LegacyTests.pairs(ofZipmap: damaged)
        }
    }
}
