// ConfigFileSystem+Live.swift - the real files, directories and processor count: the one file of Config/ that makes
// system calls. Runs at start and inside CONFIG SET dir / CONFIG REWRITE. Nothing here logs; every failure is a
// SystemError with the operation that met it.
internal import Base
internal import CLinux

extension ConfigFileSystem {
    /// Larger configuration files are refused: one would be a mistake, and reading it a way to exhaust memory.
    static let fileBytesMax = 256 << 20

    /// The process's own file system.
    package static let live = ConfigFileSystem(
        readFile: { path throws(SystemError) in try LiveFiles.read(path) },
        readStandardInput: { () throws(SystemError) in try LiveFiles.readAll(0, name: "standard input") },
        paths: { LiveFiles.paths($0) },
        currentDirectory: { LiveFiles.currentDirectory() },
        changeDirectory: { path throws(SystemError) in
            if unsafe chdir(LiveFiles.cString(path)) != 0 {
                throw SystemError(operation: "chdir \(LiveFiles.text(path))")
            }
        },
        checkAppendable: { path throws(SystemError) in
            close(try LiveFiles.open(path, O_WRONLY | O_APPEND | O_CREAT, mode: 0o666))
        },
        replaceFile: { path, content throws(SystemError) in try LiveFiles.replace(path, content) })

    /// Processors that this process may run on.
    package static func availableCoreCount() -> Int {
        var set = cpu_set_t()
        guard unsafe sched_getaffinity(0, MemoryLayout<cpu_set_t>.size, &set) == 0 else { return 1 }
        let count = unsafe withUnsafeBytes(of: &set) { bytes in
            var bits = 0
            for index in bytes.indices { bits += unsafe bytes[index].nonzeroBitCount }
            return bits
        }
        return max(1, count)
    }

    /// The process's environment as names and values.
    package static func environment() -> [(name: [UInt8], value: [UInt8])] {
        var result: [(name: [UInt8], value: [UInt8])] = []
        guard var entry = unsafe fog_environ() else { return [] }
        while let text = unsafe entry.pointee {
            let bytes = unsafe LiveFiles.bytes(text)
            if let equals = bytes.firstIndex(of: UInt8(ascii: "=")) {
                result.append((Array(bytes[..<equals]), Array(bytes[(equals + 1)...])))
            }
            unsafe entry += 1
        }
        return result
    }
}

private enum LiveFiles {
    static func text(_ path: [UInt8]) -> String { String(decoding: path, as: UTF8.self) }

    /// A path that holds a NUL ends there; callers refuse those before.
    static func cString(_ path: [UInt8]) -> [CChar] { path.map { CChar(bitPattern: $0) } + [0] }

    static func bytes(_ text: UnsafePointer<CChar>) -> [UInt8] {
        unsafe UnsafeBufferPointer(start: text, count: strlen(text)).map { UInt8(bitPattern: $0) }
    }

    static func open(_ path: [UInt8], _ flags: Int32, mode: Int32 = 0) throws(SystemError) -> Int32 {
        let descriptor = unsafe fog_openat_create(cString(path), flags | O_CLOEXEC, mode)
        if descriptor < 0 { throw SystemError(operation: "open \(text(path))") }
        return descriptor
    }

    static func read(_ path: [UInt8]) throws(SystemError) -> [UInt8] {
        let descriptor = try open(path, O_RDONLY)
        defer { close(descriptor) }
        return try readAll(descriptor, name: text(path))
    }

