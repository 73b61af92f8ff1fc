// Boot.swift - from the command line to a running server, in the order redis-server goes: arguments, configuration,
// log, background, limits, sockets, loops. Every failure says what to do and ends with status 1.
internal import Base
internal import CLinux
internal import Engine

package enum Boot {
    /// The version INFO reports beside `redis_version`.
    package static let version = FogVersion.fog

    /// Runs the process; returns its exit status.
    package static func run(_ arguments: [String]) -> Int32 {
        let start = StartArguments(arguments.map { Array($0.utf8) })
        switch start.action {
        case .run: return serve(start, executable: arguments.first ?? "fog-server")
        case .version: return say(versionLine)
        case .help: return say(StartArguments.usage())
        case .testMemory, .checkSystem:
            return fail("This server has no memory or system test; use memtester or your distribution's tools.")
        case .checkRDB: return CheckTools.checkRDB(start.checkedPaths)
        case .checkAOF: return CheckTools.checkAOF(start.checkedPaths)
        }
    }

    private static var versionLine: String {
        "Fog server v=\(FogVersion.fog) compatible with Redis v=\(FogVersion.redis) malloc=jemalloc bits=64\n"
    }

    static func say(_ text: String) -> Int32 {
        var copy = text
        copy.withUTF8 { _ = unsafe write(1, $0.baseAddress, $0.count) }
        return 0
    }

    static func fail(_ text: String) -> Int32 {
        var copy = text + "\n"
        copy.withUTF8 { _ = unsafe write(2, $0.baseAddress, $0.count) }
        return 1
    }

    private static func serve(_ start: StartArguments, executable: String) -> Int32 {
        var loader = ConfigLoader(
            fileSystem: .live, coreCount: ConfigFileSystem.availableCoreCount(), isSentinel: start.isSentinel)
        do throws(ConfigLoadError) {
            try loader.load(start, environment: ConfigFileSystem.environment())
        } catch {
            return fail(String(decoding: error.report(product: "Fog"), as: UTF8.self))
        }
        var config = loader.config
        let settings = config.settings
        ServerConfigHooks.configureLog(config)
        if settings.daemonize && settings.supervised == .no && !Daemon.detach() {
            return fail("Cannot go to the background")
        }
        unsafe fog_install_crash_report(
            FogVersion.fog, config.string("logfile"), settings.crashLogEnabled ? 1 : 0)
        announce(config, start)
        for warning in loader.warnings { Log.shared.warning(warning) }
        _ = OOMScore.apply(config)
        ProcessTitle.begin(
            config, program: executable,
            configurationFile: loader.configPath.map { String(decoding: $0, as: UTF8.self) } ?? "")
        guard Collation.use(config.string("locale-collate")) else {
            return fail("Failed to configure LOCALE for invalid locale name: '\(config.string("locale-collate"))'.")
        }
        let possible = FileLimit.raise(forClients: settings.maxClients)
        if possible < settings.maxClients {
            guard possible > 0 else { return 1 }
            config.assign("maxclients", .number(Int64(possible)))
        }
        return listen(config, loader, executable: executable)
    }

    private static func announce(_ config: Config, _ start: StartArguments) {
        Log.shared.notice("oO0OoO0OoO0Oo Fog is starting oO0OoO0OoO0Oo")
        Log.shared.notice(
            "Fog version=\(FogVersion.fog), bits=64, pid=\(getpid()), just started")
        if start.configPath == nil && start.optionLines.isEmpty && !start.readsStandardInput {
            Log.shared.warning(
                "Warning: no config file specified, using the default config. In order to specify a config file use "
                    + "fog-server /path/to/fog.conf")
        } else {
            Log.shared.notice("Configuration loaded")
        }
    }

    /// Scripts take the process identifier in it for a server that has its port, so it is said after that.
    private static func showLogo(_ config: Config) {
        let settings = config.settings
        if settings.alwaysShowLogo || isatty(1) == 1 && config.string("logfile").isEmpty {
            Log.shared.raw(Logo.text(port: settings.port, processIdentifier: Int(getpid())))
        }
    }

    private static func listen(_ config: Config, _ loader: ConfigLoader, executable: String) -> Int32 {
        let settings = config.settings
        var options = Server.Options(config: config)
        options.renames = loader.renamedCommands.map {
            (from: String(decoding: $0.from, as: UTF8.self), to: String(decoding: $0.to, as: UTF8.self))
        }
        options.users = loader.userLines.map { Array($0.arguments.dropFirst()) }
        options.configurationFile = loader.configPath.map { String(decoding: $0, as: UTF8.self) } ?? ""
        options.executable = ExecutablePath.absolute(executable)
        options.watchesSignals = true
        options.loadsDataset = true
        let server: Server
        do throws(SystemError) {
            server = try Server(options)
        } catch {
            // Which address it was, and why, has been said by whoever tried.
            let isListening = error.operation.hasPrefix("listen on ") && settings.port != 0
            Log.shared.warning(
                isListening
                    ? "Failed listening on port \(settings.port) (TCP), aborting."
                    : "The server cannot start: \(error.description)")
            return 1
        }
        let pidFile = PidFile.write(loader.config)
        showLogo(config)
        Log.shared.notice("Server initialized")
        do throws(DatasetFailure) { try server.loadDataset() } catch {
            server.stop()
            server.wait()
            if let pidFile { unsafe unlink(pidFile) }
            return 1
        }
        Log.shared.notice("Ready to accept connections tcp")
        if settings.supervised != .no { Supervisor.notify("READY=1\nSTATUS=Ready to accept connections\n") }
        fog_release_startup_pages()
        server.wait()
        if let pidFile { unsafe unlink(pidFile) }
        let socket = loader.config.string("unixsocket")
        if !socket.isEmpty { unsafe unlink(socket) }
        Log.shared.warning("Fog is now ready to exit, bye bye...")
        return 0
    }
}
