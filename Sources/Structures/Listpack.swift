// Listpack.swift - a compact list of texts and integers in one stretch of bytes, byte for byte what Redis keeps and
// writes. Owned by one key (or lent by its entry: the buffer then edits the entry's own memory); edited under the
// engine's turn. Integers are stored as such when a text is the canonical spelling of one. Offsets are as in
// `ListpackView`; every edit leaves offsets before it valid. Must never be made from bytes that were not validated.
// Cost: an append is a copy of the element; other edits move what follows.
package import Base
internal import CLinux

@safe package struct Listpack: ~Copyable {
    var bytes: ByteBuffer

    /// Bytes of a listpack without elements.
    package static var emptyByteCount: Int { ListpackCode.emptyByteCount }

    /// Bytes that a listpack has at most.
    package static var byteCountMax: Int { ListpackCode.byteCountMax }

    /// A listpack without elements.
    package init() {
        bytes = ByteBuffer()
        Listpack.appendEmpty(to: &bytes)
    }

    /// Appends the seven bytes of a listpack without elements.
    package static func appendEmpty(to bytes: inout ByteBuffer) {
        unsafe bytes.append(count: ListpackCode.emptyByteCount) { target in
            unsafe ListpackCode.storeHeader(byteCount: ListpackCode.emptyByteCount, count: 0, target)
            unsafe target[ListpackCode.headerByteCount] = ListpackCode.endMark
        }
    }

    /// Edits the listpack that `buffer` holds, which must be trusted; look at `ByteBuffer.ownsMemory` after `take`.
    package init(adopting buffer: consuming ByteBuffer) {
        precondition(buffer.count >= ListpackCode.emptyByteCount, "a listpack has a header and an end mark")
        bytes = buffer
    }

    /// A copy of `view`.
    package init(copying view: ListpackView) {
        bytes = ByteBuffer(capacity: view.byteCount)
        bytes.append(view.span)
    }

    /// A copy of bytes from outside; nil unless they are a listpack through and through.
    package init?(validating untrusted: Span<UInt8>) {
        guard Listpack.validate(untrusted) else { return nil }
        bytes = ByteBuffer(capacity: untrusted.count)
        bytes.append(untrusted)
    }

    /// The bytes, handed on.
    package consuming func take() -> ByteBuffer { bytes }

    /// The elements, for reading.
    package var view: ListpackView {
        @_lifetime(borrow self) @inline(__always) get {
            let view = unsafe ListpackView(base: UnsafePointer(bytes.pointer), byteCount: bytes.count)
            return unsafe _overrideLifetime(view, borrowing: self)
        }
    }

    /// The bytes as DUMP and RDB files carry them.
    package var span: Span<UInt8> {
        @_lifetime(borrow self) @inline(__always) get { bytes.span }
    }

    /// Bytes of the whole listpack.
    package var byteCount: Int { @inline(__always) get { bytes.count } }
    /// How many elements there are.
    package var count: Int { @inline(__always) get { view.count } }
    package var isEmpty: Bool { @inline(__always) get { bytes.count == ListpackCode.emptyByteCount } }

    // MARK: Limits and estimates

    /// Whether `added` bytes more (entries, with their overhead) keep the listpack below its size limit of 1 GiB.
    package func hasRoom(for added: Int) -> Bool {
        added >= 0 && added <= ListpackCode.byteCountMax - bytes.count
    }

    /// Bytes that the entry of `text` takes.
    package static func entryByteCount(of text: Span<UInt8>) -> Int {
        unsafe ListpackCode.form(ListpackCode.address(of: text), count: text.count).byteCount
    }

    /// Bytes that the entry of `integer` takes.
    package static func entryByteCount(of integer: Int64) -> Int { ListpackCode.form(integer).byteCount }

    /// Bytes of a whole listpack that holds `integer` `repeats` times; `Int.max` when that is more than can be.
    package static func estimateBytes(_ integer: Int64, repeats: Int) -> Int {
        let (entries, overflow) = entryByteCount(of: integer).multipliedReportingOverflow(by: max(repeats, 0))
        if overflow || entries > Int.max - ListpackCode.emptyByteCount { return .max }
        return ListpackCode.emptyByteCount + entries
    }

    // MARK: Adding

    /// Adds `text` behind the last element.
    @inline(__always)
    package mutating func append(_ text: Span<UInt8>) {
        let address = unsafe ListpackCode.address(of: text)
        let form = unsafe ListpackCode.form(address, count: text.count)
        unsafe append(form, text: address, count: text.count)
    }

    /// Adds `integer` behind the last element.
    package mutating func append(_ integer: Int64) {
        unsafe append(ListpackCode.form(integer), text: ListpackCode.address(of: Span()), count: 0)
    }

    @unsafe
    private mutating func append(_ form: ListpackCode.Form, text: UnsafePointer<UInt8>, count: Int) {
        checkRoom(form.byteCount)
        bytes.reserve(form.byteCount)
        let base = unsafe bytes.pointer
        let target = unsafe base + (bytes.count &- 1)
        unsafe ListpackCode.write(form, text: text, count: count, to: target)
        unsafe target[form.byteCount] = ListpackCode.endMark
        bytes.commit(form.byteCount)
        finishEdit(countChange: 1)
    }

    /// Adds `text` before the first element.
    package mutating func prepend(_ text: Span<UInt8>) {
        splice(text, at: ListpackCode.headerByteCount, replacing: 0)
    }

    /// Adds `integer` before the first element.
    package mutating func prepend(_ integer: Int64) {
        splice(integer, at: ListpackCode.headerByteCount, replacing: 0)
    }

    /// Adds `text` before the entry at `offset`, or behind the last element when that is `endOffset`.
    package mutating func insert(_ text: Span<UInt8>, at offset: Int) {
        splice(text, at: offset, replacing: 0)
    }

    /// Adds `integer` before the entry at `offset`, or behind the last element when that is `endOffset`.
    package mutating func insert(_ integer: Int64, at offset: Int) {
        splice(integer, at: offset, replacing: 0)
    }

    /// Adds all of `other` before the entry at `offset`, as its entries lie: one move, whatever their number.
    package mutating func insert(contentsOf other: ListpackView, at offset: Int) {
        let added = other.byteCount &- ListpackCode.emptyByteCount
        if added == 0 { return }
        checkInsertion(at: offset)
        checkRoom(added)
        let addedCount = other.count
        bytes.makeRoom(at: offset..<offset, byteCount: added)
        unsafe memcpy(bytes.pointer + offset, other.base + ListpackCode.headerByteCount, added)
        finishEdit(countChange: addedCount)
    }

    /// Adds all of `other` behind the last element.
    package mutating func append(contentsOf other: ListpackView) {
        insert(contentsOf: other, at: bytes.count &- 1)
    }

    // MARK: Replacing

    /// Puts `text` in the place of the entry at `offset`; in place when both take the same number of bytes.
    package mutating func replace(at offset: Int, with text: Span<UInt8>) {
        splice(text, at: offset, replacing: existingByteCount(at: offset))
    }

    /// Puts `integer` in the place of the entry at `offset`; in place when both take the same number of bytes.
    package mutating func replace(at offset: Int, with integer: Int64) {
        splice(integer, at: offset, replacing: existingByteCount(at: offset))
    }

    private func existingByteCount(at offset: Int) -> Int {
        checkEntry(at: offset)
        return unsafe ListpackCode.entryByteCount(bytes.pointer + offset)
    }

    private mutating func splice(_ text: Span<UInt8>, at offset: Int, replacing oldByteCount: Int) {
        let address = unsafe ListpackCode.address(of: text)
        let form = unsafe ListpackCode.form(address, count: text.count)
        unsafe splice(form, text: address, count: text.count, at: offset, replacing: oldByteCount)
    }

    private mutating func splice(_ integer: Int64, at offset: Int, replacing oldByteCount: Int) {
        let form = ListpackCode.form(integer)
        unsafe splice(form, text: ListpackCode.address(of: Span()), count: 0, at: offset, replacing: oldByteCount)
    }

    @unsafe
    private mutating func splice(
        _ form: ListpackCode.Form, text: UnsafePointer<UInt8>, count: Int, at offset: Int, replacing oldByteCount: Int
    ) {
        checkInsertion(at: offset)
        if form.byteCount != oldByteCount {
            checkRoom(form.byteCount &- oldByteCount)
            bytes.makeRoom(at: offset..<offset &+ oldByteCount, byteCount: form.byteCount)
        }
        unsafe ListpackCode.write(form, text: text, count: count, to: bytes.pointer + offset)
        finishEdit(countChange: oldByteCount == 0 ? 1 : 0)
    }

    // MARK: Removing

    /// Removes the entry at `offset`; the next one, if any, then starts there.
    package mutating func remove(at offset: Int) {
        let removed = existingByteCount(at: offset)
        bytes.makeRoom(at: offset..<offset &+ removed, byteCount: 0)
        finishEdit(countChange: -1)
    }

    /// Removes up to `limit` entries from `offset` on; returns how many there were.
    @discardableResult
    package mutating func removeRange(at offset: Int, count limit: Int) -> Int {
        if limit <= 0 || offset == bytes.count &- 1 { return 0 }
        checkEntry(at: offset)
        let last = bytes.count &- 1
        var stop = offset
        var removed = 0
        while stop < last, removed < limit {
            unsafe stop &+= ListpackCode.entryByteCount(bytes.pointer + stop)
            removed &+= 1
        }
        bytes.makeRoom(at: offset..<stop, byteCount: 0)
        finishEdit(countChange: 0 &- removed)
        return removed
    }

    /// Removes up to `limit` entries from `index` on, which counts from the end when negative; returns how many there
    /// were.
    @discardableResult
    package mutating func removeRange(index: Int, count limit: Int) -> Int {
        guard limit > 0, let offset = view.offset(ofIndex: index) else { return 0 }
        return removeRange(at: offset, count: limit)
    }

    /// Removes the entries at `offsets`, which ascend; one pass however many there are.
    package mutating func removeEntries(at offsets: Span<Int>) {
        if offsets.isEmpty { return }
        let base = unsafe bytes.pointer
        let stop = bytes.count
        var target = offsets[0]
        for index in 0..<offsets.count {
            let offset = offsets[index]
            checkEntry(at: offset)
            let next = index &+ 1 < offsets.count ? offsets[index &+ 1] : stop
            let kept = unsafe offset &+ ListpackCode.entryByteCount(base + offset)
            precondition(kept <= next, "offsets to remove must ascend")
            unsafe memmove(base + target, base + kept, next &- kept)
            target &+= next &- kept
        }
        bytes.truncate(to: target)
        finishEdit(countChange: 0 &- offsets.count)
    }

    /// Removes elements whose text is `needle`, from the head or (`fromTail`) from the tail, at most `limit` of them;
    /// returns how many went.
    package mutating func removeMatches(of needle: Span<UInt8>, fromTail: Bool = false, limit: Int = .max) -> Int {
        if limit <= 0 { return 0 }
        var offsets: [Int] = []
        view.forEachMatch(of: needle, fromTail: fromTail) { _, offset in
            offsets.append(offset)
            return offsets.count < limit
        }
        if fromTail { offsets.reverse() }
        removeEntries(at: offsets.span)
        return offsets.count
    }

    /// Removes every element; memory beyond `keepingCapacity` bytes is given back.
    package mutating func removeAll(keepingCapacity: Int = 64) {
        bytes.removeAll(keepingCapacity: keepingCapacity)
        Listpack.appendEmpty(to: &bytes)
    }

    // MARK: Upkeep

    private func checkRoom(_ added: Int) {
        precondition(
            added <= ListpackCode.byteCountMax &- bytes.count, "ask hasRoom before a listpack outgrows its limit")
    }

    private func checkEntry(at offset: Int) {
        precondition(
            offset >= ListpackCode.headerByteCount && offset < bytes.count &- 1, "an offset outside the listpack")
    }

    private func checkInsertion(at offset: Int) {
        precondition(
            offset >= ListpackCode.headerByteCount && offset < bytes.count, "an offset outside the listpack")
    }

    /// Brings the header up to date. A count that had outgrown its field is counted afresh once it may fit again.
    @inline(__always)
    private mutating func finishEdit(countChange: Int) {
        let base = unsafe bytes.pointer
        let stored = unsafe ListpackCode.load16(base + 4)
        var count = stored &+ countChange
        if _slowPath(stored == ListpackCode.countUnknown) {
            count = countChange < 0 ? view.walkedCount : stored
        }
        unsafe ListpackCode.storeHeader(byteCount: bytes.count, count: count, base)
    }
}
