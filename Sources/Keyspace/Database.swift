// Database.swift - one numbered database: the table of its keys and the arena their entries live in. Every database
// has its own arena, so that FLUSHALL ASYNC hands over table and arena as one piece and SWAPDB swaps two pieces.
// Engine's turn only. Values that live outside their entry are freed here, large ones through `Garbage`.
internal import Base
internal import CLinux
package import Structures

package struct Database: ~Copyable {
    package internal(set) var table = EntryTable()
    package internal(set) var arena = EntryArena()
    /// Keys that are new; recorded while notifications want to know.
    package var arrivals = Arrivals()
    /// Bytes of values outside the arena.
    package internal(set) var externalByteCount = 0
    /// Of these, what the process allocator does not know about: members of large sets, hashes and sorted sets.
    package internal(set) var memberSlabByteCount = 0
    /// And what it takes beside them and does not tell.
    var padByteCount = 0
    /// Values that are asleep here: compressed, or on disk.
    package internal(set) var sleepers = SleeperAccount()
    /// The keys of hashes with fields that expire (`Values/ExpiringHashes.swift`); empty, and without memory, as long
    /// as there are none.
    var expiringHashes = MemberTable()
    /// The epoch of every entry, except those that a running snapshot has not taken yet (`Snapshot/`).
    var epoch: UInt64 = 0
    /// The running snapshot, and this database's number in it; nil when none runs or it knows nothing of this one.
    var capture: SnapshotCapture?
    var captureNumber = 0
    /// The tags of keys, one table for all databases (`Database+Labels.swift`).
    let tags: TagTable
    /// Keys of this database by the number of their cohort, and all of them together.
    var labelCounts: [UInt32] = []
    var labelledCount = 0

    package init(tags: TagTable = TagTable()) { self.tags = tags }

    /// The door before every change: call it with the entry before anything of it or its value is changed, or before
    /// it leaves the table without being disposed of. A running snapshot then takes the entry as it is. One compare
    /// of a word that is at hand anyway while no snapshot runs. `dispose` does the same for entries that go.
    @inline(__always)
    package mutating func willChange(_ entry: Entry) {
        if _slowPath(entry.epoch != epoch) { handOver(entry) }
    }

    /// Bytes held by entries, values and the table.
    package var byteCount: Int {
        arena.usedByteCount + externalByteCount + table.allocatedByteCount + expiringHashes.allocatedBytes
    }

    /// Of these, what the process allocator does not know about.
    package var slabByteCount: Int {
        arena.slabByteCount + arena.padByteCount + memberSlabByteCount + padByteCount + expiringHashes.slabByteCount
    }

    package var count: Int { table.count }

    // MARK: strings

    /// Strings longer than this live outside their entry, so that growing them does not move the key.
    package static let inlineByteCountMax = 16 << 10
    /// The longest string that OBJECT ENCODING calls embstr.
    private static let embeddedByteCountMax = 44

    /// Writes `value` as the string at `key`: in place when the new entry would take the same memory, else as a new
    /// entry. `expiry` nil means no expiry. The caller knows the slot (nil when the key is absent).
    @inline(__always)
    package mutating func setString(
        _ key: Span<UInt8>, hash: UInt64, slot: EntryTable.Slot?, value: Span<UInt8>, expiry: Int64?,
        garbage: inout Garbage
    ) {
        if let slot, value.count > 20 || !DecimalNumber.mayStart(value) {
            let entry = slot.entry
            if entry.isString, entry.encoding == StringEncoding.embedded.rawValue
                || entry.encoding == StringEncoding.raw.rawValue,
                entry.isPlain(hasExpiry: expiry != nil), entry.fitsInPlace(valueByteCount: value.count),
                value.count <= Database.inlineByteCountMax
            {
                overwrite(entry, slot, value, expiry)
                return
            }
        }
        setStringSlow(key, hash: hash, slot: slot, value: value, expiry: expiry, garbage: &garbage)
    }

    @inline(__always)
    private mutating func overwrite(_ entry: Entry, _ slot: EntryTable.Slot, _ value: Span<UInt8>, _ expiry: Int64?) {
        willChange(entry)
        entry.setValueByteCount(value.count)
        entry.encoding = value.count <= Database.embeddedByteCountMax
            ? StringEncoding.embedded.rawValue : StringEncoding.raw.rawValue
        unsafe value.copyBytes(to: entry.valueAddress)
        entry.version &+= 1
        if let expiry {
            entry.expiryMilliseconds = expiry
            table.expiryChanged(slot)
        }
    }

    @inline(never)
    private mutating func setStringSlow(
        _ key: Span<UInt8>, hash: UInt64, slot: EntryTable.Slot?, value: Span<UInt8>, expiry: Int64?,
        garbage: inout Garbage
    ) {
        if let slot { willReplace(slot.entry) }
        if value.count <= 20, let integer = DecimalNumber.parse(value) {
            setInteger(key, hash: hash, slot: slot, value: integer, expiry: expiry, garbage: &garbage)
            return
        }
        setText(key, hash: hash, slot: slot, value: value, expiry: expiry, garbage: &garbage)
    }

    /// Writes `value` as bytes even when it spells an integer (INCRBYFLOAT's results stay text).
    package mutating func setText(
        _ key: Span<UInt8>, hash: UInt64, slot: EntryTable.Slot?, value: Span<UInt8>, expiry: Int64?,
        garbage: inout Garbage
    ) {
        let entry = makeText(key, value: value, expiry: expiry)
        install(entry, hash: hash, slot: slot, garbage: &garbage)
    }

    /// Makes room for about `count` keys, when there are none yet.
    package mutating func reserve(_ count: Int) { table.reserve(count) }

    /// An entry with `value` as its string, integer-encoded when it spells one, in no table yet.
    package mutating func makeString(_ key: Span<UInt8>, value: Span<UInt8>, expiry: Int64?) -> Entry {
        guard value.count <= 20, let integer = DecimalNumber.parse(value) else {
            return makeText(key, value: value, expiry: expiry)
        }
        let entry = makeEntry(
            key, valueByteCount: 8, type: .string, encoding: StringEncoding.integer.rawValue, expiry: expiry)
        entry.setValueWord(UInt64(bitPattern: integer))
        return entry
    }

    private mutating func makeText(_ key: Span<UInt8>, value: Span<UInt8>, expiry: Int64?) -> Entry {
        let isExternal = value.count > Database.inlineByteCountMax
        let entry = makeEntry(
            key, valueByteCount: isExternal ? ExternalValue.byteCount : value.count, type: .string,
            encoding: isExternal
                ? StringEncoding.external.rawValue
                : (value.count <= Database.embeddedByteCountMax
                    ? StringEncoding.embedded.rawValue : StringEncoding.raw.rawValue),
            expiry: expiry)
        if isExternal {
            let memory = unsafe allocateExternal(value.count)
            unsafe value.copyBytes(to: memory)
            unsafe ExternalValue.set(entry, address: memory, count: value.count)
        } else {
            unsafe value.copyBytes(to: entry.valueAddress)
        }
        return entry
    }

    /// Writes an integer-encoded string.
    package mutating func setInteger(
        _ key: Span<UInt8>, hash: UInt64, slot: EntryTable.Slot?, value: Int64, expiry: Int64?,
        garbage: inout Garbage
    ) {
        if let slot, slot.entry.isString, slot.entry.integerValue != nil, slot.entry.hasExpiry == (expiry != nil) {
            willChange(slot.entry)
            slot.entry.setValueWord(UInt64(bitPattern: value))
            slot.entry.version &+= 1
            if let expiry {
                slot.entry.expiryMilliseconds = expiry
                table.expiryChanged(slot)
            }
            return
        }
        let entry = makeEntry(
            key, valueByteCount: 8, type: .string, encoding: StringEncoding.integer.rawValue, expiry: expiry)
        entry.setValueWord(UInt64(bitPattern: value))
        install(entry, hash: hash, slot: slot, garbage: &garbage)
    }

    /// Makes the string of `slot` the integer `value`, in place when it is one already; its expiry stays.
    @inline(__always)
    package mutating func replaceInteger(
        _ slot: EntryTable.Slot, hash: UInt64, value: Int64, garbage: inout Garbage
    ) {
        let entry = slot.entry
        if _fastPath(entry.integerValue != nil) {
            willChange(entry)
            entry.setValueWord(UInt64(bitPattern: value))
            entry.version &+= 1
        } else {
            setInteger(entry.key, hash: hash, slot: slot, value: value, expiry: entry.expiry, garbage: &garbage)
        }
    }

    /// Writes `bytes` over the string of `slot` from `offset` on; the string grows as needed, a gap is zeroed.
    package mutating func overwriteString(
        _ slot: EntryTable.Slot, hash: UInt64, at offset: Int, with bytes: Span<UInt8>, garbage: inout Garbage
    ) {
        let oldCount = slot.entry.stringByteCount
        precondition(offset >= 0, "a string is written at an offset from 0 on")
        let count = max(oldCount, offset + bytes.count)
        editString(slot, hash: hash, byteCount: count, garbage: &garbage) { memory in
            unsafe memory.withUnsafeMutableBufferPointer { target in
                guard let base = target.baseAddress else { return }
                unsafe bytes.copyBytes(to: base + offset)
            }
        }
    }

    /// Resizes the string of `slot` to `byteCount` bytes and hands its memory to `edit`, old bytes kept, new bytes
    /// zeroed. The result is raw-encoded, as Redis reports after APPEND and SETRANGE.
    package mutating func editString(
        _ slot: EntryTable.Slot, hash: UInt64, byteCount: Int, garbage: inout Garbage,
        edit: (inout MutableSpan<UInt8>) -> Void
    ) {
        let entry = slot.entry
        let expiry: Int64? = entry.hasExpiry ? entry.expiryMilliseconds : nil
        let oldCount = entry.stringByteCount
        precondition(byteCount >= oldCount, "editString keeps or grows a string")
        willChange(entry)
        if entry.stringEncoding == .external {
            growExternal(entry, from: oldCount, to: byteCount)
        } else if byteCount > Database.inlineByteCountMax {
            // What is written for the first time may be all there will be; what grows is likely to grow again.
            let room = oldCount == 0 ? byteCount : max(byteCount, min(byteCount * 2, 1 << 20))
            let memory = unsafe allocateExternal(room)
            entry.withStringBytes { unsafe $0.copyBytes(to: memory) }
            unsafe memset(memory + oldCount, 0, byteCount - oldCount)
            let fresh = makeEntry(
                entry.key, valueByteCount: ExternalValue.byteCount, type: .string,
                encoding: StringEncoding.external.rawValue, expiry: expiry)
            unsafe ExternalValue.set(fresh, address: memory, count: byteCount)
            install(fresh, hash: hash, slot: slot, garbage: &garbage)
        } else if entry.stringEncoding == .integer || !entry.fitsInPlace(valueByteCount: byteCount) {
            let fresh = makeEntry(
                entry.key, valueByteCount: byteCount, type: .string, encoding: StringEncoding.raw.rawValue,
                expiry: expiry)
            entry.withStringBytes { unsafe $0.copyBytes(to: fresh.valueAddress) }
            unsafe memset(fresh.valueAddress + oldCount, 0, byteCount - oldCount)
            install(fresh, hash: hash, slot: slot, garbage: &garbage)
        } else {
            entry.setValueByteCount(byteCount)
            entry.encoding = StringEncoding.raw.rawValue
            unsafe memset(entry.valueAddress + oldCount, 0, byteCount - oldCount)
        }
        let current = slot.entry
        current.version &+= 1
        let isExternal = current.stringEncoding == .external
        let start = unsafe isExternal ? ExternalValue.address(current) : current.valueAddress
        var span = unsafe MutableSpan(_unsafeStart: start, count: byteCount)
        edit(&span)
    }

    // MARK: entries of any type

    /// An entry with `key` in it and an uninitialised value.
    @inline(__always)
    package mutating func makeEntry(
        _ key: Span<UInt8>, valueByteCount: Int, type: ObjectType, encoding: Int, expiry: Int64?
    ) -> Entry {
        let size = Entry.byteCount(
            keyByteCount: key.count, valueByteCount: valueByteCount, hasExpiry: expiry != nil)
        let entry = arena.allocate(size)
        entry.initialize(
            type: type.rawValue, encoding: encoding, hasExpiry: expiry != nil, keyByteCount: key.count,
            valueByteCount: valueByteCount, epoch: epoch)
        if let expiry { entry.expiryMilliseconds = expiry }
        unsafe key.copyBytes(to: entry.keyAddress)
        return entry
    }

    /// Puts `entry` into the table, in the place of the slot's entry when there is one (which is freed). It is the same
    /// key's value in another form, so a label stays; who puts another value there calls `willReplace` first.
    @inline(__always)
    package mutating func install(
        _ entry: Entry, hash: UInt64, slot: EntryTable.Slot?, garbage: inout Garbage
    ) {
        guard let slot else {
            if _slowPath(arrivals.isRecorded) { arrivals.add(entry.key) }
            return table.insert(entry, hash: hash)
        }
        let old = slot.entry
        entry.frequency = old.frequency
        table.replace(slot, with: carryLabel(of: old, to: entry))
        discard(old, garbage: &garbage)
    }

    /// Takes the slot's entry out and frees it with its value.
    package mutating func remove(_ slot: EntryTable.Slot, hash: UInt64, garbage: inout Garbage) {
        let entry = slot.entry
        table.remove(slot, hash: hash)
        dispose(entry, garbage: &garbage)
    }

    /// Frees an entry that is in no table, and the value behind it.
    package mutating func dispose(_ entry: Entry, garbage: inout Garbage) {
        if _slowPath(entry.hasLabel) { release(entry.labelCohort) }
        discard(entry, garbage: &garbage)
    }

    /// As `dispose`, for an entry whose label lives on in another one.
    mutating func discard(_ entry: Entry, garbage: inout Garbage) {
        if _slowPath(entry.hasHeldValue) && expiringHashes.count > 0 { forgetExpiringFields(of: entry) }
        if _slowPath(entry.epoch != epoch), handOverForGood(entry) { return }
        disposeTaken(entry, garbage: &garbage)
    }

    /// As `dispose`, for an entry that no snapshot waits for.
    @inline(__always)
    mutating func disposeTaken(_ entry: Entry, garbage: inout Garbage) {
        if _slowPath(entry.hasHeldValue) { disposeValue(entry, garbage: &garbage) }
        arena.free(entry)
    }

    private mutating func disposeValue(_ entry: Entry, garbage: inout Garbage) {
        if entry.isAsleep {
            if entry.tier == .cold { garbage.add(coldValueOf: entry) }
            return sleepers.remove(SleepingValue(entry))
        }
        let byteCount = HeldValue.byteCount(entry)
        externalByteCount -= byteCount
        memberSlabByteCount -= HeldValue.slabByteCount(entry)
        padByteCount -= HeldValue.padByteCount(entry)
        HeldValue.free(entry, byteCount: byteCount, garbage: &garbage)
    }

    /// Gives the slot's entry an expiry, or takes it away (nil). Moves the entry when the room for it is missing.
    package mutating func setExpiry(
        _ slot: EntryTable.Slot, hash: UInt64, to expiry: Int64?, garbage: inout Garbage
    ) {
        let entry = slot.entry
        guard entry.hasExpiry || expiry != nil else { return }
        willChange(entry)
        if entry.hasExpiry, let expiry {
            entry.expiryMilliseconds = expiry
            table.expiryChanged(slot)
            return
        }
        let fresh = makeEntry(
            entry.key, valueByteCount: entry.valueByteCount, type: entry.objectType, encoding: entry.encoding,
            expiry: expiry)
        unsafe memcpy(fresh.valueAddress, entry.valueAddress, entry.valueByteCount)
        fresh.frequency = entry.frequency
        fresh.tierNumber = entry.tierNumber
        if _slowPath(entry.isAsleep) { sleepers.remove(SleepingValue(entry)) }
        table.replace(slot, with: carryLabel(of: entry, to: fresh))
        if _slowPath(entry.isAsleep) { sleepers.add(SleepingValue(slot.entry)) }
        arena.free(entry)
    }

    /// Bytes that the allocators really gave for an entry and the value behind it.
    package func allocatedByteCount(of entry: Entry) -> Int {
        arena.allocatedByteCount(of: entry) + (entry.hasHeldValue ? HeldValue.byteCount(entry) : 0)
    }

    // MARK: external values

    @unsafe mutating func allocateExternal(_ byteCount: Int) -> UnsafeMutablePointer<UInt8> {
        let memory = unsafe EntryArena.room(byteCount)
        count(allocated: unsafe Allocated.byteCount(memory))
        return unsafe memory.assumingMemoryBound(to: UInt8.self)
    }

    /// Counts an external value in, or out.
    private mutating func count(allocated byteCount: Int, sign: Int = 1) {
        let pad = EntryArena.padByteCount(allocated: byteCount)
        externalByteCount += sign * (byteCount + pad)
        padByteCount += sign * pad
    }

    private mutating func growExternal(_ entry: Entry, from oldCount: Int, to byteCount: Int) {
        let address = unsafe ExternalValue.address(entry)
        let capacity = unsafe Allocated.byteCount(address)
        var memory = unsafe address
        if byteCount > capacity {
            // Doubling up to 1 MiB of slack, as sds does: repeated APPENDs stay linear.
            let wanted = byteCount + min(byteCount, 1 << 20)
            guard let moved = unsafe realloc(address, wanted) else { outOfMemory(byteCount: wanted) }
            unsafe memory = moved.assumingMemoryBound(to: UInt8.self)
            count(allocated: unsafe Allocated.byteCount(memory))
            count(allocated: capacity, sign: -1)
        }
        if byteCount > oldCount { unsafe memset(memory + oldCount, 0, byteCount - oldCount) }
        unsafe ExternalValue.set(entry, address: memory, count: byteCount)
    }
}
