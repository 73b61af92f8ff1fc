// RDBLoader.swift - reads an RDB file or stream in slices, with bounded memory: what is kept of the file is a window.
// Every opcode that Redis 1 to 8.2 and Valkey 9 write is known; what cannot be understood is an error with its place,
// never passed over. Reading needs no keyspace: it makes `LoadedRecords`, which somebody with the engine's turn places
// (`run` does both, `RDBReadAhead` reads on a thread of its own). The caller decides between slices.
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
        /// Databases that there are; who loads sets it.
        package var databaseCount = Int.max
        /// At most for so many keys room is made before they come: what the file says about that may be a lie.
        package var reservedKeysMax = 0
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

    /// What is known when all was read.
    package struct Summary: Sendable {
        package var facts: Facts
        package var progress: Progress
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
        /// Keys that hold nothing, which no server keeps: the first few.
        package var emptyKeys: [[UInt8]] = []
    }

    private static let emptyKeysMax = 10

    private enum Stage {
        case head
        case body
        case done
    }

    private var reader: ValueReader
    private var options: Options
    private var stage = Stage.head
    private var database = 0
    /// What stood before the record that comes.
    private var expiry: Int64?
    private var idleSeconds: Int?
    private var frequency: Int?
    /// What a `fog-label` before the record says; empty for none.
    private var label = ByteBuffer()
    /// Where the key of the record being read stands; empty outside of records.
    private var keyRange = 0..<0
    /// The milliseconds that decide what has expired, for counting in a file that is only checked.
    private var now: Int64 = 0
    private var records = LoadedRecords()
    /// Everything before it is whole records, facts and their like: what can be saved of a broken file.
    package private(set) var recordEnd = 0
    package private(set) var facts = Facts()
    package private(set) var progress = Progress()

    package init(reading reader: consuming ValueReader, options: Options) {
        self.reader = reader
        self.options = options
    }

    /// Everything that is known, when all was read.
    package var summary: Summary { Summary(facts: facts, progress: progress) }

    /// So much is read before it is placed: small enough to be still in the cache.
    private static let placedByteCount = 128 << 10

    /// Reads on and places what was read, until about `byteCount` bytes more were read. True when the file is complete.
    package mutating func run(into keyspace: inout Keyspace, byteCount: Int) throws(RDBError) -> Bool {
        options.databaseCount = keyspace.databaseCount
        now = keyspace.now
        var records = LoadedRecords()
        Swift.swap(&records, &self.records)
        defer { Swift.swap(&records, &self.records) }
        let begin = reader.position
        while true {
            let left = byteCount - (reader.position - begin)
            if left <= 0 { return false }
            var isComplete = false
            var failure: RDBError?
            do throws(RDBError) {
                isComplete = try read(into: &records, byteCount: min(left, RDBLoader.placedByteCount))
            } catch {
                failure = error
            }
            // Of two things that are wrong the first in the file is told.
            try records.place(into: &keyspace, options: options)
            if let failure { throw failure }
            progress.keysLoaded += records.keysLoaded
            progress.keysExpired += records.keysExpired
            records.removeAll()
            if isComplete { return true }
        }
    }

    /// Reads on until about `byteCount` bytes more were read, and adds what they hold to `records`. True when the file
    /// is complete.
    package mutating func read(into records: inout LoadedRecords, byteCount: Int) throws(RDBError) -> Bool {
        let limit = reader.position + byteCount
        defer { progress.byteCount = reader.position }
        do throws(ValueError) {
            if case .head = stage { try readHead() }
            while case .body = stage, reader.position < limit, records.bytes.count < RDBLoader.heldByteCountMax {
                try readRecord(&records)
                if case .body = stage, !isInsideRecord { recordEnd = reader.position }
            }
        } catch {
            throw located(RDBError(error, at: reader.position), records)
        }
        records.usedMemory = facts.usedMemory ?? 0
        guard case .done = stage else { return false }
        try checkEnd()
        return true
    }

    /// Compressed strings may be many times longer than their part of the file.
    private static let heldByteCountMax = 1 << 20

    private func located(_ error: RDBError, _ records: borrowing LoadedRecords) -> RDBError {
        var error = error
        error.key = records.bytes.span.extracting(keyRange).array
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

    private mutating func readRecord(_ records: inout LoadedRecords) throws(ValueError) {
        let code = try reader.byte()
        if _fastPath(code < RDBCode.slotImport) { return try readKey(code, &records) }
        switch code {
        case ValueCode.expiryMilliseconds: expiry = Int64(bitPattern: try reader.littleEndian())
        case RDBCode.expirySeconds:
            expiry = Int64(Int32(truncatingIfNeeded: try reader.littleEndian(4))) * 1000
        case RDBCode.idle: idleSeconds = try reader.length()
        case RDBCode.frequency: frequency = Int(try reader.byte())
        case ValueCode.selectDatabase:
            let index = try reader.length()
            guard index < options.databaseCount || options.onlyChecks else {
                throw .expected("a database that exists; start with a larger 'databases'")
            }
            database = index
        case RDBCode.resize:
            let count = try reader.length()
            _ = try reader.length()
            if options.reservedKeysMax > 0 { records.add(size: min(count, options.reservedKeysMax), of: database) }
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

    private mutating func readKey(_ type: UInt8, _ records: inout LoadedRecords) throws(ValueError) {
        var record = LoadedRecords.Record()
        record.keyStart = records.bytes.count
        record.keyCount = try reader.appendString(to: &records.bytes)
        keyRange = record.keyStart..<record.keyStart + record.keyCount
        record.database = database
        record.expiry = expiry
        record.idleSeconds = idleSeconds
        record.frequency = frequency
        expiry = nil
        idleSeconds = nil
        frequency = nil
        if record.expiry != nil { progress.keysWithExpiry += 1 }
        if type == RDBCode.module || type == RDBCode.module2 { try refuseModule(type) }
        if _fastPath(type == ValueCode.string && !options.onlyChecks) {
            record.textCount = try reader.appendString(to: &records.bytes)
            finish(&record, &records)
            records.add(record)
            return
        }
        let value = try ValueCodec.read(type, from: &reader)
        if options.onlyChecks || value.isNothing {
            count(record, records, isEmpty: value.isNothing)
            records.bytes.truncate(to: record.keyStart)
            keyRange = 0..<0
            label.truncate(to: 0)
            return
        }
        finish(&record, &records)
        records.add(record, value)
    }

    /// A record of a file that is only checked, or one that holds nothing.
    private mutating func count(
        _ record: LoadedRecords.Record, _ records: borrowing LoadedRecords, isEmpty: Bool
    ) {
        if isEmpty {
            progress.emptyKeys += 1
            if facts.emptyKeys.count < RDBLoader.emptyKeysMax {
                facts.emptyKeys.append(records.bytes.span.extracting(keyRange).prefix(64).array)
            }
        } else if let expiry = record.expiry, options.dropsExpired, expiry < now {
            progress.keysExpired += 1
        } else {
            progress.keysLoaded += 1
        }
    }

    @inline(__always)
    private mutating func finish(_ record: inout LoadedRecords.Record, _ records: inout LoadedRecords) {
        record.hash = KeyHash.hash(records.bytes.span.extracting(keyRange), seed: KeyHash.seed)
        record.end = reader.position
        keyRange = 0..<0
        guard _slowPath(!label.isEmpty) else { return }
        record.labelCount = label.count
        records.bytes.append(label.span)
        label.truncate(to: 0)
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
        case "fog-schema":
            if let schema = Int(value), schema > RecordSchema.version {
                facts.warnings.append(
                    """
                    Its records have schema \(schema), this server knows \(RecordSchema.version): they are kept, and \
                    what is new in them is not understood
                    """)
            }
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
