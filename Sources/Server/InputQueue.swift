// InputQueue.swift - bytes that one connection received and has not run yet: what is incomplete, and what was read
// ahead while the client's replies wait to be read. Taking from the front moves nothing until half of the bytes are
// gone, so that a long pipeline costs linear time; memory follows what is left. Empty, and without memory, while the
// client's commands run as they arrive. Owned by one loop.
internal import Base

struct InputQueue: ~Copyable {
    private var bytes = ByteBuffer()
    /// Bytes at the front that are gone.
    private var start = 0

    /// From how much memory on a queue that is mostly empty gets a smaller one.
    private static let keptByteCount = 64 << 10

    var count: Int { @inline(__always) get { bytes.count &- start } }
    var isEmpty: Bool { @inline(__always) get { bytes.isEmpty } }
    /// Memory that was reserved.
    var capacity: Int { bytes.capacity }

    /// The first byte, for system calls and the parser. Valid until the next mutation.
    @unsafe var pointer: UnsafeMutablePointer<UInt8> { @inline(__always) get { unsafe bytes.pointer + start } }

    /// Room for `additional` bytes more, and perhaps more than that.
    mutating func reserve(_ additional: Int) {
        if bytes.capacity - bytes.count < additional { compact() }
        bytes.reserve(additional)
    }

    /// Room for `additional` bytes more and no others: for the caller who knows how much is to come.
    mutating func reserveExactly(_ additional: Int) {
        if bytes.capacity - bytes.count < additional { compact() }
        bytes.reserveExactly(additional)
    }

    /// Declares that a system call wrote so many bytes behind the end.
    mutating func commit(_ byteCount: Int) { bytes.commit(byteCount) }

    @unsafe mutating func append(_ source: UnsafePointer<UInt8>, count: Int) {
        unsafe bytes.append(source, count: count)
    }

    mutating func removeFirst(_ byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= count, "cannot drop more than is held")
        start += byteCount
        if start == bytes.count { return removeAll() }
        if start >= bytes.count / 2 { compact() }
    }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: 0)
        start = 0
    }

    private mutating func compact() {
        guard start > 0 else { return }
        if bytes.capacity > InputQueue.keptByteCount && count < bytes.capacity / 2 {
            var rest = ByteBuffer(capacity: count)
            bytes.copy(start..<bytes.count, to: &rest)
            swap(&rest, &bytes)
        } else {
            bytes.removeFirst(start)
        }
        start = 0
    }
}
