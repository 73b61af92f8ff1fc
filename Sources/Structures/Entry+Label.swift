// Entry+Label.swift - what some keys carry beside their value: the cohort of their tags (`Tags/TagTable.swift`), what
// kind of content the value is, and when it was written by a cache command. 16 bytes behind the value, only in entries
// whose header says so; nothing of it moves when the key is found or its value is read. Changing a value in place
// carries the label along; whoever puts another entry in its place decides (`Keyspace/Database+Labels.swift`).
internal import CLinux

/// The label of a key. All zeros is no label.
package struct EntryLabel: Equatable, Sendable {
    /// Number of the cohort of its tags, 0 for none.
    package var cohort: Int32 = 0
    /// What its writer said the value is: a number that only the cache commands know.
    package var content: UInt8 = 0
    /// Milliseconds since the epoch when the value was written or confirmed; 0 for never.
    package var writtenMilliseconds: Int64 = 0

    package init() {}

    package var isEmpty: Bool { cohort == 0 && content == 0 && writtenMilliseconds == 0 }
}

extension Entry {
    package static let labelByteCount = 16

    @unsafe @inline(__always)
    private var labelAddress: UnsafeMutableRawPointer {
        unsafe UnsafeMutableRawPointer(valueAddress + valueByteCount)
    }

    /// The label's cohort; only when `hasLabel`.
    package var labelCohort: Int32 {
        @inline(__always) get {
            precondition(hasLabel, "an entry without a label is in no cohort")
            return unsafe labelAddress.loadUnaligned(as: Int32.self)
        }
    }

    /// The entry's label; empty when it has none. Only an entry with room for one can be given one.
    package var label: EntryLabel {
        get {
            var label = EntryLabel()
            guard hasLabel else { return label }
            let address = unsafe labelAddress
            label.cohort = unsafe address.loadUnaligned(as: Int32.self)
            label.content = unsafe address.loadUnaligned(fromByteOffset: 4, as: UInt8.self)
            label.writtenMilliseconds = unsafe address.loadUnaligned(fromByteOffset: 8, as: Int64.self)
            return label
        }
        nonmutating set {
            precondition(hasLabel, "an entry without a label has no room for one")
            let address = unsafe labelAddress
            unsafe address.storeBytes(of: newValue.cohort, as: Int32.self)
            unsafe address.storeBytes(of: UInt32(newValue.content), toByteOffset: 4, as: UInt32.self)
            unsafe address.storeBytes(of: newValue.writtenMilliseconds, toByteOffset: 8, as: Int64.self)
        }
    }

    /// Makes this entry, whose memory has room for it, a copy of `plain` (which has no label) with `label`.
    package func initialize(copying plain: Entry, label: EntryLabel) {
        precondition(!plain.hasLabel, "an entry has one label at most")
        unsafe memcpy(address, plain.address, plain.byteCount)
        meta |= Entry.labelMask
        self.label = label
    }

    /// Gives this entry, whose memory has room for it behind the value, the label of `other`, if that has one.
    package func takeLabel(of other: Entry) {
        guard other.hasLabel else { return }
        meta |= Entry.labelMask
        label = other.label
    }

    /// The value's length changes and the label stays behind it.
    @inline(never)
    func moveLabel(valueByteCount count: Int) {
        let label = label
        storeValueByteCount(count)
        self.label = label
    }
}
