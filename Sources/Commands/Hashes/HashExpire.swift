// HashExpire.swift - HEXPIRE, HPEXPIRE, HEXPIREAT, HPEXPIREAT, HPERSIST: fields that get an end, or lose it. A time
// that has passed removes the fields at once. Replies and errors are Valkey 9.1's, whose documented results are Redis
// 8's.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

/// Field names, or fields with values, behind `FIELDS numfields`.
struct FieldWords {
    /// Argument index of the first field.
    let first: Int
    /// How many fields there are.
    let count: Int

    static let mismatch = CommandError.message(
        "ERR numfields should be greater than 0 and match the provided number of fields")

    /// Reads the count in argument `index`; everything behind it must be `count` fields of `stride` words each.
    init(
        _ call: borrowing Call, countAt index: Int, stride: Int = 1, otherwise: CommandError = mismatch
    ) throws(CommandError) {
        count = try call.integer(index)
        first = index + 1
        let (words, overflow) = count.multipliedReportingOverflow(by: stride)
        guard count > 0, !overflow, words == call.arguments.count - first else { throw otherwise }
    }

    /// As the other, for a count that stands in argument 3, behind the word FIELDS.
    init(fixedIn call: borrowing Call, otherwise: CommandError = mismatch) throws(CommandError) {
        guard call.arguments[2].equalsIgnoringCase("FIELDS") else { throw .syntax }
        try self.init(call, countAt: 3, otherwise: otherwise)
    }

    /// Where the word FIELDS stands, from argument `start` on, with at least one word behind it.
    static func index(in call: borrowing Call, from start: Int) throws(CommandError) -> Int {
        var index = start
        while index < call.arguments.count - 1 {
            if call.arguments[index].equalsIgnoringCase("FIELDS") { return index }
            index += 1
        }
        throw mismatch
    }
}

enum HashExpire {
    private static let complexity = "O(N) where N is the number of specified fields."

    static let commands: [Command] = [
        Command(
            "HEXPIRE",
            """
            key seconds:integer [condition=(NX | XX | GT | LT)] FIELDS (numfields:integer field...)
            """,
            arity: -6, [.write, .fast], keys: [.key([.readWrite, .update])], in: .hash, since: "9.0.0",
            complexity: complexity, summary: "Sets expiry time on hash fields."
        ) { (call: inout Call) throws(CommandError) in
            try expire(&call, .seconds, "ERR invalid expire time in 'hexpire' command")
        },
        Command(
            "HPEXPIRE",
            """
            key milliseconds:integer [condition=(NX | XX | GT | LT)@9.0.0] \
            FIELDS (numfields:integer#0 field...)
            """,
            arity: -6, [.write, .fast], keys: [.key([.readWrite, .update])], in: .hash, since: "9.0.0",
            complexity: complexity, summary: "Sets expiry time on hash object."
        ) { (call: inout Call) throws(CommandError) in
            try expire(&call, .milliseconds, "ERR invalid expire time in 'hpexpire' command")
        },
        Command(
            "HEXPIREAT",
            """
            key unix-time-seconds:integer [condition=(NX | XX | GT | LT)@9.0.0] \
            FIELDS (numfields:integer#0 field...)
            """,
            arity: -6, [.write, .fast], keys: [.key([.readWrite, .update])], in: .hash, since: "9.0.0",
            complexity: complexity, summary: "Sets expiry time on hash fields."
        ) { (call: inout Call) throws(CommandError) in
            try expire(&call, .unixSeconds, "ERR invalid expire time in 'hexpireat' command")
        },
        Command(
            "HPEXPIREAT",
            """
            key unix-time-milliseconds:integer [condition=(NX | XX | GT | LT)@9.0.0] \
            FIELDS (numfields:integer#0 field...)
            """,
            arity: -6, [.write, .fast], keys: [.key([.readWrite, .update])], in: .hash, since: "9.0.0",
            complexity: complexity, summary: "Sets expiration time on hash field."
        ) { (call: inout Call) throws(CommandError) in
            try expire(&call, .unixMilliseconds, "ERR invalid expire time in 'hpexpireat' command")
        },
        Command(
            "HPERSIST", "key FIELDS (numfields:integer#0 field...)", arity: -5, [.write, .fast],
            keys: [.key([.readWrite, .update])], in: .hash, since: "9.0.0", complexity: complexity,
            summary: "Remove the existing expiration on a hash key's field(s).", run: persist),
    ]

    /// What became of a field, as the commands answer it.
    enum Result: Int {
        case missing = -2
        case timeless = -1
        case refused = 0
        case done = 1
        case removed = 2
    }

