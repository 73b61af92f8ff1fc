// Engine+Nested.swift - commands inside commands: EXEC runs its queue through here, a script its calls. What a nested
// command does not share with one that a client sent are the gates (a subset, named below) and waiting: it never
// suspends its session, because whoever it runs inside of holds the turn; a command that would wait answers as if its
// time had passed at once. Its effects follow it as usual; sessions that wait for its keys are served when the outer
// command has ended. Under the turn.
package import Base
internal import Keyspace
package import RESP

/// What a command runs inside of.
package enum CommandContext: UInt8, Sendable {
    /// Nothing: a client sent it.
    case client
    /// EXEC.
    case transaction
    /// EVAL, FCALL and their kin, be it in a transaction or not.
    case script
}

/// Under which rules one nested command runs.
package struct NestedRules: Sendable {
    /// Of the reply: 2 or 3.
    package var protocolVersion: Int
    /// The script promised to read only.
    package var refusesWrites = false
    /// Memory was over its limit when the script began, and it has written nothing yet.
    package var refusesGrowth = false
    /// The same of classes: those over their limits take nothing more.
    package var heedsClassLimits = false

    package init(protocolVersion: Int) { self.protocolVersion = protocolVersion }
}

/// What `endNesting` puts back.
package struct NestingScope: Sendable {
    let context: CommandContext
    let database: Int
}

extension Engine {
    /// Declares that the running command of `session` is about to run others. Every call is answered by `endNesting`.
    package mutating func beginNesting(_ context: CommandContext, _ session: SessionReference) -> NestingScope {
        precondition(context != .client, "a nested command runs inside of something")
        let scope = NestingScope(context: self.context, database: session.session.database)
        self.context = context
        return scope
    }

    /// SELECT stays when EXEC ran it and is undone when a script did.
    package mutating func endNesting(_ scope: consuming NestingScope, _ session: SessionReference) {
        if context == .script { session.session.database = scope.database }
        context = scope.context
        stamp = ticks()
    }

    /// Runs the command that `arguments` spell for `session` and appends its reply to `output`. False when a gate
    /// refused it; its error is then the reply. `slot` is the command's when the caller has looked it up already.
    /// With `resumption` a slow script goes on; while one is slow (`scripting.isBusy`) nothing was appended.
    package mutating func executeNested(
        _ session: SessionReference, _ arguments: Arguments, slot: Int? = nil, rules: NestedRules,
        resumption: Resumption? = nil, output: inout ByteBuffer
    ) -> Bool {
        precondition(context != .client, "nested commands run between beginNesting and endNesting")
        let id = slot ?? commands.resolve(arguments[0], arguments) ?? -1
        if resumption != nil {
            unsafe withUnsafeMutablePointer(to: &output) { buffer in
                _ = unsafe runNested(session, id, arguments, rules, buffer, resumption)
            }
            return true
        }
        if let refusal = nestedGates(id, arguments, rules) {
            unsafe withUnsafeMutablePointer(to: &output) { unsafe reject(session, id, refusal, $0) }
            return false
        }
        if let text = nestedAccessGate(session, id, arguments) {
            unsafe withUnsafeMutablePointer(to: &output) { unsafe reject(session, id, text: text, $0) }
            return false
        }
        if rules.heedsClassLimits, let text = nestedClassGate(session, id, arguments) {
            unsafe withUnsafeMutablePointer(to: &output) { unsafe reject(session, id, text: text, $0) }
            return false
        }
        if gates.contains(.monitored) { feedMonitors(session, id, arguments) }
        if gates.contains(.observed) { observe(id, arguments, database: session.session.database) }
        statistics.commandsProcessed &+= 1
        stamp = ticks()
        unsafe withUnsafeMutablePointer(to: &output) { buffer in
            if unsafe runNested(session, id, arguments, rules, buffer, nil) == .suspended,
                !gates.contains(.busy), unsafe runNested(session, id, arguments, rules, buffer, .timedOut) == .suspended
            {
                unsafe Reply(output: buffer, protocolVersion: rules.protocolVersion).nullArray()
            }
        }
        return true
    }

    @unsafe private mutating func runNested(
        _ session: SessionReference, _ id: Int, _ arguments: Arguments, _ rules: NestedRules,
        _ output: UnsafeMutablePointer<ByteBuffer>, _ resumption: Resumption?
    ) -> Outcome {
        var hashed = unsafe commands.slotPointer[id].firstKey
        var hash: UInt64 = 0
        if hashed > 0 && hashed < arguments.count {
            hash = KeyHash.hash(arguments[hashed], seed: KeyHash.seed)
        } else {
            hashed = 0
        }
        return unsafe perform(
            session, slot: id, arguments: arguments, hashedArgument: hashed, hash: hash, output: output,
            protocolVersion: rules.protocolVersion, resumption: resumption)
    }

    // MARK: gates

    /// Why a nested command may not run. EXEC's commands passed the other gates when they were queued.
    private func nestedGates(_ id: Int, _ arguments: borrowing Arguments, _ rules: NestedRules) -> StaticString? {
        guard context == .script else { return nil }
        return scriptNameGate(id) ?? scriptShapeGate(id, arguments) ?? scriptFlagsGate(id, rules)
    }

    private func scriptNameGate(_ id: Int) -> StaticString? {
        id < 0 ? "ERR Unknown Redis command called from script" : nil
    }

    private func scriptShapeGate(_ id: Int, _ arguments: borrowing Arguments) -> StaticString? {
        let slot = unsafe commands.slotPointer + id
        let count = arguments.count
        let arity = unsafe slot.pointee.arity
        if arity >= 0 ? count != arity : count < -arity {
            return "ERR Wrong number of args calling Redis command from script"
        }
        guard unsafe slot.pointee.isContainer else { return nil }
        if count > 1 { return "ERR Unknown Redis command called from script" }
        return unsafe !slot.pointee.runsAlone ? "ERR Wrong number of args calling Redis command from script" : nil
    }

    private func scriptFlagsGate(_ id: Int, _ rules: NestedRules) -> StaticString? {
        let flags = unsafe commands.slotPointer[id].flags
        if flags.contains(.noScript) && !debug.scriptsMayCallEverything {
            return "ERR This Redis command is not allowed from script"
        }
        // What may be replicated counts as a write, so that such scripts can run while CLIENT PAUSE WRITE holds others.
        if rules.refusesWrites && !flags.isDisjoint(with: [.write, .mayReplicate]) {
            return "ERR Write commands are not allowed from read-only scripts."
        }
        if rules.refusesGrowth && flags.contains(.denyOOM) { return CommandError.outOfMemory.text }
        return nil
    }
}
