// AccessClocks.swift - when keys were last accessed, for OBJECT IDLETIME, without a clock in every entry. A
// power-of-two array of 32-bit clocks is indexed by key hash; an access stores the time in its key's cell. Keys that
// share a cell share its time, so the answer is never larger than the key's true idle time ("idle for at least this
// long"), and it is exact unless a cell mate was accessed later. The array doubles with the number of keys, up to 4
// MiB. Cost: one store per access into an array that is small beside the table; at most 4 bytes per key, 16 KiB when
// empty. Engine's turn only. Eviction must not depend on this: it is for people who ask.
internal import Base
internal import CLinux

@safe package struct AccessClocks: ~Copyable {
    /// A clock unit is 128 ms: fine enough for whole seconds, and 32 bits of it last seventeen years.
    private static let unitShift: Int64 = 7
    private static let smallestBits = 12
    private static let largestBits = 20

    private var cells: UnsafeMutablePointer<UInt32>
    private var mask: UInt64
    /// What a cell says that was never accessed: the start of the server.
    private let startMilliseconds: Int64

    init(startMilliseconds: Int64) {
        let count = 1 << AccessClocks.smallestBits
        unsafe cells = .allocate(capacity: count)
        unsafe cells.initialize(repeating: 0, count: count)
        mask = UInt64(count - 1)
        self.startMilliseconds = startMilliseconds
    }

    deinit { unsafe cells.deallocate() }

    /// Bytes of the array.
    package var allocatedByteCount: Int { (Int(truncatingIfNeeded: mask) + 1) * MemoryLayout<UInt32>.size }

    @inline(__always)
    private func cell(_ hash: UInt64, _ database: Int) -> Int {
        // The middle bits: the top ones choose a segment, the low ones are tags; any would do.
        Int(truncatingIfNeeded: ((hash >> 24) ^ UInt64(truncatingIfNeeded: database) &* 0x9E37_79B9) & mask)
    }

    /// Notes that the key with `hash` was accessed at `now`.
    @inline(__always)
    package func note(_ hash: UInt64, in database: Int, at now: Int64) {
        unsafe cells[cell(hash, database)] = UInt32(truncatingIfNeeded: now >> AccessClocks.unitShift)
    }

    /// Brings the key's cell towards the cache: an array of megabytes misses it, and stores that wait for their line
    /// hold up those behind them (8 % of GET at pipeline 16 with a million keys, when measured).
    @inline(__always)
    package func prefetch(_ hash: UInt64, in database: Int) {
        unsafe fog_prefetch_write(cells + cell(hash, database))
    }

    /// How long the key was not accessed, at least.
    package func idleSeconds(_ hash: UInt64, in database: Int, at now: Int64) -> Int {
        let noted = unsafe cells[cell(hash, database)]
        if noted == 0 { return Int(max(0, now - startMilliseconds) / 1000) }
        let units = UInt32(truncatingIfNeeded: now >> AccessClocks.unitShift) &- noted
        // A clock set back makes the difference wrap; nothing is idle for eight years in one process.
        if units > UInt32.max / 2 { return 0 }
        let unitMilliseconds = Int64(1) << AccessClocks.unitShift
        return Int((Int64(units) * unitMilliseconds + unitMilliseconds - 1) / 1000)
    }

    /// Doubles the array while there are more than two keys for each cell. Cost: one copy of the array.
    package mutating func grow(keyCount: Int, byteCountMax: Int = .max) {
        while keyCount > 2 * Int(mask + 1), mask + 1 < UInt64(1 << AccessClocks.largestBits),
            2 * allocatedByteCount <= byteCountMax
        {
            let count = Int(mask) + 1
            let larger = UnsafeMutablePointer<UInt32>.allocate(capacity: count * 2)
            unsafe larger.initialize(from: cells, count: count)
            unsafe (larger + count).initialize(from: cells, count: count)
            unsafe cells.deallocate()
            unsafe cells = larger
            mask = mask << 1 | 1
        }
    }
}
