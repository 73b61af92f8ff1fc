// AOFInbox.swift - where loops leave journal bytes for the writer's thread. A lock of its own instead of a `Mutex`,
// because buffers are exchanged through it, not copied. Held for a few instructions.
internal import Base
internal import CLinux

@safe final class AOFInbox: @unchecked Sendable {
    // Sendable because every field is touched with the lock held only.
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private var bytes = ByteBuffer()
    /// The file that everything from this position of `bytes` on belongs to.
    private var nextFile: (position: Int, path: String)?
    private var isClosed = false
    /// The writer sleeps, and must be woken once there are so many bytes.
    private var wakeByteCount: Int?

    init() {
        unsafe lock = .allocate(capacity: 1)
        let result = unsafe fog_adaptive_mutex_init(lock)
        precondition(result == 0, "a mutex can be initialised")
    }

    deinit {
        unsafe pthread_mutex_destroy(lock)
        unsafe lock.deallocate()
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        unsafe pthread_mutex_lock(lock)
        defer { unsafe _ = pthread_mutex_unlock(lock) }
        return body()
    }

    /// Takes all of `added`; true when the writer must be woken.
    func add(_ added: inout ByteBuffer) -> Bool {
        locked {
            if bytes.isEmpty { swap(&bytes, &added) } else { bytes.append(added.span) }
            guard let count = wakeByteCount, bytes.count >= count else { return false }
            wakeByteCount = nil
            return true
        }
    }

    func switchFile(to path: String) { locked { nextFile = (position: bytes.count, path: path) } }

    func close() { locked { isClosed = true } }

    /// Asks to be woken once there are as many bytes as `wanted` says, which is told how many there are. False when
    /// there are so many, or something else is to be done.
    func awaits(_ wanted: (_ waiting: Int) -> Int) -> Bool {
        locked {
            guard !isClosed, nextFile == nil else { return false }
            let count = wanted(bytes.count)
            guard bytes.count < count else { return false }
            wakeByteCount = count
            return true
        }
    }

    /// Moves what has come into `state`. True when nothing more will come.
    func take(into state: inout AOFWriterState) -> Bool {
        locked {
            state.take(&bytes, nextFile: &nextFile)
            wakeByteCount = state.isEmpty && !isClosed ? 1 : nil
            return isClosed
        }
    }
}
