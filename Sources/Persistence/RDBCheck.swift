// RDBCheck.swift - what `redis-check-rdb` does: reads a whole file as loading would, keeps nothing, says what it found.
// Runs in a process of its own, no server around it.
internal import Base
internal import Keyspace

package enum RDBCheck {
    /// Checks the file at `path`; the text to print, and whether the file is whole.
    package static func run(_ path: String) -> (text: String, isWhole: Bool) {
        var text = "[offset 0] Checking RDB file \(path)\n"
        let file: RDBFile
        do throws(SystemError) {
            guard let found = try RDBFile(path) else {
                return ("Cannot open file: \(path): No such file or directory\n", false)
            }
            file = found
        } catch {
            return ("Cannot open file: \(error.description)\n", false)
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
        for field in loader.facts.fields {
            text += "[offset \(field.offset)] AUX FIELD \(field.name) = '\(field.value)'\n"
        }
        for warning in loader.facts.warnings { text += "[info] \(warning)\n" }
        if let failure {
            text += "--- RDB ERROR DETECTED ---\n[offset \(failure.offset)] \(failure.reason)\n"
            if !failure.key.isEmpty {
                let key = String(decoding: failure.key.prefix(256), as: UTF8.self)
                text += "[additional info] Reading key '\(key)' of database \(failure.database)\n"
            }
        } else {
            let end = loader.progress.byteCount
            if loader.facts.version >= RDBCode.versionWithChecksum { text += "[offset \(end)] Checksum OK\n" }
            text += "[offset \(end)] \\o/ RDB looks OK! \\o/\n"
            let rest = file.byteCount - end
            if rest > 0 { text += "[info] \(rest) bytes behind the end were not looked at\n" }
        }
        let progress = loader.progress
        text += "[info] \(progress.keysLoaded + progress.keysExpired + progress.emptyKeys) keys read\n"
        text += "[info] \(progress.keysWithExpiry) expires\n"
        text += "[info] \(progress.keysExpired) already expired\n"
        return (text, failure == nil)
    }
}
