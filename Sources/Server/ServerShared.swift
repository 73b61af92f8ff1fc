// ServerShared.swift - what the loops of one server share: the turn, the immutable command table, inboxes and a few
// counters. Nothing else crosses threads.
internal import Engine
internal import Reactor
internal import Synchronization

final class ServerShared: Sendable {
    let turn: Turn
    let commands: CommandTable
    let inboxes: [LoopInbox]
    /// Signalled when the disk tier has something for `Engine.pollCold`; the first loop listens.
    let coldWakeup: Wakeup
    let pool: IOPool
    let listeners: Listeners
    let signals: SignalWatcher?
    let initialSettings: Settings
    /// Path of the unix socket, which names its clients.
    let unixSocketPath: String
    /// Connected clients of all loops; compared with `maxclients` before a socket is handed to a loop.
    let clientCount = Atomic<Int>(0)
    /// Jobs and objects given to the background and not yet freed.
    let pendingFrees = Atomic<Int>(0)
    /// Bytes of these that the process allocator counts.
    let pendingFreeBytes = Atomic<Int>(0)
    let freedObjects = Atomic<Int>(0)
    /// How far the append only file is on the device.
    let durability = Durability()
    /// Set by `stop`; for what is not a loop.
    let isStopping = Atomic<Bool>(false)
    /// Earliest deadline of a suspended command, monotonic nanoseconds; Int64.max when there is none.
    let nextDeadline = Atomic<Int64>(.max)

    init(
        turn: Turn, commands: CommandTable, inboxes: [LoopInbox], coldWakeup: Wakeup, pool: IOPool,
        listeners: Listeners,
        signals: SignalWatcher?, settings: Settings, unixSocketPath: String
    ) {
        self.turn = turn
        self.commands = commands
        self.inboxes = inboxes
        self.coldWakeup = coldWakeup
        self.pool = pool
        self.listeners = listeners
        self.signals = signals
        initialSettings = settings
        self.unixSocketPath = unixSocketPath
    }

    /// Ends all loops, from any thread. Nobody can connect any more when it returns.
    func stop() {
        listeners.close()
        isStopping.store(true, ordering: .relaxed)
        for inbox in inboxes { inbox.stop() }
    }
}
