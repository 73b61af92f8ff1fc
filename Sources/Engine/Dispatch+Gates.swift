// Dispatch+Gates.swift - every reason for which a command is refused or held back, each a named function, called in one
// visible order. Dispatch comes here only when a gate of the session or of the engine is armed, so a gate costs
// nothing while nobody needs it. A refusal is counted as a rejected call and as an error.
internal import Base
internal import Keyspace
internal import RESP

extension Engine {
    enum GateResult {
        case pass
        case refused
        case suspended
        case closed
    }

    @unsafe @inline(never)
    mutating func passGates(
        _ reference: SessionReference, _ id: Int, _ arguments: borrowing Arguments,
        _ output: UnsafeMutablePointer<ByteBuffer>, resumption: Resumption?
    ) -> GateResult {
        if gates.contains(.clientMemory) && resumption == nil && !admitClient(reference) { return .closed }
        let usual: EngineGates = [.memory, .clientMemory, .classLimits, .observed, .cold]
        // A limit is the usual case; nothing else is to be looked at then.
        if gates.isSubset(of: usual) && reference.session.gates.isEmpty && resumption == nil {
            return unsafe passUsualGates(reference, id, arguments, output)
        }
        if reference.session.gates.contains(.killed) { return .closed }
        // A wait that ended without what it waited for only answers; nothing is left to refuse.
        if resumption == .timedOut || resumption == .unblocked { return .pass }
        let flags = gateFlags(reference, commands.slot(id).flags)
        if let refusal = authenticationGate(reference, flags) {
            unsafe reject(reference, id, refusal, output)
            return .refused
        }
        if reference.session.gates.contains(.limited), let text = accessGate(reference, id, arguments) {
            unsafe reject(reference, id, text: text, output)
            return .refused
        }
        var refusal = transactionGate(reference, flags)
        if refusal == nil, memoryGate(reference, id, flags, arguments, &refusal) { return .suspended }
        if let refusal = refusal ?? saveGate(id, flags) {
            unsafe reject(reference, id, refusal, output)
            return .refused
        }
        if let text = classGate(reference, id, arguments) ?? diskGate(id, flags) {
            unsafe reject(reference, id, text: text, output)
            return .refused
        }
        if reference.session.gates.contains(.subscribed) && !flags.contains(.whileSubscribed) {
            unsafe reject(reference, id, text: subscribedRefusal(id), output)
            return .refused
        }
        if let refusal = loadingGate(flags) ?? busyGate(flags) {
            unsafe reject(reference, id, refusal, output)
            return .refused
        }
        if gates.contains(.paused) && pauseGate(reference, pauseFlags(id, flags, arguments)) {
            suspend(reference, reason: .paused, deadline: pause.end, slot: id, arguments: arguments)
            return .suspended
        }
        if gates.contains(.capturing) && snapshotGate(reference, id, flags, arguments) {
            suspend(reference, reason: .snapshot, deadline: nil, slot: id, arguments: arguments)
            return .suspended
        }
        if gates.contains(.cold) && resumption == nil && coldGate(reference, id, arguments) { return .suspended }
        if reference.session.gates.contains(.queueing) && !flags.contains(.unqueued) {
            return unsafe queue(reference, id, arguments, output)
        }
        if gates.contains(.monitored) && resumption == nil && !flags.contains(.runsQueue) {
            feedMonitors(reference, id, arguments)
        }
        return look(id, arguments, reference, resumption)
    }

    /// The gates of memory, classes and disk alone.
    @unsafe private mutating func passUsualGates(
        _ reference: SessionReference, _ id: Int, _ arguments: borrowing Arguments,
        _ output: UnsafeMutablePointer<ByteBuffer>
    ) -> GateResult {
        var refusal: StaticString?
        if memoryGate(reference, id, commands.slot(id).flags, arguments, &refusal) { return .suspended }
        if let refusal {
            unsafe reject(reference, id, refusal, output)
            return .refused
        }
        if let text = classGate(reference, id, arguments) {
            unsafe reject(reference, id, text: text, output)
            return .refused
        }
        if gates.contains(.cold) && coldGate(reference, id, arguments) { return .suspended }
        return look(id, arguments, reference, nil)
    }

