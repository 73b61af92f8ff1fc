// AOFWriterState.swift - what the writer's thread owns: the open file, the bytes it still has to write, and how far the
// file is good. A refused write leaves the file as it was before; a refused sync too, because nobody knows what of an
// unsynced write a failed sync has kept. Only the writer's thread.
internal import Base
internal import CLinux
internal import Reactor

struct AOFWriterState: ~Copyable {
    private var file: DiskFile?
    private var path: String
    private var pending = ByteBuffer()
    /// Where in `pending` the next file begins, and its path.
    private var nextFile: (position: Int, path: String)?
    /// The file's size up to which it is whole.
    private(set) var fileByteCount = 0
    private(set) var writtenOffset: Int64
    private(set) var lastWriteByteCount = 0
    var lastSync: Int64 = 0
    var hasCountedDelay = false
    var pace = GroupPace()

    init(path: String, offset: Int64) {
        self.path = path
        writtenOffset = offset
    }

    /// Journal bytes that were taken over, written or not.
    var takenOffset: Int64 { writtenOffset + Int64(pending.count) }

    var isEmpty: Bool { pending.isEmpty && nextFile == nil }

    var descriptor: Int32 {
        switch file {
        case .some(let file): return file.descriptor
        case .none: return -1
        }
    }

    mutating func take(_ bytes: inout ByteBuffer, nextFile next: inout (position: Int, path: String)?) {
        // One change of file at a time: a second one waits until the first is done.
        if nextFile != nil && next != nil { return }
        if let taken = next {
            nextFile = (position: pending.count + taken.position, path: taken.path)
            next = nil
        }
        if pending.isEmpty {
            swap(&pending, &bytes)
        } else {
            pending.append(bytes.span)
        }
        bytes.removeAll(keepingCapacity: 1 << 20)
    }

    /// Writes what is pending, through a change of file if there is one. After a failure the file is as it was, and
    /// what it did not take is still pending.
    mutating func writeAll(syncs: Bool, checksums: Bool) throws(SystemError) {
        try open()
        if let next = nextFile {
            try write(count: next.position, syncs: true, checksums: checksums)
            // What earlier writes left unsynced belongs to a file that nobody will sync again.
            try sync()
            file = nil
            path = next.path
            nextFile = nil
            try open()
        }
        try write(count: pending.count, syncs: syncs, checksums: checksums)
    }

    private mutating func open() throws(SystemError) {
        guard file == nil else { return }
        let opened = try DiskFile(path, .append)
        fileByteCount = try opened.byteCount
        file = consume opened
    }

    private mutating func write(count: Int, syncs: Bool, checksums: Bool) throws(SystemError) {
        lastWriteByteCount = count
        guard count > 0 else { return }
        var line = ByteBuffer()
        if checksums { AOFChecksum(of: pending.span.extracting(0..<count)).append(to: &line) }
        let before = fileByteCount
        do throws(SystemError) {
            try file?.writeAll(pending.span.extracting(0..<count))
            if !line.isEmpty { try file?.writeAll(line.span) }
            if syncs { try sync() }
        } catch {
            cutBack(to: before)
            throw error
        }
        fileByteCount = before + count + line.count
        writtenOffset += Int64(count)
        pending.removeFirst(count)
    }

    private func cutBack(to byteCount: Int) {
        do throws(SystemError) {
            try file?.truncate(to: byteCount)
        } catch {
            Log.shared.warning(
                """
                Could not remove short write from the append-only file. The server may refuse to load the AOF the \
                next time it starts. ftruncate: \(error.reason)
                """)
        }
    }

    mutating func sync() throws(SystemError) {
        try file?.sync()
        lastSync = Clock().monotonicNanoseconds
    }
}
