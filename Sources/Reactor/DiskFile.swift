// DiskFile.swift - files on disk: every system call on them goes through here, with its errno as a
// `SystemError`. They block, so no loop calls them; the threads of persistence and the start of the server do.
package import Base
internal import CLinux

/// An open file that is closed with its value.
@safe package struct DiskFile: ~Copyable {
    package let descriptor: Int32
    package let path: String

    /// How a file is opened.
    package enum Mode: Sendable {
        /// For reading.
        case read
        /// At its end; made when it does not exist.
        case append
        /// Empty, whatever was there.
        case replace
        /// For reading and changing what is there.
        case edit
    }

    package init(_ path: String, _ mode: Mode) throws(SystemError) {
        let flags: Int32
        switch mode {
        case .read: flags = O_RDONLY
        case .append: flags = O_WRONLY | O_APPEND | O_CREAT
        case .replace: flags = O_WRONLY | O_TRUNC | O_CREAT
        case .edit: flags = O_RDWR
        }
        self.path = path
        descriptor = unsafe fog_openat_create(path, flags | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SystemError(operation: "open \(path)") }
    }

    deinit { close(descriptor) }

    package var byteCount: Int {
        get throws(SystemError) {
            var status = stat()
            guard unsafe fstat(descriptor, &status) == 0 else { throw SystemError(operation: "stat \(path)") }
            return Int(status.st_size)
        }
    }

    /// What became of a write.
    package struct Written: Sendable {
        /// Bytes the file has taken.
        package var byteCount: Int
        /// Why not all; nil when all were.
        package var failure: SystemError?
    }

    /// Writes all of `bytes`, or as much as there is room for.
    package func write(_ bytes: Span<UInt8>) -> Written {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            var done = 0
            while done < buffer.count {
                let count = unsafe CLinux.write(
                    descriptor, buffer.baseAddress.unsafelyUnwrapped + done, buffer.count - done)
                if count > 0 {
                    done += count
                } else if count == 0 || fog_errno() != EINTR {
                    let code = count == 0 ? ENOSPC : fog_errno()
                    return Written(byteCount: done, failure: SystemError(code: code, operation: "write \(path)"))
                }
            }
            return Written(byteCount: done, failure: nil)
        }
    }

    /// Writes all of `bytes`.
    package func writeAll(_ bytes: Span<UInt8>) throws(SystemError) {
        if let failure = write(bytes).failure { throw failure }
    }

    /// The bytes from `offset` on, at most `byteCount` of them.
    package func read(at offset: Int, byteCount: Int, into buffer: inout ByteBuffer) throws(SystemError) {
        buffer.reserve(byteCount)
        var done = 0
        while done < byteCount {
            let count = unsafe pread(descriptor, buffer.pointer + buffer.count, byteCount - done, off_t(offset + done))
            if count < 0 && fog_errno() == EINTR { continue }
            if count < 0 { throw SystemError(operation: "read \(path)") }
            if count == 0 { return }
            buffer.commit(count)
            done += count
        }
    }

    /// Cuts the file to `byteCount` bytes.
    package func truncate(to byteCount: Int) throws(SystemError) {
        guard ftruncate(descriptor, off_t(byteCount)) == 0 else { throw SystemError(operation: "truncate \(path)") }
    }

    /// Returns when the data is on the device.
    package func sync() throws(SystemError) {
        guard fdatasync(descriptor) == 0 else { throw SystemError(operation: "fdatasync \(path)") }
    }
}

/// Directories and names.
package enum Disk {
    package static func exists(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0
    }

    package static func byteCount(_ path: String) -> Int? {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? Int(status.st_size) : nil
    }

    package static func makeDirectory(_ path: String) throws(SystemError) {
        if unsafe mkdir(path, 0o755) == 0 || fog_errno() == EEXIST { return }
        throw SystemError(operation: "mkdir \(path)")
    }

    /// Gives a file another name, in place of what has it, so that it stays so after a power cut.
    package static func rename(_ path: String, to target: String) throws(SystemError) {
        guard unsafe CLinux.rename(path, target) == 0 else {
            throw SystemError(operation: "rename \(path) to \(target)")
        }
        try syncDirectory(of: target)
    }

    /// False when there was nothing to remove or it cannot be.
    @discardableResult
    package static func remove(_ path: String) -> Bool { unsafe unlink(path) == 0 }

    /// Names in the directory, in no order; none when it cannot be read.
    package static func names(in path: String) -> [String] {
        guard let directory = unsafe opendir(path) else { return [] }
        defer { unsafe _ = closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                unsafe tuple.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    /// Makes names in the directory that holds `path` durable.
    package static func syncDirectory(of path: String) throws(SystemError) {
        var parent = "."
        if let slash = path.lastIndex(of: "/") { parent = slash == path.startIndex ? "/" : String(path[..<slash]) }
        let descriptor = unsafe fog_openat_create(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw SystemError(operation: "open \(parent)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SystemError(operation: "fsync \(parent)") }
    }

    /// The whole file, up to `byteCountMax` bytes.
    package static func text(_ path: String, byteCountMax: Int) throws(SystemError) -> String {
        let file = try DiskFile(path, .read)
        let count = try file.byteCount
        guard count <= byteCountMax else { throw SystemError(code: EFBIG, operation: "read \(path)") }
        var buffer = ByteBuffer()
        try file.read(at: 0, byteCount: count, into: &buffer)
        return buffer.span.text
    }

    /// Puts a file with this content in the place of whatever has its name: written beside it, synced, renamed.
    package static func replace(_ path: String, temporary: String, with bytes: Span<UInt8>) throws(SystemError) {
        do throws(SystemError) {
            let file = try DiskFile(temporary, .replace)
            try file.writeAll(bytes)
            try file.sync()
        } catch {
            remove(temporary)
            throw error
        }
        try rename(temporary, to: path)
    }
}

/// A file's bytes as memory: read by the system as they are touched. For loading, which looks at them once.
@safe package final class MappedFile: Sendable {
    // Sendable because the mapping is never changed after init.
    private nonisolated(unsafe) let base: UnsafeMutableRawPointer?
    package let byteCount: Int
    package let path: String

    package init(_ path: String) throws(SystemError) {
        let file = try DiskFile(path, .read)
        self.path = path
        byteCount = try file.byteCount
        guard byteCount > 0 else {
            unsafe base = nil
            return
        }
        let mapped = unsafe mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, file.descriptor, 0)
        // MAP_FAILED is a cast that Swift does not import.
        guard let mapped = unsafe mapped, unsafe mapped != UnsafeMutableRawPointer(bitPattern: -1) else {
            throw SystemError(operation: "mmap \(path)")
        }
        unsafe madvise(mapped, byteCount, MADV_SEQUENTIAL)
        unsafe base = mapped
    }

    deinit {
        if let base = unsafe base { unsafe munmap(base, byteCount) }
    }

    /// All bytes.
    package var span: Span<UInt8> {
        @_lifetime(borrow self) get {
            guard let base = unsafe base else { return Span<UInt8>() }
            let view = unsafe Span(
                _unsafeStart: UnsafePointer(base.assumingMemoryBound(to: UInt8.self)), count: byteCount)
            return unsafe _overrideLifetime(view, borrowing: self)
        }
    }
}
