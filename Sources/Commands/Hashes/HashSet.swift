// HashSet.swift - HSET, HMSET, HSETNX: writing fields. A new small hash is written once, straight into its key's entry.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum HashSet {
    static let commands: [Command] = [
        Command(
            "HSET", "key data=(field value)...", arity: -4, [.write, .denyOOM, .fast],
            keys: [.key([.readWrite, .update])], in: .hash, since: "2.0.0",
            complexity: """
                O(1) for each field/value pair added, so O(N) to add N field/value pairs when the command is \
                called with multiple field/value pairs.
                """,
            summary: "Creates or modifies the value of a field in a hash.",
            history: [("4.0.0", "Accepts multiple `field` and `value` arguments.")]
        ) { (call: inout Call) throws(CommandError) in
            guard call.arguments.count & 1 == 0 else {
                throw .message("ERR wrong number of arguments for 'hset' command")
            }
            let added = try setPairs(call)
            call.changed("hset", .hash, key: call.arguments[1])
            call.reply.integer(added)
        },
        Command(
            "HMSET", "key data=(field value)...", arity: -4, [.write, .denyOOM, .fast],
            keys: [.key([.readWrite, .update])], in: .hash, since: "2.0.0",
            complexity: "O(N) where N is the number of fields being set.",
            summary: "Sets the values of multiple fields."
        ) { (call: inout Call) throws(CommandError) in
            guard call.arguments.count & 1 == 0 else {
                throw .message("ERR wrong number of arguments for 'hmset' command")
            }
            _ = try setPairs(call)
            call.changed("hset", .hash, key: call.arguments[1])
            call.reply.ok()
        },
        Command(
            "HSETNX", "key field value", arity: 4, [.write, .denyOOM, .fast], keys: [.key([.readWrite, .insert])],
            in: .hash, since: "2.0.0", complexity: "O(1)",
            summary: "Sets the value of a field in a hash only when the field doesn't exist.", run: setIfAbsent),
    ]

    /// Sets the pairs from argument 2 on; how many fields are new.
    @inline(__always)
    private static func setPairs(_ call: borrowing Call) throws(CommandError) -> Int {
        let arguments = call.arguments
        let limits = call.hashLimits
        guard let slot = try call.findHash(1) else { return make(call, limits) }
        let database = call.session.database
        // As stock servers do: so many arguments are taken for so many fields.
        if arguments.count / 2 - 1 > limits.countMax { call.keyspace.makeMemberTable(slot, in: database) }
        var added = 0
        var index = 2
        while index < arguments.count {
            let isNew = call.keyspace.setField(
                slot, in: database, arguments[index], to: arguments[index + 1], limits: limits)
            if isNew { added &+= 1 }
            index &+= 2
        }
        return added
    }

    /// A new hash of the pairs from argument 2 on.
    private static func make(_ call: borrowing Call, _ limits: CompactLimits) -> Int {
        let arguments = call.arguments
        var room = 0
        var longest = 0
        for index in 2..<arguments.count {
            longest = max(longest, arguments[index].count)
            room += Listpack.entryByteCount(of: arguments[index])
        }
        let isSmall = arguments.count / 2 - 1 <= limits.countMax && longest <= limits.byteCountMax
        guard isSmall, room <= Listpack.byteCountMax else { return makeTable(call) }
        var added = 0
        call.keyspace.makeListpack(
            arguments[1], hash: call.hash(1), in: call.session.database, type: .hash, room: room
        ) { listpack in
            var index = 2
            while index < arguments.count {
                if let offset = listpack.view.find(arguments[index], skip: 1) {
                    listpack.replace(at: listpack.view.offset(after: offset), with: arguments[index + 1])
                } else {
                    listpack.append(arguments[index])
                    listpack.append(arguments[index + 1])
                    added &+= 1
                }
                index &+= 2
            }
        }
        return added
    }

    private static func makeTable(_ call: borrowing Call) -> Int {
        let arguments = call.arguments
        var members = MemberTable()
        var index = 2
        while index < arguments.count {
            let hash = members.hash(arguments[index])
            if let slot = members.find(arguments[index], hash: hash) {
                members.setValue(slot, arguments[index + 1])
            } else {
                members.insert(arguments[index], hash: hash, value: arguments[index + 1])
            }
            index &+= 2
        }
        let added = members.count
        call.keyspace.setMembers(
            arguments[1], hash: call.hash(1), in: call.session.database, slot: nil, type: .hash, members: members,
            expiry: nil)
        return added
    }

    private static let setIfAbsent: Command.Handler = { (call: inout Call) throws(CommandError) in
        if let slot = try call.findHash(1), slot.entry.hasField(call.arguments[2], now: call.now) {
            return call.reply.integer(0)
        }
        try call.setField(call.arguments[2], to: call.arguments[3])
        call.changed("hset", .hash, key: call.arguments[1])
        call.reply.integer(1)
    }
}
