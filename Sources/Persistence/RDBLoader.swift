// RDBLoader.swift - reads an RDB file or stream into a keyspace, in slices, with bounded memory: what is kept of the
// file is a window. Every opcode that Redis 1 to 8.2 and Valkey 9 write is known; what cannot be understood is an error
// with its place, never passed over. Runs wherever the keyspace may be changed (the engine's turn); the caller decides
// between slices. Strings, most of most files, are placed in groups so that their places in the table are fetched
// ahead.
internal import Base
package import Keyspace
internal import Structures

package struct RDBLoader: ~Copyable {
    package struct Options: Sendable {
        /// Keys that have expired are left out; not in what a primary or an AOF will delete itself.
        package var dropsExpired = true
        /// A key that exists is replaced instead of being an error (DEBUG RELOAD MERGE).
        package var replacesKeys = false
        package var checksChecksum = true
        /// Files of newer versions are tried (`rdb-version-check relaxed`).
        package var triesNewerVersions = false
        /// Nothing is kept of what is read: for checking a file.
        package var onlyChecks = false
        package init() {}
    }

    /// What was read so far.
    package struct Progress: Sendable {
        package var byteCount = 0
        package var keysLoaded = 0
        package var keysExpired = 0
        package var emptyKeys = 0
        package var keysWithExpiry = 0
    }

    /// What the file says about itself.
    package struct Facts: Sendable {
        package var version = 0
        package var serverVersion = ""
        package var createdSecond: Int64?
        package var usedMemory: Int?
        package var replicationIdentifier = ""
        package var replicationOffset: Int64?
        package var replicationDatabase: Int?
        package var isAOFBase = false
        /// Libraries of functions, as their source.
        package var functions: [[UInt8]] = []
        /// Every fact by its name, and where it stands.
        package var fields: [(offset: Int, name: String, value: String)] = []
        package var warnings: [String] = []
    }

    private enum Stage {
        case head
        case body
        case done
    }

    private var reader: ValueReader
    private let options: Options
    private var stage = Stage.head
    private var database = 0
    /// What stood before the record that comes.
    private var expiry: Int64?
    private var idleSeconds: Int?
    private var frequency: Int?
    /// What a `fog-label` before the record says; empty for none.
    private var label = ByteBuffer()
    private var key = ByteBuffer()
    private var pending = PendingStrings()
    /// Everything before it is whole records, facts and their like: what can be saved of a broken file.
    package private(set) var recordEnd = 0
    package private(set) var facts = Facts()
    package private(set) var progress = Progress()

    package init(reading reader: consuming ValueReader, options: Options) {
        self.reader = reader
        self.options = options
    }

    /// Reads on until about `byteCount` bytes more were read. True when the file is complete.
    package mutating func run(into keyspace: inout Keyspace, byteCount: Int) throws(RDBError) -> Bool {
        let limit = reader.position + byteCount
        defer { progress.byteCount = reader.position }
        do throws(ValueError) {
            if case .head = stage { try readHead() }
            while case .body = stage, reader.position < limit {
                try readRecord(&keyspace)
                if case .body = stage, !isInsideRecord { recordEnd = reader.position }
            }
            try flushPending(&keyspace)
        } catch {
            throw located(RDBError(error, at: reader.position))
        }
        if case .done = stage {
            try checkEnd()
            return true
        }
        return false
    }

    private func located(_ error: RDBError) -> RDBError {
        var error = error
        error.key = key.span.array
        error.database = database
        return error
    }

    /// What stood last belongs to a key that comes.
    private var isInsideRecord: Bool { expiry != nil || idleSeconds != nil || frequency != nil }

    // MARK: head and end

    private mutating func readHead() throws(ValueError) {
        var bytes = ByteBuffer()
        for _ in 0..<RDBCode.headByteCount { bytes.append(try reader.byte()) }
        guard let head = RDBHead(bytes.span) else {
            throw .expected("the signature of an RDB file (Wrong signature trying to load DB from file)")
        }
        guard head.isReadable(relaxed: options.triesNewerVersions) else {
            throw .expected("an RDB version that this server knows (Can't handle RDB format version)")
        }
        facts.version = head.version
        reader.dialect = head.dialect
        recordEnd = reader.position
        stage = .body
    }

    private mutating func checkEnd() throws(RDBError) {
        guard facts.version >= RDBCode.versionWithChecksum else { return }
        let computed = reader.checksum()
        let stored: UInt64
        do throws(ValueError) { stored = try reader.littleEndian() } catch {
            throw RDBError(error, at: reader.position)
        }
        guard options.checksChecksum, stored != 0, stored != computed else { return }
        let numbers = "\(String(computed, radix: 16)) computed, \(String(stored, radix: 16)) stored"
        throw RDBError("Wrong RDB checksum (RDB CRC error): \(numbers)", at: reader.position - 8)
    }

    // MARK: records

    private mutating func readRecord(_ keyspace: inout Keyspace) throws(ValueError) {
        let code = try reader.byte()
        if _fastPath(code < RDBCode.slotImport) { return try readKey(code, &keyspace) }
        switch code {
        case ValueCode.expiryMilliseconds: expiry = Int64(bitPattern: try reader.littleEndian())
        case RDBCode.expirySeconds:
            expiry = Int64(Int32(truncatingIfNeeded: try reader.littleEndian(4))) * 1000
        case RDBCode.idle: idleSeconds = try reader.length()
        case RDBCode.frequency: frequency = Int(try reader.byte())
        case ValueCode.selectDatabase:
            try flushPending(&keyspace)
            let index = try reader.length()
            guard index < keyspace.databaseCount || options.onlyChecks else {
                throw .expected("a database that exists; start with a larger 'databases'")
            }
            database = index
        case RDBCode.resize:
            _ = try reader.length()
            _ = try reader.length()
        case RDBCode.slotInfo: for _ in 0..<3 { _ = try reader.length() }
        case RDBCode.auxiliary: try readAuxiliary()
        case RDBCode.function:
            var source = ByteBuffer()
            try reader.string(into: &source)
            facts.functions.append(source.span.array)
        case RDBCode.functionPreview: throw .expected("functions in the form of released servers")
        case RDBCode.moduleAuxiliary: try readModuleAuxiliary()
        case RDBCode.end: stage = .done
        case RDBCode.slotImport: throw .expected("a file that was not written while a slot was being imported")
        default: throw .expected("an opcode that this server knows")
        }
    }

    private mutating func readKey(_ type: UInt8, _ keyspace: inout Keyspace) throws(ValueError) {
        try reader.string(into: &key)
        let expiry = expiry
        let (idleSeconds, frequency) = (idleSeconds, frequency)
        self.expiry = nil
        self.idleSeconds = nil
        self.frequency = nil
        if expiry != nil { progress.keysWithExpiry += 1 }
        if type == RDBCode.module || type == RDBCode.module2 { try refuseModule(type) }
        let isExpired = options.dropsExpired && expiry.map { $0 < keyspace.now } ?? false
        let isPlain = !isExpired && idleSeconds == nil && frequency == nil && !options.onlyChecks && label.isEmpty
        if _fastPath(type == ValueCode.string && isPlain) {
            return try readString(expiry, &keyspace)
        }
        let value = try ValueCodec.read(type, from: &reader)
        if value.isNothing {
            progress.emptyKeys += 1
        } else if isExpired {
            progress.keysExpired += 1
        } else if options.onlyChecks {
            progress.keysLoaded += 1
        } else {
            try flushPending(&keyspace)
            try place(value, expiry, &keyspace)
            note(idleSeconds, frequency, &keyspace)
            if !label.isEmpty { placeLabel(&keyspace) }
        }
        label.truncate(to: 0)
    }

    private func placeLabel(_ keyspace: inout Keyspace) {
        let hash = keyspace[database].table.hash(key.span)
        guard let slot = keyspace[database].table.find(key.span, hash: hash),
            let label = LabelCode.read(label.span, keyspace.tags)
        else { return }
        keyspace.setLabel(slot, in: database, label)
    }

    private mutating func place(
        _ value: consuming DetachedValue, _ expiry: Int64?, _ keyspace: inout Keyspace
    ) throws(ValueError) {
        let hash = keyspace[database].table.hash(key.span)
        let slot = keyspace[database].table.find(key.span, hash: hash)
        if slot != nil && !options.replacesKeys { throw .expected("a key that was not there before") }
        _ = keyspace.place(value, at: key.span, hash: hash, in: database, slot: slot, expiry: expiry)
        progress.keysLoaded += 1
    }

    private func note(_ idleSeconds: Int?, _ frequency: Int?, _ keyspace: inout Keyspace) {
        guard idleSeconds != nil || frequency != nil else { return }
        let hash = keyspace[database].table.hash(key.span)
        if let idleSeconds {
            let milliseconds = min(Int64(clamping: idleSeconds), keyspace.now / 1000) * 1000
            keyspace.clocks.note(hash, in: database, at: keyspace.now - milliseconds)
        }
        if let frequency, let slot = keyspace[database].table.find(key.span, hash: hash) {
            slot.entry.frequency = min(AccessLevel.level(ofCounter: frequency), keyspace.frequencyMax)
        }
    }

    // MARK: strings

    private mutating func readString(_ expiry: Int64?, _ keyspace: inout Keyspace) throws(ValueError) {
        let database = database
        // Taken out of `self`, which the reader is a part of.
        var key = ByteBuffer()
        Swift.swap(&key, &self.key)
        defer { Swift.swap(&key, &self.key) }
        let pendingEntry = try reader.withString { text in
            keyspace[database].makeString(key.span, value: text, expiry: expiry)
        }
        pending.add(pendingEntry, in: database, &keyspace)
        progress.keysLoaded += 1
        if pending.isFull { try flushPending(&keyspace) }
    }

    private mutating func flushPending(_ keyspace: inout Keyspace) throws(ValueError) {
        guard pending.flush(into: &keyspace, in: database, replaces: options.replacesKeys) else {
            throw .expected("a key that was not there before")
        }
    }

    // MARK: facts

    private mutating func readAuxiliary() throws(ValueError) {
        let offset = reader.position - 1
        let name = try reader.withString { $0.prefix(64).text }
        if name == "fog-label" {
            label.truncate(to: 0)
            return try reader.string(into: &label)
        }
        let value = try reader.withString { $0.prefix(4096).text }
        facts.fields.append((offset, name, value))
        switch name {
        case "redis-ver", "valkey-ver", "fog-ver": facts.serverVersion = value
        case "ctime": facts.createdSecond = Int64(value)
        case "used-mem": facts.usedMemory = Int(value)
        case "repl-id": facts.replicationIdentifier = value
        case "repl-offset": facts.replicationOffset = Int64(value)
        case "repl-stream-db": facts.replicationDatabase = Int(value)
        case "aof-base", "aof-preamble": facts.isAOFBase = value == "1"
        case "redis-bits", "lua": break
        default:
            // Names with a percent sign are notes that any server may pass over; others are worth a line.
            if !name.hasPrefix("%") { facts.warnings.append("Unrecognized RDB AUX field: '\(name)'") }
        }
    }

    // MARK: modules

    private mutating func refuseModule(_ type: UInt8) throws(ValueError) {
        if type == RDBCode.module2 {
            let name = RDBCode.moduleName(try reader.wideLength())
            facts.warnings.append("The RDB file contains module data I can't load: no matching module type '\(name)'")
        }
        throw .expected("no value of a module: this server has none, remove such keys before saving")
    }

    /// What a module keeps beside the keys. Nothing here can use it, and it can be told from what follows.
    private mutating func readModuleAuxiliary() throws(ValueError) {
        let name = RDBCode.moduleName(try reader.wideLength())
        facts.warnings.append("Data of module '\(name)' beside the keys was passed over: this server has no modules")
        while true {
            switch try reader.length() {
            case 0: return
            case 1, 2: _ = try reader.wideLength()
            case 3: try reader.skip(4)
            case 4: try reader.skip(8)
            case 5: _ = try reader.withString { $0.count }
            default: throw .expected("data of a module")
            }
        }
    }
}

extension Span where Element == UInt8 {
    /// At most the first `maximum` bytes.
    @_lifetime(copy self)
    func prefix(_ maximum: Int) -> Span<UInt8> { extracting(0..<Swift.min(count, maximum)) }
}
