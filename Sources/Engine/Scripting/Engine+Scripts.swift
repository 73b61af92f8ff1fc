// Engine+Scripts.swift - running scripts: starting, the commands they call, pausing when they take long, going on, and
// their end. A script runs inside of its client's command and holds the turn, so it is atomic. Once it has run for
// longer than `busy-reply-threshold` it pauses between its instructions: its session is suspended and goes on in short
// slices, other clients get BUSY, and SCRIPT KILL can end it. Under the turn.
internal import Base
internal import CLua
internal import Keyspace
internal import RESP

/// What to run.
struct ScriptStart {
    let function: ScriptFunction
    let flags: ScriptFlags
    let name: ScriptName
    let isFunction: Bool
    /// The client promised not to write (EVAL_RO, FCALL_RO).
    let isReadOnly: Bool
    /// Argument index of the first key.
    let firstKey: Int
    let keyCount: Int
}

extension Engine {
    /// How long a slow script runs before others get their turn.
    private static var sliceMicroseconds: Double { 1000 }

    // MARK: what a script must be before it may run

    /// Why a script that declared its flags may not run now.
    func refusal(of flags: ScriptFlags, isReadOnly: Bool) -> StaticString? {
        if flags.contains(.undeclared) || flags.contains(.noWrites) { return nil }
        if isReadOnly { return "ERR Can not execute a script with write flag using *_ro command." }
        if !flags.contains(.allowOOM) && gates.contains(.memory) && isOverMemoryLimit() {
            return "OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'"
        }
        return nil
    }

    // MARK: running

    /// Runs a script of `session` until it ends or pauses. Its result goes to `reply`.
    mutating func startScript(
        _ start: ScriptStart, _ session: SessionReference, _ arguments: borrowing Arguments, reply: Reply
    ) -> ScriptOutcome {
        guard let interpreter = start.isFunction ? scripting.functions : scripting.scripts else {
            return .failed(ScriptFailure(message: Array("ERR no script interpreter".utf8)))
        }
        precondition(!scripting.running.isRunning, "one script runs at a time")
        var running = RunningScript()
        running.isRunning = true
        running.isFunction = start.isFunction
        running.session = session
        running.name = start.name
        running.refusesWrites = start.isReadOnly || start.flags.contains(.noWrites)
        running.refusesGrowth = !start.flags.contains(.allowOOM) && gates.contains(.memory) && isOverMemoryLimit()
        running.heedsClassLimits = !start.flags.contains(.allowOOM)
        running.now = keyspace.now
        running.startTicks = stamp
        let threshold = settings.busyReplyThresholdMilliseconds
        // A script out of an AOF (stock servers before 7 record them so) ends before what stands behind it begins.
        interpreter.setDeadline(
            ticks: threshold > 0 && !isLoading
                ? stamp &+ Engine.ticks(microseconds: Double(threshold) * 1000) : UInt64.max)
        running.scope = beginNesting(.script, session)
        scripting.running = running
        scripting.reply = reply
        let protocolVersion = session.session.protocolVersion
        return unsafe withUnsafeMutablePointer(to: &self) { engine in
            unsafe interpreter.start(
                start.function, arguments, firstKey: start.firstKey, keyCount: start.keyCount,
                protocolVersion: protocolVersion, engine: engine)
        }
    }

    static func ticks(microseconds: Double) -> UInt64 {
        UInt64(max(0, min(microseconds * Ticks.perMicrosecond, 0x1p62)))
    }

    /// A paused script goes on for a slice.
    mutating func continueScript(reply: Reply?) -> ScriptOutcome {
        guard let session = scripting.running.session,
            let interpreter = scripting.running.isFunction ? scripting.functions : scripting.scripts
        else { return .done(isCounted: false) }
        let (now, database) = (keyspace.now, scripting.running.database)
        keyspace.now = scripting.running.now
        stamp = ticks()
        context = .script
        session.session.database = database
        scripting.reply = reply
        interpreter.setDeadline(ticks: stamp &+ Engine.ticks(microseconds: Engine.sliceMicroseconds))
        let outcome = unsafe withUnsafeMutablePointer(to: &self) { engine in unsafe interpreter.resume(engine: engine) }
        keyspace.now = now
        return outcome
    }

    /// The script is over.
    mutating func endScript() {
        journal.allowed = .all
        guard scripting.running.isRunning, let session = scripting.running.session else { return }
        endNesting(scripting.running.scope, session)
        scripting.running.isRunning = false
        scripting.running.session = nil
        scripting.reply = nil
        scripting.clearCommandReply()
        if scripting.running.isSlow {
            scripting.running.isSlow = false
            setGate(.busy, false)
        }
    }

    /// The script waits between two of its instructions, and others may be answered.
    mutating func pauseScript() {
        guard let session = scripting.running.session else { return }
        scripting.running.database = session.session.database
        session.session.database = scripting.running.scope.database
        context = scripting.running.scope.context
        scripting.reply = nil
        guard !scripting.running.isSlow else { return }
        scripting.running.isSlow = true
        setGate(.busy, true)
        hooks.wakeAt(0)
        Log.shared.warning(
            """
            Slow script detected: still in execution after \(scriptMilliseconds) milliseconds. You can try killing \
            the script using the \(scripting.running.isFunction ? "FUNCTION KILL" : "SCRIPT KILL") command. Script \
            name is: \(String(decoding: scripting.runningName, as: UTF8.self)).
            """)
    }

