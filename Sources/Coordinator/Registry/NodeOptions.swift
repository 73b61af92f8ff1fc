// NodeOptions.swift - what FOG.NODE REGISTER was asked for: argument indexes of what was given, checked before anything
// changes.
internal import Base
internal import Commands
internal import Engine
internal import RESP

struct NodeOptions {
    enum Condition {
        case none, absent, present
    }

    var condition = Condition.none
    /// Argument index by field, 0 where it was not given.
    private var given = [16 of Int](repeating: 0)
    private(set) var seconds: Int?
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
                try field.check(call.arguments[given[field.rawValue]])
            } else {
                throw .syntax
            }
        }
        for index in extras {
            if let field = NodeField(call.arguments[index]) { try field.check(call.arguments[index + 1]) }
        }
    }

    /// FOG.NODE MREGISTER's form: `count` pairs of names and values from argument `start` on.
    init(_ call: borrowing Call, pairsFrom start: Int, count: Int) throws(CommandError) {
        for index in stride(from: start, to: start + count * 2, by: 2) {
            let field = NodeField(call.arguments[index])
            try field?.check(call.arguments[index + 1])
            if let field, field.rawValue < NodeField.optionCount {
                given[field.rawValue] = index + 1
            } else {
                extras.append(index)
                if field == .timeToLive, let number = IntegerText.parse(call.arguments[index + 1]), number > 0 {
                    seconds = Int(min(number, Int64(Int32.max)))
                }
            }
        }
    }

    private static func take(_ words: inout Options) -> NodeField? {
        for field in NodeField.allCases where field.rawValue < NodeField.optionCount {
            if words.take(field.word, values: 1) { return field }
        }
        return nil
    }

    /// The record's fields: of a known node what was given, of a new one also what is standard. A field that the
    /// client names itself comes last and counts.
    func write(to fields: inout RecordFields, isNew: Bool, _ call: borrowing Call) {
        for field in NodeField.allCases where field.rawValue < NodeField.optionCount {
            let index = given[field.rawValue]
            if index > 0 {
                fields.add(field.name, call.arguments[index])
            } else if isNew, field.standard.utf8CodeUnitCount > 0 {
                fields.add(field.name, text: field.standard)
            }
        }
        fields.add(NodeField.heartbeat.name, decimal: call.now)
        if isNew { fields.add(NodeField.sequence.name, decimal: 0) }
        if let seconds { fields.add(NodeField.timeToLive.name, decimal: Int64(seconds)) }
        for index in extras { fields.add(named: call.arguments[index], call.arguments[index + 1]) }
    }

    func expiry(_ call: borrowing Call) -> RecordExpiry {
        guard let seconds else { return call.defaultExpiry }
        return .at(call.now + Int64(seconds) * 1000)
    }
}
