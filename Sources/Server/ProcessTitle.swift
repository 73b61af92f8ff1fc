// ProcessTitle.swift - `set-proc-title` and `proc-title-template`: the command line that ps shows, at start and when
// something that the template may name changes. Only a process that the start has given to a server is renamed, so
// servers inside of tests leave theirs alone. Called at start and under the turn.
internal import CLinux
internal import Engine
internal import Synchronization

enum ProcessTitle {
    /// What the template cannot know from the configuration.
    private struct Facts {
        /// The word by which the process was called.
        let program: String
        let configurationFile: String
    }

    private static let facts = Mutex<Facts?>(nil)

    /// Names the process, when the configuration wants that. Before there are threads.
    static func begin(_ config: Config, program: String, configurationFile: String) {
        guard config.settings.setProcessTitle, fog_reserve_process_title() != 0 else { return }
        facts.withLock { $0 = Facts(program: program, configurationFile: configurationFile) }
        _ = follow(config)
    }

    /// Follows the configuration; false when its template makes no title.
    static func follow(_ config: Config) -> Bool {
        guard let facts = facts.withLock({ $0 }) else { return true }
        guard
            let title = text(config, program: facts.program, configurationFile: facts.configurationFile)
        else { return false }
        unsafe fog_set_process_title(title)
        return true
    }

    /// The template filled in, without blanks around it; nil when it names something that does not exist.
    static func text(_ config: Config, program: String, configurationFile: String) -> String? {
        let settings = config.settings
        let socket = config.string("unixsocket")
        let title = config.processTitle { name in
            switch name {
            case "title": return program
            case "listen-addr":
                let port = settings.port != 0 ? settings.port : settings.tlsPort
                return port != 0 ? "\(config.bindAddresses.first ?? "*"):\(port)" : socket
            // Neither a cluster's node nor a sentinel.
            case "server-mode": return ""
            case "config-file": return configurationFile.isEmpty ? "-" : configurationFile
            case "port": return "\(settings.port)"
            case "tls-port": return "\(settings.tlsPort)"
            case "unixsocket": return socket
            default: return nil
            }
        }
        guard var rest = title.map({ Substring($0) }) else { return nil }
        while rest.hasPrefix(" ") { rest.removeFirst() }
        while rest.hasSuffix(" ") { rest.removeLast() }
        return String(rest)
    }
}
