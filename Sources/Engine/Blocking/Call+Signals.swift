// Call+Signals.swift - waiting for what no key holds: a queue's next task, a lease that somebody else has. The
// session stands in the line of a key's name, as in `Call+Waiting.swift`, with its fairness, deadline and CLIENT
// UNBLOCK, but it is woken by `signal` and not by what the key holds. Those who wait for one name compete for one
// source: they are served in order of arrival, and the first who gets nothing ends the round, so a signal costs what
// it serves.
internal import Base
internal import Keyspace

extension Call {
    /// Suspends the session until `name` is signalled in its database, or for `milliseconds` (0: without end). Return
    /// right after calling this; the command runs again from its start.
    package mutating func waitForSignal(_ name: Span<UInt8>, milliseconds: Int64) {
        if context != .client { return suspend(.keys, deadline: nil) }
        let hash = KeyHash.hash(name, seed: KeyHash.seed)
        let key = KeyIdentity(hash: hash, database: session.database, bytes: name.array)
        let wait = KeyWait(keys: [key], type: .hash, wakesWithoutKey: true, isCompeting: true)
        suspend(.keys, deadline: deadline(milliseconds), wait)
    }
}

extension Engine {
    /// Whoever waits for `name` looks again, after the running command or at the end of the clock's work
    /// (`finishOutsideOfCommand`).
    package mutating func signal(_ name: Span<UInt8>, in database: Int) {
        guard !waiters.isEmpty else { return }
        waiters.noteChange(of: name, hash: KeyHash.hash(name, seed: KeyHash.seed), database: database)
        if waiters.hasReady { effects.isPending = true }
    }
}
