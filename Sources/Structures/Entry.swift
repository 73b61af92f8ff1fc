// Entry.swift - a key (or hash field, or set member) with its value in ONE allocation, outside reference counting.
// `Entry` is a trivially copyable handle; whoever removes it from its table frees it, through the `EntryArena` that
// made it. Layout, little endian:
//
//     meta 8 | [expiry 8] | [long lengths 8] | key bytes | value bytes | [label 16]
//
// meta: type 4, encoding 4, hasExpiry 1, long 1, frequency 4, queue 2, tier 2, epoch 1, state 1, version 11, hasLabel
// 1, key length 16, value length 16. `long` means that the real lengths are two UInt32 after the expiry. What the value
// bytes mean is the owner's business (`Keyspace` for keys). The label (`Entry+Label.swift`) lies behind the value, so
// that finding key and value costs nothing more. Nothing here knows time, tables or commands.
internal import Base
internal import CLinux

@safe package struct Entry: Equatable {
    @unsafe package let address: UnsafeMutablePointer<UInt8>

    @unsafe @inline(__always)
    package init(address: UnsafeMutablePointer<UInt8>) { unsafe self.address = address }

    @inline(__always)
    package static func == (left: Entry, right: Entry) -> Bool { unsafe left.address == right.address }

    /// Where the entry lies, as a number to show (DEBUG OBJECT); nothing can be reached by it.
    package var addressNumber: UInt { unsafe UInt(bitPattern: address) }

    /// The longest key or inline value an entry can hold.
    package static let bytesMax = Int(UInt32.max)
    package static let headerByteCount = 8
    /// Lengths up to this are kept in the header itself.
    static let shortLengthMax = 0xFFFF

    // MARK: the header

    @inline(__always)
    package var meta: UInt64 {
        get { unsafe UnsafeRawPointer(address).loadUnaligned(as: UInt64.self) }
        nonmutating set { unsafe UnsafeMutableRawPointer(address).storeBytes(of: newValue, as: UInt64.self) }
    }

    @inline(__always) private static func field(_ meta: UInt64, _ shift: UInt64, _ mask: UInt64) -> Int {
        Int(truncatingIfNeeded: (meta >> shift) & mask)
    }

    @inline(__always) private func setField(_ shift: UInt64, _ mask: UInt64, _ value: Int) {
        meta = meta & ~(mask << shift) | (UInt64(truncatingIfNeeded: value) & mask) << shift
    }

    /// The owner's type number, 0...15.
    package var type: Int {
        @inline(__always) get { Entry.field(meta, 0, 15) }
        nonmutating set { setField(0, 15, newValue) }
    }
    /// The owner's encoding number, 0...15.
    package var encoding: Int {
        @inline(__always) get { Entry.field(meta, 4, 15) }
        nonmutating set { setField(4, 15, newValue) }
    }
    /// Access frequency of the eviction policy, 0...15.
    package var frequency: Int {
        @inline(__always) get { Entry.field(meta, 10, 15) }
        nonmutating set { setField(10, 15, newValue) }
    }
    /// Bumped by every write; an asynchronous completion for an older version is dropped.
    package var version: Int {
        get { Entry.field(meta, 20, 0x7FF) }
        nonmutating set { setField(20, 0x7FF, newValue) }
    }
    /// The bit of the header that tells entries of before a snapshot from those of after it.
    package static let epochMask: UInt64 = 1 << 18
    /// The entry's epoch: 0 or `epochMask`.
    package var epoch: UInt64 {
        @inline(__always) get { meta & Entry.epochMask }
        nonmutating set { meta = meta & ~Entry.epochMask | newValue & Entry.epochMask }
    }
    /// Where the owner keeps the value: 0 in its usual form, else a number of the owner's (`Keyspace/Tiering`).
    package var tierNumber: Int {
        @inline(__always) get { Entry.field(meta, 16, 3) }
        nonmutating set { setField(16, 3, newValue) }
    }
    private static let tierMask: UInt64 = 3 << 16
    /// The value is not in its usual form: whoever wants it must have it made first.
    package var isAsleep: Bool { @inline(__always) get { meta & Entry.tierMask != 0 } }
    /// What a lookup must look at before it hands the entry out: it may be dead, or asleep. False for plain keys: one
    /// test of the header.
    package var needsCare: Bool {
        @inline(__always) get { meta & (Entry.expiryMask | Entry.labelMask | Entry.tierMask) != 0 }
    }
    /// The value was tried and did not shrink.
    package var resistsCompression: Bool {
        get { meta & 0x8_0000 != 0 }
        nonmutating set { setField(19, 1, newValue ? 1 : 0) }
    }
    package var hasExpiry: Bool { @inline(__always) get { meta & Entry.expiryMask != 0 } }
    /// The bits of the header that say how an entry may die without being removed: of age, or with one of its tags.
    static let expiryMask: UInt64 = 0x100
    static let labelMask: UInt64 = 1 << 31
    /// Whether the entry has a label (`Entry+Label.swift`).
    package var hasLabel: Bool { @inline(__always) get { meta & Entry.labelMask != 0 } }
    /// Whether the entry may be dead already. False for plain keys: one test of the header.
    package var isMortal: Bool { @inline(__always) get { meta & (Entry.expiryMask | Entry.labelMask) != 0 } }
    /// Whether the entry has no label, and an expiry as said.
    @inline(__always)
    package func isPlain(hasExpiry: Bool) -> Bool {
        meta & (Entry.expiryMask | Entry.labelMask) == (hasExpiry ? Entry.expiryMask : 0)
    }
    private var isLong: Bool { @inline(__always) get { meta & 0x200 != 0 } }

    /// Milliseconds since the epoch at which the entry dies; only when `hasExpiry`.
    package var expiryMilliseconds: Int64 {
        @inline(__always) get {
            precondition(hasExpiry, "an entry without expiry has no expiry time")
            return unsafe UnsafeRawPointer(address + 8).loadUnaligned(as: Int64.self)
        }
        nonmutating set {
            precondition(hasExpiry, "an entry without expiry has no room for one")
            unsafe UnsafeMutableRawPointer(address + 8).storeBytes(of: newValue, as: Int64.self)
        }
    }

    @inline(__always) private var lengthsOffset: Int { hasExpiry ? 16 : 8 }

    @inline(__always) package var keyByteCount: Int {
        if _slowPath(isLong) {
            return unsafe Int(UnsafeRawPointer(address + lengthsOffset).loadUnaligned(as: UInt32.self))
        }
        return Entry.field(meta, 32, 0xFFFF)
    }

    @inline(__always) package var valueByteCount: Int {
        if _slowPath(isLong) {
            return unsafe Int(UnsafeRawPointer(address + lengthsOffset + 4).loadUnaligned(as: UInt32.self))
        }
        return Entry.field(meta, 48, 0xFFFF)
    }

    @inline(__always) private var keyOffset: Int { 8 &+ (hasExpiry ? 8 : 0) &+ (isLong ? 8 : 0) }

    // MARK: the bytes

    @unsafe package var keyAddress: UnsafeMutablePointer<UInt8> {
        @inline(__always) get { unsafe address + keyOffset }
    }
    @unsafe package var valueAddress: UnsafeMutablePointer<UInt8> {
        @inline(__always) get { unsafe address + keyOffset + keyByteCount }
    }

    /// The key's bytes; valid until the entry is freed or replaced.
    package var key: Span<UInt8> {
        @_lifetime(borrow self) @inline(__always) get {
            let view = unsafe Span(_unsafeStart: UnsafePointer(keyAddress), count: keyByteCount)
            return unsafe _overrideLifetime(view, borrowing: self)
        }
    }

    /// The inline value's bytes; valid until the entry is written, freed or replaced.
    package var value: Span<UInt8> {
        @_lifetime(borrow self) @inline(__always) get {
            let view = unsafe Span(_unsafeStart: UnsafePointer(valueAddress), count: valueByteCount)
            return unsafe _overrideLifetime(view, borrowing: self)
        }
    }

    /// A 64-bit word at byte `offset` of the value: integers and pointers to larger values.
    @inline(__always)
    package func valueWord(at offset: Int = 0) -> UInt64 {
        precondition(offset >= 0 && offset &+ 8 <= valueByteCount, "a value word lies inside the value")
        return unsafe UnsafeRawPointer(valueAddress + offset).loadUnaligned(as: UInt64.self)
    }

    @inline(__always)
    package func setValueWord(_ word: UInt64, at offset: Int = 0) {
        precondition(offset >= 0 && offset &+ 8 <= valueByteCount, "a value word lies inside the value")
        unsafe UnsafeMutableRawPointer(valueAddress + offset).storeBytes(of: word, as: UInt64.self)
    }

    @inline(__always)
    package func keyEquals(_ other: UnsafePointer<UInt8>, count: Int) -> Bool {
        guard keyByteCount == count else { return false }
        return unsafe Entry.sameBytes(UnsafePointer(keyAddress), other, count)
    }

    /// memcmp without the call for short keys. Cost: one compare per 8 bytes.
    @unsafe @inline(__always)
    private static func sameBytes(_ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        if count > 32 { return unsafe memcmp(left, right, count) == 0 }
        let leftRaw = unsafe UnsafeRawPointer(left)
        let rightRaw = unsafe UnsafeRawPointer(right)
        if count < 8 {
            for index in 0..<count where unsafe left[index] != right[index] { return false }
            return true
        }
        var offset = 0
        while offset &+ 8 < count {
            if unsafe leftRaw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                != rightRaw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            {
                return false
            }
            offset &+= 8
        }
        return unsafe leftRaw.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
            == rightRaw.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
    }

    // MARK: making one

    /// Bytes an entry of this shape occupies.
    @inline(__always)
    package static func byteCount(keyByteCount: Int, valueByteCount: Int, hasExpiry: Bool) -> Int {
        let isLong = keyByteCount > shortLengthMax || valueByteCount > shortLengthMax
        return headerByteCount &+ (hasExpiry ? 8 : 0) &+ (isLong ? 8 : 0) &+ keyByteCount &+ valueByteCount
    }

    /// Bytes this entry occupies, as asked from its arena.
    package var byteCount: Int {
        @inline(__always) get { keyOffset &+ keyByteCount &+ valueByteCount &+ labelByteCount }
    }

    /// 16 with a label, 0 without.
    @inline(__always) var labelByteCount: Int { Int(truncatingIfNeeded: (meta & Entry.labelMask) >> 27) }

    /// Writes a header and lengths; key and value bytes are the caller's to fill.
    @inline(__always)
    package func initialize(
        type: Int, encoding: Int, hasExpiry: Bool, keyByteCount: Int, valueByteCount: Int, epoch: UInt64 = 0
    ) {
        precondition(keyByteCount <= Entry.bytesMax && valueByteCount <= Entry.bytesMax, "entry lengths are 32 bit")
        let isLong = keyByteCount > Entry.shortLengthMax || valueByteCount > Entry.shortLengthMax
        var word = UInt64(truncatingIfNeeded: type & 15) | UInt64(truncatingIfNeeded: encoding & 15) << 4 | epoch
        if hasExpiry { word |= 0x100 }
        if isLong {
            word |= 0x200
        } else {
            word |= UInt64(truncatingIfNeeded: keyByteCount) << 32 | UInt64(truncatingIfNeeded: valueByteCount) << 48
        }
        meta = word
        if isLong { storeLongLengths(keyByteCount, valueByteCount) }
    }

    private func storeLongLengths(_ keyByteCount: Int, _ valueByteCount: Int) {
        let lengths = unsafe UnsafeMutableRawPointer(address + lengthsOffset)
        unsafe lengths.storeBytes(of: UInt32(keyByteCount), as: UInt32.self)
        unsafe lengths.storeBytes(of: UInt32(valueByteCount), toByteOffset: 4, as: UInt32.self)
    }

    /// Changes the value's length without moving the entry; the caller made sure that the memory is there and that
    /// the short or long form stays what it was (`fitsInPlace`).
    @inline(__always)
    package func setValueByteCount(_ count: Int) {
        if _slowPath(hasLabel) { return moveLabel(valueByteCount: count) }
        storeValueByteCount(count)
    }

    @inline(__always)
    func storeValueByteCount(_ count: Int) {
        if isLong {
            storeLongLengths(keyByteCount, count)
        } else {
            precondition(count <= Entry.shortLengthMax, "a short entry cannot hold a long value")
            setField(48, 0xFFFF, count)
        }
    }

    /// Whether a value of `count` bytes keeps the entry's form and its arena class.
    @inline(__always)
    package func fitsInPlace(valueByteCount count: Int) -> Bool {
        let now = byteCount
        let then = now &- valueByteCount &+ count
        let needsLong = count > Entry.shortLengthMax || keyByteCount > Entry.shortLengthMax
        return needsLong == isLong && EntryArena.sameClass(now, then)
    }
}
