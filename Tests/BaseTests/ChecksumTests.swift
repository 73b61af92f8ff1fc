// ChecksumTests.swift - known answers of the checksums and digests, and the fast ways against bit-by-bit ones.
import Base
import Testing

struct ChecksumTests {
    @Test func checkValues() {
        let digits = bytes("123456789")
        #expect(CRC16.slotHash(digits.span) == 0x31c3)
        #expect(CRC64.checksum(digits.span) == 0xe9c6_d914_c4b8_d9ca)
        #expect(CRC32C.checksum(digits.span) == 0xe306_9283)
        let long = bytes(
            "This is a test of the emergency broadcast system. It is only a test of 8 and more bytes a step.")
        #expect(CRC64.checksum(long.span) == bitwise64(long))
        #expect(CRC64.checksum(bytes("").span) == 0)
        #expect(CRC32C.checksum(bytes("").span) == 0)
        #expect(CRC16.slotHash(bytes("").span) == 0)
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32).span) == 0x8a91_36aa)
        #expect(CRC32C.checksum([UInt8](repeating: 0xff, count: 32).span) == 0x62a8_ab43)
    }

    /// Slots as CLUSTER KEYSLOT of Redis 7.0 gives them.
    @Test(arguments: [
        ("", 0), ("foo", 12182), ("bar", 5061), ("hello", 866), ("{user1000}.following", 3443),
        ("user1000", 3443), ("foo{}{bar}", 8363), ("foo{{bar}}zap", 4015), ("{bar", 4015), ("foo{bar}{zap}", 5061),
        ("{}", 15257), ("}{", 12793), ("a{b", 13340), ("{a}", 15495), ("a", 15495),
    ])
    func slots(key: String, slot: Int) {
        #expect(CRC16.slot(ofKey: bytes(key).span) == slot)
    }

    @Test func randomBytesInRandomPieces() {
        var random = RandomGenerator(seed: testSeed)
        for _ in 0..<300 {
            let text = random.bytes(countMax: 200, alphabet: Array(0...255))
            #expect(CRC16.slotHash(text.span) == bitwise16(text), "seed \(testSeed)")
            let reference64 = bitwise64(text)
            let reference32 = bitwise32(text)
            var running64 = CRC64()
            var running32 = CRC32C()
            var tables32 = CRC32C()
            var rest = text[...]
            while !rest.isEmpty {
                let piece = Array(rest.prefix(random.below(40) + 1))
                rest = rest.dropFirst(piece.count)
                running64.update(piece.span)
                running32.update(piece.span)
                tables32.updateByTables(piece.span)
            }
            #expect(running64.value == reference64, "seed \(testSeed)")
            #expect(CRC64(reference64).value == reference64)
            #expect(running32.value == reference32, "seed \(testSeed)")
            #expect(tables32.value == reference32, "seed \(testSeed)")
        }
    }

    @Test func longInputAtEveryAlignment() {
        var random = RandomGenerator(seed: testSeed)
        let text = (0..<5000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        for start in 0..<20 {
            for count in [0, 1, 15, 16, 17, 63, 127, 128, 129, 255, 256, 257, 1000, 4095, 4900] {
                let piece = Array(text[start..<start + count])
                #expect(CRC64.checksum(text.span.extracting(start..<start + count)) == bitwise64(piece))
                #expect(CRC32C.checksum(text.span.extracting(start..<start + count)) == bitwise32(piece))
            }
        }
    }

    private func bitwise16(_ text: [UInt8]) -> UInt16 {
        var state: UInt16 = 0
        for byte in text {
            state ^= UInt16(byte) << 8
            for _ in 0..<8 { state = state & 0x8000 == 0 ? state << 1 : state << 1 ^ 0x1021 }
        }
        return state
    }

    private func bitwise64(_ text: [UInt8]) -> UInt64 {
        var state: UInt64 = 0
        for byte in text {
            state ^= UInt64(byte)
            for _ in 0..<8 { state = state & 1 == 0 ? state >> 1 : state >> 1 ^ 0x95ac_9329_ac4b_c9b5 }
        }
        return state
    }

    private func bitwise32(_ text: [UInt8]) -> UInt32 {
        var state = UInt32.max
        for byte in text {
            state ^= UInt32(byte)
            for _ in 0..<8 { state = state & 1 == 0 ? state >> 1 : state >> 1 ^ 0x82f6_3b78 }
        }
        return ~state
    }
}

struct DigestTests {
    @Test func sha1() {
        #expect(SHA1.hex(bytes("").span) == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
        #expect(SHA1.hex(bytes("abc").span) == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(SHA1.hex(bytes("return 1").span) == "e0e1f9fabfc9d4800c877a703b823ac0578ff8db")
        #expect(SHA1.digest(bytes("abc").span).count == SHA1.byteCount)
    }

    @Test func sha256() {
        #expect(
            SHA256.hex(bytes("").span) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            SHA256.hex(bytes("abc").span) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(SHA256.digest(bytes("abc").span).count == SHA256.byteCount)
    }

    /// Values of the library's own sanity test and of the format's description.
    @Test func xxh3() {
        #expect(XXH3.hash64(bytes("").span) == 0x2d06_8005_38d3_94c2)
        #expect(XXH3.hash64(bytes("a").span) == 0xe6c6_32b6_1e96_4e1f)
        #expect(XXH3.hash64(bytes("abc").span) == 0x78af_5f94_892f_3950)
    }

    @Test func hexadecimalDigits() {
        #expect(Hexadecimal.text(([0x00, 0x9f, 0xff] as [UInt8]).span) == "009fff")
        #expect(appended { Hexadecimal.append(0x0123_4567_89ab_cdef as UInt64, to: &$0) } == "0123456789abcdef")
        for byte in UInt8.min ... .max {
            let reference = UInt8(String(UnicodeScalar(byte)), radix: 16)
            #expect(Hexadecimal.value(ofDigit: byte) == (byte < 128 ? reference : nil))
        }
    }
}
