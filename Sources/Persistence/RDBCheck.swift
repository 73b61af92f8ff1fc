// RDBCheck.swift - what `redis-check-rdb` does: reads a whole file as loading would, keeps nothing, says what it found.
// With `fix`, what can be saved of a broken file takes its place: every record before the fault, a new end and a new
// checksum; the broken file stays beside it. Runs in a process of its own, no server around it.
package import Base
internal import Keyspace
internal import Reactor

package enum RDBCheck {
    package struct Result: Sendable {
        /// What to print.
        package var text: String
        package var isWhole = false
        /// Bytes of the file, without what may stand behind its end.
        package var end = 0
        /// Bytes that hold whole records; nil when there is nothing to save.
        package var savedEnd: Int?
        /// Keys in them.
        package var savedCount = 0
    }

    /// Checks the file at `path`, which is called `name` if that is given.
    package static func run(_ path: String, name: String? = nil) -> Result {
        var result = Result(text: "[offset 0] Checking RDB file \(name ?? path)\n")
        let file: RDBFile
        do throws(SystemError) {
            guard let found = try RDBFile(path) else {
                return Result(text: "Cannot open file: \(path): No such file or directory\n")
            }
            file = found
        } catch {
            return Result(text: "Cannot open file: \(error.description)\n")
        }
        var options = RDBLoader.Options()
        options.onlyChecks = true
        var limits = ValueLimits()
        // A checker has no configuration: whatever a server may have been allowed to hold passes.
        limits.stringByteCountMax = Int(UInt32.max)
        var loader = file.loader(limits: limits, options: options)
        var keyspace = Keyspace(databaseCount: 1)
        var failure: RDBError?
        do throws(RDBError) {
            while try !loader.run(into: &keyspace, byteCount: 1 << 30) {}
        } catch {
            failure = error
        }
        report(loader, failure, file, &result)
        return result
    }

    private static func report(
        _ loader: borrowing RDBLoader, _ failure: RDBError?, _ file: RDBFile, _ result: inout Result
    ) {
        var text = ""
        for field in loader.facts.fields {
            text += "[offset \(field.offset)] AUX FIELD \(field.name) = '\(field.value)'\n"
        }
        for warning in loader.facts.warnings { text += "[info] \(warning)\n" }
        let progress = loader.progress
        let end = progress.byteCount
        let count = progress.keysLoaded + progress.keysExpired + progress.emptyKeys
        if let failure {
            text += "--- RDB ERROR DETECTED ---\n[offset \(failure.offset)] \(failure.reason)\n"
            if !failure.key.isEmpty {
                let key = String(decoding: failure.key.prefix(256), as: UTF8.self)
                text += "[additional info] Reading key '\(key)' of database \(failure.database)\n"
            }
            if loader.recordEnd > RDBCode.headByteCount {
                result.savedEnd = loader.recordEnd
                result.savedCount = count
            }
        } else {
            if loader.facts.version >= RDBCode.versionWithChecksum { text += "[offset \(end)] Checksum OK\n" }
            text += "[offset \(end)] \\o/ RDB looks OK! \\o/\n"
            let rest = file.byteCount - end
            if rest > 0 { text += "[info] \(rest) bytes behind the end were not looked at\n" }
        }
        text += "[info] \(count) keys read\n"
        text += "[info] \(progress.keysWithExpiry) expires\n"
        text += "[info] \(progress.keysExpired) already expired\n"
        result.text += text
        result.isWhole = failure == nil
        result.end = end
    }

    /// Puts what can be saved of the file at `path`, its first `byteCount` bytes, in its place. The file as it was
    /// gets another name, which is returned.
    package static func save(_ path: String, byteCount: Int) throws(SystemError) -> String {
        let broken = path + ".broken-\(Clock().nowMilliseconds / 1000)"
        let temporary = path + ".fixed"
        do throws(SystemError) {
            let source = try MappedFile(path)
            let target = try DiskFile(temporary, .replace)
            let kept = source.span.extracting(0..<min(byteCount, source.byteCount))
            var checksum = CRC64(CRC64.checksum(kept))
            var end = ByteBuffer()
            end.append(RDBCode.end)
            checksum.update(end.span)
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                end.append(UInt8(truncatingIfNeeded: checksum.value >> shift))
            }
            try target.writeAll(kept)
            try target.writeAll(end.span)
            try target.sync()
        } catch {
            Disk.remove(temporary)
            throw error
        }
        try Disk.rename(path, to: broken)
        try Disk.rename(temporary, to: path)
        return broken
    }
}