    /// How long the script has run so far.
    var scriptMilliseconds: Int {
        Int(Double(ticks() &- scripting.running.startTicks) / Ticks.perMicrosecond / 1000)
    }

    // MARK: what scripts call

    /// redis.call: runs a command; answers with its reply's bytes.
    mutating func runFromScript(_ arguments: Arguments, protocolVersion: Int) -> fog_slice {
        let reply = unsafe scripting.commandReply
        unsafe reply.pointee.truncate(to: 0)
        guard let session = scripting.running.session else { return unsafe fog_slice() }
        var rules = NestedRules(protocolVersion: protocolVersion)
        rules.refusesWrites = scripting.running.refusesWrites
        rules.refusesGrowth = scripting.running.refusesGrowth && !scripting.running.hasWritten
        rules.heedsClassLimits =
            gates.contains(.classLimits) && scripting.running.heedsClassLimits && !scripting.running.hasWritten
        let id = commands.resolve(arguments[0], arguments) ?? -1
        let hasRun = unsafe executeNested(session, arguments, slot: id, rules: rules, output: &reply.pointee)
        if hasRun, unsafe commands.slotPointer[id].flags.contains(.write) { scripting.running.hasWritten = true }
        return unsafe fog_slice(base: UnsafePointer(reply.pointee.pointer), count: reply.pointee.count)
    }

    /// redis.acl_check_cmd: 1 when the user may run the command, 0 when not, -1 when there is none.
    func scriptPermits(_ arguments: borrowing Arguments) -> Int32 {
        guard let id = commands.resolve(arguments[0], arguments), let session = scripting.running.session else {
            return -1
        }
        let user = session.session.account.user
        return refusal(of: user, id, arguments, database: session.session.database) == nil ? 1 : 0
    }

    // MARK: killing

    /// SCRIPT KILL, FUNCTION KILL.
    mutating func killScript(asFunction: Bool) throws(CommandError) {
        guard scripting.running.isRunning else {
            throw .message("NOTBUSY No scripts in execution right now.")
        }
        if scripting.running.hasWritten {
            throw .message(
                """
                UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait \
                the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.
                """)
        }
        if scripting.running.isFunction != asFunction { throw .message(busyText) }
        let interpreter = scripting.running.isFunction ? scripting.functions : scripting.scripts
        interpreter?.kill(asFunction ? Engine.functionKilledText : Engine.scriptKilledText)
    }

    static var scriptKilledText: StaticString { "Script killed by user with SCRIPT KILL." }
    static var functionKilledText: StaticString { "Script killed by user with FUNCTION KILL." }

    /// What other clients get while a script is slow.
    var busyText: StaticString {
        scripting.running.isFunction
            ? "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."
            : "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
    }

    /// Only commands that may see a half-done script run beside it.
    package func busyGate(_ flags: CommandFlags) -> StaticString? {
        guard gates.contains(.busy), !flags.contains(.allowBusy) else { return nil }
        return busyText
    }

    // MARK: a script without its client

    /// The session goes. True: its script has written, or is part of a transaction, and must end first, with the
    /// session; `runOrphan` does that.
    mutating func orphanScript(of session: SessionReference) -> Bool {
        guard scripting.running.isRunning, scripting.running.session == session else { return false }
        let interpreter = scripting.running.isFunction ? scripting.functions : scripting.scripts
        if !scripting.running.hasWritten { interpreter?.kill(Engine.scriptKilledText) }
        if scripting.running.hasWritten || session.session.transaction?.progress != nil {
            scripting.running.isOrphan = true
            return true
        }
        while case .paused = continueScript(reply: nil) { pauseScript() }
        endScript()
        return false
    }

    /// A slice of the script that is slow. True while there is more to do.
    mutating func runSlowScript() -> Bool {
        guard scripting.isBusy, let session = scripting.running.session else { return false }
        if scripting.running.isOrphan {
            runOrphan(session)
        } else {
            // Not `.ready`: no gate may hold back what has begun.
            resume(session, .timedOut)
        }
        return scripting.isBusy
    }

    /// A slice of a script whose client has gone; its session goes with its end.
    private mutating func runOrphan(_ session: SessionReference) {
        if session.session.transaction?.progress != nil {
            // The rest of its transaction belongs to it.
            var unread = ByteBuffer()
            let isFinished = unsafe withUnsafeMutablePointer(to: &unread) { buffer in
                runTransaction(session, reply: unsafe Reply(output: buffer, protocolVersion: 2))
            }
            if !isFinished { return }
        } else {
            if case .paused = continueScript(reply: nil) { return pauseScript() }
            endScript()
        }
        scripting.running.isOrphan = false
        discardMail(of: session)
        session.deallocate()
        if journal.isOn { journal.endUnit(second: keyspace.now / 1000) }
        serveWaiters()
    }
}
