// SegmentFile.swift - the file of one segment. Made and written by the writer's thread; read by anybody through its
// descriptor, which stays open until the last one who holds this object is done, also when the name is gone. Every call
// that may wait for the disk says so.
internal import Base
internal import CLinux
internal import Synchronization

final class SegmentFile: Sendable {
    /// Ascending over all segments that this directory ever had.
    let number: UInt32
    let path: String
    private let openDescriptor = Atomic<Int32>(-1)
    private let size = Atomic<Int>(0)
    private let dropped = Atomic<Bool>(false)
    private let gone = Atomic<Bool>(false)

    init(number: UInt32, in directory: String) {
        self.number = number
        path = "\(directory)/\(number)\(SegmentFile.suffix)"
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    static let suffix = ".segment"

    /// The number in a segment file's name.
    static func number(of name: String) -> UInt32? {
        name.hasSuffix(suffix) ? UInt32(name.dropLast(suffix.count)) : nil
    }

    /// Negative while there is no file yet.
    var descriptor: Int32 { openDescriptor.load(ordering: .acquiring) }
    /// Bytes of the file, as far as it was written.
    var byteCount: Int { size.load(ordering: .relaxed) }
    /// Nobody needs the file any more: what was to be written need not be.
    var isDropped: Bool { dropped.load(ordering: .relaxed) }
    func drop() { dropped.store(true, ordering: .relaxed) }
    /// No start finds the file any more.
    var isGone: Bool { gone.load(ordering: .acquiring) }
    func noteGone() { gone.store(true, ordering: .releasing) }

    // MARK: calls that may wait

    /// Makes an empty file with room for `reserved` bytes. Asked again after it failed, it begins anew.
    func create(reserving reserved: Int) throws(SystemError) {
        if descriptor < 0 {
            let fresh = unsafe fog_openat_create(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
            guard fresh >= 0 else { throw SystemError(operation: "open \(path)") }
            openDescriptor.store(fresh, ordering: .releasing)
        }
        // Reads are of single records; what lies beside them is not wanted.
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_RANDOM)
        // Room behind the end, so that data lies together and a full disk is met here and not in the middle.
        if fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, off_t(reserved)) != 0
            && fog_errno() != EOPNOTSUPP && fog_errno() != ENOSYS
        {
            throw SystemError(operation: "fallocate \(path)")
        }
    }

    /// Opens the file of an earlier process.
    func open() throws(SystemError) {
        let fresh = unsafe fog_openat_create(path, O_RDWR | O_CLOEXEC, 0)
        guard fresh >= 0 else { throw SystemError(operation: "open \(path)") }
        openDescriptor.store(fresh, ordering: .releasing)
        var status = stat()
        guard unsafe fstat(fresh, &status) == 0 else { throw SystemError(operation: "stat \(path)") }
        size.store(Int(status.st_size), ordering: .relaxed)
        posix_fadvise(fresh, 0, 0, POSIX_FADV_RANDOM)
    }

    @unsafe func write(_ source: UnsafePointer<UInt8>, count: Int, at offset: Int) throws(SystemError) {
        var done = 0
        while done < count {
            let written = unsafe pwrite(descriptor, source + done, count - done, off_t(offset + done))
            if written > 0 {
                done += written
            } else if written == 0 || fog_errno() != EINTR {
                throw SystemError(code: written == 0 ? ENOSPC : fog_errno(), operation: "write \(path)")
            }
        }
        size.store(max(byteCount, offset + count), ordering: .relaxed)
    }

    func write(_ bytes: Span<UInt8>, at offset: Int) throws(SystemError) {
        var failure: SystemError?
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            do throws(SystemError) {
                try unsafe write(base, count: buffer.count, at: offset)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// Appends up to `count` bytes from `offset` on; fewer only at the file's end.
    func read(at offset: Int, count: Int, into buffer: inout ByteBuffer) throws(SystemError) {
        buffer.reserve(count)
        var done = 0
        while done < count {
            let got = unsafe pread(descriptor, buffer.pointer + buffer.count, count - done, off_t(offset + done))
            if got < 0 && fog_errno() == EINTR { continue }
            if got < 0 { throw SystemError(operation: "read \(path)") }
            if got == 0 { return }
            buffer.commit(got)
            done += got
        }
    }

    /// Cuts the file, and gives back what was reserved behind its end.
    func truncate(to count: Int) throws(SystemError) {
        guard ftruncate(descriptor, off_t(count)) == 0 else { throw SystemError(operation: "truncate \(path)") }
        size.store(count, ordering: .relaxed)
    }

    func sync() throws(SystemError) {
        guard fdatasync(descriptor) == 0 else { throw SystemError(operation: "fdatasync \(path)") }
    }

    /// Takes the file out of the page cache, as far as it was synced.
    func leaveCache() { posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) }
}
