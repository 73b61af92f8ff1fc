// DebugData.swift - DEBUG's words about data: OBJECT, POPULATE, DIGEST, DIGEST-VALUE, HTSTATS, HTSTATS-KEY.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum DebugData {
    static func object(_ call: inout Call) throws(CommandError) {
        // Also of a key whose time is over and that nobody has asked for since.
        let table = call.session.database
        guard let slot = call.keyspace[table].table.find(call.arguments[2], hash: call.hash(2)) else {
            throw .noSuchKey
        }
        let entry = slot.entry
        guard let value = call.keyspace.tiers.awake(entry) else { throw .noSuchKey }
        let clock = call.now / 1000 & 0xff_ffff
        let address = String(entry.addressNumber, radix: 16)
        call.reply.simple(
            "Value at:0x\(address) refcount:1 encoding:\(entry.encodingName) "
                + "serializedlength:\(serializedLength(value)) lru:\(clock) lru_seconds_idle:0"
                + (entry.isAsleep ? sleepFacts(entry) : quicklistFacts(entry)))
    }

    /// Of a value that is compressed: its tier, and bytes as it is and as it will be.
    private static func sleepFacts(_ entry: Entry) -> String {
        let sleeping = SleepingValue(entry)
        return " tier:\(entry.tier.name) dictionary:\(sleeping.dictionary) packed:\(sleeping.packedByteCount) "
            + "whole:\(sleeping.wholeByteCount)"
    }

    /// What stock servers add for a quicklist.
    private static func quicklistFacts(_ entry: Entry) -> String {
        guard entry.objectType == .list, entry.listEncoding == .quicklist, let facts = entry.list.chainFacts else {
            return ""
        }
        var average = ByteBuffer()
        DoubleText.append(Double(facts.count) / Double(max(1, facts.nodeCount)), fractionDigitCount: 2, to: &average)
        return " ql_nodes:\(facts.nodeCount) ql_avg_node:\(average.span.text) ql_listpack_max:\(facts.fill) "
            + "ql_compressed:\(facts.isCompressed ? 1 : 0) ql_uncompressed_size:\(facts.byteCount)"
    }

    /// Bytes of the value in a dump file, without compression.
    private static func serializedLength(_ entry: Entry) -> Int {
        guard entry.isString else {
            var payload = ByteBuffer()
            DumpPayload.append(entry, compresses: false, to: &payload)
            // Without the type's byte, version and checksum.
            return payload.count - 11
        }
        if let value = entry.integerValue {
            if Int8(exactly: value) != nil { return 2 }
            if Int16(exactly: value) != nil { return 3 }
            if Int32(exactly: value) != nil { return 5 }
        }
        let count = entry.stringByteCount
        return count + (count < 64 ? 1 : (count < 16384 ? 2 : 5))
    }

    // MARK: populate

    /// Longest value that POPULATE makes.
    private static let valueByteCountMax = 512 << 20

    static func populate(_ call: inout Call) throws(CommandError) {
        let count = try positive(call, 2)
        let prefix = call.arguments.count > 3 ? call.arguments[3].text : "key"
        let size = call.arguments.count > 4 ? try positive(call, 4) : 0
        guard size <= valueByteCountMax else { throw .stringTooLong }
        let database = call.session.database
        for number in 0..<count {
            let key = Array("\(prefix):\(number)".utf8)
            let hash = KeyHash.hash(key.span, seed: KeyHash.seed)
            if call.keyspace.look(key.span, hash: hash, in: database) != nil { continue }
            var value = Array("value:\(number)".utf8)
            if size > 0 {
                value = Array(value.prefix(size))
                value += [UInt8](repeating: 0, count: size - value.count)
            }
            call.keyspace.setString(key.span, hash: hash, in: database, slot: nil, value: value.span, expiry: nil)
        }
        call.reply.ok()
    }

    private static func positive(_ call: borrowing Call, _ index: Int) throws(CommandError) -> Int {
        guard let value = IntegerText.parse(call.arguments[index]), value >= 0 else { throw .negativeValue }
        return Int(value)
    }

    // MARK: reload

    /// Saves the dataset and loads it again: what comes back must be what was there.
    static func reload(_ call: inout Call) throws(CommandError) {
        var (keepsDataset, replacesKeys, skipsSave) = (false, false, false)
        var options = call.options(from: 2)
        while !options.isAtEnd {
            if options.take("MERGE") {
                replacesKeys = true
            } else if options.take("NOFLUSH") {
                keepsDataset = true
            } else if options.take("NOSAVE") {
                skipsSave = true
            } else {
                throw .message("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.")
            }
        }
        if !skipsSave {
            if call.administration.snapshotPurpose == .save { call.administration.cancelSnapshot() }
            do throws(SystemError) { try call.administration.saveNow() } catch { throw .message("ERR") }
        }
        guard call.administration.reload(keepsDataset: keepsDataset, replacesKeys: replacesKeys) else {
            throw .message("ERR Error trying to load the RDB dump, check server logs.")
        }
        Log.shared.warning("DB reloaded by DEBUG RELOAD")
        call.reply.ok()
    }

    /// Puts what the append only file holds in the place of the dataset. Other clients are told meanwhile that the
    /// server is loading.
    static func loadAppendOnly(_ call: inout Call) throws(CommandError) {
        guard call.context == .client else {
            throw .message("ERR DEBUG LOADAOF cannot run inside of a transaction or script")
        }
        if call.resumption != nil {
            if call.administration.appendOnly.reloadFailure != nil {
                throw .message("ERR Error trying to load the AOF files, check server logs.")
            }
            return call.reply.ok()
        }
        guard !call.administration.appendOnly.isReloading, !call.administration.isLoading else {
            throw .message("ERR The dataset is being loaded already")
        }
        call.administration.appendOnly.isReloading = true
        call.administration.hooks.reloadAppendOnly()
        call.suspend(.reload, deadline: nil)
    }

    // MARK: digests

    static func digest(_ call: inout Call) throws(CommandError) {
        var whole = DatasetDigest()
        for index in 0..<call.keyspace.databaseCount where call.keyspace[index].count > 0 {
            whole.mix(number: UInt32(truncatingIfNeeded: index))
            let tiers = call.keyspace.tiers
            call.keyspace[index].table.forEach { found in
                guard let entry = tiers.awake(found) else { return }
                var own = DatasetDigest()
                own.mix(entry.key)
                own.mixValue(entry)
                whole.add(own.bytes.span)
            }
        }
        call.reply.simple(whole.hexadecimal)
    }

    static func digestValue(_ call: inout Call) throws(CommandError) {
        call.reply.array(call.arguments.count - 2)
        for index in 2..<call.arguments.count {
            var digest = DatasetDigest()
            if let slot = call.look(index), let entry = call.keyspace.tiers.awake(slot.entry) { digest.mixValue(entry) }
            call.reply.simple(digest.hexadecimal)
        }
    }

    // MARK: tables

    static func tableStatistics(_ call: inout Call) throws(CommandError) {
        let index = try call.integer(2)
        guard index >= 0, index < call.keyspace.databaseCount else { throw .message("ERR Out of range database") }
        let database = call.keyspace[index].table.count
        var text = "[Dictionary HT]\n"
        if database == 0 {
            text += "No stats available for empty dictionaries\n"
        } else {
            text += " table size: \(call.keyspace[index].table.allocatedByteCount) bytes\n"
            text += " number of elements: \(database)\n"
        }
        text += "[Expires HT]\n number of elements: \(call.keyspace[index].table.expiryCount)\n"
        call.reply.verbatim(text)
    }

    static func keyTableStatistics(_ call: inout Call) throws(CommandError) {
        guard call.look(2) != nil else { throw .noSuchKey }
        throw .message("ERR The value stored at the specified key is not represented using an hash table")
    }
}
