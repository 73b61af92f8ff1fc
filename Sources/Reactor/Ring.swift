// Ring.swift - reads of files by io_uring: prepared one by one, handed to the kernel together by one call, completions
// signalled on an eventfd. Where the kernel has none or refuses it (ENOSYS, EPERM in containers), `init` throws and the
// caller reads with threads instead. One owner at a time; nothing here waits. The memory that a read fills must stay
// where it is until its completion was taken, also when nobody wants it any more.
package import Base
internal import CLinux

@safe package struct Ring: ~Copyable {
    private let descriptor: Int32
    /// Both rings, and the submission records, as the kernel mapped them.
    private let rings: UnsafeMutableRawPointer
    private let ringsByteCount: Int
    private let records: UnsafeMutableRawPointer
    private let recordsByteCount: Int
    private let layout: fog_ring_layout
    private let submissionMask: UInt32
    private let completionMask: UInt32
    /// The submission ring's end as it will be with the reads prepared since the last `submit`.
    private var tail: UInt32
    private var preparedCount: UInt32 = 0

    /// A ring for `entryCount` reads at a time (a power of two), whose completions make `event` readable.
    package init(entryCount: Int, event: Wakeup) throws(SystemError) {
        var layout = fog_ring_layout()
        let descriptor = unsafe fog_ring_setup(UInt32(entryCount), &layout)
        guard descriptor >= 0 else { throw SystemError(operation: "io_uring_setup") }
        var problem: SystemError?
        if layout.is_usable == 0 {
            problem = SystemError(code: ENOSYS, operation: "io_uring of this kernel")
        } else if fog_ring_register_event(descriptor, event.descriptor) != 0 {
            problem = SystemError(operation: "io_uring_register")
        }
        let submissions = Int(layout.submission_entries)
        let completions = Int(layout.completion_entries)
        let ringsByteCount = max(
            Int(layout.submission_array) + submissions * 4,
            Int(layout.completion_records) + completions * Int(layout.completion_record_size))
        let recordsByteCount = submissions * Int(layout.submission_record_size)
        if problem == nil, let rings = unsafe fog_ring_map(descriptor, ringsByteCount, 0) {
            if let records = unsafe fog_ring_map(descriptor, recordsByteCount, 1) {
                self.descriptor = descriptor
                unsafe self.rings = rings
                self.ringsByteCount = ringsByteCount
                unsafe self.records = records
                self.recordsByteCount = recordsByteCount
                self.layout = layout
                unsafe submissionMask = Ring.word(rings, layout.submission_mask).pointee
                unsafe completionMask = Ring.word(rings, layout.completion_mask).pointee
                unsafe tail = Ring.word(rings, layout.submission_tail).pointee
                return
            }
            problem = SystemError(operation: "mmap io_uring")
            unsafe munmap(rings, ringsByteCount)
        }
        let error = problem ?? SystemError(operation: "mmap io_uring")
        close(descriptor)
        throw error
    }

    deinit {
        close(descriptor)
        unsafe munmap(rings, ringsByteCount)
        unsafe munmap(records, recordsByteCount)
    }

    @unsafe private static func word(
        _ base: UnsafeMutableRawPointer, _ offset: UInt32
    ) -> UnsafeMutablePointer<UInt32> {
        unsafe (base + Int(offset)).assumingMemoryBound(to: UInt32.self)
    }

    /// Prepares a read of `count` bytes. False when the ring is full of reads that were not submitted.
    @unsafe package mutating func prepareRead(
        _ file: Int32, _ target: UnsafeMutablePointer<UInt8>, count: Int, at offset: Int, token: UInt64
    ) -> Bool {
        let head = unsafe fog_load_acquire(Ring.word(rings, layout.submission_head))
        guard tail &- head < layout.submission_entries, let length = UInt32(exactly: count) else { return false }
        let index = tail & submissionMask
        let record = unsafe records + Int(index) * Int(layout.submission_record_size)
        unsafe fog_ring_write_read(record, file, target, length, UInt64(offset), token)
        unsafe (Ring.word(rings, layout.submission_array) + Int(index)).pointee = index
        tail &+= 1
        preparedCount += 1
        return true
    }

    /// Hands what was prepared to the kernel. What it does not take now goes with the next call.
    package mutating func submit() throws(SystemError) {
        guard preparedCount > 0 else { return }
        unsafe fog_store_release(Ring.word(rings, layout.submission_tail), tail)
        while preparedCount > 0 {
            let taken = fog_ring_enter(descriptor, preparedCount)
            if taken > 0 {
                preparedCount -= min(preparedCount, UInt32(taken))
            } else if taken < 0 && fog_errno() == EINTR {
                continue
            } else {
                // EAGAIN, EBUSY: the kernel has no memory now, or completions have to be taken first.
                if taken == 0 || fog_errno() == EAGAIN || fog_errno() == EBUSY { return }
                throw SystemError(operation: "io_uring_enter")
            }
        }
    }

    /// The next completion, if there is one: which read, and the bytes it got or a negative errno.
    package mutating func nextCompletion() -> (token: UInt64, result: Int)? {
        let headWord = unsafe Ring.word(rings, layout.completion_head)
        let head = unsafe headWord.pointee
        guard unsafe head != fog_load_acquire(Ring.word(rings, layout.completion_tail)) else { return nil }
        var token: UInt64 = 0
        var result: Int32 = 0
        let place = Int(layout.completion_records) + Int(head & completionMask) * Int(layout.completion_record_size)
        unsafe fog_ring_read_completion(rings + place, &token, &result)
        unsafe fog_store_release(headWord, head &+ 1)
        return (token, Int(result))
    }
}
