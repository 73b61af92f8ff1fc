// NodeField.swift - the fields of a node's record that mean something to the coordinator; others are kept and shown.
// Pure.
internal import Base
internal import Engine

enum NodeField: Int, CaseIterable {
    /// In the order of a new record; the first nine are options of FOG.NODE REGISTER.
    case type, region, pool, status, cpu, memory, capacity, weight, address
    case heartbeat, sequence, timeToLive, timedOut

    static let optionCount = 9

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
        case .heartbeat: "heartbeat"
        case .sequence: "seq"
        case .timeToLive: "ttl"
        case .timedOut: "timed_out"
        }
    }

    /// The option's word; its field's name in capital letters.
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
        default: ""
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

    init?(_ name: Span<UInt8>) {
        for field in NodeField.allCases where name.equals(field.name) {
            self = field
            return
        }
        return nil
    }

    /// Refuses what the field cannot be.
    func check(_ value: Span<UInt8>) throws(CommandError) {
        switch self {
        case .status:
            guard NodeStatus(value) != nil else { throw NodeField.invalidStatus }
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
        case .heartbeat, .sequence, .timeToLive:
            guard let number = IntegerText.parse(value), number >= 0 else { throw .notInteger }
        case .type, .region, .pool, .address, .timedOut: break
        }
    }

    static let invalidStatus = CommandError.message(
        "ERR status must be active, inactive, draining, maintenance or failed")
}
