// Process.swift - the process around the server: going to the background, the pid file, file descriptor limits, the
// score by which the kernel ends processes, telling the supervisor. Called at start, before any thread exists.
internal import Base
internal import CLinux
internal import Engine
internal import Reactor
internal import Synchronization

enum Daemon {
    /// Forks, ends the parent, leaves the terminal. False when the system refuses.
    static func detach() -> Bool {
        let child = fog_fork()
        if child < 0 { return false }
        if child > 0 { _exit(0) }
        setsid()
        let null = unsafe fog_openat_create("/dev/null", O_RDWR, 0)
        if null >= 0 {
            for descriptor: Int32 in 0...2 { dup2(null, descriptor) }
            if null > 2 { close(null) }
        }
        return true
    }
}

enum PidFile {
    /// Writes the pid where the configuration (or a daemon's default) says; returns the path to remove at the end.
    static func write(_ config: Config) -> String? {
        var path = config.string("pidfile")
        if path.isEmpty {
            guard config.settings.daemonize else { return nil }
            path = "/var/run/redis.pid"
        }
        let descriptor = unsafe fog_openat_create(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            let error = SystemError(operation: "write pid file \(path)")
            Log.shared.warning("Failed to write PID file: \(error.reason)")
            return nil
        }
        defer { close(descriptor) }
        var text = "\(getpid())\n"
        text.withUTF8 { _ = unsafe CLinux.write(descriptor, $0.baseAddress, $0.count) }
        return path
    }
}

enum FileLimit {
    /// Descriptors the server needs beside its clients.
    private static let reserved = 32

    /// Raises the soft limit to what `maxclients` needs, as far as the system lets it. Returns how many clients fit.
    @discardableResult
    static func raise(forClients clients: Int) -> Int {
        let wanted = rlim_t(clients + reserved)
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(rawValue: 7), &limit) == 0, limit.rlim_cur < wanted else {
            return clients
        }
        let before = limit.rlim_cur
        limit.rlim_cur = wanted
        if limit.rlim_max < wanted { limit.rlim_max = wanted }
        if unsafe setrlimit(__rlimit_resource_t(rawValue: 7), &limit) == 0 {
            Log.shared.notice(
                "Increased maximum number of open files to \(wanted) (it was originally set to \(before)).")
            return clients
        }
        let refusal = SystemError(operation: "setrlimit")
        unsafe getrlimit(__rlimit_resource_t(rawValue: 7), &limit)
        limit.rlim_cur = limit.rlim_max
        unsafe setrlimit(__rlimit_resource_t(rawValue: 7), &limit)
        return explain(clients: clients, wanted: wanted, refusal, available: Int(clamping: limit.rlim_max))
    }

    /// Says what was wanted and what there is; returns how many clients fit.
    private static func explain(clients: Int, wanted: rlim_t, _ refusal: SystemError, available: Int) -> Int {
        let possible = max(0, available - reserved)
        if possible == 0 {
            Log.shared.warning(
                """
                Your current 'ulimit -n' of \(available) is not enough for the server to start. Please increase your \
                open file limit to at least \(wanted). Exiting.
                """)
            return 0
        }
        Log.shared.warning(
            "You requested maxclients of \(clients) requiring at least \(wanted) max file descriptors.")
        Log.shared.warning(
            "Server can't set maximum open files to \(wanted) because of OS error: \(refusal.reason).")
        Log.shared.warning(
            """
            Current maximum open files is \(available). maxclients has been reduced to \(possible) to compensate for \
            low ulimit. If you need higher maxclients increase 'ulimit -n'.
            """)
        return possible
    }
}

enum OOMScore {
    /// The process's own score, kept while `oom-score-adj` is on and put back when it goes off.
    private static let original = Mutex<Int?>(nil)
    private static let path = "/proc/self/oom_score_adj"

    /// Tells the kernel how soon to end this process when memory runs out. False when it refuses.
    static func apply(_ config: Config) -> Bool {
        original.withLock { original in
            guard let wanted = config.oomScore(of: original ?? current()) else {
                guard let own = original else { return true }
                original = nil
                return write(own)
            }
            if original == nil { original = current() }
            return write(wanted)
        }
    }

    private static func current() -> Int { Int(ProcessFacts.read(path).prefix { $0 != "\n" }) ?? 0 }

    private static func write(_ score: Int) -> Bool {
        let descriptor = unsafe fog_openat_create(path, O_WRONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var text = "\(max(-1000, min(1000, score)))"
        let isWritten = text.withUTF8 { unsafe CLinux.write(descriptor, $0.baseAddress, $0.count) == $0.count }
        if !isWritten { Log.shared.warning("Unable to write oom_score_adj: \(SystemError(operation: "write").reason)") }
        return isWritten
    }
}

enum Supervisor {
    /// sd_notify: one datagram to the socket that systemd named.
    static func notify(_ state: String) {
        let entry = ConfigFileSystem.environment().first { $0.name == Array("NOTIFY_SOCKET".utf8) }
        guard let path = entry?.value, !path.isEmpty else { return }
        Socket.sendDatagram(state, toUnixPath: path)
    }
}

enum ExecutablePath {
    /// The running binary's path, whatever the process was called.
    static func absolute(_ argument: String) -> String {
        var buffer = ByteBuffer(capacity: 4096)
        let count = unsafe readlink("/proc/self/exe", fog_as_char(buffer.pointer), 4096)
        guard count > 0 else { return argument }
        buffer.commit(count)
        return buffer.span.text
    }
}

enum Logo {
    /// What a start prints; test suites wait for its " PID: " line.
    static func text(port: Int, processIdentifier: Int) -> String {
        """

              .  -  ~  -  .
          . ~               ~ .        Fog \(FogVersion.fog) (64 bit)
        (   f  o  g   s e r v e r  )
          ~ .               . ~        Running in standalone mode
              ~  -  .  -  ~            Port: \(port)
                 ~  -  ~               PID: \(processIdentifier)


        """
    }
}
