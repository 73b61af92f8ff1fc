// Engine+Transactions.swift - MULTI's queue and its end: opening, queueing, running, discarding. Queueing is a gate of
// dispatch (`SessionGates.queueing`), so a client without a transaction never comes here. Under the turn.
internal import Base
internal import RESP

extension Engine {
    /// What `session` has to do with transactions, made on first use.
    func transaction(of session: SessionReference) -> Transaction {
        if let transaction = session.session.transaction { return transaction }
        let transaction = Transaction()
        session.session.transaction = transaction
        return transaction
    }

    /// MULTI.
    mutating func openTransaction(_ session: SessionReference) {
        transaction(of: session).isOpen = true
        session.session.gates.insert(.queueing)
    }

    /// DISCARD, RESET and every other end: queue, watched keys and failures are forgotten.
    package mutating func closeTransaction(_ session: SessionReference) {
        guard let transaction = session.session.transaction else { return }
        unwatchAll(session)
        transaction.close()
        session.session.gates.remove(.queueing)
    }

    /// A command could not be queued.
    func failTransaction(_ session: SessionReference) {
        guard context == .client, let transaction = session.session.transaction else { return }
        if transaction.isOpen { transaction.hasFailed = true }
    }

    /// The flags that gates look at: EXEC writes and grows as its queue does, and queueing itself grows.
    func gateFlags(_ session: SessionReference, _ flags: CommandFlags) -> CommandFlags {
        guard session.session.gates.contains(.queueing), let transaction = session.session.transaction else {
            return flags
        }
        if flags.contains(.runsQueue) {
            return flags.union(transaction.flags.intersection([.write, .denyOOM, .mayReplicate]))
        }
        return flags.contains(.unqueued) ? flags : flags.union(.denyOOM)
    }

    /// Keeps a command for EXEC. False when the queue has outgrown what a client may keep: the client must go.
    func queueCommand(_ session: SessionReference, _ id: Int, _ arguments: borrowing Arguments) -> Bool {
        let transaction = transaction(of: session)
        // EXEC will run nothing any more, so nothing more is kept.
        if transaction.hasFailed || transaction.isStale { return true }
        transaction.append(arguments, slot: id, flags: pauseFlags(id, commands.slot(id).flags, arguments))
        return transaction.byteCount <= settings.clientQueryBufferLimit
    }

    /// EXEC of an open transaction: the replies of its commands, or why they did not run. False: a script in it is
    /// slow; nothing was answered, and calling this again goes on.
    mutating func runTransaction(_ session: SessionReference, reply: Reply) -> Bool {
        let transaction = transaction(of: session)
        let isBeginning = transaction.progress == nil
        if isBeginning && !transaction.isStale && hasLostWatchedKey(session) { transaction.isStale = true }
        if transaction.hasFailed {
            reply.error("EXECABORT Transaction discarded because of previous errors.")
        } else if transaction.isStale {
            reply.nullArray()
        } else {
            if isBeginning { unwatchAll(session) }
            if !runQueue(session, transaction, reply: reply) { return false }
        }
        closeTransaction(session)
        return true
    }

    private mutating func runQueue(
        _ session: SessionReference, _ transaction: Transaction, reply: Reply
    ) -> Bool {
        // Taken out, so that a command which looks at its client's transaction finds nobody reading it.
        var queue = CommandQueue()
        swap(&queue, &transaction.queue)
        defer { swap(&queue, &transaction.queue) }
        let mark = reply.buffer.count
        var next = 0
        var resumption: Resumption?
        let scope: NestingScope
        if let progress = transaction.progress.take() {
            reply.buffer.append(progress.replies)
            next = progress.next
            scope = progress.scope
            resumption = .timedOut
            context = .transaction
        } else {
            reply.array(queue.count)
            scope = beginNesting(.transaction, session)
        }
        queue.forEach(from: next) { slot, arguments in
            // HELLO may have changed the protocol on the way.
            let rules = NestedRules(protocolVersion: session.session.protocolVersion)
            _ = executeNested(
                session, arguments, slot: slot, rules: rules, resumption: resumption, output: &reply.buffer)
            resumption = nil
            if scripting.isBusy { return false }
            next += 1
            return true
        }
        guard scripting.isBusy else {
            endNesting(scope, session)
            return true
        }
        transaction.progress = TransactionProgress(next: next, scope: scope, replies: reply.bytes(from: mark))
        reply.buffer.truncate(to: mark)
        context = scope.context
        return false
    }
}

extension Call {
    /// The client's transaction, if it ever had one.
    package var transaction: Transaction? { session.transaction }

    package func openTransaction() { administration.openTransaction(sessionReference) }

    package func closeTransaction() { administration.closeTransaction(sessionReference) }

    package mutating func runTransaction() {
        guard administration.runTransaction(sessionReference, reply: reply) else {
            return suspend(.script, deadline: nil)
        }
        // Its commands came first, so MONITOR shows EXEC behind them.
        if administration.gates.contains(.monitored) { administration.feedMonitors(sessionReference, slot, arguments) }
    }

    /// WATCH of the key in argument `index`.
    package func watch(_ index: Int) { administration.watch(arguments[index], hash: hash(index), sessionReference) }

    /// UNWATCH.
    package func unwatchAll() {
        administration.unwatchAll(sessionReference)
        session.transaction?.isStale = false
    }
}
