// CRC32C.swift - Castagnoli's checksum, for frames of Fog's own on disk: by the processor's instruction where it has
// one (about 8 bytes a nanosecond), else through eight tables. One owner per running checksum; any thread.
internal import CLinux

package struct CRC32C: Sendable {
    private var state: UInt32 = .max

    package init() {}

    /// The checksum of everything fed so far.
    package var value: UInt32 { ~state }

    /// The checksum of `bytes` alone.
    package static func checksum(_ bytes: Span<UInt8>) -> UInt32 {
        var running = CRC32C()
        running.update(bytes)
        return running.value
    }

    private static let isInHardware = fog_has_crc32c() != 0

    /// tables[256 * n + byte]: the state after `byte` and n zero bytes. The polynomial is written reflected.
    private static let tables = LookupTable<UInt32>(count: 2048) { index in
        var state = UInt32(index & 0xff)
        for _ in 0..<8 * (index / 256 + 1) {
            state = state & 1 == 0 ? state >> 1 : state >> 1 ^ 0x82f6_3b78
        }
        return state
    }

    /// Feeds `bytes`.
    package mutating func update(_ bytes: Span<UInt8>) {
        guard CRC32C.isInHardware else { return updateByTables(bytes) }
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            state = unsafe fog_crc32c(state, base, buffer.count)
        }
    }

    /// The way without the instruction; `update` chooses, tests compare both.
    package mutating func updateByTables(_ bytes: Span<UInt8>) {
        let tables = CRC32C.tables
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            var index = 0
            while index &+ 8 <= buffer.count {
                let word = unsafe UInt64(
                    littleEndian: UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self)) ^ UInt64(state)
                let low = tables[1792 &+ Int(word & 0xff)] ^ tables[1536 &+ Int(word >> 8 & 0xff)]
                    ^ tables[1280 &+ Int(word >> 16 & 0xff)] ^ tables[1024 &+ Int(word >> 24 & 0xff)]
                let high = tables[768 &+ Int(word >> 32 & 0xff)] ^ tables[512 &+ Int(word >> 40 & 0xff)]
                    ^ tables[256 &+ Int(word >> 48 & 0xff)] ^ tables[Int(word >> 56)]
                state = low ^ high
                index &+= 8
            }
            while index < buffer.count {
                state = unsafe state >> 8 ^ tables[Int(state & 0xff ^ UInt32(base[index]))]
                index &+= 1
            }
        }
    }
}
