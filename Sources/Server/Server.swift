// Server.swift - one running server: its engine behind the turn, its loops on their threads, its listening sockets.
// `fog-server` makes one from the command line (Boot.swift); tests make several in one process (TestKit).
package import Base
internal import CLinux
internal import Coordinator
package import Engine
internal import Keyspace
internal import RESP
internal import Reactor
internal import Synchronization

package final class Server: Sendable {
    let shared: ServerShared
    let appendOnly: AppendOnly
    private let prober = ProbeRunner()
    private let threads = Mutex<[Thread.Handle]>([])
    /// The TCP port it listens on; chosen by the system when 0 was asked for.
    package let port: Int

    /// What a server is started with.
    package struct Options: Sendable {
        package var config: Config
        package var renames: [(from: String, to: String)] = []
        /// The configuration's `user` lines, without that word.
        package var users: [[[UInt8]]] = []
        package var configurationFile = ""
        package var executable = ""
        /// Listen even when the configuration's port is 0, on a port the system chooses (tests).
        package var listensOnAnyPort = false
        /// Whether SIGTERM and SIGINT stop this server.
        package var watchesSignals = false
        /// The server starts in the state of loading, and whoever made it calls `loadDataset`.
        package var loadsDataset = false
        package var clock = Clock()

        package init(config: Config) { self.config = config }
    }

    /// Binds, starts the loops and returns when clients can connect.
    package init(_ options: Options) throws(SystemError) {
        let settings = options.config.settings
        let table = CommandTable(ServerCommands.list, renames: options.renames)
        let listeners = try Listeners(options)
        port = listeners.port
        let loopCount = max(1, settings.ioThreads)
        var identity = ServerIdentity()
        identity.loopCount = loopCount
        identity.processIdentifier = Int(getpid())
        identity.executable = options.executable
        identity.configurationFile = options.configurationFile
        var engine = Engine(config: options.config, commands: table, identity: identity)
        engine.clock = options.clock
        let coordinator = CoordinatorState()
        engine.install(coordinator)
        do throws(ACLRefusal) { try engine.loadUsers(lines: options.users, fileSystem: .live) } catch {
            Log.shared.warning("\(error.text)")
            throw SystemError(code: EINVAL, operation: "load the users")
        }
        var inboxes: [LoopInbox] = []
        for _ in 0..<loopCount { inboxes.append(LoopInbox(wakeup: try Wakeup())) }
        for inbox in inboxes { engine.addLoop { inbox.wakeup.signal() } }
        let stopAll = StopSwitch()
        var watcher: SignalWatcher?
        if options.watchesSignals {
            watcher = try SignalWatcher { signal in
                Log.shared.warning("Received \(signal == SIGINT ? "SIGINT" : "SIGTERM") scheduling shutdown...")
                stopAll.stop(bySignal: signal)
            }
        }
        let pool = try IOPool(threadCount: 1)
        engine.hooks.shutdown = { stopAll.stop() }
        if let watcher { engine.hooks.insistsOnEnd = { watcher.takeInterrupt() } }
        // Not `exit`: other threads run, and nothing is to be torn down under them.
        engine.hooks.exitNow = { _exit(1) }
        let turn = Turn(engine)
        shared = ServerShared(
            turn: turn, commands: table, inboxes: inboxes, coldWakeup: try Wakeup(), pool: pool, listeners: listeners,
            signals: watcher,
            settings: settings, unixSocketPath: options.config.string("unixsocket"))
        coordinator.loadFile = Server.fileLoader(shared)
        let (prober, shared) = (prober, shared)
        coordinator.probe = { request in prober.run(request, shared) }
        appendOnly = try AppendOnly(shared, config: options.config)
        stopAll.set(shared)
        installHooks()
        turn.take { engine in
            engine.allocatorPages.read()
            engine.readMemory()
            engine.setLoading(options.loadsDataset)
            if !options.loadsDataset { engine.openColdTier() }
        }
        try startLoops(loopCount)
    }

    private func installHooks() {
        let shared = shared
        let appendOnly = appendOnly
        shared.turn.take { engine in
            engine.hooks.dispose = { load in
                let objects = load.objectCount
                shared.pendingFrees.add(objects, ordering: .relaxed)
                shared.pendingFreeBytes.add(load.byteCount, ordering: .relaxed)
                shared.pool.submit {
                    Bursts.run { load.freeAll() }
                    shared.pendingFrees.subtract(objects, ordering: .relaxed)
                    shared.pendingFreeBytes.subtract(load.byteCount, ordering: .relaxed)
                    shared.freedObjects.add(objects, ordering: .relaxed)
                }
            }
            engine.hooks.train = { job in
                shared.pool.submit {
                    let dictionary = job.run()
                    shared.turn.take { $0.finishTraining(job, dictionary) }
                }
            }
            engine.hooks.openCold = { ColdOpening.open($0, waking: shared.coldWakeup) }
            engine.hooks.configHooks = ServerConfigHooks.all(shared) + appendOnly.configHooks
            engine.hooks.listeningPort = { shared.listeners.port }
            engine.hooks.rewriteAppendOnly = { appendOnly.submit { appendOnly.rewriteOrSwitchOn() } }
            engine.hooks.reloadAppendOnly = { appendOnly.submit { appendOnly.reload() } }
            engine.hooks.durabilityWanted = {
                shared.durability.hasWaiters.store(true, ordering: .sequentiallyConsistent)
            }
            engine.hooks.readPages = { pages, dirtyByteCountMax in
                shared.pool.submit { pages.read(dirtyByteCountMax: dirtyByteCountMax) }
            }
            engine.hooks.pendingFrees = {
                (
                    shared.pendingFrees.load(ordering: .relaxed), shared.freedObjects.load(ordering: .relaxed),
                    shared.pendingFreeBytes.load(ordering: .relaxed)
                )
            }
            engine.hooks.loopCounters = { shared.inboxes.reduce(LoopCounters()) { $0 + $1.counters } }
            engine.hooks.forgetLongestRound = { for inbox in shared.inboxes { inbox.forgetLongestRound() } }
            engine.hooks.wakeAt = { deadline in
                let (previous, _) = shared.nextDeadline.min(deadline, ordering: .relaxed)
                if deadline < previous { shared.inboxes[0].wakeup.signal() }
            }
        }
    }

    private func startLoops(_ count: Int) throws(SystemError) {
        for index in 0..<count {
            let shared = shared
            let handle = try Thread.start("fog-loop-\(index)") {
                do throws(SystemError) {
                    var loop = try EventLoop(index: index, shared: shared)
                    if index == 0 { try loop.listen() }
                    if index == 0, let signals = shared.signals { try loop.watch(signals) }
                    loop.run()
                } catch {
                    Log.shared.warning("Event loop \(index) cannot run: \(error.description)")
                    shared.stop()
                }
            }
            threads.withLock { $0.append(handle) }
        }
    }

    /// Runs `body` with the engine, as if it were a command: for tests and for the process's own questions.
    package func withEngine(_ body: (inout Engine) -> Void) { shared.turn.take(body) }

    /// Asks the loops to end.
    package func stop() { shared.stop() }

    /// Returns when all loops have ended and everything is closed.
    package func wait() {
        for thread in threads.withLock({ $0 }) { thread.join() }
        threads.withLock { $0 = [] }
        appendOnly.close()
        prober.close()
        Bursts.hurry()
        shared.pool.close()
        shared.turn.take { engine in
            engine.closeColdTier()
            // They lead back to the engine, which would never be freed.
            engine.hooks = ServerHooks()
            guard let coordinator = engine.coordination as? CoordinatorState else { return }
            coordinator.loadFile = nil
            coordinator.probe = nil
        }
    }
}

/// Lets a signal or SHUTDOWN stop loops that do not exist yet when it is wired.
private final class StopSwitch: Sendable {
    private let shared = Mutex<ServerShared?>(nil)
    func set(_ value: ServerShared) { shared.withLock { $0 = value } }
    func stop() { shared.withLock { $0 }?.stop() }

    /// As SHUTDOWN with the configuration's flags for the signal: saves first when it should.
    func stop(bySignal signal: Int32) {
        guard let shared = shared.withLock({ $0 }) else { return }
        shared.turn.take { engine in
            let flags = signal == SIGINT ? engine.settings.shutdownOnSigint : engine.settings.shutdownOnSigterm
            engine.requestShutdown(flags)
        }
    }
}
