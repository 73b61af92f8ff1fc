// Engine.swift - the server's state in one value: keyspace, sessions, configuration, statistics. It lives inside the
// `Turn`, so whoever touches it holds the turn. It knows no sockets and no threads: loops hand it parsed commands
// (`Batch`), and what it wants from them goes out as deliveries or through `hooks`.
package import Base
package import ColdStore
package import Keyspace
internal import RESP
package import Synchronization

/// What the server does for the engine. Called under the turn; must not block.
package struct ServerHooks: Sendable {
    /// Ends the process in an orderly way (SHUTDOWN, signals).
    package var shutdown: @Sendable () -> Void = {}
    /// Somebody asks again, while the save before the end lasts: do not wait for it.
    package var insistsOnEnd: @Sendable () -> Bool = { false }
    /// Ends the process where it stands.
    package var exitNow: @Sendable () -> Void = {}
    /// Frees what the engine collected, in the background; `done` objects are reported when it is over.
    package var dispose: @Sendable (Garbage.Load) -> Void = { $0.freeAll() }
    /// Trains a dictionary in the background; the engine is told by `finishTraining`.
    package var train: @Sendable (TrainingJob) -> Void = { _ in }
    /// Opens a tier on disk, with whatever wakes a loop that calls `pollCold`. Nil: there cannot be one; why is logged.
    package var openCold: @Sendable (ColdOptions) -> ColdStore? = { _ in nil }
    /// What the event loops did since the start.
    package var loopCounters: @Sendable () -> LoopCounters = { LoopCounters() }
    /// The longest round is looked for anew.
    package var forgetLongestRound: @Sendable () -> Void = {}
    /// Starts looking at the engine's deadlines no later than this monotonic time.
    package var wakeAt: @Sendable (Int64) -> Void = { _ in }
    /// Has the allocator's pages read, by whoever may wait for its locks.
    package var readPages: @Sendable (AllocatorPages, _ dirtyByteCountMax: Int) -> Void = {
        $0.read(dirtyByteCountMax: $1)
    }
    /// Objects waiting to be freed in the background, and freed there so far.
    package var pendingFrees: @Sendable () -> (pending: Int, freed: Int, pendingBytes: Int) = { (0, 0, 0) }
    /// The TCP port that clients find, 0 when there is none.
    package var listeningPort: @Sendable () -> Int = { 0 }
    /// What follows CONFIG SET.
    package var configHooks: [ConfigHook] = []
    /// Takes the journal's bytes for the append only file; may exchange the buffer for an empty one.
    package var writeJournal: @Sendable (inout ByteBuffer) -> Void = { _ in }
    /// How far the append only file is.
    package var appendOnlyGauges: @Sendable () -> AppendOnlyGauges = { AppendOnlyGauges() }
    /// The append only file's writer has nothing to do and writes what it gets at once.
    package var isAppendOnlyResting: @Sendable () -> Bool = { false }
    /// DEBUG AOF-FLUSH-SLEEP: the writer waits for so many microseconds before each write.
    package var delayJournal: @Sendable (Int) -> Void = { _ in }
    /// A client waits for `AppendOnlyGauges.durableOffset` to grow.
    package var durabilityWanted: @Sendable () -> Void = {}
    /// BGREWRITEAOF: starts a rewrite.
    package var rewriteAppendOnly: @Sendable () -> Void = {}
    /// DEBUG LOADAOF: puts what the append only file holds in the place of the dataset; the engine is told by
    /// `endAppendOnlyReload`.
    package var reloadAppendOnly: @Sendable () -> Void = {}
    package init() {}
}

/// What keeps the engine from the straight path of dispatch. Empty on a healthy, unlimited server.
package struct EngineGates: OptionSet, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }
    /// CLIENT PAUSE is on.
    package static let paused = EngineGates(rawValue: 1 << 0)
    /// Some client runs MONITOR.
    package static let monitored = EngineGates(rawValue: 1 << 1)
    /// `maxmemory` is set.
    package static let memory = EngineGates(rawValue: 1 << 2)
    /// The dataset is being loaded.
    package static let loading = EngineGates(rawValue: 1 << 3)
    /// A script has run for so long that others must not wait without an answer.
    package static let busy = EngineGates(rawValue: 1 << 4)
    /// What persistence cannot write must not be promised.
    package static let diskFailed = EngineGates(rawValue: 1 << 7)
    /// A snapshot is being taken: writes to large values may have to wait for it.
    package static let capturing = EngineGates(rawValue: 1 << 6)
    /// The last background save failed, and writes are refused for it.
    package static let saveFailed = EngineGates(rawValue: 1 << 5)
    /// Somebody follows every access to keys (`Observing/`).
    static let observed = EngineGates(rawValue: 1 << 8)
    /// `import-mode`: keys die when their source says so.
    static let importing = EngineGates(rawValue: 1 << 9)
    /// Values may be on disk, and commands may have to wait for them (`Tiering/Engine+Cold.swift`).
    static let cold = EngineGates(rawValue: 1 << 10)
    /// `maxmemory-clients` is set.
    static let clientMemory = EngineGates(rawValue: 1 << 11)
    /// The limit of some class may refuse writes (`Classes/Engine+ClassGate.swift`).
    static let classLimits = EngineGates(rawValue: 1 << 12)
}

