// KeyDump.swift - DUMP and RESTORE: values as bytes that other servers understand (Keyspace/Dump has the format).
// RESTORE validates everything before the keyspace changes.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum KeyDump {
    static let commands: [Command] = [
        Command(
            "DUMP", "key", arity: 2, [.readonly], keys: [.key([.readOnly, .access])], in: .generic, since: "2.6.0",
            complexity: """
                O(1) to access the key and additional O(N*M) to serialize it, where N is the number of objects \
                composing the value and M their average size. For small string values the time complexity is \
                thus O(1)+O(1*M) where M is small, so simply O(1).
                """,
            summary: "Returns a serialized representation of the value stored at a key.",
            hints: ["nondeterministic_output"], run: dump),
        Command(
            "RESTORE",
            """
            key ttl:integer serialized-value [REPLACE@3.0.0] [ABSTTL@5.0.0] [IDLETIME seconds:integer@5.0.0] \
            [FREQ frequency:integer@5.0.0]
            """,
            arity: -4, [.write, .denyOOM], keys: [.key([.overwrite, .update])], in: .generic, categories: ["dangerous"],
            since: "2.6.0",
            complexity: """
                O(1) to create the new key and additional O(N*M) to reconstruct the serialized value, where N is \
                the number of objects composing the value and M their average size. For small string values the \
                time complexity is thus O(1)+O(1*M) where M is small, so simply O(1). However for sorted set \
                values the complexity is O(N*M*log(N)) because inserting values into sorted sets is O(log(N)).
                """,
            summary: "Creates a key from the serialized representation of a value.",
            history: [
                ("3.0.0", "Added the `REPLACE` modifier."),
                ("5.0.0", "Added the `ABSTTL` modifier."),
                ("5.0.0", "Added the `IDLETIME` and `FREQ` options."),
            ],
            run: restore),
        Command(
            "RESTORE-ASKING",
            """
            key ttl:integer serialized-value [REPLACE@3.0.0] [ABSTTL@5.0.0] [IDLETIME seconds:integer@5.0.0] \
            [FREQ frequency:integer@5.0.0]
            """,
            arity: -4, [.write, .denyOOM, .asking, .system], keys: [.key([.overwrite, .update])], in: .server,
            categories: ["keyspace", "dangerous"], since: "3.0.0",
            complexity: """
                O(1) to create the new key and additional O(N*M) to reconstruct the serialized value, where N is \
                the number of objects composing the value and M their average size. For small string values the \
                time complexity is thus O(1)+O(1*M) where M is small, so simply O(1). However for sorted set \
                values the complexity is O(N*M*log(N)) because inserting values into sorted sets is O(log(N)).
                """,
            summary: "An internal command for migrating keys in a cluster.",
            history: [
                ("3.0.0", "Added the `REPLACE` modifier."),
                ("5.0.0", "Added the `ABSTTL` modifier."),
                ("5.0.0", "Added the `IDLETIME` and `FREQ` options."),
            ],
            run: restore),
    ]

    private static let dump: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let found = call.peek(1), let entry = call.keyspace.tiers.awake(found) else { return call.reply.null() }
        var payload = ByteBuffer()
        let compresses = call.settings.rdbCompression
        DumpPayload.append(entry, compresses: compresses, tags: call.keyspace.tags, to: &payload)
        call.reply.bulk(payload.span)
    }

    private struct RestoreOptions {
        var replaces = false
        var isAbsolute = false
        var idleSeconds: Int64?
        var frequency: Int64?
    }

    private static let restore: Command.Handler = { (call: inout Call) throws(CommandError) in
        let options = try parseOptions(call)
        if !options.replaces && call.look(1) != nil {
            throw .message("BUSYKEY Target key name already exists.")
        }
        guard let given = IntegerText.parse(call.arguments[2]) else { throw .notInteger }
        if given < 0 { throw .message("ERR Invalid TTL value, must be >= 0") }
        var expiry: Int64? = given == 0 ? nil : given
        if given > 0 && !options.isAbsolute {
            let (sum, overflow) = given.addingReportingOverflow(call.now)
            if overflow { throw .message("ERR invalid expire time in 'restore' command") }
            expiry = sum
        }
        var label = ByteBuffer()
        let value = try readValue(call, &label)
        place(call, value, label.span, expiry, options)
        call.reply.ok()
    }

    private static func readValue(
        _ call: borrowing Call, _ label: inout ByteBuffer
    ) throws(CommandError) -> DetachedValue {
        do throws(PayloadError) {
            if _slowPath(call.skipsChecksums) {
                let mended = withRightChecksum(call.arguments[3])
                return try DumpPayload.read(mended.span, limits: call.settings.valueLimits, label: &label)
            }
            return try DumpPayload.read(call.arguments[3], limits: call.settings.valueLimits, label: &label)
        } catch {
            switch error {
            case .footer: throw .message("ERR DUMP payload version or checksum are wrong")
            case .contents:
                Log.shared.warning("RESTORE refused: \(form(call.arguments[3])) integrity check failed")
                throw .message("ERR Bad data format")
            }
        }
    }

    /// What a payload says it is, as the stock servers' logs name it.
    private static func form(_ payload: Span<UInt8>) -> StaticString {
        switch payload[0] {
        case ValueCode.hashZipmap: "Zipmap"
        case ValueCode.hashZiplist: "Hash ziplist"
        case ValueCode.hashListpack: "Hash listpack"
        case ValueCode.listZiplist, ValueCode.listQuicklist: "List ziplist"
        case ValueCode.listQuicklist2: "List listpack"
        case ValueCode.setIntset: "Intset"
        case ValueCode.setListpack: "Set listpack"
        case ValueCode.sortedSetZiplist: "Zset ziplist"
        case ValueCode.sortedSetListpack: "Zset listpack"
        case ValueCode.streamListpacks, ValueCode.streamListpacks2, ValueCode.streamListpacks3: "Stream listpack"
        default: "Value"
        }
    }

    /// DEBUG SET-SKIP-CHECKSUM-VALIDATION, for tests that damage payloads: a copy whose checksum is what it should be.
    private static func withRightChecksum(_ payload: Span<UInt8>) -> [UInt8] {
        var bytes = payload.array
        guard bytes.count >= DumpPayload.footerByteCount else { return bytes }
        let start = bytes.count - 8
        let checksum = CRC64.checksum(payload.extracting(0..<start))
        for index in 0..<8 { bytes[start + index] = UInt8(truncatingIfNeeded: checksum >> UInt64(index * 8)) }
        return bytes
    }

    private static func place(
        _ call: borrowing Call, _ value: consuming DetachedValue, _ label: Span<UInt8>, _ expiry: Int64?,
        _ options: RestoreOptions
    ) {
        let hash = call.hash(1)
        let database = call.session.database
        if let expiry, expiry <= call.now, call.keyspace.removesAtOnce {
            // It would be dead on arrival; what it was to replace goes all the same.
            if call.keyspace.remove(call.arguments[1], hash: hash, in: database) {
                call.changed("del", .generic, key: call.arguments[1])
                call.propagateExpiry(call.arguments[1])
            }
            return
        }
        let slot = call.look(1)
        let oldType = slot?.entry.type
        guard
            call.keyspace.place(value, at: call.arguments[1], hash: hash, in: database, slot: slot, expiry: expiry)
        else { return }
        if oldType != nil { call.replacedKey(call.arguments[1]) }
        if !label.isEmpty, let slot = call.find(1), let known = LabelCode.read(label, call.keyspace.tags) {
            call.keyspace.setLabel(slot, in: database, known)
        }
        call.changed("restore", .generic, key: call.arguments[1])
        if let type = call.look(1)?.entry.type { call.overwrote(call.arguments[1], from: oldType, to: type) }
        // Behind every look at the key, which makes it young.
        if let seconds = options.idleSeconds {
            call.keyspace.clocks.note(hash, in: database, at: call.now - min(seconds, call.now / 1000) * 1000)
        }
        if let frequency = options.frequency {
            call.look(1)?.entry.frequency = AccessLevel.level(ofCounter: Int(frequency))
        }
        if let expiry, !options.isAbsolute { propagate(call, expiry) }
    }

    /// For the journal: the same with a moment instead of a time span.
    private static func propagate(_ call: borrowing Call, _ expiry: Int64) {
        let arguments = call.arguments
        call.propagate("RESTORE") { words in
            words.add(arguments[1])
            words.add(decimal: expiry)
            for index in 3..<arguments.count { words.add(arguments[index]) }
            words.add("ABSTTL")
        }
    }

    private static func parseOptions(_ call: borrowing Call) throws(CommandError) -> RestoreOptions {
        var options = RestoreOptions()
        var index = 4
        while index < call.arguments.count {
            let name = call.arguments[index]
            let hasValue = index + 1 < call.arguments.count
            if name.equalsIgnoringCase("replace") {
                options.replaces = true
            } else if name.equalsIgnoringCase("absttl") {
                options.isAbsolute = true
            } else if hasValue && options.frequency == nil && name.equalsIgnoringCase("idletime") {
                guard let seconds = IntegerText.parse(call.arguments[index + 1]) else { throw .notInteger }
                if seconds < 0 { throw .message("ERR Invalid IDLETIME value, must be >= 0") }
                options.idleSeconds = seconds
                index += 1
            } else if hasValue && options.idleSeconds == nil && name.equalsIgnoringCase("freq") {
                guard let frequency = IntegerText.parse(call.arguments[index + 1]) else { throw .notInteger }
                if frequency < 0 || frequency > 255 {
                    throw .message("ERR Invalid FREQ value, must be >= 0 and <= 255")
                }
                options.frequency = frequency
                index += 1
            } else {
                throw .syntax
            }
            index += 1
        }
        return options
    }
}
