// Engine+ClientEviction.swift - `maxmemory-clients`: when all clients together hold as much as the limit, those who
// hold most are disconnected until the rest fits, except who asked for CLIENT NO-EVICT. While there is a limit a sum is
// kept of what every client was counted with last: before each of its commands, whenever its loop tells of buffers that
// have grown or shrunk, and by the clock. The sum is looked at before every command, so that none is run, and none
// answers, above the limit; while there is no limit nothing is summed and no command looks. Under the turn.
internal import Base
internal import Keyspace

/// What all clients hold together; kept while there is a limit.
struct ClientMemory {
    /// Bytes from which clients are disconnected; Int.max for no limit.
    var limit = Int.max
    /// Sum of what every client was counted with last.
    var total = 0
    /// What those hold who were disconnected for the limit and whose connections are not closed yet: it goes without
    /// anybody's help, and counted towards `maxmemory` it would cost keys.
    var leaving = 0
    /// Nobody is left who may be disconnected. Until somebody grows there is nothing to look for.
    var isExhausted = false

    var isOver: Bool { total >= limit && !isExhausted }
}

extension Settings {
    /// A smaller limit would leave nobody who could raise it, as in Redis.
    private static var clientMemoryMin: Int { 128 << 10 }

    /// Bytes that all clients may hold; nil for no limit. A percentage is one of `maxmemory`.
    package var clientMemoryLimit: Int? {
        if maxmemoryClients > 0 { return max(Settings.clientMemoryMin, maxmemoryClients) }
        guard maxmemoryClients < 0, maxmemory > 0 else { return nil }
        return max(Settings.clientMemoryMin, Int(Double(maxmemory) / 100 * Double(-maxmemoryClients)))
    }
}

extension Engine {
    /// Follows the settings: everybody is counted when there is a limit for the first time.
    mutating func limitClientMemory() {
        clientMemory.limit = settings.clientMemoryLimit ?? .max
        clientMemory.isExhausted = false
        let isLimited = clientMemory.limit != .max
        if isLimited && !gates.contains(.clientMemory) { countAllClients() }
        setGate(.clientMemory, isLimited)
    }

    /// Counts the client anew.
    mutating func countMemory(of session: SessionReference) {
        let byteCount = memory(of: session)
        let growth = byteCount &- session.session.countedByteCount
        if growth == 0 { return }
        session.session.countedByteCount = byteCount
        clientMemory.total &+= growth
        if growth > 0 { clientMemory.isExhausted = false }
    }

    /// The client's connection is gone, or as good as gone: it has given back what waited to be sent.
    package mutating func uncountMemory(of session: SessionReference) {
        clientMemory.total &-= session.session.countedByteCount
        session.session.countedByteCount = 0
        guard session.session.leavingByteCount > 0 else { return }
        clientMemory.leaving &-= session.session.leavingByteCount
        session.session.leavingByteCount = 0
        memory.forgetReading()
    }

    /// One that is being disconnected counts no more: its memory is on its way back.
    private func memory(of session: SessionReference) -> Int {
        session.session.gates.contains(.killed) || session.session.isReplica ? 0 : session.session.byteCount
    }

    private mutating func countAllClients() {
        clientMemory.total = 0
        for session in sessions.unordered {
            session.session.countedByteCount = memory(of: session)
            clientMemory.total &+= session.session.countedByteCount
        }
    }

    /// Before a command of `session`, while there is a limit: false when the client itself had to go.
    @inline(never)
    mutating func admitClient(_ session: SessionReference) -> Bool {
        countMemory(of: session)
        if clientMemory.isOver { evictClients() }
        return !session.session.gates.contains(.killed)
    }

    /// Disconnects those who hold most until the others hold less than the limit.
    @inline(never)
    mutating func evictClients() {
        guard gates.contains(.clientMemory) else { return }
        // Some were counted before they gave memory back.
        countAllClients()
        guard clientMemory.total >= clientMemory.limit else { return }
        if let largest = largestClient { evict(largest) }
        guard clientMemory.total >= clientMemory.limit else { return }
        let others = sessions.unordered.filter { isEvictable($0) }
            .sorted { $0.session.countedByteCount > $1.session.countedByteCount }
        for session in others where clientMemory.total >= clientMemory.limit { evict(session) }
        guard clientMemory.total >= clientMemory.limit else { return }
        clientMemory.isExhausted = true
        Log.shared.warning("Over client maxmemory after evicting all evictable clients")
    }

    /// CLIENT NO-EVICT.
    package mutating func setNoEvict(_ isOn: Bool, of session: SessionReference) {
        session.session.isNoEvict = isOn
        if !isOn { clientMemory.isExhausted = false }
    }

    private func isEvictable(_ session: SessionReference) -> Bool {
        !session.session.isNoEvict && !session.session.isReplica && !session.session.gates.contains(.killed)
    }

    private var largestClient: SessionReference? {
        var largest: SessionReference?
        var byteCount = -1
        for session in sessions.unordered
        where session.session.countedByteCount > byteCount && isEvictable(session) {
            largest = session
            byteCount = session.session.countedByteCount
        }
        return largest
    }

    private mutating func evict(_ session: SessionReference) {
        Log.shared.notice(
            "Evicting client: id=\(session.session.id) addr=\(session.session.address) "
                + "name=\(session.session.name) tot-mem=\(session.session.countedByteCount)")
        statistics.evictedClients += 1
        let byteCount = session.session.countedByteCount
        uncountMemory(of: session)
        session.session.leavingByteCount = byteCount
        clientMemory.leaving &+= byteCount
        dismiss(session)
    }
}
