// GhostTable.swift - remembers keys that were evicted a while ago by 16 bits of their hash each, so that one which
// comes back is known to be worth keeping. Sets of eight fingerprints, newest first: a new one pushes the set's oldest
// out, so age is position and costs nothing. Two bytes a key; a stranger is taken for a ghost once in some 8,000
// times, which costs a place in the cache, never a wrong answer. No memory until the first generation. Engine's turn
// only.
internal import Base
internal import CLinux

@safe struct GhostTable: ~Copyable {
    private static let ways = 8
    /// Ghosts remembered for every key that is there, in percent: more than a cache's worth of ghosts promotes keys
    /// that come back too rarely (zipf 0.8 loses 0.5 points at 100, 2 at 200), fewer miss what a scan pushed out.
    static let percentOfKeys = 80

    private var cells: UnsafeMutablePointer<UInt16>?
    private var setCount = 0

    init() { unsafe cells = nil }

    deinit { unsafe cells?.deallocate() }

    var allocatedByteCount: Int { setCount * GhostTable.ways * MemoryLayout<UInt16>.size }

    /// Makes the table fit `keyCount` keys; when their number has changed by half, it starts anew.
    mutating func fit(keyCount: Int) {
        let wanted = max(1, keyCount * GhostTable.percentOfKeys / 100 / GhostTable.ways)
        guard setCount == 0 || wanted > setCount + setCount / 2 || wanted < setCount / 2 else { return }
        removeAll()
        let count = wanted * GhostTable.ways
        let memory = UnsafeMutablePointer<UInt16>.allocate(capacity: count)
        unsafe memory.initialize(repeating: 0, count: count)
        unsafe cells = memory
        setCount = wanted
    }

    mutating func removeAll() {
        unsafe cells?.deallocate()
        unsafe cells = nil
        setCount = 0
    }

    @inline(__always)
    private func set(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: ((hash >> 32) &* UInt64(truncatingIfNeeded: setCount)) >> 32) &* GhostTable.ways
    }

    /// Zero marks an empty place.
    @inline(__always)
    private static func fingerprint(_ hash: UInt64) -> UInt16 {
        let bits = UInt16(truncatingIfNeeded: hash >> 8)
        return bits == 0 ? 1 : bits
    }

    func contains(_ hash: UInt64) -> Bool {
        guard let cells = unsafe cells else { return false }
        return unsafe fog_match_lanes16(cells + set(hash), GhostTable.fingerprint(hash), 0xFFFF) != 0
    }

    mutating func insert(_ hash: UInt64) {
        guard let cells = unsafe cells else { return }
        let first = unsafe cells + set(hash)
        unsafe memmove(first + 1, first, (GhostTable.ways - 1) * MemoryLayout<UInt16>.size)
        unsafe first.pointee = GhostTable.fingerprint(hash)
    }
}
