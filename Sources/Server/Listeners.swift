// Listeners.swift - the sockets a configuration names: each `bind` address (a leading '-' makes it optional) and the
// unix socket. They are opened at start, follow CONFIG SET of `bind` and `port`, and are closed by whoever ends the
// server. The first loop accepts from them; other loops may exchange them meanwhile, so every use of a descriptor is
// under the lock. The lock is taken under the turn and never around it.
internal import Base
internal import CLinux
internal import Engine
internal import Reactor
internal import Synchronization

final class Listeners: Sendable {
    private struct State: Sendable {
        var tcp: [Int32] = []
        var unix: [Int32] = []
        var port = 0
        var addresses: [String] = []
        var isClosed = false

        var all: [Int32] { tcp + unix }
    }
    private let state: Mutex<State>
    private let backlog: Int
    /// Grows with every exchange of sockets: the accepting loop then watches those that are new.
    let version = Atomic<Int>(0)

    /// Opens what the configuration names. Failing to open a required address ends the start with Redis' words.
    init(_ options: Server.Options) throws(SystemError) {
        let settings = options.config.settings
        backlog = settings.tcpBacklog
        let unixPath = options.config.string("unixsocket")
        var opened = State()
        opened.addresses = options.config.bindAddresses
        if settings.port != 0 || options.listensOnAnyPort {
            (opened.tcp, opened.port) = try Listeners.openTCP(opened.addresses, settings.port, backlog)
            Listeners.warnAboutBacklog(backlog)
        }
        if !unixPath.isEmpty {
            opened.unix.append(
                try Socket.listenUnix(
                    unixPath, permissions: settings.unixSocketPermissions,
                    group: options.config.string("unixsocketgroup"), backlog: backlog))
        }
        if opened.all.isEmpty {
            Log.shared.warning("Configured to not listen anywhere, exiting.")
            throw SystemError(code: EINVAL, operation: "listen")
        }
        state = Mutex(opened)
    }

    /// The TCP port clients find, 0 when there is none.
    var port: Int { state.withLock { $0.port } }

    // MARK: accepting

    /// A waiting connection of one listener, nil when there is none. Throws when the system has no descriptor left.
    func acceptNext(position: Int) throws(SystemError) -> Int32? {
        try state.withLock { state throws(SystemError) in
            let all = state.all
            return position < all.count ? try Socket.accept(all[position]) : nil
        }
    }

    var count: Int { state.withLock { $0.tcp.count + $0.unix.count } }

    /// Has `poller` tell of new connections; what it was watching is watched on.
    func watch(by poller: borrowing Poller, token: UInt64) throws(SystemError) {
        try state.withLock { state throws(SystemError) in
            for descriptor in state.all {
                poller.remove(descriptor)
                try poller.add(descriptor, .read, token: token)
            }
        }
    }

    /// New connections wait in the kernel's queue.
    func unwatch(by poller: borrowing Poller) {
        state.withLock { state in
            for descriptor in state.all { poller.remove(descriptor) }
        }
    }

    // MARK: changes

    /// Listens where `config` says, or keeps to where it was and answers false. Another port is opened before the old
    /// one is closed; addresses of the same port exclude each other, so these are closed first.
    func follow(_ config: Config) -> Bool {
        let wantedPort = config.settings.port
        let addresses = config.bindAddresses
        return state.withLock { state in
            if state.isClosed || (wantedPort == state.port && addresses == state.addresses) { return true }
            if wantedPort == state.port { Listeners.close(&state.tcp) }
            do throws(SystemError) {
                var opened: [Int32] = []
                if wantedPort != 0 { opened = try Listeners.openTCP(addresses, wantedPort, backlog).descriptors }
                Listeners.close(&state.tcp)
                state.tcp = opened
                state.port = wantedPort
                state.addresses = addresses
                version.add(1, ordering: .releasing)
                return true
            } catch {
                // Whoever takes the change back finds other addresses than those that are wanted, and opens them.
                if state.tcp.isEmpty { state.addresses = [] }
                return false
            }
        }
    }

    /// No further client gets in. Harmless when done again.
    func close() {
        state.withLock { state in
            if state.isClosed { return }
            state.isClosed = true
            Listeners.close(&state.tcp)
            Listeners.close(&state.unix)
        }
    }

    // MARK: sockets

    private static func close(_ descriptors: inout [Int32]) {
        for descriptor in descriptors { Socket.close(descriptor) }
        descriptors = []
    }

    /// All of `addresses`, or none.
    private static func openTCP(
        _ addresses: [String], _ wanted: Int, _ backlog: Int
    ) throws(SystemError) -> (descriptors: [Int32], port: Int) {
        var port = wanted
        var descriptors: [Int32] = []
        for entry in addresses {
            let isOptional = entry.hasPrefix("-")
            let address = isOptional ? String(entry.dropFirst()) : entry
            do throws(SystemError) {
                let descriptor = try Socket.listenTCP(address, port: port, backlog: backlog)
                if port == 0 { port = Socket.port(of: descriptor) }
                descriptors.append(descriptor)
            } catch {
                let mayBeMissing = [EADDRNOTAVAIL, EAFNOSUPPORT, EPROTONOSUPPORT, EPROTO].contains(error.code)
                if isOptional && mayBeMissing { continue }
                Log.shared.warning(
                    "Warning: Could not create server TCP listening socket \(address):\(port): bind: \(error.reason)")
                close(&descriptors)
                throw error
            }
        }
        return (descriptors, port)
    }

    /// The kernel silently cuts the backlog to somaxconn.
    private static func warnAboutBacklog(_ backlog: Int) {
        let text = ProcessFacts.read("/proc/sys/net/core/somaxconn")
        guard let maximum = Int(text.prefix { $0.isNumber }), maximum > 0, maximum < backlog else { return }
        Log.shared.warning(
            """
            WARNING: The TCP backlog setting of \(backlog) cannot be enforced because \
            /proc/sys/net/core/somaxconn is set to the lower value of \(maximum).
            """)
    }
}

extension EventLoop {
    /// Signals arrive at this loop.
    mutating func watch(_ signals: SignalWatcher) throws(SystemError) {
        try poller.add(signals.descriptor, .read, token: EventLoop.signalToken)
    }
}
