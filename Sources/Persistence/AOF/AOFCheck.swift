// AOFCheck.swift - what `redis-check-aof` does: looks at an append only file, or at all files of a manifest, says how
// far each is good, and cuts the last one back when asked to. Words and order are the stock tool's, because scripts
// look for them. Bytes that are cut off because something else stood there are kept beside the file; an end that was
// merely cut short is not. Runs in a process of its own, no server around it; blocks.
package import Base
package import Reactor

package struct AOFCheck {
    package enum Task: Equatable, Sendable {
        case look
        /// Cuts the last file back to its last good byte, after asking.
        case fix
        /// Cuts the last file back to what was recorded until this second.
        case cutToSecond(Int64)
    }

    /// How one file was found or left; nil stands for bad.
    private enum Verdict {
        case good
        case empty
        case cut
        case cutToSecond
    }

    private let task: Task
    private let say: (String) -> Void
    private let confirms: (String) -> Bool

    private init(_ task: Task, _ say: @escaping (String) -> Void, _ confirms: @escaping (String) -> Bool) {
        self.task = task
        self.say = say
        self.confirms = confirms
    }

    /// Checks what lies at `path`. True when all of it is good, or is so now.
    package static func run(
        _ path: String, task: Task, say: @escaping (String) -> Void, confirms: @escaping (String) -> Bool
    ) -> Bool {
        let check = AOFCheck(task, say, confirms)
        guard let file = check.open(path) else { return false }
        if AOFCheck.isManifest(file.span) { return check.runManifest(path) }
        say("Start checking Old-Style AOF\n")
        guard let verdict = check.look(file, name: path, isLast: true) else { return false }
        check.tell(verdict, "", path)
        return true
    }

    private func open(_ path: String) -> MappedFile? {
        do throws(SystemError) {
            return try MappedFile(path)
        } catch {
            say("Cannot open file \(path): \(error.reason)\n")
            return nil
        }
    }

    /// The first line that is no comment begins with a manifest's first word.
    private static func isManifest(_ bytes: Span<UInt8>) -> Bool {
        var offset = 0
        while offset < bytes.count, bytes[offset] == UInt8(ascii: "#") {
            while offset < bytes.count, bytes[offset] != 10 { offset += 1 }
            offset += 1
        }
        return offset < bytes.count && bytes.extracting(offset..<bytes.count).starts(with: "file")
    }

    private func tell(_ verdict: Verdict, _ kind: String, _ name: String) {
        switch verdict {
        case .good: say("\(kind)AOF \(name) is valid\n")
        case .empty: say("\(kind)AOF \(name) is empty\n")
        case .cut: say("Successfully truncated AOF \(name)\n")
        case .cutToSecond:
            guard case .cutToSecond(let second) = task else { return }
            say("Successfully truncated AOF \(name) to timestamp \(second)\n")
        }
    }

    // MARK: a manifest

    private static let manifestByteCountMax = 64 << 20

    private func runManifest(_ path: String) -> Bool {
        say("Start checking Multi Part AOF\n")
        let manifest: AOFManifest
        do throws(SystemError) {
            let text = try Disk.text(path, byteCountMax: AOFCheck.manifestByteCountMax)
            do throws(AOFManifest.Fault) {
                manifest = try AOFManifest(text: text)
            } catch {
                say("\n\(error.text)\n")
                return false
            }
        } catch {
            say("Cannot read file \(path): \(error.reason)\n")
            return false
        }
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        var saidIncrements = false
        for entry in manifest.files {
            guard let file = open(folder + "/" + entry.name) else { return false }
            if entry.kind == .base {
                say("Start to check BASE AOF (\(file.isSnapshot ? "RDB" : "RESP") format).\n")
            } else if !saidIncrements {
                say("Start to check INCR files.\n")
                saidIncrements = true
            }
            let isLast = entry == manifest.files.last
            guard let verdict = look(file, name: entry.name, isLast: isLast) else { return false }
            tell(verdict, entry.kind == .base ? "BASE " : "INCR ", entry.name)
        }
        say("All AOF files and manifest are valid\n")
        return true
    }

    // MARK: one file

    private func look(_ file: MappedFile, name: String, isLast: Bool) -> Verdict? {
        guard file.byteCount > 0 else { return .empty }
        var start = 0
        if file.isSnapshot {
            let preamble = RDBCheck.run(file.path, name: name)
            say(preamble.text)
            guard preamble.isWhole else {
                say("RDB preamble of AOF file is not sane, aborting.\n")
                return nil
            }
            say("RDB preamble is OK, proceeding with AOF tail...\n")
            start = preamble.end
        }
        var lastSecond: Int64?
        if case .cutToSecond(let second) = task { lastSecond = second }
        let found = AOFInspection(file.span, from: start, lastSecond: lastSecond, isStrict: true)
        if let end = found.timeEnd, let lastSecond {
            return cut(file, name, toSecond: lastSecond, end: end, isLast: isLast)
        }
        if let problem = found.problem { say(AOFCheck.text(problem, found, name)) }
        if found.problem == nil, let lastSecond {
            say("Truncate nothing in AOF \(name) to timestamp \(lastSecond)\n")
            return .good
        }
        let rest = file.byteCount - found.goodEnd
        say(
            "AOF analyzed: filename=\(name), size=\(file.byteCount), ok_up_to=\(found.goodEnd), "
                + "ok_up_to_line=\(found.line), diff=\(rest)\n")
        guard found.problem != nil else { return .good }
        guard task == .fix else {
            say("AOF \(name) is not valid. Use the --fix option to try fixing it.\n")
            return nil
        }
        return fix(file, name, found, isLast: isLast)
    }

    private static func text(_ problem: AOFInspection.Problem, _ found: AOFInspection, _ name: String) -> String {
        let digits = String(found.faultOffset, radix: 16)
        let place = "0x" + String(repeating: " ", count: max(0, 16 - digits.count)) + digits + ": "
        switch problem {
        case .openTransaction: return place + "Reached EOF before reading EXEC for MULTI\n"
        case .strayExec: return place + "Unexpected EXEC in AOF \(name)\n"
        case .nestedMulti: return place + "Unexpected MULTI in AOF \(name)\n"
        case .cut: return place + "Expected \(found.expectation), reached the end of the file\n"
        case .malformed: return place + "Expected \(found.expectation): AOF \(name) format error\n"
        case .checksum: return place + "Bad checksum: the bytes before it are not those that were written\n"
        }
    }

    private func fix(_ file: MappedFile, _ name: String, _ found: AOFInspection, isLast: Bool) -> Verdict? {
        guard isLast else {
            say("Failed to truncate AOF \(name) because it is not the last file\n")
            return nil
        }
        let rest = file.byteCount - found.goodEnd
        say(
            "This will shrink the AOF \(name) from \(file.byteCount) bytes, with \(rest) bytes, to "
                + "\(found.goodEnd) bytes\n")
        guard confirms("Continue? [y/N]: ") else {
            say("Aborting...\n")
            return nil
        }
        do throws(SystemError) {
            if found.problem == .malformed || found.problem == .checksum {
                say("The bytes behind are kept in \(try Disk.keepTail(of: file, from: found.goodEnd))\n")
            }
            try Disk.cut(file.path, to: found.goodEnd)
            return .cut
        } catch {
            say("Failed to truncate AOF \(name): \(error.reason)\n")
            return nil
        }
    }

    private func cut(_ file: MappedFile, _ name: String, toSecond second: Int64, end: Int, isLast: Bool) -> Verdict? {
        guard isLast else {
            say(
                """
                Failed to truncate AOF \(name) to timestamp \(second) to offset \(end) because it is not the last file.
                If you insist, delete all files behind this one and their lines in the manifest, and check again.

                """)
            return nil
        }
        guard end > 0 else {
            say("AOF \(name) has nothing before timestamp \(second), aborting...\n")
            return nil
        }
        do throws(SystemError) {
            try Disk.cut(file.path, to: end)
            return .cutToSecond
        } catch {
            say("Failed to truncate AOF \(name) to timestamp \(second): \(error.reason)\n")
            return nil
        }
    }
}

extension MappedFile {
    /// Whether it begins as an RDB file does.
    package var isSnapshot: Bool { span.starts(with: "REDIS") || span.starts(with: "VALKEY") }
}

extension Disk {
    /// Cuts the file at `path` for good.
    package static func cut(_ path: String, to byteCount: Int) throws(SystemError) {
        let file = try DiskFile(path, .edit)
        try file.truncate(to: byteCount)
        try file.sync()
    }

    /// Copies what stands in `file` from `offset` on to a file beside it; returns its path.
    package static func keepTail(of file: MappedFile, from offset: Int) throws(SystemError) -> String {
        let path = file.path + ".tail-\(offset)-\(Clock().nowMilliseconds / 1000)"
        let kept = try DiskFile(path, .replace)
        try kept.writeAll(file.span.extracting(offset..<file.byteCount))
        try kept.sync()
        return path
    }
}
