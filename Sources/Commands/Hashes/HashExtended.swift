// HashExtended.swift - HSETEX, HGETEX, HGETDEL: values together with their times. In the journal all of them are
// spelled by older commands wherever those say the same, so that files stay readable elsewhere.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum HashExtended {
    static let commands: [Command] = [
        Command(
            "HSETEX",
            """
            key [key-condition=(NX | XX)] [fields-condition=(FNX | FXX)] [expiration=(EX seconds:integer | PX \
            milliseconds:integer | EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | \
            KEEPTTL)] FIELDS (numfields:integer#0 data=(field value)...)
            """,
            arity: -6, [.write, .denyOOM, .fast], keys: [.key([.readWrite, .insert])], in: .hash, since: "9.0.0",
            complexity: "O(N) where N is the number of specified fields.",
            summary: """
                Sets the value of one or more fields of a given hash key, and optionally sets their expiration time.
                """,
            run: set),
        Command(
            "HGETEX",
            """
            key [expiration=(EX seconds:integer | PX milliseconds:integer | EXAT unix-time-seconds:unix-time | PXAT \
            unix-time-milliseconds:unix-time | PERSIST)] FIELDS (numfields:integer#0 field...)
            """,
            arity: -5, [.write, .fast], keys: [.key([.readWrite, .access, .update])], in: .hash, since: "9.0.0",
            complexity: "O(N) where N is the number of specified fields.",
            summary: """
                Gets the value of one or more fields of a given hash key, and optionally sets their expiration time \
                or time-to-live (TTL).
                """,
            run: get),
        Command(
            "HGETDEL", "key FIELDS (numfields:integer#0 field...)", arity: -5, [.write, .fast],
            keys: [.key([.readWrite, .access, .delete])], in: .hash, since: "9.1.0",
            complexity: "O(N) where N is the number of fields to be retrieved and deleted.",
            summary: "Returns the values of one or more fields and deletes them from a hash.", run: getAndDelete),
    ]

    // MARK: options

    private enum Condition {
        case none
        case absent
        case present
    }

    private struct HashOptions {
        var key = Condition.none
        var field = Condition.none
        var keepsTime = false
        var clearsTime = false
        var unit: ExpiryUnit?
        var timeIndex = 0

        /// Reads arguments `2..<end`; the words exclude each other, and may repeat themselves.
        init(_ call: borrowing Call, to end: Int, isSetting: Bool) throws(CommandError) {
            var index = 2
            while index < end {
                let word = call.arguments[index]
                index += 1
                if let unit = HashOptions.unit(word) {
                    guard self.unit == nil || self.unit == unit, !keepsTime, !clearsTime, index < end else {
                        throw .syntax
                    }
                    self.unit = unit
                    timeIndex = index
                    index += 1
                } else if !isSetting {
                    guard word.equalsIgnoringCase("PERSIST"), unit == nil else { throw .syntax }
                    clearsTime = true
                } else if word.equalsIgnoringCase("KEEPTTL") {
                    guard unit == nil else { throw .syntax }
                    keepsTime = true
                } else if word.equalsIgnoringCase("NX") {
                    try HashOptions.set(&key, .absent)
                } else if word.equalsIgnoringCase("XX") {
                    try HashOptions.set(&key, .present)
                } else if word.equalsIgnoringCase("FNX") {
                    try HashOptions.set(&field, .absent)
                } else if word.equalsIgnoringCase("FXX") {
                    try HashOptions.set(&field, .present)
                } else {
                    throw .syntax
                }
            }
        }

        private static func set(_ condition: inout Condition, _ value: Condition) throws(CommandError) {
            guard condition == .none || condition == value else { throw .syntax }
            condition = value
        }

        private static func unit(_ word: Span<UInt8>) -> ExpiryUnit? {
            if word.equalsIgnoringCase("EX") { return .seconds }
            if word.equalsIgnoringCase("PX") { return .milliseconds }
            if word.equalsIgnoringCase("EXAT") { return .unixSeconds }
            if word.equalsIgnoringCase("PXAT") { return .unixMilliseconds }
            return nil
        }

        /// The moment that was asked for; nil when none was.
        func time(_ call: borrowing Call, invalid: StaticString) throws(CommandError) -> Int64? {
            guard let unit else { return nil }
            return try call.fieldTime(timeIndex, unit, invalid: invalid)
        }
    }

    // MARK: HSETEX

    private static let set: Command.Handler = { (call: inout Call) throws(CommandError) in
        let fieldsIndex = try FieldWords.index(in: call, from: 2)
        let options = try HashOptions(call, to: fieldsIndex, isSetting: true)
        let fields = try FieldWords(call, countAt: fieldsIndex + 1, stride: 2)
        let slot = try call.findHash(1)
        if options.key == .absent && slot != nil || options.key == .present && slot == nil {
            return call.reply.integer(0)
        }
        let time = try options.time(call, invalid: "ERR invalid expire time in 'hsetex' command")
        guard allFields(call, slot, fields, meet: options.field) else { return call.reply.integer(0) }
        if let time, time <= call.now, call.keyspace.removesAtOnce {
            if let slot, call.removeFields(slot, fields, stride: 2, event: "hexpired", { _, _, _ in }) > 0 {
                call.removeIfEmpty(1, collection: slot)
            }
            return call.reply.integer(1)
        }
        let expiry = time.map { FieldExpiry.at($0) } ?? (options.keepsTime ? .kept : .cleared)
        for index in stride(from: fields.first, to: call.arguments.count, by: 2) {
            try call.setField(call.arguments[index], to: call.arguments[index + 1], expiry)
        }
        call.changed("hset", .hash, key: call.arguments[1])
        if time != nil { call.alsoHappened("hexpire", .hash, key: call.arguments[1]) }
        propagate(call, fields, time, keepsTime: options.keepsTime)
        call.reply.integer(1)
    }

    private static func allFields(
        _ call: borrowing Call, _ slot: EntryTable.Slot?, _ fields: FieldWords, meet condition: Condition
    ) -> Bool {
        guard condition != .none else { return true }
        guard let entry = slot?.entry else { return condition == .absent }
        for index in stride(from: fields.first, to: call.arguments.count, by: 2) {
            if entry.hasField(call.arguments[index], now: call.now) != (condition == .present) { return false }
        }
        return true
    }

    /// Without times it is an HSET.
    private static func propagate(_ call: borrowing Call, _ fields: FieldWords, _ time: Int64?, keepsTime: Bool) {
        let arguments = call.arguments
        call.propagate(time == nil && !keepsTime ? "HSET" : "HSETEX") { words in
            words.add(arguments[1])
            if let time {
                words.add("PXAT")
                words.add(decimal: time)
            } else if keepsTime {
                words.add("KEEPTTL")
            }
            if time != nil || keepsTime {
                words.add("FIELDS")
                words.add(decimal: Int64(fields.count))
            }
            for index in fields.first..<arguments.count { words.add(arguments[index]) }
        }
    }

    // MARK: HGETEX

    private static let get: Command.Handler = { (call: inout Call) throws(CommandError) in
        let fieldsIndex = try FieldWords.index(in: call, from: 2)
        let options = try HashOptions(call, to: fieldsIndex, isSetting: false)
        let fields = try FieldWords(call, countAt: fieldsIndex + 1)
        let slot = try call.readHashSlot(1)
        let time = try options.time(call, invalid: "ERR invalid expire time in 'hgetex' command")
        call.reply.array(fields.count)
        guard let slot else {
            for _ in 0..<fields.count { call.reply.null() }
            return
        }
        if let time, time <= call.now, call.keyspace.removesAtOnce {
            return takeFields(&call, slot, fields, event: "hexpired")
        }
        var changed: [Int] = []
        for index in fields.first..<call.arguments.count {
            let field = call.arguments[index]
            writeValue(call, slot, field)
            guard slot.entry.hasField(field, now: call.now) else { continue }
            if let time {
                call.keyspace.setFieldExpiry(slot, in: call.session.database, field, to: time)
                changed.append(index)
            } else if options.clearsTime, HashExpire.clearTime(call, slot, field) == .done {
                changed.append(index)
            }
        }
        guard !changed.isEmpty else { return }
        call.changed(time == nil ? "hpersist" : "hexpire", .hash, key: call.arguments[1])
        propagate(call, changed, time)
    }

    private static func writeValue(_ call: borrowing Call, _ slot: EntryTable.Slot, _ field: Span<UInt8>) {
        let entry = slot.entry
        if let value = entry.fieldValue(field, now: call.now) { call.reply.bulk(value) } else { call.reply.null() }
    }

    private static func propagate(_ call: borrowing Call, _ changed: [Int], _ time: Int64?) {
        let arguments = call.arguments
        call.propagate(time == nil ? "HPERSIST" : "HPEXPIREAT") { words in
            words.add(arguments[1])
            if let time { words.add(decimal: time) }
            words.add("FIELDS")
            words.add(decimal: Int64(changed.count))
            for index in changed { words.add(arguments[index]) }
        }
    }

    // MARK: HGETDEL

    private static let getAndDelete: Command.Handler = { (call: inout Call) throws(CommandError) in
        let fields = try FieldWords(fixedIn: call)
        let slot = try call.findHash(1)
        call.reply.array(fields.count)
        guard let slot else {
            for _ in 0..<fields.count { call.reply.null() }
            return
        }
        takeFields(&call, slot, fields, event: "hdel")
    }

    /// Answers the fields' values and removes them, one after another: a field named twice is answered once.
    private static func takeFields(
        _ call: inout Call, _ slot: EntryTable.Slot, _ fields: FieldWords, event: StaticString
    ) {
        var removed: [Int] = []
        for index in fields.first..<call.arguments.count {
            writeValue(call, slot, call.arguments[index])
            if call.keyspace.removeField(slot, in: call.session.database, call.arguments[index]) {
                removed.append(index)
            }
        }
        guard !removed.isEmpty else { return }
        call.changed(event, .hash, key: call.arguments[1])
        let arguments = call.arguments
        call.propagate("HDEL") { words in
            words.add(arguments[1])
            for index in removed { words.add(arguments[index]) }
        }
        call.removeIfEmpty(1, collection: slot)
    }
}
