// Log.swift - the server's log in Redis' line format, "pid:role 01 Jan 2026 12:00:00.000 * message", because scripts
// and test suites wait for such lines. Any thread may log: the level is one atomic load, asked before the message is
// made; a line is made outside the lock and written by one write, so lines never interleave. The file is opened for
// every line, so that log rotation needs no signal. Never on the data path: a line costs several system calls.
internal import CLinux
internal import Synchronization

package struct Log: Sendable {
    /// From most talkative to silent; the raw values are the wire's order.
    package enum Level: Int, Sendable, Comparable, CaseIterable {
        case debug, verbose, notice, warning, nothing

        /// The level that `loglevel` names, in any case.
        package init?(name: String) {
            switch name.lowercased() {
            case "debug": self = .debug
            case "verbose": self = .verbose
            case "notice": self = .notice
            case "warning": self = .warning
            case "nothing": self = .nothing
            default: return nil
            }
        }

        /// The name as `loglevel` writes it.
        package var name: String { "\(self)" }

        package static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }

        fileprivate var mark: UInt8 {
            switch self {
            case .debug: UInt8(ascii: ".")
            case .verbose: UInt8(ascii: "-")
            case .notice: UInt8(ascii: "*")
            case .warning, .nothing: UInt8(ascii: "#")
            }
        }

        fileprivate var syslogPriority: Int32 {
            switch self {
            case .debug: LOG_DEBUG
            case .verbose: LOG_INFO
            case .notice: LOG_NOTICE
            case .warning, .nothing: LOG_WARNING
            }
        }
    }

    /// Who speaks: the letter behind the process id.
    package enum Role: UInt8, Sendable {
        /// "M"
        case primary = 77
        /// "S"
        case replica = 83
        /// "X"
        case sentinel = 88
        /// "C"
        case child = 67
    }

    private let state = LogState()

    /// The log of this process.
    package static let shared = Log()

    /// A log of its own, which copies share; tests use one beside `shared`.
    package init() {}

    // MARK: Settings

    /// The least level that is written.
    package var level: Level {
        get { Level(rawValue: state.minimumLevel.load(ordering: .relaxed)) ?? .notice }
        nonmutating set { state.minimumLevel.store(newValue.rawValue, ordering: .relaxed) }
    }

    /// The letter written behind the process id.
    package var role: Role {
        get { Role(rawValue: state.roleLetter.load(ordering: .relaxed)) ?? .primary }
        nonmutating set { state.roleLetter.store(newValue.rawValue, ordering: .relaxed) }
    }

    /// Where lines go: a file, or standard output when empty.
    package var path: String {
        get { state.destination.withLock { $0.path } }
        nonmutating set { state.destination.withLock { $0.path = newValue } }
    }

    /// Level and file, and syslog when an identity is given; the facility is one that `facility(named:)` knows.
    package func configure(
        level: Level, path: String, syslogIdent: String? = nil, syslogFacility: Int32 = Log.defaultFacility
    ) {
        self.level = level
        state.destination.withLock { destination in
            destination.path = path
            if destination.isSyslogEnabled { closelog() }
            destination.isSyslogEnabled = syslogIdent != nil
            if let syslogIdent {
                // openlog keeps the pointer, so the copy is never freed; this runs once per configuration.
                unsafe openlog(strdup(syslogIdent), LOG_PID | LOG_NDELAY | LOG_NOWAIT, syslogFacility)
            }
        }
    }

    /// local0, what `syslog-facility` is when nobody sets it.
    package static var defaultFacility: Int32 { 16 << 3 }

    /// "user" and "local0" ... "local7" in any case, as `syslog-facility` takes them.
    package static func facility(named name: String) -> Int32? {
        let lowercased = name.lowercased()
        if lowercased == "user" { return 1 << 3 }
        guard lowercased.utf8.count == 6, lowercased.hasPrefix("local"), let digit = lowercased.utf8.last,
            (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit)
        else { return nil }
        return (16 + Int32(digit - UInt8(ascii: "0"))) << 3
    }

    // MARK: Lines

    /// Of use when looking for a fault.
    package func debug(_ message: @autoclosure () -> String) {
        if isWritten(.debug) { write(.debug, message()) }
    }

    /// Rarely of use, yet not as much as `debug`.
    package func verbose(_ message: @autoclosure () -> String) {
        if isWritten(.verbose) { write(.verbose, message()) }
    }

    /// What an operator wants to see in production.
    package func notice(_ message: @autoclosure () -> String) {
        if isWritten(.notice) { write(.notice, message()) }
    }

    /// Something is wrong.
    package func warning(_ message: @autoclosure () -> String) {
        if isWritten(.warning) { write(.warning, message()) }
    }

    /// Text without prefix and without a newline of its own (the logo, a crash report), at the notice level.
    package func raw(_ text: @autoclosure () -> String) {
        guard isWritten(.notice) else { return }
        let text = text()
        var bytes = ByteBuffer(capacity: text.utf8.count)
        bytes.append(text)
        deliver(bytes, .notice, message: text)
    }

    /// True when a message of this level reaches the log.
    @inline(__always)
    package func isWritten(_ level: Level) -> Bool { level.rawValue >= state.minimumLevel.load(ordering: .relaxed) }

    /// Writes one line whatever the level is.
    package func write(_ level: Level, _ message: String) {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        var line = ByteBuffer(capacity: message.utf8.count + 64)
        line.append(decimal: Int(getpid()))
        line.append(UInt8(ascii: ":"))
        line.append(role.rawValue)
        line.append(UInt8(ascii: " "))
        Log.append(time: now, to: &line)
        line.append(UInt8(ascii: " "))
        line.append(level.mark)
        line.append(UInt8(ascii: " "))
        line.append(message)
        line.append(UInt8(ascii: "\n"))
        deliver(line, level, message: message)
    }

    /// One line from within a signal handler, whatever the level is: allocates nothing and waits for no lock (when the
    /// destination is being changed just then, the line goes to standard output). Never reaches syslog.
    package func writeFromSignalHandler(_ message: StaticString) {
        let path = state.destination.withLockIfAvailable { $0.path } ?? ""
        let capacity = message.utf8CodeUnitCount + 64
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: capacity) { memory in
            let base = unsafe memory.baseAddress.unsafelyUnwrapped
            var line = unsafe ByteBuffer(borrowing: base, count: 0, capacity: capacity)
            line.append(decimal: Int(getpid()))
            line.append(":signal-handler (")
            line.append(decimal: time(nil))
            line.append(") ")
            line.append(message)
            line.append(UInt8(ascii: "\n"))
            Log.append(line, toFileAt: path)
        }
    }

    /// "01 Jan 2026 12:00:00.000" in local time.
    private static func append(time: timespec, to line: inout ByteBuffer) {
        var seconds = time.tv_sec
        var parts = unsafe tm()
        unsafe localtime_r(&seconds, &parts)
        line.reserve(64)
        let written = unsafe strftime(line.pointer + line.count, 64, "%d %b %Y %H:%M:%S.", &parts)
        line.commit(written)
        DoubleText.appendPadded(UInt64(time.tv_nsec) / 1_000_000, digitCount: 3, to: &line)
    }

    private func deliver(_ line: borrowing ByteBuffer, _ level: Level, message: String) {
        let (path, isSyslogEnabled) = state.destination.withLock { ($0.path, $0.isSyslogEnabled) }
        Log.append(line, toFileAt: path)
        if isSyslogEnabled { unsafe fog_syslog(level.syslogPriority, message) }
    }

    private static func append(_ line: borrowing ByteBuffer, toFileAt path: String) {
        if path.isEmpty { return writeAll(line, to: STDOUT_FILENO) }
        // A log that cannot be opened must not stop the server; Redis drops the line as well.
        let descriptor = unsafe fog_openat_create(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return }
        writeAll(line, to: descriptor)
        close(descriptor)
    }

    private static func writeAll(_ line: borrowing ByteBuffer, to descriptor: Int32) {
        var position = 0
        while position < line.count {
            let written = unsafe CLinux.write(descriptor, line.pointer + position, line.count - position)
            if written < 0 && fog_errno() == EINTR { continue }
            // A full disk or a closed terminal loses the line; there is nobody to tell.
            guard written > 0 else { return }
            position += written
        }
    }
}

/// What all copies of one log share. A class, because its lock must stay where it is.
private final class LogState: Sendable {
    struct Destination {
        /// Empty: standard output.
        var path = ""
        var isSyslogEnabled = false
    }

    let minimumLevel = Atomic<Int>(Log.Level.notice.rawValue)
    let roleLetter = Atomic<UInt8>(Log.Role.primary.rawValue)
    let destination = Mutex(Destination())
}
