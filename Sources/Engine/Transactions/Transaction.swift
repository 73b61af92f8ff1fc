// Transaction.swift - what one client has to do with transactions: the commands it queues between MULTI and EXEC, and
// the keys it watches. Made when a client first says MULTI or WATCH and kept until it goes, so that nobody else pays
// for it. Under the turn; knows no keyspace.
internal import RESP

package final class Transaction {
    /// Between MULTI and the end of EXEC, or DISCARD.
    package internal(set) var isOpen = false
    /// A command could not be queued: EXEC refuses to run the others.
    var hasFailed = false
    /// A watched key changed: EXEC answers null.
    package internal(set) var isStale = false
    /// EXEC would begin to run the queue.
    var mayRun: Bool { isOpen && !hasFailed && !isStale && progress == nil }
    var queue = CommandQueue()
    /// Set while EXEC stands in the middle: one of its commands is a script that is slow.
    var progress: TransactionProgress?
    /// Of all queued commands together.
    var flags: CommandFlags = []
    /// The database that the first so many queued commands select in the end; nil for none. Kept up by who asks.
    var selectedDatabase: Int?
    var foreseenCount = 0
    /// Commands queued; stays what it was while EXEC runs them.
    package internal(set) var commandCount = 0
    /// Memory of the queued words; stays what it was while EXEC runs them.
    package internal(set) var byteCount = 0
    /// Keys watched, in the order of WATCH.
    private(set) var watched: [KeyIdentity] = []
    /// Memory that watching takes, here and in the table of those who watch.
    package private(set) var watchedByteCount = 0
    /// For each key: its name twice removed, an array's head, and its place in two tables.
    private static let watchByteCount = 160

    /// Keys that the client watches.
    package var watchedCount: Int { watched.count }

    func watch(_ key: KeyIdentity) {
        watched.append(key)
        watchedByteCount += Transaction.watchByteCount + key.bytes.count
    }

    func unwatchAll() {
        watched.removeAll()
        watchedByteCount = 0
    }

    func append(_ arguments: borrowing Arguments, slot: Int, flags added: CommandFlags) {
        queue.append(arguments, slot: slot)
        flags.formUnion(added)
        commandCount = queue.count
        byteCount = queue.byteCount
    }

    /// The transaction is over; the keys watched are the caller's business.
    func close() {
        isOpen = false
        hasFailed = false
        isStale = false
        progress = nil
        flags = []
        selectedDatabase = nil
        foreseenCount = 0
        commandCount = 0
        byteCount = 0
        queue.removeAll()
    }
}

/// Where EXEC goes on.
struct TransactionProgress {
    /// The command that was paused.
    let next: Int
    let scope: NestingScope
    /// EXEC's reply so far.
    let replies: [UInt8]
}