    private static func expire(
        _ call: inout Call, _ unit: ExpiryUnit, _ invalid: StaticString
    ) throws(CommandError) {
        let fieldsIndex = try FieldWords.index(in: call, from: 3)
        let conditions = try ExpiryConditions(call, 3..<fieldsIndex)
        let fields = try FieldWords(call, countAt: fieldsIndex + 1)
        let time = try call.fieldTime(2, unit, invalid: invalid)
        let slot = try call.findHash(1)
        call.reply.array(fields.count)
        guard let slot else {
            for _ in 0..<fields.count { call.reply.integer(Result.missing.rawValue) }
            return
        }
        if time <= call.now && call.keyspace.removesAtOnce { return remove(&call, slot, fields) }
        var changed = 0
        for index in fields.first..<call.arguments.count {
            let result = setTime(call, slot, call.arguments[index], time, conditions)
            if result == .done { changed += 1 }
            call.reply.integer(result.rawValue)
        }
        guard changed > 0 else { return }
        call.changed("hexpire", .hash, key: call.arguments[1])
        if unit != .unixMilliseconds { propagate(call, time) }
    }

    private static func setTime(
        _ call: borrowing Call, _ slot: EntryTable.Slot, _ field: Span<UInt8>, _ time: Int64,
        _ conditions: ExpiryConditions
    ) -> Result {
        let entry = slot.entry
        guard entry.hasField(field, now: call.now) else { return .missing }
        let current = entry.isMemberTable ? entry.liveMember(field, now: call.now)?.expiry : nil
        guard conditions.allow(time, over: current) else { return .refused }
        call.keyspace.setFieldExpiry(slot, in: call.session.database, field, to: time)
        return .done
    }

    /// The time has passed: the fields go at once.
    private static func remove(_ call: inout Call, _ slot: EntryTable.Slot, _ fields: FieldWords) {
        let removed = call.removeFields(slot, fields, event: "hexpired") { call, _, isRemoved in
            call.reply.integer((isRemoved ? Result.removed : Result.missing).rawValue)
        }
        if removed > 0 { call.removeIfEmpty(1, collection: slot) }
    }

    /// For the journal: the same with a moment instead of a time span.
    private static func propagate(_ call: borrowing Call, _ time: Int64) {
        let arguments = call.arguments
        call.propagate("HPEXPIREAT") { words in
            words.add(arguments[1])
            words.add(decimal: time)
            for index in 3..<arguments.count { words.add(arguments[index]) }
        }
    }

    private static let persist: Command.Handler = { (call: inout Call) throws(CommandError) in
        let fields = try FieldWords(fixedIn: call)
        let slot = try call.findHash(1)
        call.reply.array(fields.count)
        var changed = 0
        for index in fields.first..<call.arguments.count {
            var result = Result.missing
            if let slot { result = clearTime(call, slot, call.arguments[index]) }
            if result == .done { changed += 1 }
            call.reply.integer(result.rawValue)
        }
        if changed > 0 { call.changed("hpersist", .hash, key: call.arguments[1]) }
    }

    static func clearTime(_ call: borrowing Call, _ slot: EntryTable.Slot, _ field: Span<UInt8>) -> Result {
        guard slot.entry.hasField(field, now: call.now) else { return .missing }
        guard slot.entry.isMemberTable, slot.entry.liveMember(field, now: call.now)?.hasExpiry == true else {
            return .timeless
        }
        call.keyspace.setFieldExpiry(slot, in: call.session.database, field, to: nil)
        return .done
    }
}

extension Call {
    /// The moment that argument `index` says, in milliseconds since the epoch; negative and overflowing ones are
    /// refused with `invalid`.
    func fieldTime(_ index: Int, _ unit: ExpiryUnit, invalid: StaticString) throws(CommandError) -> Int64 {
        let value = try integer(index)
        guard value >= 0 else { throw .message(invalid) }
        return try unit.time(Int64(value), now: now, invalid: invalid)
    }

    /// Removes the fields of `fields` and calls `body` for each with its argument index and whether it was there. Says
    /// the change and records HDEL; the caller removes the key of a hash that became empty. Returns how many went.
    mutating func removeFields(
        _ slot: EntryTable.Slot, _ fields: FieldWords, stride: Int = 1, event: StaticString,
        _ body: (borrowing Call, _ index: Int, _ isRemoved: Bool) -> Void
    ) -> Int {
        var removed: [Int] = []
        for index in Swift.stride(from: fields.first, to: arguments.count, by: stride) {
            let isRemoved = keyspace.removeField(slot, in: session.database, arguments[index])
            if isRemoved { removed.append(index) }
            body(self, index, isRemoved)
        }
        guard !removed.isEmpty else { return 0 }
        changed(event, .hash, key: arguments[1])
        let words = arguments
        propagate("HDEL") { record in
            record.add(words[1])
            for index in removed { record.add(words[index]) }
        }
        return removed.count
    }
}