    /// No gate stands before the command any more: who follows accesses sees it once.
    private mutating func look(
        _ id: Int, _ arguments: borrowing Arguments, _ reference: SessionReference, _ resumption: Resumption?
    ) -> GateResult {
        if gates.contains(.importing) { keyspace.keepsExpired = reference.session.isImportSource }
        if gates.contains(.observed) && resumption == nil {
            observe(id, arguments, database: reference.session.database)
        }
        return .pass
    }

    /// MULTI: the command waits for EXEC. It has not run, so it is not counted as processed either.
    @unsafe private mutating func queue(
        _ reference: SessionReference, _ id: Int, _ arguments: borrowing Arguments,
        _ output: UnsafeMutablePointer<ByteBuffer>
    ) -> GateResult {
        guard queueCommand(reference, id, arguments) else {
            Log.shared.warning("Closing client that reached max query buffer length in a transaction")
            statistics.queryBufferLimitDisconnections += 1
            return .closed
        }
        statistics.commandsProcessed &-= 1
        let mark = unsafe output.pointee.count
        unsafe Reply(output: output, protocolVersion: 2).simple("QUEUED")
        unsafe silenceRefusal(reference, output, mark)
        return .refused
    }

    /// Some commands make no sense in a transaction.
    private func transactionGate(_ reference: SessionReference, _ flags: CommandFlags) -> StaticString? {
        guard reference.session.gates.contains(.queueing), flags.contains(.noMulti), !flags.contains(.unqueued)
        else { return nil }
        return "ERR Command not allowed inside a transaction"
    }

    /// Clients that must authenticate may only run what leads there.
    private func authenticationGate(_ reference: SessionReference, _ flags: CommandFlags) -> StaticString? {
        guard !reference.session.isAuthenticated, !flags.contains(.noAuth) else { return nil }
        if !requiresPassword {
            // The password was taken away since the client came.
            reference.session.gates.remove(.unauthenticated)
            return nil
        }
        return "NOAUTH Authentication required."
    }

    /// Above `maxmemory` keys are evicted before a command runs; when none may go, commands that may grow the dataset
    /// are refused. Others pass in any case. True when the command waits until the disk has made room.
    private mutating func memoryGate(
        _ reference: SessionReference, _ id: Int, _ flags: CommandFlags, _ arguments: borrowing Arguments,
        _ refusal: inout StaticString?
    ) -> Bool {
        guard gates.contains(.memory), !gates.contains(.importing) else { return false }
        let grows = flags.contains(.denyOOM)
        // INFO and its like, which are neither data commands nor frequent.
        let isExact = flags.isDisjoint(with: [.write, .readonly, .fast])
        let room = admit(byteCount: grows ? arguments.extent : 0, isExact: isExact)
        guard grows else { return false }
        if room == .none { refusal = CommandError.outOfMemory.text }
        return room == .later && holdUp(reference, id, arguments)
    }

    /// What cannot be kept is not begun. PING is refused too, so that whoever looks after the server hears of it.
    private func diskGate(_ id: Int, _ flags: CommandFlags) -> ByteBuffer? {
        guard gates.contains(.diskFailed), let refusal = diskRefusal,
            flags.contains(.write) || commands.fullNames[id] == "ping" else { return nil }
        var text = ByteBuffer()
        text.append(refusal)
        return text
    }

    /// A RESP2 client that listens to channels could not tell replies from messages.
    private func subscribedRefusal(_ id: Int) -> ByteBuffer {
        var text = ByteBuffer()
        text.append("ERR Can't execute '")
        text.append(commands.fullNames[id])
        text.append("': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context")
        return text
    }

