// Call.swift - what a handler gets: its arguments, a reply, and narrow doors to what it may touch. It can be neither
// copied nor kept. There is no "server" door: what every command may do is here, what only administrative commands do
// goes through `administration`, which the tidy test allows in Commands/Server and Commands/Connection only.
internal import Base
package import Keyspace
package import RESP
package import Structures

@safe package struct Call: ~Copyable, ~Escapable {
    private let engine: UnsafeMutablePointer<Engine>
    package let sessionReference: SessionReference
    /// The command's words; 0 is its name.
    package let arguments: Arguments
    package var reply: Reply
    /// Slot id of the running command.
    package let slot: Int
    /// Argument index whose hash was computed while parsing, and that hash.
    private let hashedArgument: Int
    private let hash: UInt64
    /// Why a suspended command runs again; nil on its first run.
    package private(set) var resumption: Resumption?
    /// Set by `suspend`.
    package internal(set) var isSuspended = false

    @unsafe @_lifetime(copy arguments) @inline(__always)
    init(
        engine: UnsafeMutablePointer<Engine>, session: SessionReference, arguments: Arguments, reply: Reply, slot: Int,
        hashedArgument: Int, hash: UInt64, resumption: Resumption?
    ) {
        unsafe self.engine = engine
        sessionReference = session
        self.arguments = arguments
        self.reply = reply
        self.slot = slot
        self.hashedArgument = hashedArgument
        self.hash = hash
        self.resumption = resumption
    }

    // MARK: doors

    package var session: Session {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(sessionReference.pointer) }
        @inline(__always) nonmutating unsafeMutableAddress { unsafe sessionReference.pointer }
    }

    package var keyspace: Keyspace {
        @inline(__always) _read { yield unsafe engine.pointee.keyspace }
        @inline(__always) nonmutating _modify { yield unsafe &engine.pointee.keyspace }
    }

    /// The configuration's numbers and switches.
    package var settings: Settings { @inline(__always) get { unsafe engine.pointee.settings } }

    /// Milliseconds since the epoch, frozen while the command runs.
    package var now: Int64 { @inline(__always) get { unsafe engine.pointee.keyspace.now } }

    /// The whole engine, for administrative commands.
    package var administration: Engine {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(engine) }
        @inline(__always) nonmutating unsafeMutableAddress { unsafe engine }
    }

    /// Whether HyperLogLogs merge by vectors; PFDEBUG SIMD's switch.
    package var mergesByVectors: Bool {
        get { unsafe engine.pointee.debug.mergesByVectors }
        nonmutating set { unsafe engine.pointee.debug.mergesByVectors = newValue }
    }

    /// DEBUG SET-SKIP-CHECKSUM-VALIDATION: RESTORE does not look at its payload's checksum.
    package var skipsChecksums: Bool { unsafe engine.pointee.debug.skipsChecksums }

    /// Whether the words come from a file or a primary, which have been through all checks and bounds already.
    package var isReplayed: Bool { session.id == 0 }

    /// What the command runs inside of: a client's own, a transaction's or a script's command.
    package var context: CommandContext { unsafe engine.pointee.context }

    // MARK: keys

    /// The hash of argument `index`; the first key's was computed while parsing.
    @inline(__always)
    package func hash(_ index: Int) -> UInt64 {
        index == hashedArgument ? hash : KeyHash.hash(arguments[index], seed: KeyHash.seed)
    }

    /// The slot of the live key in argument `index`, for commands that change its value. No statistics.
    @inline(__always)
    package func find(_ index: Int) -> EntryTable.Slot? {
        find(index, hash: hash(index))
    }

    /// As `find`, for commands that want to know about the key or put another value there, and not its value: that may
    /// be asleep (`Keyspace/Tiering`) and stays so.
    @inline(__always)
    package func look(_ index: Int) -> EntryTable.Slot? { look(index, hash: hash(index)) }

    /// As `look`, with the argument's hash at hand.
    @inline(__always)
    package func look(_ index: Int, hash: UInt64) -> EntryTable.Slot? {
        let isNoTouch = unsafe sessionReference.pointer.pointee.isNoTouch
        if _fastPath(!isNoTouch) { noteAccess(hash) }
        guard let slot = unsafe engine.pointee.keyspace.look(arguments[index], hash: hash, in: session.database) else {
            return nil
        }
        unsafe engine.pointee.keyspace.noteAccess(slot.entry, silently: isNoTouch)
        return slot
    }

    /// As `look`, for commands that read: counts a hit or miss.
    package func lookToRead(_ index: Int) -> Entry? {
        let isNoTouch = unsafe sessionReference.pointer.pointee.isNoTouch
        let hash = hash(index)
        if !isNoTouch { noteAccess(hash) }
        let found = unsafe engine.pointee.keyspace.glance(arguments[index], hash: hash, in: session.database)
        guard let slot = found else {
            noteMiss(index)
            return nil
        }
        unsafe engine.pointee.keyspace.noteAccess(slot.entry, silently: isNoTouch)
        unsafe engine.pointee.keyspace.statistics.hits &+= 1
        return slot.entry
    }

    /// As `lookToRead`, refusing a key of another type.
    package func lookToRead(_ index: Int, _ type: ObjectType) throws(CommandError) -> Entry? {
        guard let entry = lookToRead(index) else { return nil }
        if entry.type != type.rawValue { throw .wrongType }
        return entry
    }

    /// The live entry of argument `index`, for commands that look at a key without using it (TYPE, TTL, OBJECT):
    /// counts a hit or miss, but the key does not become younger, and its value may be asleep. OBJECT's misses are no
    /// events (`silently`).
    package func peek(_ index: Int, silently: Bool = false) -> Entry? {
        let hash = hash(index)
        let found = unsafe engine.pointee.keyspace.glance(arguments[index], hash: hash, in: session.database)
        guard let slot = found else {
            noteMiss(index, silently: silently)
            return nil
        }
        unsafe engine.pointee.keyspace.statistics.hits &+= 1
        return slot.entry
    }

    /// A key was asked for and is not there.
    @inline(__always)
    private func noteMiss(_ index: Int, silently: Bool = false) {
        unsafe engine.pointee.keyspace.statistics.misses &+= 1
        if unsafe _slowPath(engine.pointee.effects.isObserved) && !silently {
            alsoHappened("keymiss", .keyMiss, key: arguments[index])
        }
    }

    /// Notes an access to the key with `hash` for OBJECT IDLETIME.
    @inline(__always)
    package func noteAccess(_ hash: UInt64) {
        unsafe engine.pointee.keyspace.clocks.note(hash, in: session.database, at: engine.pointee.keyspace.now)
    }

    /// As `find`, refusing a key of another type.
    @inline(__always)
    package func find(_ index: Int, _ type: ObjectType) throws(CommandError) -> EntryTable.Slot? {
        guard let slot = find(index) else { return nil }
        if slot.entry.type != type.rawValue { throw .wrongType }
        return slot
    }

    /// As `find`, with the argument's hash at hand (`KeyGroup`).
    @inline(__always)
    package func find(_ index: Int, hash: UInt64) -> EntryTable.Slot? {
        let isNoTouch = unsafe sessionReference.pointer.pointee.isNoTouch
        if _fastPath(!isNoTouch) { noteAccess(hash) }
        guard let slot = unsafe engine.pointee.keyspace.find(arguments[index], hash: hash, in: session.database) else {
            return nil
        }
        unsafe engine.pointee.keyspace.noteAccess(slot.entry, silently: isNoTouch)
        return slot
    }

    /// As `find`, for commands that read and then change the key: counts a hit or miss and notes the access.
    @inline(__always)
    package func readSlot(_ index: Int, hash: UInt64) -> EntryTable.Slot? {
        guard let slot = find(index, hash: hash) else {
            noteMiss(index)
            return nil
        }
        unsafe engine.pointee.keyspace.statistics.hits &+= 1
        return slot
    }

    /// As `readSlot`, refusing a key of another type.
    @inline(__always)
    package func readSlot(_ index: Int, _ type: ObjectType) throws(CommandError) -> EntryTable.Slot? {
        guard let slot = readSlot(index, hash: hash(index)) else { return nil }
        if slot.entry.type != type.rawValue { throw .wrongType }
        return slot
    }

    /// The live entry of argument `index`, for commands that only read: counts a hit or miss and notes the access.
    /// Valid until the command ends or changes the key; not to be changed, since it may be an image of a value that is
    /// asleep.
    @inline(__always)
    package func read(_ index: Int) -> Entry? { read(index, hash: hash(index)) }

    /// As `read`, with the argument's hash at hand (`KeyGroup`).
    @inline(__always)
    package func read(_ index: Int, hash: UInt64) -> Entry? {
        let isNoTouch = unsafe sessionReference.pointer.pointee.isNoTouch
        if _fastPath(!isNoTouch) { noteAccess(hash) }
        let found = unsafe engine.pointee.keyspace.read(
            arguments[index], hash: hash, in: session.database, stamp: engine.pointee.stamp)
        guard let entry = found else {
            noteMiss(index)
            return nil
        }
        unsafe engine.pointee.keyspace.noteAccess(entry, silently: isNoTouch)
        unsafe engine.pointee.keyspace.statistics.hits &+= 1
        return entry
    }

    /// As `read`, for a key whose name is no argument (SORT's patterns).
    package func read(named key: Span<UInt8>) -> Entry? {
        let hash = KeyHash.hash(key, seed: KeyHash.seed)
        let found = unsafe engine.pointee.keyspace.read(
            key, hash: hash, in: session.database, stamp: engine.pointee.stamp)
        guard let entry = found else {
            unsafe engine.pointee.keyspace.statistics.misses &+= 1
            return nil
        }
        if !session.isNoTouch { noteAccess(hash) }
        unsafe engine.pointee.keyspace.statistics.hits &+= 1
        unsafe engine.pointee.keyspace.noteAccess(entry, silently: sessionReference.pointer.pointee.isNoTouch)
        return entry
    }

    /// As `read`, refusing a key of another type.
    @inline(__always)
    package func read(_ index: Int, _ type: ObjectType) throws(CommandError) -> Entry? {
        guard let entry = read(index) else { return nil }
        if entry.type != type.rawValue { throw .wrongType }
        return entry
    }

    /// Writes a string at the key in argument `index`, whose slot the caller looked up.
    @inline(__always)
    package func setString(_ index: Int, slot: EntryTable.Slot?, value: Span<UInt8>, expiry: Int64?) {
        let hash = hash(index)
        if let slot { overwrote(arguments[index], from: slot.entry.type, to: ObjectType.string.rawValue) }
        unsafe engine.pointee.keyspace.setString(
            arguments[index], hash: hash, in: session.database, slot: slot, value: value, expiry: expiry)
    }

    /// As `setString`, with the argument's hash at hand.
    @inline(__always)
    package func setString(
        _ index: Int, hash: UInt64, slot: EntryTable.Slot?, value: Span<UInt8>, expiry: Int64?
    ) {
        if let slot { overwrote(arguments[index], from: slot.entry.type, to: ObjectType.string.rawValue) }
        unsafe engine.pointee.keyspace.setString(
            arguments[index], hash: hash, in: session.database, slot: slot, value: value, expiry: expiry)
    }

    /// Removes the key in argument `index`, whose slot was just found.
    package func remove(_ index: Int, slot: EntryTable.Slot) {
        let hash = hash(index)
        unsafe engine.pointee.keyspace.remove(slot, hash: hash, in: session.database)
    }

    /// Gives the key in argument `index` an expiry or takes it away (nil).
    package func setExpiry(_ index: Int, slot: EntryTable.Slot, to expiry: Int64?) {
        let hash = hash(index)
        unsafe engine.pointee.keyspace.setExpiry(slot, hash: hash, in: session.database, to: expiry)
    }

    // MARK: effects

    /// Says that the command changed `key`: the one door to journal, WATCH, tracking, notifications and waiters.
    /// `event` is the keyspace event's name, `class` its notification class.
    @inline(__always)
    package func changed(_ event: StaticString, _ eventClass: KeyspaceEventClasses, key: Span<UInt8>) {
        unsafe engine.pointee.changeCount &+= 1
        if unsafe _slowPath(engine.pointee.effects.isObserved) {
            unsafe engine.pointee.record(.change, event, eventClass, key: key, database: session.database)
        }
    }

    /// Says that a change which `changed` already told came with a second event (SET with EX: "set", then "expire").
    @inline(__always)
    package func alsoHappened(_ event: StaticString, _ eventClass: KeyspaceEventClasses, key: Span<UInt8>) {
        if unsafe _slowPath(engine.pointee.effects.isObserved) {
            unsafe engine.pointee.record(.event, event, eventClass, key: key, database: session.database)
        }
    }

    /// As `changed`, for a key of another database than the session's.
    package func changed(
        _ event: StaticString, _ eventClass: KeyspaceEventClasses, key: Span<UInt8>, database: Int
    ) {
        unsafe engine.pointee.changeCount &+= 1
        if unsafe engine.pointee.effects.isObserved {
            unsafe engine.pointee.record(.change, event, eventClass, key: key, database: database)
        }
    }

    /// Says that a key took the place of one of its name: to stock servers it is a new key.
    package func replacedKey(_ key: Span<UInt8>, database: Int? = nil) {
        guard unsafe engine.pointee.effects.isObserved else { return }
        unsafe engine.pointee.record(.event, "new", .new, key: key, database: database ?? session.database)
    }

    /// Says that the value of a key was replaced whole, before or behind the event of the command that did it.
    /// `oldType` is what the key was (nil: nothing), `newType` what it is.
    @inline(__always)
    package func overwrote(_ key: Span<UInt8>, from oldType: Int?, to newType: Int, database: Int? = nil) {
        guard let oldType, unsafe _slowPath(engine.pointee.effects.isObserved) else { return }
        let database = database ?? session.database
        unsafe engine.pointee.record(.event, "overwritten", .overwritten, key: key, database: database)
        guard oldType != newType else { return }
        unsafe engine.pointee.record(.event, "type_changed", .typeChanged, key: key, database: database)
    }

    /// Says that a key changed in a way that only the journal hears of: no WATCH, no tracking, no notification. So it
    /// is with the stock servers' acknowledgements and deliveries of consumer groups.
    @inline(__always)
    package func changedUnseen() { unsafe engine.pointee.changeCount &+= 1 }

    /// Says that every key of `database` went (FLUSHDB): WATCH must know, no notification is sent.
    /// `count` keys changed.
    package func replaced(database: Int, count: Int) {
        unsafe engine.pointee.changeCount &+= count
        guard unsafe engine.pointee.effects.isObserved else { return }
        unsafe engine.pointee.record(.replacement, database: database)
        if unsafe engine.pointee.extensionListens {
            unsafe engine.pointee.coordination?.databaseReplaced(database)
        }
    }

    /// Says that FLUSHDB or FLUSHALL ran: tracking clients forget everything, also when there was nothing to flush.
    package func flushed() {
        if unsafe engine.pointee.effects.isObserved {
            unsafe engine.pointee.record(.flush, database: session.database)
        }
    }

    /// A random number.
    package func random() -> UInt64 { unsafe engine.pointee.random.next() }

    // MARK: waiting

    /// Suspends the session: nothing written to `reply` counts, and the command runs again from its start when it is
    /// resumed. `deadline` is monotonic nanoseconds; nil waits without end. Return right after calling this.
    /// In a transaction or a script nothing waits: the command runs again at once, as if its deadline had passed.
    package mutating func suspend(_ reason: SuspensionReason, deadline: Int64?) {
        suspend(reason, deadline: deadline, nil)
    }

    mutating func suspend(_ reason: SuspensionReason, deadline: Int64?, _ wait: KeyWait?) {
        isSuspended = true
        if unsafe engine.pointee.context != .client { return }
        unsafe engine.pointee.suspend(
            sessionReference, reason: reason, deadline: deadline, slot: slot, arguments: arguments, wait: wait)
    }

    /// The command, which waited for something that is no business of its handler, runs as if for the first time.
    package mutating func forgetResumption() { resumption = nil }

    /// The clock of deadlines.
    var monotonicNanoseconds: Int64 { unsafe engine.pointee.clock.monotonicNanoseconds }
}
