// Dispatch.swift - from a parsed command to its reply. The straight path is: arity, run, count. Everything that can
// keep a command from running is a named gate (Dispatch+Gates.swift), looked at only when a session or engine gate is
// armed. Under the turn. The straight path allocates nothing and touches no reference count.
internal import Base
internal import Keyspace
internal import RESP

/// How a command ended.
package enum Outcome {
    case done
    /// The session waits; its later commands must not run yet.
    case suspended
    /// The connection is to be closed after its output was written.
    case close
}

extension Engine {
    /// Runs one command of `session`; the reply is appended to `output`.
    @unsafe @inline(__always)
    mutating func execute(
        _ reference: SessionReference, slot id: Int, arguments: Arguments, hashedArgument: Int, hash: UInt64,
        output: UnsafeMutablePointer<ByteBuffer>, resumption: Resumption? = nil
    ) -> Outcome {
        let session = unsafe reference.pointer
        guard id >= 0 else {
            return unsafe refuseUnknown(reference, arguments, output)
        }
        let slot = unsafe commands.slotPointer + id
        let arity = unsafe slot.pointee.arity
        let count = arguments.count
        let needsSubcommand = unsafe slot.pointee.isContainer && (count > 1 || !slot.pointee.runsAlone)
        if _slowPath((arity >= 0 ? count != arity : count < -arity) || needsSubcommand) {
            return unsafe refuseShape(reference, id, arguments, output)
        }
        if unsafe _slowPath(gates.rawValue | session.pointee.gates.rawValue != 0) {
            switch unsafe passGates(reference, id, arguments, output, resumption: resumption) {
            case .pass: break
            case .refused: return .done
            case .suspended: return .suspended
            case .closed: return .close
            }
        }
        return unsafe perform(
            reference, slot: id, arguments: arguments, hashedArgument: hashedArgument, hash: hash, output: output,
            protocolVersion: session.pointee.protocolVersion, resumption: resumption)
    }

    /// Runs the handler of a command that passed its gates, and what follows it.
    @unsafe @inline(__always)
    mutating func perform(
        _ reference: SessionReference, slot id: Int, arguments: Arguments, hashedArgument: Int, hash: UInt64,
        output: UnsafeMutablePointer<ByteBuffer>, protocolVersion: Int, resumption: Resumption?
    ) -> Outcome {
        let mark = unsafe output.pointee.count
        let slot = unsafe commands.slotPointer + id
        let start = stamp
        var isSuspended = false
        let reply = unsafe Reply(output: output, protocolVersion: protocolVersion)
        unsafe withUnsafeMutablePointer(to: &self) { engine in
            var call = unsafe Call(
                engine: engine, session: reference, arguments: arguments, reply: reply, slot: id,
                hashedArgument: hashedArgument, hash: hash, resumption: resumption)
            do throws(CommandError) {
                try unsafe slot.pointee.run(&call)
            } catch {
                CommandErrors.write(error, to: call.reply, mark: mark)
            }
            isSuspended = call.isSuspended
        }
        if _slowPath(isSuspended) {
            unsafe output.pointee.truncate(to: mark)
            // What it changed before it had to wait (XREADGROUP's consumer) is done and does not wait.
            if journal.isOn { journalCommand(reference, arguments) }
            if effects.isObserved { applyEffects() }
            return .suspended
        }
        return unsafe finish(reference, id, arguments, output, mark: mark, start: start)
    }

    /// Statistics, effects and what a session asked for its own end; the tail of every command that ran.
    @unsafe @inline(__always)
    private mutating func finish(
        _ reference: SessionReference, _ id: Int, _ arguments: borrowing Arguments,
        _ output: UnsafeMutablePointer<ByteBuffer>, mark: Int, start: UInt64
    ) -> Outcome {
        let end = ticks()
        stamp = end
        let elapsed = end &- start
        let statistics = unsafe commandStatistics + id
        unsafe statistics.pointee.calls &+= 1
        unsafe statistics.pointee.ticks &+= elapsed
        if recordsLatency {
            if let histogram = unsafe statistics.pointee.histogram {
                histogram.record(elapsed)
            } else {
                unsafe statistics.pointee.histogram = LatencyHistogram()
                unsafe statistics.pointee.histogram?.record(elapsed)
            }
        }
        let session = unsafe reference.pointer
        unsafe session.pointee.lastCommand = id
        unsafe session.pointee.commandCount &+= 1
        if unsafe _slowPath(output.pointee.count > mark && output.pointee.pointer[mark] == UInt8(ascii: "-")) {
            unsafe statistics.pointee.failed &+= 1
            unsafe noteError(output, mark: mark)
        }
        let replyByteCount = unsafe output.pointee.count &- mark
        if _slowPath(
            elapsed >= slowTicks || replyByteCount >= largeReplyByteCount
                || arguments.extent >= largeRequestByteCount)
        {
            noteSlow(reference, id, arguments, elapsed: elapsed, replyByteCount: replyByteCount)
        }
        if _slowPath(journal.isOn) { journalCommand(reference, arguments) }
        if _slowPath(!keyspace.removals.isEmpty || effects.isObserved) { applyEffects() }
        if unsafe _slowPath(session.pointee.gates.rawValue != 0) { unsafe settle(reference, id, output, mark: mark) }
        return unsafe _slowPath(session.pointee.closesAfterReply) ? .close : .done
    }

    /// What sessions with a gate armed get behind their command. The inside of another command gets none of it.
    @unsafe @inline(never)
    private mutating func settle(
        _ reference: SessionReference, _ id: Int, _ output: UnsafeMutablePointer<ByteBuffer>, mark: Int
    ) {
        guard context == .client else { return }
        if reference.session.gates.contains(.silent) && !commands.slot(id).flags.contains(.pushesReply) {
            unsafe silence(reference.pointer, output, mark: mark)
        }
        if reference.session.gates.contains(.ownMail) {
            reference.session.gates.remove(.ownMail)
            unsafe writeMail(of: reference, to: &output.pointee)
        }
    }

    /// CLIENT REPLY OFF and SKIP: drops what the command wrote.
    @unsafe @inline(never)
    func silence(
        _ session: UnsafeMutablePointer<Session>, _ output: UnsafeMutablePointer<ByteBuffer>, mark: Int
    ) {
        switch unsafe session.pointee.replyMode {
        case .on: break
        case .off: unsafe output.pointee.truncate(to: mark)
        case .skipNext:
            unsafe output.pointee.truncate(to: mark)
            unsafe session.pointee.replyMode = .skipping
        case .skipping:
            unsafe output.pointee.truncate(to: mark)
            unsafe session.pointee.replyMode = .on
            unsafe session.pointee.gates.remove(.silent)
        }
    }
}

/// Writing thrown errors: a handler that threw may have begun a reply, which the error replaces.
enum CommandErrors {
    @inline(never)
    static func write(_ error: CommandError, to reply: borrowing Reply, mark: Int) {
        if case .written = error { return }
        reply.buffer.truncate(to: mark)
        reply.error(error.text)
    }
}
