// Engine+SnapshotGate.swift - writes that wait for a snapshot. A small value is handed over in passing by whoever is
// about to change it; copying a large one would hold everybody up, so the command waits while the snapshot takes that
// value next, piece by piece, and other clients go on. Values that are replaced or removed whole are given to the
// snapshot and cost nothing. Within transactions and scripts nothing waits. Under the turn.
internal import Base
internal import Keyspace
internal import RESP

extension Engine {
    /// Whether a command must wait before it may change one of its keys. Looked at only while a snapshot is taken.
    mutating func snapshotGate(
        _ reference: SessionReference, _ id: Int, _ flags: CommandFlags, _ arguments: borrowing Arguments
    ) -> Bool {
        guard flags.contains(.write), context == .client, !reference.session.gates.contains(.queueing) else {
            return false
        }
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
        if mustWait { saving.hasWaiters = true }
        return mustWait
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