@safe package struct Engine: ~Copyable {
    /// Never read: it has no meaning but that of its type, which lives at an address. Without it the compiler takes the
    /// engine for a value and copies its six kilobytes to the stack for a method that only reads: twice a command under
    /// `maxmemory`, three times for each command of a script.
    package let place = Atomic(false)
    package var keyspace: Keyspace
    package let commands: CommandTable
    package var config: Config
    /// `config.settings`, kept here because dispatch reads it for every command.
    package private(set) var settings: Settings
    /// Grows with every change of the settings, so that loops know when to copy them again.
    package private(set) var settingsVersion = 0
    package var clock = Clock()
    package var hooks = ServerHooks()
    package let identity: ServerIdentity
    package var replication = ReplicationIdentity()
    package var debug = DebugSettings()

    package internal(set) var gates: EngineGates = []
    package internal(set) var effects = Effects()
    var watches = WatchTable()
    var waiters = KeyWaiters()
    /// What the running command is inside of; changed by `beginNesting` only.
    package internal(set) var context = CommandContext.client
    package internal(set) var journal = Journal()
    package var appendOnly = AppendOnlyFacts()
    /// Changes since the start; only ever grows.
    var changeCount = 0
    private var changeCountAtSave = 0
    /// Changes since the last save (INFO rdb_changes_since_last_save).
    package var changes: Int {
        get { changeCount &- changeCountAtSave }
        set { changeCountAtSave = changeCount &- newValue }
    }
    package var random = RandomGenerator()

    package internal(set) var sessions = SessionRegistry()
    package internal(set) var acl: ACLRegistry
    var evictor = EvictionHand()
    var tierDuties = TierDuties()
    var coldWaits = ColdWaits()
    var heldUp = HeldUpCommands()
    var compaction = CompactionDuties()
    package internal(set) var loops: [LoopPort] = []
    /// The client whose command runs, and its loop; nil and -1 outside of a loop's batch.
    var running: SessionReference?
    var runningLoop = -1
    package internal(set) var pubsub = PubSub()
    var trackers = Trackers()
    /// The module above the commands that keeps state derived from keys (`Extension/`); nil in tests of the engine.
    package internal(set) var coordination: (any EngineExtension)?
    /// Whether it wants to hear of keys that begin with `extensionPrefix`.
    package internal(set) var extensionListens = false
    var extensionPrefix: [UInt8] = []
    /// Classes of data (`Classes/`).
    var classes = DataClasses()
    var observer = Observer()
    var clientMemory = ClientMemory()
    /// Bytes of replies that a turn makes at most, a reply's more or less.
    var turnReplyByteCountMax = 1 << 20
    package internal(set) var pause = ClientPause()
    package internal(set) var waiting = WaitingSessions()
    package internal(set) var monitors: [SessionReference] = []
    package internal(set) var scripting = Scripting()

    package var statistics = ServerStatistics()
    package var slowlog = SlowLog()
    package var largeRequests = SlowLog()
    package var largeReplies = SlowLog()
    package var latency = LatencyMonitor()
    package var memory = MemoryAccount()
    package let allocatorPages = AllocatorPages()
    package internal(set) var cron = Cron()
    package internal(set) var saving = SavingState()
    let commandStatistics: UnsafeMutablePointer<CommandStatistics>
    let usesCycleCounter: Bool
    /// Ticks above which a command is slow for anybody: the slow log or the latency monitor. 0 while HOTKEYS runs.
    var slowTicks = UInt64.max
    /// The session of HOTKEYS that runs, or has run (`HotKeys/`).
    package internal(set) var hotKeys: HotKeys?
    /// Ticks above which a command enters the slow log; UInt64.max when it is off.
    var slowlogTicks = UInt64.max
    /// Sizes from which a request or a reply is logged; Int.max when that log is off.
    var largeRequestByteCount = Int.max
    var largeReplyByteCount = Int.max
    /// End of the last command in ticks, which is the start of the next one of the same turn.
    var stamp: UInt64 = 0
    var recordsLatency = true
    /// The error that is about to be answered was counted already: a script failed with that of a command.
    var isErrorCounted = false

    package init(config: Config, commands: CommandTable, identity: ServerIdentity) {
        self.config = config
        settings = config.settings
        self.commands = commands
        self.identity = identity
        acl = ACLRegistry(commands)
        keyspace = Keyspace(databaseCount: max(1, config.settings.databases))
        unsafe commandStatistics = .allocate(capacity: max(1, commands.count))
        unsafe commandStatistics.initialize(repeating: CommandStatistics(), count: commands.count)
        usesCycleCounter = Ticks.usesCounter
        keyspace.now = clock.nowMilliseconds
        saving.lastSaveSecond = identity.startMilliseconds / 1000
        settingsChanged()
    }

    deinit {
        for id in 0..<commands.count { unsafe commandStatistics[id].histogram?.deallocate() }
        unsafe commandStatistics.deallocate()
        for loop in loops { loop.deallocate() }
    }

    /// Derives what dispatch looks at from the settings; call after every change of the configuration.
    package mutating func settingsChanged() {
        settings = config.settings
        if settings.maxmemoryIsAuto { settings.maxmemory = MemoryLimit.automatic }
        settingsVersion += 1
        latency.setThreshold(milliseconds: settings.latencyMonitorThresholdMilliseconds)
        let slow = settings.slowlogLogSlowerThanMicroseconds
        slowlogTicks = slow < 0 ? UInt64.max : UInt64(min(Double(slow) * Ticks.perMicrosecond, 0x1p62))
        armSlowness()
        let request = settings.commandlogRequestLargerThanBytes
        largeRequestByteCount = request < 0 ? Int.max : request
        let reply = settings.commandlogReplyLargerThanBytes
        largeReplyByteCount = reply < 0 ? Int.max : reply
        recordsLatency = settings.latencyTracking
        journal.annotatesTime = settings.aofTimestampEnabled
        slowlog.setMaximum(settings.slowlogMaxLength)
        largeRequests.setMaximum(settings.commandlogLargeRequestMaxLength)
        largeReplies.setMaximum(settings.commandlogLargeReplyMaxLength)
        setGate(.memory, settings.maxmemory > 0)
        setGate(.importing, settings.importMode)
        armDeath()
        if !settings.importMode && !isLoading { keyspace.keepsExpired = false }
        evictionSettingsChanged()
        tierSettingsChanged()
        advisorSettingsChanged()
        armObservation()
        armSaveGate()
        armEffects()
        limitTrackingTable()
        limitClientMemory()
        limitTurnReplies()
        tellExtensionSettings()
    }

    mutating func setGate(_ gate: EngineGates, _ isOn: Bool) {
        if isOn { gates.insert(gate) } else { gates.remove(gate) }
    }

    /// The dataset is being loaded (true) or is complete.
    package mutating func setLoading(_ isLoading: Bool) {
        setGate(.loading, isLoading)
        if !isLoading { restartAdvice() }
    }

    package var isLoading: Bool { gates.contains(.loading) }

    // MARK: statistics

    package func statistics(of slot: Int) -> CommandStatistics {
        precondition(slot >= 0 && slot < commands.count, "statistics exist for every slot")
        return unsafe commandStatistics[slot]
    }

    /// What the event loops did since CONFIG RESETSTAT.
    package var loopCounters: LoopCounters { hooks.loopCounters() - statistics.loopsBefore }

    /// Time spent in commands.
    package var commandMicroseconds: Int {
        (0..<commands.count).reduce(0) { sum, id in sum + statistics(of: id).microseconds }
    }

    /// CONFIG RESETSTAT.
    package mutating func resetStatistics() {
        coordination?.statisticsReset()
        classes.resetCounters()
        statistics = ServerStatistics()
        statistics.freedObjectsBefore = hooks.pendingFrees().freed
        hooks.forgetLongestRound()
        statistics.loopsBefore = hooks.loopCounters()
        keyspace.statistics = Keyspace.Statistics()
        keyspace.tiers.statistics = TierStatistics()
        resetAdvice()
        resetLatencyHistograms()
        for id in 0..<commands.count { unsafe commandStatistics[id] = CommandStatistics() }
    }

    /// LATENCY RESET's histograms: those of the given slots, of all when nil.
    package mutating func resetLatencyHistograms(_ slots: [Int]? = nil) {
        for id in slots ?? Array(0..<commands.count) {
            unsafe commandStatistics[id].histogram?.deallocate()
            unsafe commandStatistics[id].histogram = nil
        }
    }

    @inline(__always)
    func ticks() -> UInt64 { Ticks.now(usesCounter: usesCycleCounter) }
}

/// By which name the history of writes is known to replicas.
package struct ReplicationIdentity: Sendable {
    package private(set) var identifier = RunIdentifier.make()
    /// The history this one continues; zeros for none.
    package private(set) var previousIdentifier = String(repeating: "0", count: 40)
    package init() {}

    /// DEBUG CHANGE-REPL-ID: a new history that continues none.
    package mutating func renew() { self = ReplicationIdentity() }
}

/// What the process is: set once at start.
package struct ServerIdentity: Sendable {
    package var runIdentifier = RunIdentifier.make()
    package var startMilliseconds = Clock().nowMilliseconds
    package var processIdentifier = 0
    package var executable = ""
    package var configurationFile = ""
    package var loopCount = 1
    package init() {}
}
