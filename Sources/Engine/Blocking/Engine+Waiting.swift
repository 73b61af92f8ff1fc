// Engine+Waiting.swift - serving sessions that wait for keys. Changes mark keys ready while commands run; when the
// outermost command has ended (all of EXEC or a script, active expiry), ready keys are served in the order in which
// they became ready and each key's sessions in the order in which they came: their commands run again from their start.
// What those change makes more keys ready, until none is left. Every round ends waits or changes nothing, so it ends.
// Under the turn.
internal import Base
internal import Keyspace
internal import Structures

extension Engine {
    /// Keys that suspended sessions wait for.
    package var waitedKeyCount: Int { waiters.keyCount }

    /// Of these, keys whose going wakes somebody.
    package var waitedKeyCountWithoutKey: Int { waiters.keyCountWithoutKey }

    // MARK: joining and leaving the lines

    mutating func joinLines(_ session: SessionReference, order: UInt64, _ wait: KeyWait) -> [KeyIdentity] {
        let waiter = KeyWaiter(
            session: session, order: order, type: wait.type, wakesWithoutKey: wait.wakesWithoutKey,
            isCompeting: wait.isCompeting)
        let joined = wait.keys.filter { waiters.add(waiter, $0) }
        for key in joined { effects.wanted.insert(key.hash) }
        armEffects()
        return joined
    }

    mutating func leaveLines(_ suspension: borrowing Suspension) {
        guard !suspension.keys.isEmpty else { return }
        for key in suspension.keys {
            waiters.remove(suspension.order, key)
            effects.wanted.remove(key.hash)
        }
        armEffects()
    }

    // MARK: serving

    /// Runs what changes made ready. Called behind every command's effects; costs a compare when nothing is.
    mutating func serveWaiters() {
        guard context == .client, !gates.contains(.busy), !waiters.isServing else { return }
        guard waiters.hasReady || waiting.hasDeferred else { return }
        waiters.isServing = true
        repeat {
            while let key = waiters.takeReady() { serve(key) }
            resumeDeferred()
        } while waiters.hasReady
        waiters.isServing = false
    }

    /// Those who were in line when the key became ready get their turn once: who then waits again waits for the next
    /// change.
    private mutating func serve(_ key: KeyIdentity) {
        let end = waiters.lastOrder(for: key)
        var order: UInt64 = 0
        while let waiter = waiters.next(for: key, after: order), waiter.order <= end {
            order = waiter.order
            let type = liveType(of: key)
            if type == waiter.type.rawValue || waiter.wakesWithoutKey {
                resume(waiter.session, .ready)
                if waiter.isCompeting, waiters.next(for: key, after: order - 1)?.order == order { return }
            } else if type == nil && !waiters.wakesWithoutKey(key) {
                return
            }
        }
    }

    /// What the key holds, looked at without touching it; nil when there is no such key.
    private func liveType(of key: KeyIdentity) -> Int? {
        guard let slot = keyspace[key.database].table.find(key.bytes.span, hash: key.hash) else { return nil }
        return keyspace.isExpired(slot.entry) ? nil : slot.entry.type
    }
}
