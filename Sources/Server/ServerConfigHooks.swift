// ServerConfigHooks.swift - how the running server follows CONFIG SET: its log, descriptors, addresses, OOM score,
// and what it cannot follow, which is refused with the reason. Called under the turn, by whichever loop runs
// CONFIG SET.
internal import Base
internal import Engine
internal import Reactor

enum ServerConfigHooks {
    static func all(_ shared: ServerShared) -> [ConfigHook] {
        // Where clients connect is the first loop's affair, which looks at the new sockets when it is woken.
        let follow: @Sendable (Config) -> Bool = { config in
            defer { shared.inboxes[0].wakeup.signal() }
            return shared.listeners.follow(config)
        }
        return [
            ConfigHook(["loglevel", "logfile", "syslog-enabled", "syslog-ident", "syslog-facility"]) { new, _ in
                configureLog(new)
                return nil
            },
            ConfigHook(["maxclients"]) { new, old in
                let wanted = new.settings.maxClients
                guard wanted > old.settings.maxClients else { return nil }
                let possible = FileLimit.raise(forClients: wanted)
                if possible >= wanted { return nil }
                return """
                    The operating system is not able to handle the specified number of clients, try with \(possible)
                    """
            },
            ConfigHook(["oom-score-adj", "oom-score-adj-values"]) { new, _ in
                OOMScore.apply(new) ? nil : "Failed to apply new oom_score_adj configuration, check server logs."
            },
            ConfigHook(["port"]) { new, _ in
                follow(new) ? nil : "Unable to listen on this port. Check server logs."
            },
            ConfigHook(["bind"]) { new, _ in
                follow(new) ? nil : "Failed to bind to specified addresses."
            },
            // Behind those whose values it shows.
            ConfigHook(["proc-title-template", "port", "bind"]) { new, _ in
                ProcessTitle.follow(new) ? nil : "failed to set process title"
            },
            ConfigHook(["locale-collate"]) { new, _ in
                Collation.use(new.string("locale-collate")) ? nil : "Invalid locale name"
            },
            ConfigHook(["tls-port"]) { new, old in
                new.settings.tlsPort == old.settings.tlsPort ? nil : "This server does not speak TLS"
            },
        ]
    }

    /// The log as the configuration wants it.
    static func configureLog(_ config: Config) {
        let settings = config.settings
        let facility = Log.facility(named: "\(settings.syslogFacility)") ?? Log.defaultFacility
        Log.shared.configure(
            level: Log.Level(name: settings.logLevel.rawValue) ?? .notice, path: config.string("logfile"),
            syslogIdent: settings.syslogEnabled ? config.string("syslog-ident") : nil, syslogFacility: facility)
    }
}
