// CRC64.swift - the checksum behind RDB files and DUMP payloads (Jones' polynomial 0xad93d23594c935a9, reflected,
// initial value 0). Eight bytes a step through eight tables (16 KB, 2 bytes a nanosecond); longer input is first folded
// by carry-less multiplication where the processor has it (over 10 bytes a nanosecond). One owner per running
// checksum; the tables are shared. Never used as a hash.
internal import CLinux

package struct CRC64: Sendable {
    /// The checksum of everything fed so far.
    package private(set) var value: UInt64

    /// Starts empty, or goes on from an earlier `value`.
    package init(_ value: UInt64 = 0) { self.value = value }

    /// The checksum of `bytes` alone.
    package static func checksum(_ bytes: Span<UInt8>) -> UInt64 {
        var running = CRC64()
        running.update(bytes)
        return running.value
    }

    /// tables[256 * n + byte]: the state after `byte` and n zero bytes. The polynomial is written reflected.
    private static let tables = LookupTable<UInt64>(count: 2048) { index in
        var state = UInt64(index & 0xff)
        for _ in 0..<8 * (index / 256 + 1) {
            state = state & 1 == 0 ? state >> 1 : state >> 1 ^ 0x95ac_9329_ac4b_c9b5
        }
        return state
    }

    /// Feeds `bytes`.
    package mutating func update(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            unsafe update(base, count: buffer.count)
        }
    }

    private static let canFold = fog_has_crc64_fold() != 0
    /// Shorter input is not worth the folding and the table walk over its rest.
    private static let foldedByteCountMin = 128

    /// Feeds `count` bytes at `base`.
    @unsafe
    package mutating func update(_ base: UnsafePointer<UInt8>, count: Int) {
        guard count >= CRC64.foldedByteCountMin, CRC64.canFold else { return unsafe updateByTables(base, count: count) }
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16) { folded in
            let foldedBase = unsafe folded.baseAddress.unsafelyUnwrapped
            let consumed = unsafe fog_crc64_fold(value, base, count, foldedBase)
            value = 0
            unsafe updateByTables(foldedBase, count: 16)
            unsafe updateByTables(base + consumed, count: count - consumed)
        }
    }

    /// The way without the instruction; `update` chooses, tests compare both.
    @unsafe
    package mutating func updateByTables(_ base: UnsafePointer<UInt8>, count: Int) {
        let tables = CRC64.tables
        var state = value
        var index = 0
        while index &+ 8 <= count {
            state ^= unsafe UInt64(
                littleEndian: UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self))
            let low = tables[1792 &+ Int(state & 0xff)] ^ tables[1536 &+ Int(state >> 8 & 0xff)]
                ^ tables[1280 &+ Int(state >> 16 & 0xff)] ^ tables[1024 &+ Int(state >> 24 & 0xff)]
            let high = tables[768 &+ Int(state >> 32 & 0xff)] ^ tables[512 &+ Int(state >> 40 & 0xff)]
                ^ tables[256 &+ Int(state >> 48 & 0xff)] ^ tables[Int(state >> 56)]
            state = low ^ high
            index &+= 8
        }
        while index < count {
            state = unsafe state >> 8 ^ tables[Int(state & 0xff ^ UInt64(base[index]))]
            index &+= 1
        }
        value = state
    }
}
