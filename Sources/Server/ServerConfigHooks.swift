// ServerConfigHooks.swift - how the running server follows CONFIG SET: its log, its file descriptors, and what it
// cannot follow without a restart, which is refused with the reason. Called under the turn, by whichever loop runs
// CONFIG SET.
internal import Base
internal import Engine

enum ServerConfigHooks {
    static let all: [ConfigHook] = [
        ConfigHook(["loglevel", "logfile", "syslog-enabled", "syslog-ident", "syslog-facility"]) { new, _ in
            configureLog(new)
            return nil
        },
        ConfigHook(["maxclients"]) { new, old in
            let wanted = new.settings.maxClients
            guard wanted > old.settings.maxClients else { return nil }
            let possible = FileLimit.raise(forClients: wanted)
            if possible >= wanted { return nil }
            return "The operating system is not able to handle the specified number of clients, try with \(possible)"
        },
        ConfigHook(["port", "tls-port", "bind"]) { new, old in
            let isSame =
                new.settings.port == old.settings.port && new.settings.tlsPort == old.settings.tlsPort
                && new.bindAddresses == old.bindAddresses
            return isSame ? nil : "Addresses and ports are opened at start; set them in the config file and restart"
        },
    ]

    /// The log as the configuration wants it.
    static func configureLog(_ config: Config) {
        let settings = config.settings
        let facility = Log.facility(named: "\(settings.syslogFacility)") ?? Log.defaultFacility
        Log.shared.configure(
            level: Log.Level(name: settings.logLevel.rawValue) ?? .notice, path: config.string("logfile"),
            syslogIdent: settings.syslogEnabled ? config.string("syslog-ident") : nil, syslogFacility: facility)
    }
}
