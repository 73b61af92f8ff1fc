// ExpiryConditions.swift - NX, XX, GT and LT behind EXPIRE, HEXPIRE and their relatives: when a new time may take the
// place of the one there is. Pure; refuses what excludes each other in the stock servers' words.
internal import Base
internal import Engine
internal import RESP

struct ExpiryConditions: OptionSet {
    let rawValue: UInt8
    static let ifNone = ExpiryConditions(rawValue: 1)
    static let ifSome = ExpiryConditions(rawValue: 2)
    static let ifGreater = ExpiryConditions(rawValue: 4)
    static let ifLess = ExpiryConditions(rawValue: 8)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Reads the arguments of `range`.
    init(_ call: borrowing Call, _ range: Range<Int>) throws(CommandError) {
        var conditions: ExpiryConditions = []
        for index in range {
            let option = call.arguments[index]
            if option.equalsIgnoringCase("nx") {
                conditions.insert(.ifNone)
            } else if option.equalsIgnoringCase("xx") {
                conditions.insert(.ifSome)
            } else if option.equalsIgnoringCase("gt") {
                conditions.insert(.ifGreater)
            } else if option.equalsIgnoringCase("lt") {
                conditions.insert(.ifLess)
            } else {
                var text = ByteBuffer()
                text.append("ERR Unsupported option ")
                text.append(option)
                call.reply.error(text.span)
                throw .written
            }
        }
        if conditions.contains(.ifNone) && conditions != .ifNone {
            throw .message("ERR NX and XX, GT or LT options at the same time are not compatible")
        }
        if conditions.isSuperset(of: [.ifGreater, .ifLess]) {
            throw .message("ERR GT and LT options at the same time are not compatible")
        }
        self = conditions
    }

    /// Whether the conditions let `time` replace the current expiry. No expiry counts as an infinite one.
    func allow(_ time: Int64, over current: Int64?) -> Bool {
        guard !isEmpty else { return true }
        guard let current else { return !contains(.ifSome) && !contains(.ifGreater) }
        if contains(.ifNone) { return false }
        if contains(.ifGreater) && time <= current { return false }
        if contains(.ifLess) && time >= current { return false }
        return true
    }
}
