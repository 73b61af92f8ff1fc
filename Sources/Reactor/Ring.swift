// Ring.swift - io_uring: reads of files and sends to sockets, prepared one by one and handed to the kernel together by
// one call. Completions are signalled on an eventfd, or awaited by the call. Where the kernel has none or refuses it
// (ENOSYS, EPERM in containers), `init` throws and the caller does without. One owner at a time. The memory that a read
// fills must stay where it is until its completion was taken, also when nobody wants it any more.
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
    /// The submission ring's end as it will be with what was prepared since the last `submit`.
    private var tail: UInt32
    private var preparedCount: UInt32 = 0

    /// A ring for `entryCount` operations at a time (a power of two), whose completions make `event` readable.
    package init(entryCount: Int, event: Wakeup) throws(SystemError) {
        try self.init(entryCount: entryCount, eventDescriptor: event.descriptor)
    }

    /// A ring of the calling thread, which alone hands work to it and waits for that with `submitAndWait`. Linux 6.1.
    package init(ownEntryCount: Int) throws(SystemError) {
        try self.init(entryCount: ownEntryCount, eventDescriptor: nil)
    }

    private init(entryCount: Int, eventDescriptor: Int32?) throws(SystemError) {
        var layout = fog_ring_layout()
        let descriptor = unsafe fog_ring_setup(UInt32(entryCount), eventDescriptor == nil ? 1 : 0, &layout)
        guard descriptor >= 0 else { throw SystemError(operation: "io_uring_setup") }
        var problem: SystemError?
        if layout.is_usable == 0 {
            problem = SystemError(code: ENOSYS, operation: "io_uring of this kernel")
        } else if let eventDescriptor, fog_ring_register_event(descriptor, eventDescriptor) != 0 {
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
        guard let length = UInt32(exactly: count), let record = unsafe nextRecord() else { return false }
        unsafe fog_ring_write_read(record, file, target, length, UInt64(offset), token)
        return true
    }

    /// Prepares a send of what the socket takes at once of `count` bytes. False when the ring is full.
    @unsafe package mutating func prepareSend(
        _ socket: Int32, _ bytes: UnsafePointer<UInt8>, count: Int, token: UInt64
    ) -> Bool {
        guard let length = UInt32(exactly: count), let record = unsafe nextRecord() else { return false }
        unsafe fog_ring_write_send(record, socket, bytes, length, token)
        return true
    }

    /// The place for what is prepared next; nil when the ring is full.
    @unsafe private mutating func nextRecord() -> UnsafeMutableRawPointer? {
        let head = unsafe fog_load_acquire(Ring.word(rings, layout.submission_head))
        guard tail &- head < layout.submission_entries else { return nil }
        let index = tail & submissionMask
        unsafe (Ring.word(rings, layout.submission_array) + Int(index)).pointee = index
        tail &+= 1
        preparedCount += 1
        return unsafe records + Int(index) * Int(layout.submission_record_size)
    }

    /// Hands what was prepared to the kernel. What it does not take now goes with the next call.
    package mutating func submit() throws(SystemError) {
        guard preparedCount > 0 else { return }
        unsafe fog_store_release(Ring.word(rings, layout.submission_tail), tail)
        while preparedCount > 0 {
            let taken = fog_ring_enter(descriptor, preparedCount, 0)
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

    /// Hands over what was prepared and waits until the kernel is done with all that it took; the rest is forgotten.
    package mutating func submitAndWait() {
        unsafe fog_store_release(Ring.word(rings, layout.submission_tail), tail)
        var awaited: UInt32 = 0
        while preparedCount > 0 {
            let taken = fog_ring_enter(descriptor, preparedCount, preparedCount)
            if taken < 0 && fog_errno() == EINTR { continue }
            guard taken > 0 else { break }
            awaited += UInt32(taken)
            preparedCount -= min(preparedCount, UInt32(taken))
        }
        tail &-= preparedCount
        preparedCount = 0
        unsafe fog_store_release(Ring.word(rings, layout.submission_tail), tail)
        while completionCount < awaited {
            let outcome = fog_ring_enter(descriptor, 0, awaited)
            precondition(outcome >= 0 || fog_errno() == EINTR, "io_uring gives no completions of what it took")
        }
    }

    private var completionCount: UInt32 {
        let head = unsafe Ring.word(rings, layout.completion_head).pointee
        return unsafe fog_load_acquire(Ring.word(rings, layout.completion_tail)) &- head
    }

    /// The next completion, if there is one: which operation, and the bytes it got or a negative errno.
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
