// Engine+SnapshotGate.swift - writes that wait for a snapshot. A small value is handed over in passing by whoever is
// about to change it; copying a large one would hold everybody up, so the command waits while the snapshot takes that
// value next, piece by piece, and other clients go on. Values that are replaced or removed whole are given to the
// snapshot and cost nothing. Transactions and scripts wait before they begin, never inside: keys that a script has not
// declared, or that a transaction reaches by SELECT, are handed over in passing. Under the turn.
internal import Base
internal import Keyspace
internal import RESP
internal import Structures

extension Engine {
    /// Whether a command must wait before it may change one of its keys. EXEC waits for the keys of its queue, a script
    /// that may write for those it declares. Looked at only while a snapshot is taken.
    mutating func snapshotGate(
        _ reference: SessionReference, _ id: Int, _ flags: CommandFlags, _ arguments: borrowing Arguments
    ) -> Bool {
        guard context == .client else { return false }
        var mustWait = false
        if reference.session.gates.contains(.queueing) {
            guard flags.contains(.runsQueue), let transaction = reference.session.transaction, transaction.mayRun
            else { return false }
            transaction.queue.forEach(from: 0) { slot, words in
                if awaitsSnapshot(reference, slot, commands.slot(slot).flags, words) { mustWait = true }
                return true
            }
        } else {
            mustWait = awaitsSnapshot(reference, id, flags, arguments)
        }
        if mustWait { saving.hasWaiters = true }
        return mustWait
    }

    /// All of the command's keys are looked at, so that the snapshot takes them one after another.
    private func awaitsSnapshot(
        _ reference: SessionReference, _ id: Int, _ flags: CommandFlags, _ arguments: borrowing Arguments
    ) -> Bool {
        guard !pauseFlags(id, flags, arguments).isDisjoint(with: [.write, .mayReplicate]) else { return false }
        var keys: [KeyReference] = []
        guard KeyExtraction.append(keysOf: commands.commands[id], in: arguments, to: &keys) else { return false }
        var mustWait = false
        for key in keys where !key.flags.contains(.readOnly) && !key.flags.contains(.overwrite)
            && !key.flags.contains(.remove)
        {
            let bytes = arguments[key.index]
            let hash = KeyHash.hash(bytes, seed: KeyHash.seed)
            if keyspace.isAwaitingSnapshot(bytes, hash: hash, in: reference.session.database) { mustWait = true }
        }
        return mustWait
    }

    /// Whether copying this entry in passing would hold everybody up; the snapshot takes it next then.
    func isAwaitingSnapshot(_ entry: Entry, in database: Int) -> Bool {
        guard _slowPath(gates.contains(.capturing)) else { return false }
        let key = entry.key.array
        return keyspace.isAwaitingSnapshot(key.span, hash: KeyHash.hash(key.span, seed: KeyHash.seed), in: database)
    }

    /// Lets commands that waited for values of the snapshot try again.
    mutating func resumeSnapshotWaiters() {
        guard saving.hasWaiters else { return }
        saving.hasWaiters = false
        for session in waiting.ordered where session.session.suspension?.reason == .snapshot {
            resume(session, .ready)
        }
    }
}