    private func loadingGate(_ flags: CommandFlags) -> StaticString? {
        guard gates.contains(.loading), !flags.contains(.loading) else { return nil }
        return "LOADING Redis is loading the dataset in memory"
    }

    /// CLIENT PAUSE holds commands back; a client that manages the server is never held.
    private mutating func pauseGate(_ reference: SessionReference, _ flags: CommandFlags) -> Bool {
        if clock.monotonicNanoseconds >= pause.end {
            setGate(.paused, false)
            armDeath()
            return false
        }
        return !reference.session.isReplica && pauseHolds(flags)
    }

    /// Shows the command to every MONITOR client, before it runs. EVAL and FCALL as well, ahead of what they call:
    /// their flag `skip_monitor` only says that stock servers show them by hand for that reason.
    mutating func feedMonitors(
        _ reference: SessionReference, _ id: Int, _ arguments: borrowing Arguments
    ) {
        let flags = commands.slot(id).flags
        guard !flags.contains(.admin) else { return }
        var line = ByteBuffer()
        let now = clock.nowMicroseconds
        line.append("+\(now / 1_000_000).")
        let fraction = String(now % 1_000_000)
        line.append(String(repeating: "0", count: 6 - fraction.utf8.count) + fraction)
        let source = context == .script ? "lua" : reference.session.address
        line.append(" [\(reference.session.database) \(source)]")
        for index in 0..<arguments.count {
            line.append(" ")
            if isSecret(arguments, index, of: id) {
                line.append("\"(redacted)\"")
            } else {
                ArgumentText.appendQuoted(arguments[index], to: &line)
            }
        }
        line.append("\r\n")
        let bytes = line.span.array
        for monitor in monitors where monitor != reference { deliver(.output(bytes), to: monitor) }
    }

    // MARK: refusals

    @unsafe @inline(never)
    mutating func reject(
        _ reference: SessionReference, _ id: Int, _ text: StaticString,
        _ output: UnsafeMutablePointer<ByteBuffer>
    ) {
        var bytes = ByteBuffer()
        bytes.append(text)
        unsafe reject(reference, id, bytes.span, output)
    }

    @unsafe private mutating func reject(
        _ reference: SessionReference, _ id: Int, _ text: Span<UInt8>, _ output: UnsafeMutablePointer<ByteBuffer>
    ) {
        let mark = unsafe output.pointee.count
        if isRefusedEnd(reference, id) {
            unsafe writeAbort(text, output)
        } else {
            unsafe Reply(output: output, protocolVersion: 2).error(text)
        }
        if id >= 0 { unsafe commandStatistics[id].rejected &+= 1 }
        unsafe noteError(output, mark: mark)
        unsafe silenceRefusal(reference, output, mark)
    }

    @unsafe mutating func reject(
        _ reference: SessionReference, _ id: Int, text: borrowing ByteBuffer, _ output: UnsafeMutablePointer<ByteBuffer>
    ) {
        let mark = unsafe output.pointee.count
        if isRefusedEnd(reference, id) {
            // Redis quotes the words of a wrong shape without their code, others with it.
            let words = text.span
            let start = words.count >= 4 && words.extracting(0..<4).equals("ERR ") ? 4 : 0
            unsafe writeAbort(words.extracting(start..<words.count), output)
        } else {
            unsafe Reply(output: output, protocolVersion: 2).error(text.span)
        }
        if id >= 0 { unsafe commandStatistics[id].rejected &+= 1 }
        unsafe noteError(output, mark: mark)
        unsafe silenceRefusal(reference, output, mark)
    }

    /// A refused command spoils the transaction that its client queues; a refused EXEC ends it, and says so (true).
    private mutating func isRefusedEnd(_ reference: SessionReference, _ id: Int) -> Bool {
        guard context == .client else { return false }
        if id >= 0 && commands.slot(id).flags.contains(.runsQueue) {
            closeTransaction(reference)
            return true
        }
        failTransaction(reference)
        return false
    }

