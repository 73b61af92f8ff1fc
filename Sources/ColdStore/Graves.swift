// Graves.swift - tombstones and changed expiries of records, for stores that outlive a crash (`tier-persist yes`): 20
// bytes each in files of their own, written by the owner before the reply to the command that ended the record goes
// out. One write into the page cache, as the append only file does it: it survives the process. What survives the
// machine is the manifest's business.
//
//     segment u32 | offset u32 | expiry i64: -1 the record is dead, 0 it never expires, else when | crc32c u32
//
// Files are numbered; of what is said twice of one record the later counts. When most of it is about segments that are
// gone, tombstones go to a new file and the old ones are written again without those (writer's thread).
internal import Base
internal import CLinux
internal import Reactor
internal import Synchronization

final class Graves: Sendable {
    static let suffix = ".graves"
    static let recordByteCount = 20
    static let dead: Int64 = -1

    private struct State: Sendable {
        var descriptor: Int32 = -1
        var number: UInt32 = 0
    }

    private let directory: String
    private let state = Mutex(State())
    private let isDirty = Atomic<Bool>(false)

    /// Appends to a new file of that number.
    init(in directory: String, number: UInt32) throws(SystemError) {
        self.directory = directory
        let descriptor = try Graves.open(Graves.path(directory, number))
        state.withLock { $0 = State(descriptor: descriptor, number: number) }
    }

    deinit {
        let descriptor = state.withLock { $0.descriptor }
        if descriptor >= 0 { close(descriptor) }
    }

    private static func path(_ directory: String, _ number: UInt32) -> String { "\(directory)/\(number)\(suffix)" }

    private static func open(_ path: String) throws(SystemError) -> Int32 {
        let descriptor = unsafe fog_openat_create(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SystemError(operation: "open \(path)") }
        return descriptor
    }

    static func number(of name: String) -> UInt32? {
        name.hasSuffix(suffix) ? UInt32(name.dropLast(suffix.count)) : nil
    }

    static func append(segment: UInt32, offset: Int, expiry: Int64, to buffer: inout ByteBuffer) {
        let start = buffer.count
        buffer.append(littleEndian: segment)
        buffer.append(littleEndian: UInt32(offset))
        buffer.append(littleEndian: expiry)
        buffer.append(littleEndian: CRC32C.checksum(buffer.span.extracting(start..<buffer.count)))
    }

    /// Writes records that `append` made; the owner's side. After a failure nothing is certain any more.
    func write(_ bytes: Span<UInt8>) throws(SystemError) {
        let code = state.withLock { state in
            unsafe bytes.withUnsafeBufferPointer { buffer -> Int32 in
                guard let base = buffer.baseAddress else { return 0 }
                var done = 0
                while done < buffer.count {
                    let count = unsafe CLinux.write(state.descriptor, base + done, buffer.count - done)
                    if count > 0 {
                        done += count
                    } else if count == 0 || fog_errno() != EINTR {
                        return count == 0 ? ENOSPC : fog_errno()
                    }
                }
                return 0
            }
        }
        guard code == 0 else { throw SystemError(code: code, operation: "write \(directory)") }
        isDirty.store(true, ordering: .relaxed)
    }

    // MARK: the writer's side

    func sync() {
        guard isDirty.exchange(false, ordering: .relaxed) else { return }
        let descriptor = state.withLock { $0.descriptor }
        // A failure means what a power cut means, and the manifest knows the boot.
        fdatasync(descriptor)
    }

    /// Goes on in a new file, and writes the old ones again as one with what concerns `segments`.
    func renew(keeping segments: Set<UInt32>) throws(SystemError) {
        let old = state.withLock { $0.number }
        let fresh = try Graves.open(Graves.path(directory, old + 1))
        let previous = state.withLock { state in
            defer { state = State(descriptor: fresh, number: old + 1) }
            return state.descriptor
        }
        close(previous)
        var kept = ByteBuffer()
        let numbers = Graves.numbers(in: directory).filter { $0 <= old }
        for number in numbers {
            Graves.read(Graves.path(directory, number)) { segment, offset, expiry in
                guard segments.contains(segment) else { return }
                Graves.append(segment: segment, offset: offset, expiry: expiry, to: &kept)
            }
        }
        try Disk.replace(
            Graves.path(directory, old), temporary: "\(directory)/graves.temporary", with: kept.span)
        for number in numbers where number < old { Disk.remove(Graves.path(directory, number)) }
    }

    static func numbers(in directory: String) -> [UInt32] {
        Disk.names(in: directory).compactMap(number(of:)).sorted()
    }

    /// All records of all files, in order.
    static func readAll(in directory: String, _ body: (UInt32, Int, Int64) -> Void) {
        for number in numbers(in: directory) { read(path(directory, number), body) }
    }

    /// Records up to the first that is not whole: the process died while it was written.
    private static func read(_ path: String, _ body: (UInt32, Int, Int64) -> Void) {
        var bytes = ByteBuffer()
        do throws(SystemError) {
            let file = try DiskFile(path, .read)
            try file.read(at: 0, byteCount: try file.byteCount, into: &bytes)
        } catch {
            return
        }
        var start = 0
        while start + recordByteCount <= bytes.count {
            let record = bytes.span.extracting(start..<(start + recordByteCount))
            let isWhole = record.littleEndian32(at: 16) == CRC32C.checksum(record.extracting(0..<16))
            guard isWhole else { return }
            body(
                record.littleEndian32(at: 0), Int(record.littleEndian32(at: 4)),
                Int64(bitPattern: record.littleEndian64(at: 8)))
            start += recordByteCount
        }
    }
}
