// Engine+Replay.swift - running what a file or a primary recorded: commands without a client, without gates, without
// effects on anybody. Keys do not die meanwhile: what had died when it was recorded was recorded as a DEL, and what
// dies afterwards must not change what the commands in between did. Under the turn.
package import Base
internal import Keyspace
package import RESP

/// A command that could not be replayed.
package enum ReplayFault: Error, Equatable, Sendable {
    /// There is no such command, or it cannot have so many words.
    case unknown(name: String)
}

extension Engine {
    /// The session that replayed commands run for; given back to `endReplay`.
    package mutating func beginReplay() -> SessionReference {
        keyspace.keepsExpired = true
        keyspace.removesExpired = false
        keyspace.now = clock.nowMilliseconds
        let session = SessionReference(
            Session(
                id: 0, loop: 0, connection: .max, address: "", localAddress: "", isUnixSocket: false, descriptor: -1,
                account: acl.defaultAccount, now: keyspace.now))
        return session
    }

    package mutating func endReplay(_ session: SessionReference) {
        session.deallocate()
        keyspace.keepsExpired = false
        keyspace.removesExpired = true
        collectGarbage()
    }

    /// Runs the command whose words are `ranges` of `bytes`. `output` is scratch space.
    package mutating func replay(
        _ session: SessionReference, _ bytes: Span<UInt8>, _ ranges: borrowing ArgumentRanges,
        output: inout ByteBuffer
    ) throws(ReplayFault) {
        var fault: ReplayFault?
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            unsafe withUnsafeTemporaryAllocation(of: ArgumentSlice.self, capacity: ranges.count) { slices in
                guard let first = slices.baseAddress else { return }
                for index in 0..<ranges.count {
                    let range = ranges[index]
                    unsafe (first + index).initialize(to: ArgumentSlice(base: base + range.offset, count: range.count))
                }
                let arguments = unsafe Arguments(unchecked: first, count: ranges.count)
                fault = replay(session, arguments, output: &output)
            }
        }
        if let fault { throw fault }
    }

    private mutating func replay(
        _ session: SessionReference, _ arguments: Arguments, output: inout ByteBuffer
    ) -> ReplayFault? {
        guard let id = commands.resolve(arguments[0], arguments) else {
            return .unknown(name: arguments[0].text)
        }
        let slot = commands.slot(id)
        let count = arguments.count
        let isMisshapen = slot.arity >= 0 ? count != slot.arity : count < -slot.arity
        if isMisshapen || (slot.isContainer && (count > 1 || !slot.runsAlone)) {
            return .unknown(name: arguments[0].text)
        }
        output.removeAll(keepingCapacity: 64 << 10)
        unsafe withUnsafeMutablePointer(to: &output) { buffer in
            unsafe _ = perform(
                session, slot: id, arguments: arguments, hashedArgument: 0, hash: 0, output: buffer,
                protocolVersion: 2, resumption: nil)
        }
        if !output.isEmpty, output.span[0] == UInt8(ascii: "-") {
            Log.shared.warning(
                """
                == CRITICAL == This server is sending an error to its AOF-loading-client: \
                '\(output.span.extracting(1..<max(1, output.count - 2)).text)' after processing the command \
                '\(arguments[0].text)'
                """)
        }
        return nil
    }
}

extension Engine {
    /// DEBUG LOADAOF begins: nobody changes anything until it is over, and what was recorded goes to the file's writer.
    /// Returns the journal's end, up to which the file must have been written before it is read.
    package mutating func beginAppendOnlyReload() -> Int64 {
        flushJournal()
        setLoading(true)
        return journal.file.end
    }

    /// Drops the dataset that the file is about to bring back.
    package mutating func dropDataset() {
        for index in 0..<keyspace.databaseCount { keyspace.flush(index, inBackground: false) }
        removeLibraries()
        collectGarbage()
    }

    /// The file was loaded again, or could not be; who waits for it goes on.
    package mutating func endAppendOnlyReload(failure: String?) {
        appendOnly.isReloading = false
        appendOnly.reloadFailure = failure
        endLoading()
        journal.seenChangeCount = changeCount
        for session in waiting.ordered where session.session.suspension?.reason == .reload {
            resume(session, .ready)
        }
    }
}
