// ClientPause.swift - CLIENT PAUSE: until its end, commands (all, or only those that may write) suspend their session
// instead of running. Expiry stops meanwhile, so that a paused dataset does not change. Later calls only ever make the
// pause longer and stricter, as in Redis.
internal import Base
internal import Keyspace
internal import RESP

package struct ClientPause {
    package enum Mode: Sendable { case writes, all }
    package internal(set) var mode = Mode.all
    /// Monotonic nanoseconds; 0 when not paused.
    package internal(set) var end: Int64 = 0
}

extension Engine {
    package var isPaused: Bool { gates.contains(.paused) }

    package mutating func pauseClients(_ mode: ClientPause.Mode, milliseconds: Int64) {
        let (length, isLong) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        let (sum, isEndless) = clock.monotonicNanoseconds.addingReportingOverflow(isLong ? .max : length)
        let end = isEndless ? Int64.max : sum
        let isStricter = isPaused && pause.mode == .all
        pause.mode = isStricter ? .all : mode
        pause.end = max(isPaused ? pause.end : 0, end)
        setGate(.paused, true)
        armDeath()
    }

    /// While clients are paused, and in import mode, readers find no expired key and remove none.
    mutating func armDeath() { keyspace.isImporting = settings.importMode || isPaused }

    package mutating func unpauseClients() {
        guard isPaused else { return }
        setGate(.paused, false)
        armDeath()
        pause.end = 0
        for session in waiting.ordered where session.session.suspension?.reason == .paused {
            resume(session, .ready)
        }
    }

    /// Ends a pause whose time is over.
    mutating func endPauseIfDue() {
        if isPaused, clock.monotonicNanoseconds >= pause.end { unpauseClients() }
    }

    /// Whether the pause holds a command with these flags back.
    func pauseHolds(_ flags: CommandFlags) -> Bool {
        pause.mode == .all || !flags.isDisjoint(with: [.write, .mayReplicate])
    }

    /// The flags of a command and of what it runs: a script that has declared not to write replicates nothing. One
    /// that cannot be found or read is taken for one that may.
    func pauseFlags(_ id: Int, _ flags: CommandFlags, _ arguments: borrowing Arguments) -> CommandFlags {
        guard flags.contains(.mayReplicate), arguments.count > 1 else { return flags }
        let declared: ScriptFlags?
        switch commands.fullNames[id] {
        case "eval":
            do throws(ScriptError) { declared = try ScriptHead.read(arguments[1]).flags } catch { declared = nil }
        case "evalsha": declared = scripting.cache.flags(digest: arguments[1])
        case "fcall": declared = scripting.libraries.function(arguments[1])?.flags
        default: return flags
        }
        return declared?.contains(.noWrites) == true ? flags.subtracting(.mayReplicate) : flags
    }
}
