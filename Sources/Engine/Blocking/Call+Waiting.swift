// Call+Waiting.swift - the door through which a command waits for keys: BLPOP and its kin, BZPOPMIN, XREAD BLOCK.
// A handler that uses it reads its words first and then does three things, in this order:
//
//     let milliseconds = try call.timeoutSeconds(last)
//     if try call.hasWaitedInVain() { return call.reply.nullArray() }
//     for index in keys { ...a key has something: take it, reply, return... }
//     call.waitForKeys(keys, .list, milliseconds: milliseconds)
//
// and nothing after it. In a transaction or a script the handler runs a second time at once, and has waited in vain.
internal import Base
package import Keyspace
internal import RESP

/// What a command waits for.
struct KeyWait {
    let keys: [KeyIdentity]
    let type: ObjectType
    let wakesWithoutKey: Bool
    /// All who wait for the key want the same: when one gets nothing, so would those behind it.
    var isCompeting = false
    /// Words that the command runs again with, by argument index.
    var words: [(index: Int, word: [UInt8])] = []
    /// Waiting again has a deadline of its own, not that of the first wait.
    var renewsDeadline = false
}

extension Call {
    /// Whether the command runs again because its time is over or CLIENT UNBLOCK ended its wait. It must then answer
    /// that it got nothing, without a look at the keys, whatever they hold by now. Throws what CLIENT UNBLOCK ERROR
    /// has it answer.
    package func hasWaitedInVain() throws(CommandError) -> Bool {
        switch resumption {
        case .timedOut: true
        case .unblocked: throw .message("UNBLOCKED client unblocked via CLIENT UNBLOCK")
        case .ready, nil: false
        }
    }

    /// Suspends the session until a change made one of the keys in the arguments `keys` (of the session's database)
    /// hold a `type`, or for `milliseconds` (0: without end). The command then runs again from its start; it may wait
    /// again, and keeps its place in line and its deadline when it does. A key named twice counts once. With
    /// `evenWithoutKey` it also runs again when a key was removed or holds another type. Sessions are served after the
    /// command, transaction or script that made the change, the longest waiting first.
    ///
    /// The command runs again with `words` in the place of its own, by argument index: what XREAD's `$` stands for is
    /// settled when the wait begins. With `renewsDeadline` it waits again for as long as it says then. Nothing
    /// written to `reply` counts. Return right after calling this.
    package mutating func waitForKeys(
        _ keys: Range<Int>, _ type: ObjectType, milliseconds: Int64, evenWithoutKey: Bool = false,
        words: [(index: Int, word: [UInt8])] = [], renewsDeadline: Bool = false
    ) {
        if context != .client { return suspend(.keys, deadline: nil) }
        let database = session.database
        let identities = keys.map { index in
            KeyIdentity(hash: hash(index), database: database, bytes: arguments[index].array)
        }
        let wait = KeyWait(keys: identities, type: type, wakesWithoutKey: evenWithoutKey, words: words,
            renewsDeadline: renewsDeadline)
        suspend(.keys, deadline: deadline(milliseconds), wait)
    }

    /// Monotonic nanoseconds in so many milliseconds; nil, without end, for 0 and for what no clock reaches.
    func deadline(_ milliseconds: Int64) -> Int64? {
        if milliseconds == 0 { return nil }
        let (length, isLong) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        let (sum, isEndless) = monotonicNanoseconds.addingReportingOverflow(isLong ? .max : length)
        return isEndless ? nil : sum
    }
}
