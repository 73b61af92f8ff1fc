// CRC16.swift - the checksum that maps a key to its cluster slot (CCITT polynomial 0x1021, initial value 0, bits not
// reflected: "XMODEM"), and the hash-tag rule. Four bytes a step through four tables (2 KB). Pure, any thread.

package enum CRC16 {
    private static let slotCount: UInt16 = 16_384

    /// tables[256 * n + byte]: the checksum of `byte` followed by n zero bytes.
    private static let tables = LookupTable<UInt16>(count: 1024) { index in
        var checksum = UInt16(index & 0xff) << 8
        for _ in 0..<8 * (index / 256 + 1) {
            checksum = checksum & 0x8000 == 0 ? checksum << 1 : checksum << 1 ^ 0x1021
        }
        return checksum
    }

    /// The checksum of `bytes`; a slot is its lowest 14 bits.
    package static func slotHash(_ bytes: Span<UInt8>) -> UInt16 {
        let tables = self.tables
        var checksum: UInt16 = 0
        var index = 0
        unsafe bytes.withUnsafeBufferPointer { buffer in
            while index &+ 4 <= buffer.count {
                let first = unsafe Int(checksum >> 8 ^ UInt16(buffer[index]))
                let second = unsafe Int(checksum & 0xff ^ UInt16(buffer[index &+ 1]))
                checksum = unsafe tables[768 &+ first] ^ tables[512 &+ second]
                    ^ tables[256 &+ Int(buffer[index &+ 2])] ^ tables[Int(buffer[index &+ 3])]
                index &+= 4
            }
            while index < buffer.count {
                checksum = unsafe checksum << 8 ^ tables[Int(checksum >> 8 ^ UInt16(buffer[index]))]
                index &+= 1
            }
        }
        return checksum
    }

    /// The cluster slot of `key`: of the bytes between the first "{" and the next "}" when there are any, so that
    /// related keys can share a slot, else of the whole key.
    package static func slot(ofKey key: Span<UInt8>) -> Int {
        Int(slotHash(hashTag(of: key)) & (slotCount &- 1))
    }

    /// The part of `key` that decides its slot.
    @_lifetime(copy key)
    package static func hashTag(of key: Span<UInt8>) -> Span<UInt8> {
        var open = 0
        while open < key.count, key[open] != UInt8(ascii: "{") { open &+= 1 }
        guard open < key.count else { return key }
        var close = open &+ 1
        while close < key.count, key[close] != UInt8(ascii: "}") { close &+= 1 }
        guard close < key.count, close > open &+ 1 else { return key }
        return key.extracting(open &+ 1..<close)
    }
}
