// Session.swift - what the engine knows of one client: identity, selected database, protocol, what it waits for.
// Engine's turn only. The socket and its buffers belong to the connection on the client's loop, which leaves copies of
// its sizes in `gauges` each time it takes the turn; so CLIENT LIST on any loop can tell about every client.
internal import Base
internal import RESP

/// What keeps a session from the straight path of dispatch. Empty for nearly every command.
package struct SessionGates: OptionSet, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }
    /// Has not authenticated yet.
    package static let unauthenticated = SessionGates(rawValue: 1 << 0)
    /// Wants no replies: CLIENT REPLY OFF, SKIP, or SKIP for the next command.
    package static let silent = SessionGates(rawValue: 1 << 1)
    /// Watches every command (MONITOR).
    package static let monitor = SessionGates(rawValue: 1 << 2)
    /// Its connection is about to be closed: nothing it sent runs any more.
    package static let killed = SessionGates(rawValue: 1 << 3)
    /// Its user may not do everything.
    package static let limited = SessionGates(rawValue: 1 << 15)
    /// Its commands are queued until EXEC.
    package static let queueing = SessionGates(rawValue: 1 << 4)
    /// Speaks RESP2 and listens to channels: little else is allowed.
    package static let subscribed = SessionGates(rawValue: 1 << 5)
    /// Wants to be told when keys that it reads change (CLIENT TRACKING without BCAST).
    static let tracking = SessionGates(rawValue: 1 << 7)
    /// Has mail that it sent itself and that follows the running command's reply.
    static let ownMail = SessionGates(rawValue: 1 << 6)
}

/// CLIENT REPLY's modes.
package enum ReplyMode: Sendable {
    case on, off
    /// The command that asked for SKIP is silent itself, and so is the one after it.
    case skipNext, skipping
}

/// Sizes of the connection's buffers, left here by its loop.
package struct ConnectionGauges: Sendable {
    package var queryByteCount = 0
    package var queryFreeByteCount = 0
    package var argumentByteCount = 0
    package var outputByteCount = 0
    package var outputListLength = 0
    package var outputListByteCount = 0
    package var isWaitingToWrite = false
    package var memoryByteCount = 0
    package var networkInput = 0
    package var networkOutput = 0
    package init() {}
}

package struct Session: ~Copyable {
    package let id: UInt64
    /// Loop that owns the connection, and the connection's number there.
    package let loop: Int
    package let connection: UInt64
    package let address: String
    package let localAddress: String
    package let isUnixSocket: Bool
    package let descriptor: Int32
    package let createdMilliseconds: Int64

    package var name = ""
    package var libraryName = ""
    package var libraryVersion = ""
    /// CLIENT CAPA redirect: the client follows its server's change of role.
    package var followsRedirects = false
    /// Whom the client acts for; see `ACL/`.
    package internal(set) var account: ACLAccount
    package var database = 0
    package var protocolVersion = 2
    package var gates: SessionGates = []
    package var replyMode = ReplyMode.on
    package var isNoEvict = false
    package var isNoTouch = false
    /// Brings keys from elsewhere while the server is in import mode: to it no key is too old.
    package var isImportSource = false
    package var isReplica = false
    /// CLIENT KILL hit the client that is running: it is closed after its reply.
    package var closesAfterReply = false
    /// Where the journal's file ended after the client's last write; kept while there is such a file.
    package internal(set) var journalEnd: Int64 = 0
    /// Slot of the last command, -1 before the first.
    package var lastCommand = -1
    package var commandCount = 0
    package var lastInteractionMilliseconds: Int64
    package var gauges = ConnectionGauges()
    /// What the client is counted with in the memory of all clients.
    var countedByteCount = 0
    /// It was disconnected for what all clients hold, and its connection still holds so much.
    var leavingByteCount = 0
    /// What the engine has for the connection; see `Deliveries.swift`.
    var mail: [Delivery] = []
    /// Behind `mail`: a part of what the loop's connections share. Kept apart because most mail is just this.
    var mailTail = 0..<0
    /// Bytes of output in `mail` and `mailTail`.
    var mailByteCount = 0
    /// On its loop's list of sessions with mail.
    var isRecipient = false
    /// Set while the session waits; see `Suspension.swift`.
    package var suspension: Suspension?
    /// Made when the client first uses MULTI or WATCH; see `Transactions/Transaction.swift`.
    package internal(set) var transaction: Transaction?
    /// Made when the client first subscribes; see `PubSub/Subscriptions.swift`.
    package internal(set) var subscriptions: Subscriptions?
    /// There while the client tracks; see `Tracking/ClientTracking.swift`.
    package internal(set) var tracking: ClientTracking?
    /// Listens to anything.
    package internal(set) var isSubscriber = false

    package init(
        id: UInt64, loop: Int, connection: UInt64, address: String, localAddress: String, isUnixSocket: Bool,
        descriptor: Int32, account: ACLAccount, now: Int64
    ) {
        self.id = id
        self.account = account
        self.loop = loop
        self.connection = connection
        self.address = address
        self.localAddress = localAddress
        self.isUnixSocket = isUnixSocket
        self.descriptor = descriptor
        createdMilliseconds = now
        lastInteractionMilliseconds = now
    }

    /// Memory of what the client queued for EXEC and watches (CLIENT LIST's multi-mem).
    package var transactionByteCount: Int {
        guard let transaction else { return 0 }
        return transaction.byteCount + transaction.watchedByteCount
    }

    /// All memory that is there for this client: its connection's buffers, what it queued and watches, what it listens
    /// to and which prefixes it tracks.
    package var byteCount: Int {
        gauges.memoryByteCount + transactionByteCount + (subscriptions?.byteCount ?? 0) + (tracking?.byteCount ?? 0)
    }

    /// The user's name as text, for lists and logs.
    package var userName: String { String(decoding: account.user.name, as: UTF8.self) }

    package var isAuthenticated: Bool { !gates.contains(.unauthenticated) }
}

/// A session's address, stable from connect to disconnect. Dereferenced only under the turn.
@safe package struct SessionReference: Equatable, @unchecked Sendable {
    // Sendable because it is dereferenced only by whoever holds the turn.
    let pointer: UnsafeMutablePointer<Session>

    init(_ session: consuming Session) {
        unsafe pointer = .allocate(capacity: 1)
        unsafe pointer.initialize(to: session)
    }

    package static func == (left: SessionReference, right: SessionReference) -> Bool {
        unsafe left.pointer == right.pointer
    }

    func deallocate() {
        unsafe pointer.deinitialize(count: 1)
        unsafe pointer.deallocate()
    }

    package var session: Session {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pointer) }
        @inline(__always) nonmutating unsafeMutableAddress { unsafe pointer }
    }
}