    @unsafe private func writeAbort(_ reason: Span<UInt8>, _ output: UnsafeMutablePointer<ByteBuffer>) {
        var text = ByteBuffer()
        text.append("EXECABORT Transaction discarded because of: ")
        text.append(reason)
        unsafe Reply(output: output, protocolVersion: 2).error(text.span)
    }

    @unsafe private func silenceRefusal(
        _ reference: SessionReference, _ output: UnsafeMutablePointer<ByteBuffer>, _ mark: Int
    ) {
        if reference.session.gates.contains(.silent) { unsafe silence(reference.pointer, output, mark: mark) }
    }

    /// Wrong number of words, or a container without a subcommand that exists.
    @unsafe @inline(never)
    mutating func refuseShape(
        _ reference: SessionReference, _ id: Int, _ arguments: borrowing Arguments,
        _ output: UnsafeMutablePointer<ByteBuffer>
    ) -> Outcome {
        var text = ByteBuffer()
        if commands.slot(id).isContainer && arguments.count > 1 {
            text.append("ERR unknown subcommand '")
            text.append(UnknownCommand.quotable(arguments[1], 128))
            text.append("'. Try ")
            text.append(commands.shownName(id).uppercased())
            text.append(" HELP.")
        } else {
            text.append("ERR wrong number of arguments for '")
            text.append(commands.fullNames[id])
            text.append("' command")
        }
        unsafe reject(reference, id, text: text, output)
        return .done
    }

    @unsafe @inline(never)
    mutating func refuseUnknown(
        _ reference: SessionReference, _ arguments: borrowing Arguments,
        _ output: UnsafeMutablePointer<ByteBuffer>
    ) -> Outcome {
        if arguments.count > 0, UnknownCommand.isHTTP(arguments[0]) {
            Log.shared.warning(
                """
                Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to \
                Redis. This is likely due to an attacker attempting to use Cross Protocol Scripting to compromise \
                your Redis instance. Connection from \(reference.session.address) aborted.
                """)
            return .close
        }
        unsafe reject(reference, -1, text: UnknownCommand.text(arguments), output)
        return .done
    }
}

/// The words for a command that does not exist.
enum UnknownCommand {
    /// How many bytes of names and arguments an error quotes.
    private static let quotedByteCountMax = 128

    static func text(_ arguments: borrowing Arguments) -> ByteBuffer {
        var text = ByteBuffer()
        text.append("ERR unknown command '")
        if arguments.count > 0 { text.append(quotable(arguments[0], quotedByteCountMax)) }
        text.append("', with args beginning with: ")
        var quoted = 0
        for index in 1..<max(1, arguments.count) where quoted < quotedByteCountMax {
            let shown = quotable(arguments[index], quotedByteCountMax - quoted)
            text.append("'")
            text.append(shown)
            text.append("' ")
            quoted += shown.count + 3
        }
        return text
    }

    /// What an error shows of a client's word: at most `maximum` bytes, and nothing from a NUL on, as in Redis.
    @_lifetime(copy bytes)
    static func quotable(_ bytes: Span<UInt8>, _ maximum: Int) -> Span<UInt8> {
        var count = 0
        while count < bytes.count && count < maximum && bytes[count] != 0 { count += 1 }
        return bytes.prefixView(count)
    }

    /// Browsers talking HTTP are cut off before they can do harm.
    static func isHTTP(_ name: Span<UInt8>) -> Bool {
        name.equalsIgnoringCase("post") || name.equalsIgnoringCase("host:")
    }
}

extension Span where Element == UInt8 {
    /// At most the first `maximum` bytes.
    @_lifetime(copy self)
    func prefixView(_ maximum: Int) -> Span<UInt8> { extracting(0..<Swift.min(count, Swift.max(0, maximum))) }
}