    static func readAll(_ descriptor: Int32, name: String) throws(SystemError) -> [UInt8] {
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe CLinux.read(descriptor, &chunk, chunk.count)
            if count == 0 { return content }
            if count < 0 {
                let code = fog_errno()
                if code == EINTR { continue }
                throw SystemError(code: code, operation: "read \(name)")
            }
            content += chunk[..<count]
            if content.count > ConfigFileSystem.fileBytesMax {
                throw SystemError(code: EFBIG, operation: "read \(name)")
            }
        }
    }

    static func currentDirectory() -> [UInt8] {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        guard unsafe getcwd(&buffer, buffer.count) != nil else { return [] }
        return buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    }

    /// Expands one path component after another; a component without wildcards is taken as it is. Names that start
    /// with a dot match only a pattern that does.
    static func paths(_ glob: [UInt8]) -> [[UInt8]] {
        let slash = UInt8(ascii: "/")
        let components = glob.split(separator: slash, omittingEmptySubsequences: true).map { Array($0) }
        var found: [[UInt8]] = [glob.first == slash ? [slash] : []]
        for component in components {
            var next: [[UInt8]] = []
            for base in found {
                let prefix = base.isEmpty || base.last == slash ? base : base + [slash]
                if ConfigPattern.isPlain(component) {
                    next.append(prefix + component)
                } else {
                    let names = names(in: prefix.isEmpty ? [UInt8(ascii: ".")] : prefix).filter { name in
                        (name.first != UInt8(ascii: ".") || component.first == UInt8(ascii: "."))
                            && ConfigPattern.matches(component, name, ignoringCase: false)
                    }
                    next += names.map { prefix + $0 }
                }
            }
            found = next
        }
        return found.filter { unsafe access(cString($0), F_OK) == 0 }.sorted { $0.lexicographicallyPrecedes($1) }
    }

    private static func names(in directory: [UInt8]) -> [[UInt8]] {
        guard let stream = unsafe opendir(cString(directory)) else { return [] }
        defer { unsafe closedir(stream) }
        var result: [[UInt8]] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                var bytes: [UInt8] = []
                for index in raw.indices {
                    let byte = unsafe raw[index]
                    if byte == 0 { break }
                    bytes.append(byte)
                }
                return bytes
            }
            if name != Array(".".utf8) && name != Array("..".utf8) { result.append(name) }
        }
        return result
    }

    /// Writes beside the file, syncs, renames over it, syncs the directory.
    static func replace(_ path: [UInt8], _ content: [UInt8]) throws(SystemError) {
        var temporary = cString(path + Array(".XXXXXX".utf8))
        let descriptor = unsafe mkostemp(&temporary, O_CLOEXEC)
        if descriptor < 0 { throw SystemError(operation: "create a file beside \(text(path))") }
        do throws(SystemError) {
            defer { close(descriptor) }
            try write(descriptor, content, name: text(path))
            if fchmod(descriptor, mode(of: path)) != 0 { throw SystemError(operation: "chmod \(text(path))") }
            if fsync(descriptor) != 0 { throw SystemError(operation: "fsync \(text(path))") }
            if unsafe rename(temporary, cString(path)) != 0 { throw SystemError(operation: "rename to \(text(path))") }
        } catch {
            unsafe unlink(temporary)
            throw error
        }
        try syncDirectory(of: path)
    }

    private static func write(_ descriptor: Int32, _ content: [UInt8], name: String) throws(SystemError) {
        var offset = 0
        while offset < content.count {
            let rest = Array(content[offset...])
            let count = unsafe CLinux.write(descriptor, rest, rest.count)
            if count < 0 {
                let code = fog_errno()
                if code == EINTR { continue }
                throw SystemError(code: code, operation: "write \(name)")
            }
            offset += count
        }
    }

    /// The file's permissions, or those that a new file gets.
    private static func mode(of path: [UInt8]) -> mode_t {
        var status = stat()
        if unsafe stat(cString(path), &status) == 0 { return status.st_mode & 0o7777 }
        let mask = umask(0o077)
        umask(mask)
        return 0o644 & ~mask
    }

    /// File systems that cannot sync a directory are no error.
    private static func syncDirectory(of path: [UInt8]) throws(SystemError) {
        let slash = UInt8(ascii: "/")
        let directory = path.lastIndex(of: slash).map { $0 == 0 ? [slash] : Array(path[..<$0]) } ?? [UInt8(ascii: ".")]
        let descriptor = try open(directory, O_RDONLY | O_DIRECTORY)
        defer { close(descriptor) }
        if fsync(descriptor) != 0 {
            let code = fog_errno()
            if code != EINVAL && code != EBADF { throw SystemError(code: code, operation: "fsync \(text(directory))") }
        }
    }
}
