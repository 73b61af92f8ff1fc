// MD5.swift - MD5 of short texts, for the hash ring that the mission asks for by name: no security hangs on it. Written
// out here because a ring hashes hundreds of thousands of short texts, and a library call costs three times as much.
// Pure; allocates nothing.

package struct MD5 {
    private static let shifts: [16 of UInt32] = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]
    private static let table: [64 of UInt32] = [
        0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
        0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
        0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
        0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
        0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
        0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
        0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
        0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
    ]

    /// The digest as four words, each the little-endian reading of its four bytes.
    package private(set) var words: [4 of UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476]

    package init(_ bytes: Span<UInt8>) {
        let blockCount = (bytes.count + 8) / 64 + 1
        for index in 0..<blockCount {
            var block = [16 of UInt32](repeating: 0)
            let start = index * 64
            let end = min(bytes.count, start + 64)
            for offset in start..<max(start, end) {
                block[(offset &- start) >> 2] |= UInt32(bytes[offset]) << UInt32((offset & 3) << 3)
            }
            if bytes.count >= start && bytes.count < start + 64 {
                let offset = bytes.count - start
                block[offset >> 2] |= 0x80 << UInt32((offset & 3) << 3)
            }
            if index == blockCount - 1 {
                let bitCount = UInt64(bytes.count) &* 8
                block[14] = UInt32(truncatingIfNeeded: bitCount)
                block[15] = UInt32(truncatingIfNeeded: bitCount >> 32)
            }
            mix(block)
        }
    }

    private mutating func mix(_ block: borrowing [16 of UInt32]) {
        var (a, b, c, d) = (words[0], words[1], words[2], words[3])
        for step in 0..<16 {
            let sum = a &+ ((b & c) | (~b & d)) &+ MD5.table[step] &+ block[step]
            (a, d, c, b) = (d, c, b, b &+ MD5.rotated(sum, MD5.shifts[step & 3]))
        }
        for step in 16..<32 {
            let sum = a &+ ((d & b) | (~d & c)) &+ MD5.table[step] &+ block[(step &* 5 &+ 1) & 15]
            (a, d, c, b) = (d, c, b, b &+ MD5.rotated(sum, MD5.shifts[4 + (step & 3)]))
        }
        for step in 32..<48 {
            let sum = a &+ (b ^ c ^ d) &+ MD5.table[step] &+ block[(step &* 3 &+ 5) & 15]
            (a, d, c, b) = (d, c, b, b &+ MD5.rotated(sum, MD5.shifts[8 + (step & 3)]))
        }
        for step in 48..<64 {
            let sum = a &+ (c ^ (b | ~d)) &+ MD5.table[step] &+ block[(step &* 7) & 15]
            (a, d, c, b) = (d, c, b, b &+ MD5.rotated(sum, MD5.shifts[12 + (step & 3)]))
        }
        words[0] &+= a
        words[1] &+= b
        words[2] &+= c
        words[3] &+= d
    }

    @inline(__always)
    private static func rotated(_ value: UInt32, _ count: UInt32) -> UInt32 {
        value &<< count | value &>> (32 &- count)
    }
}
