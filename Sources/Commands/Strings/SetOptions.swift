// SetOptions.swift - the words behind SET, GETEX and MSETEX, read by one parser because they exclude each other by the
// same rules: one condition, one expiry; a word may repeat itself (`NX NX`, `EX 1 EX 2`: the last counts) except the
// comparing ones. Holds argument indices only; nothing is looked at in the keyspace while parsing.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

struct SetOptions {
    enum Condition {
        case none
        case absent
        case present
        case equal
        case different
        case digestEqual
        case digestDifferent

        /// Whether the condition looks at the value.
        var isComparison: Bool { self != .none && self != .absent && self != .present }
    }

    /// Which command's words are allowed.
    enum Command {
        case set
        case getEx
        case setMany
    }

    private(set) var condition = Condition.none
    /// Argument index of the value or digest to compare with.
    private(set) var comparison = 0
    /// GET: the old value is the reply.
    private(set) var returnsOld = false
    /// KEEPTTL.
    private(set) var keepsExpiry = false
    /// PERSIST.
    private(set) var persists = false
    private var unit: ExpiryUnit?
    private var expiryIndex = 0

    init(_ arguments: Arguments, from start: Int, for command: Command) throws(CommandError) {
        var words = Options(arguments, from: start)
        while !words.isAtEnd {
            if let unit = words.expiryUnit() {
                guard self.unit == nil || self.unit == unit, !keepsExpiry, !persists else { throw .syntax }
                self.unit = unit
                expiryIndex = try words.nextIndex()
            } else if command == .getEx {
                guard words.take("PERSIST"), unit == nil else { throw .syntax }
                persists = true
            } else if words.take("KEEPTTL") {
                guard unit == nil else { throw .syntax }
                keepsExpiry = true
            } else if command == .set, words.take("GET") {
                returnsOld = true
            } else {
                try takeCondition(&words, comparing: command == .set)
            }
        }
    }

    private mutating func takeCondition(_ words: inout Options, comparing: Bool) throws(CommandError) {
        let taken: Condition
        if words.take("NX") {
            taken = .absent
        } else if words.take("XX") {
            taken = .present
        } else if comparing, let comparing = SetOptions.takeComparison(&words) {
            taken = comparing
            comparison = try words.nextIndex()
        } else {
            throw .syntax
        }
        guard condition == .none || (condition == taken && !taken.isComparison) else { throw .syntax }
        condition = taken
    }

    /// Takes a comparing word; its value is next then.
    static func takeComparison(_ words: inout Options) -> Condition? {
        if words.take("IFEQ", values: 1) { return .equal }
        if words.take("IFNE", values: 1) { return .different }
        if words.take("IFDEQ", values: 1) { return .digestEqual }
        if words.take("IFDNE", values: 1) { return .digestDifferent }
        return nil
    }

    /// The moment the words ask for, in milliseconds since the epoch; nil when they ask for none.
    func expiry(_ call: borrowing Call, invalid: StaticString) throws(CommandError) -> Int64? {
        guard let unit else { return nil }
        return try unit.positiveTime(call.arguments[expiryIndex], now: call.now, invalid: invalid)
    }

    /// The slot of the key, with its value where the condition wants to see that.
    func look(_ call: borrowing Call) -> EntryTable.Slot? { condition.isComparison ? call.find(1) : call.look(1) }

    /// Whether the condition holds for the key's entry (nil: absent). Comparing words refuse other types.
    func holds(for entry: Entry?, _ arguments: borrowing Arguments) throws(CommandError) -> Bool {
        switch condition {
        case .none: return true
        case .absent: return entry == nil
        case .present: return entry != nil
        default:
            guard let entry else { return condition == .different || condition == .digestDifferent }
            guard entry.isString else { throw .wrongType }
            return try StringComparison.holds(condition, entry, arguments[comparison])
        }
    }
}
