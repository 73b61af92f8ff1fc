// RDBFile.swift - RDB files by name: opening one for loading, and the temporary files that killed saves left behind.
// Called at start and by administrative commands; blocks.
package import Base
internal import CLinux
package import Keyspace
internal import Reactor
internal import Synchronization

/// A file that is being read.
package final class RDBFile: Sendable {
    package let path: String
    package let byteCount: Int
    private let descriptor: Int32
    /// A key and its value take at least so much of most files.
    private static let keyByteCountLikely = 16

    /// Nil when there is no such file.
    package init?(_ path: String) throws(SystemError) {
        self.path = path
        let file = unsafe fog_openat_create(path, O_RDONLY | O_CLOEXEC, 0)
        descriptor = file
        if file < 0 {
            byteCount = 0
            if fog_errno() == ENOENT { return nil }
            throw SystemError(operation: "open \(path)")
        }
        var status = stat()
        guard unsafe fstat(file, &status) == 0 else {
            byteCount = 0
            throw SystemError(operation: "stat \(path)")
        }
        byteCount = Int(status.st_size)
        posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// A loader that reads the file from `offset` on.
    package func loader(limits: ValueLimits, options: RDBLoader.Options, offset: Int = 0) -> RDBLoader {
        lseek(descriptor, off_t(offset), SEEK_SET)
        let reader = unsafe ValueReader(limits: limits) { [self] target, count in
            while true {
                let got = unsafe read(descriptor, target, count)
                if got >= 0 { return got }
                let code = fog_errno()
                if code != EINTR { return -Int(code) }
            }
        }
        var options = options
        // What a file says about its keys is believed as far as its own size makes it likely.
        if !options.onlyChecks { options.reservedKeysMax = byteCount / RDBFile.keyByteCountLikely }
        return RDBLoader(reading: reader, options: options)
    }

    private static let temporaryCount = Atomic<Int>(0)

    /// A number that no other temporary file of this process has: a cancelled save may still be removing its own.
    package static func temporaryNumber() -> Int { temporaryCount.add(1, ordering: .relaxed).newValue }

    /// The name of the temporary file of a save by process `processIdentifier`; without a number of one that nobody
    /// can cancel.
    package static func temporaryName(processIdentifier: Int, number: Int?) -> String {
        "temp-\(processIdentifier)" + (number.map { ".\($0)" } ?? "") + ".rdb"
    }

    /// Removes temporary files of saves whose process is gone; returns their names.
    package static func sweepTemporaries(in directory: String) -> [String] {
        var swept: [String] = []
        for name in Disk.names(in: directory) where name.hasPrefix("temp-") && name.hasSuffix(".rdb") {
            let number = name.dropFirst(5).dropLast(4).prefix { $0 != "." }
            guard let process = Int32(number), process > 0 else { continue }
            // Another server may be saving into the same directory at this moment.
            let isAlive = process != getpid() && (kill(process, 0) == 0 || fog_errno() != ESRCH)
            if !isAlive && Disk.remove(directory + "/" + name) { swept.append(name) }
        }
        return swept
    }
}
