// NodeRegister.swift - FOG.NODE REGISTER and DEL.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum NodeRegister {
    static let subcommands: [Command] = [
        Command(
            "REGISTER",
            """
            id [condition=(NX | XX)] [TYPE type] [REGION region] [POOL pool] [STATUS status] [CPU percent:double] \
            [MEM percent:double] [CAP count:integer] [WEIGHT weight:double] [ADDR address] [TTL seconds:integer] \
            [FIELD (field value)]...
            """,
            arity: -3, [.write, .denyOOM, .fast], keys: [.key(at: 2, [.notKey])], in: .fog, since: "8.2.0",
            complexity: "O(N) where N is the number of fields.",
            summary: "Registers a node, or changes one that is registered.",
            help: [
                "REGISTER <id> [NX|XX] [TYPE <type>] [REGION <region>] [POOL <pool>] [STATUS <status>] [CPU <percent>]"
                    + " [MEM <percent>] [CAP <count>] [WEIGHT <weight>] [ADDR <host:port>] [TTL <seconds>]"
                    + " [FIELD <field> <value> ...]",
                "    Register a node or change one. NX: only when it is new; XX: only when it is not.",
            ],
            run: register),
        Command(
            "DEL", "id...", arity: -3, [.write], keys: [.keys(from: 2, [.notKey])], in: .fog, since: "8.2.0",
            complexity: "O(N) where N is the number of nodes.",
            summary: "Removes nodes and returns how many there were.",
            help: ["DEL <id> [<id> ...]", "    Remove nodes."], run: delete),
    ]

    private static let register: Command.Handler = { (call: inout Call) throws(CommandError) in
        let id = call.arguments[call.firstWord]
        let spec = try NodeOptions(call, from: call.firstWord + 1)
        try call.checkWrite(.node, id)
        let key = call.recordKey(.node, id)
        let isKnown = try call.recordSlot(key.span) != nil
        if spec.condition == .absent && isKnown || spec.condition == .present && !isKnown {
            return call.reply.null()
        }
        let state = call.coordinator
        _ = call.nodes
        state.fields.removeAll()
        spec.write(to: &state.fields, isNew: !isKnown, call)
        let expiry = spec.expiry(call)
        try call.writeRecord(.node, id, state.fields, expiry: expiry)
        call.reply.ok()
    }

    private static let delete: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        for index in first..<call.arguments.count { try call.checkWrite(.node, call.arguments[index]) }
        _ = call.nodes
        var count = 0
        for index in first..<call.arguments.count {
            if try call.removeRecord(.node, call.arguments[index]) { count += 1 }
        }
        call.reply.integer(count)
    }
}

/// What FOG.NODE REGISTER was asked for: argument indexes of what was given, checked.
struct NodeOptions {
    enum Condition {
        case none, absent, present
    }

    /// Options that are a field of the record as they stand, in the order of the record.
    enum Field: Int, CaseIterable {
        case type, region, pool, status, cpu, memory, capacity, weight, address

        var word: StaticString {
            switch self {
            case .type: "TYPE"
            case .region: "REGION"
            case .pool: "POOL"
            case .status: "STATUS"
            case .cpu: "CPU"
            case .memory: "MEM"
            case .capacity: "CAP"
            case .weight: "WEIGHT"
            case .address: "ADDR"
            }
        }

        var name: StaticString {
            switch self {
            case .type: "type"
            case .region: "region"
            case .pool: "pool"
            case .status: "status"
            case .cpu: "cpu"
            case .memory: "mem"
            case .capacity: "cap"
            case .weight: "weight"
            case .address: "addr"
            }
        }

        /// What a new node has that says nothing; empty: no such field.
        var standard: StaticString {
            switch self {
            case .status: "active"
            case .cpu, .memory, .capacity: "0"
            case .weight: "1"
            default: ""
            }
        }
    }

    var condition = Condition.none
    /// Argument index by field, 0 where it was not given.
    private var given = [Int](repeating: 0, count: Field.allCases.count)
    private var seconds: Int?
    /// Argument indexes of names whose values follow.
    private var extras: [Int] = []

    init(_ call: borrowing Call, from start: Int) throws(CommandError) {
        var words = call.options(from: start)
        while !words.isAtEnd {
            if words.take("NX") {
                guard condition != .present else { throw .syntax }
                condition = .absent
            } else if words.take("XX") {
                guard condition != .absent else { throw .syntax }
                condition = .present
            } else if words.take("TTL", values: 1) {
                let value = try words.integer()
                guard value > 0, value <= Int(Int32.max) else { throw .invalidExpire }
                seconds = value
            } else if words.take("FIELD", values: 2) {
                extras.append(try words.nextIndex())
                try words.skip(1)
            } else if let field = NodeOptions.take(&words) {
                given[field.rawValue] = try words.nextIndex()
                try NodeOptions.check(field, call.arguments[given[field.rawValue]])
            } else {
                throw .syntax
            }
        }
    }

    private static func take(_ words: inout Options) -> Field? {
        for field in Field.allCases where words.take(field.word, values: 1) { return field }
        return nil
    }

    private static func check(_ field: Field, _ value: Span<UInt8>) throws(CommandError) {
        switch field {
        case .status:
            guard NodeStatus(value) != nil else {
                throw .message("ERR status must be active, inactive, draining, maintenance or failed")
            }
        case .cpu, .memory:
            guard let percent = DoubleText.parse(value), percent >= 0, percent <= 100 else {
                throw .message("ERR CPU and MEM are per cent: a number from 0 to 100")
            }
        case .capacity:
            guard let count = IntegerText.parse(value), count >= 0, count <= Int64(Int32.max) else {
                throw .message("ERR CAP is how many requests a node takes at a time: an integer from 0 (no limit)")
            }
        case .weight:
            guard let weight = DoubleText.parse(value), weight >= 0, weight <= 1_000_000 else {
                throw .message("ERR WEIGHT must be a number from 0 to 1000000")
            }
        case .type, .region, .pool, .address: break
        }
    }

    /// The record's fields: of a known node what was given, of a new one also what is standard.
    func write(to fields: inout RecordFields, isNew: Bool, _ call: borrowing Call) {
        for field in Field.allCases {
            let index = given[field.rawValue]
            if index > 0 {
                fields.add(field.name, call.arguments[index])
            } else if isNew, field.standard.utf8CodeUnitCount > 0 {
                fields.add(field.name, text: field.standard)
            }
        }
        fields.add("heartbeat", decimal: call.now)
        for index in extras { fields.add(named: call.arguments[index], call.arguments[index + 1]) }
    }

    func expiry(_ call: borrowing Call) -> RecordExpiry {
        guard let seconds else { return call.defaultExpiry }
        return .at(call.now + Int64(seconds) * 1000)
    }
}
