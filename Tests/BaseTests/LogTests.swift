// LogTests.swift - log lines in a file of their own: format, levels, roles, rotation, many threads.
import Base
import CLinux
import Testing

struct LogTests {
    /// A fresh directory's log file, removed with its content by `remove`.
    private struct LogFile {
        let directory: String
        var path: String { directory + "/fog.log" }

        init() {
            var template = bytes("/tmp/fog-log-XXXXXX") + [0]
            unsafe template.withUnsafeMutableBytes { raw in
                _ = unsafe mkdtemp(raw.bindMemory(to: CChar.self).baseAddress.unsafelyUnwrapped)
            }
            directory = String(decoding: template.dropLast(), as: UTF8.self)
        }

        var lines: [String] {
            guard let file = unsafe fopen(path, "r") else { return [] }
            defer { unsafe fclose(file) }
            var content: [UInt8] = []
            var byte = unsafe fgetc(file)
            while byte != EOF {
                content.append(UInt8(truncatingIfNeeded: byte))
                byte = unsafe fgetc(file)
            }
            return String(decoding: content, as: UTF8.self).split(separator: "\n").map(String.init)
        }

        func remove() {
            unsafe unlink(path)
            unsafe unlink(path + ".1")
            unsafe rmdir(directory)
        }
    }

    @Test func aLineHasRedisFormat() throws {
        let file = LogFile()
        defer { file.remove() }
        let log = Log()
        log.configure(level: .debug, path: file.path)
        log.debug("one")
        log.verbose("two")
        log.notice("three")
        log.role = .replica
        log.warning("four")
        log.raw("raw text\n")
        let lines = file.lines
        try #require(lines.count == 5)
        let format = /(\d+):([MSXC]) (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d)\.(\d{3}) ([.\-*#]) (.*)/
        let expected = [("M", ".", "one"), ("M", "-", "two"), ("M", "*", "three"), ("S", "#", "four")]
        for (line, (role, mark, message)) in zip(lines, expected) {
            let match = try #require(try format.wholeMatch(in: line))
            #expect(Int32(match.1) == getpid())
            #expect(String(match.2) == role && String(match.10) == mark && String(match.11) == message)
            let year = try #require(Int(match.5))
            #expect(year >= 2025 && year < 2200)
        }
        #expect(lines[4] == "raw text")
    }

    @Test func aSignalHandlersLineHasItsOwnFormat() throws {
        let file = LogFile()
        defer { file.remove() }
        let log = Log()
        log.configure(level: .nothing, path: file.path)
        log.writeFromSignalHandler("Received SIGTERM scheduling shutdown...")
        let line = try #require(file.lines.first)
        let match = try #require(try /(\d+):signal-handler \((\d+)\) (.*)/.wholeMatch(in: line))
        #expect(Int32(match.1) == getpid() && match.3 == "Received SIGTERM scheduling shutdown...")
    }

    @Test func messagesBelowTheLevelAreNeverMade() {
        let file = LogFile()
        defer { file.remove() }
        let log = Log()
        log.configure(level: .warning, path: file.path)
        var madeCount = 0
        func message(_ text: String) -> String {
            madeCount += 1
            return text
        }
        log.debug(message("a"))
        log.verbose(message("b"))
        log.notice(message("c"))
        log.raw(message("d"))
        #expect(madeCount == 0 && file.lines.isEmpty)
        log.warning(message("e"))
        #expect(madeCount == 1 && file.lines.count == 1)
        log.level = .nothing
        log.warning(message("f"))
        #expect(madeCount == 1 && file.lines.count == 1)
    }

    @Test func aRotatedFileIsFollowedByANewOne() {
        let file = LogFile()
        defer { file.remove() }
        let log = Log()
        log.configure(level: .notice, path: file.path)
        log.notice("before")
        unsafe rename(file.path, file.path + ".1")
        log.notice("after")
        #expect(file.lines.count == 1 && file.lines[0].hasSuffix("* after"))
    }

    @Test func aFileThatCannotBeOpenedIsNoFault() {
        let log = Log()
        log.configure(level: .notice, path: "/nonexistent-directory/fog.log")
        log.warning("lost")
        #expect(log.path == "/nonexistent-directory/fog.log")
    }

    @Test func linesOfManyThreadsStayWhole() async {
        let file = LogFile()
        defer { file.remove() }
        let log = Log()
        log.path = file.path
        let payload = String(repeating: "x", count: 3000)
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask { for index in 0..<50 { log.notice("\(worker).\(index) \(payload) end") } }
            }
        }
        let lines = file.lines
        #expect(lines.count == 200)
        #expect(lines.allSatisfy { $0.hasSuffix("x end") && $0.contains(" * ") })
    }

    @Test(arguments: [("DEBUG", Log.Level.debug), ("Verbose", .verbose), ("notice", .notice), ("warning", .warning),
        ("nothing", .nothing), ("loud", nil), ("", nil)] as [(String, Log.Level?)])
    func levelNames(name: String, level: Log.Level?) {
        #expect(Log.Level(name: name) == level)
        if let level { #expect(level.name == name.lowercased()) }
    }

    @Test(arguments: [("local0", LOG_LOCAL0), ("LOCAL7", LOG_LOCAL7), ("user", LOG_USER), ("local8", nil),
        ("local", nil), ("local00", nil), ("daemon", nil)] as [(String, Int32?)])
    func facilityNames(name: String, facility: Int32?) {
        #expect(Log.facility(named: name) == facility)
    }
}
