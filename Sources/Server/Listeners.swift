// Listeners.swift - opening the sockets a configuration names: each `bind` address (a leading '-' makes it optional)
// and the unix socket. Failing to open a required one ends the start with Redis' words.
internal import Base
internal import CLinux
internal import Engine
internal import Reactor

struct Listeners: Sendable {
    var descriptors: [Int32] = []
    var port = 0

    static func open(_ options: Server.Options) throws(SystemError) -> Listeners {
        var listeners = Listeners()
        let settings = options.config.settings
        if settings.port != 0 || options.listensOnAnyPort {
            try listeners.openTCP(options.config, port: settings.port, backlog: settings.tcpBacklog)
        }
        let path = options.config.string("unixsocket")
        if !path.isEmpty {
            listeners.descriptors.append(
                try Socket.listenUnix(
                    path, permissions: settings.unixSocketPermissions, backlog: settings.tcpBacklog))
        }
        return listeners
    }

    private mutating func openTCP(_ config: Config, port wanted: Int, backlog: Int) throws(SystemError) {
        port = wanted
        var addresses = config.bindAddresses
        if addresses.isEmpty { addresses = ["*", "-::*"] }
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
                for descriptor in descriptors { Socket.close(descriptor) }
                throw error
            }
        }
        Listeners.warnAboutBacklog(backlog)
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
