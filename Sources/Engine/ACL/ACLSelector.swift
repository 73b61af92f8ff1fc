// ACLSelector.swift - one set of permissions: commands, key patterns, channel patterns, databases. A user has a root
// selector and may have more; a command may run when any one of them allows all of it. A value: changing a user means
// changing a copy and putting it in place. Rules are applied in ACLSelector+Rules.swift, printed in +Text.
internal import Base
internal import RESP

package struct ACLSelector: Sendable {
    /// What a key pattern allows.
    struct KeyAccess: OptionSet, Sendable {
        let rawValue: UInt8
        static let read = KeyAccess(rawValue: 1)
        static let write = KeyAccess(rawValue: 2)
        static let all: KeyAccess = [.read, .write]
    }

    struct KeyPattern: Sendable {
        let pattern: [UInt8]
        var access: KeyAccess
    }

    /// Bit per command slot.
    var commandBits: [UInt64]
    /// Also commands that do not exist yet: true from `+@all` until `-@all`.
    var allowsFutureCommands = false
    /// Nothing was taken away since `+@all`.
    var allowsAllCommands = false
    /// First arguments with which a command that is not allowed as a whole may run (`+select|0`), by slot.
    var firstArguments: [Int: [[UInt8]]] = [:]
    /// The command rules since the last `+@all` or `-@all`, each with its sign.
    var commandRules: [[UInt8]] = []
    var allowsAllKeys = false
    var keyPatterns: [KeyPattern] = []
    var allowsAllChannels: Bool
    var channelPatterns: [[UInt8]] = []
    /// Databases that may be used; nil for all.
    var databases: [Int]?

    init(commandCount: Int, allowsAllChannels: Bool) {
        commandBits = [UInt64](repeating: 0, count: (commandCount + 63) / 64)
        self.allowsAllChannels = allowsAllChannels
    }

    /// Whether nothing is forbidden, so that nothing need be looked at.
    var isUnlimited: Bool { allowsAllCommands && allowsAllKeys && allowsAllChannels && databases == nil }

    // MARK: checks

    func allowsCommand(_ slot: Int, isSubcommand: Bool, _ arguments: borrowing Arguments) -> Bool {
        if allowsAllCommands || commandBits[slot / 64] >> UInt64(slot % 64) & 1 != 0 { return true }
        let index = isSubcommand ? 2 : 1
        guard arguments.count > index, let words = firstArguments[slot] else { return false }
        for word in words where arguments[index].equalsIgnoringCase(word.span) { return true }
        return false
    }

    func allowsKey(_ key: Span<UInt8>, _ flags: KeySpec.Flags) -> Bool {
        if allowsAllKeys { return true }
        var needed: KeyAccess = []
        if flags.contains(.access) { needed.insert(.read) }
        if !flags.isDisjoint(with: [.insert, .delete, .update]) { needed.insert(.write) }
        for pattern in keyPatterns
        where pattern.access.isSuperset(of: needed) && Glob.matches(pattern: pattern.pattern.span, text: key) {
            return true
        }
        return false
    }

    /// Whether every key that there is or may be can be read.
    var allowsReadingAllKeys: Bool {
        allowsAllKeys
            || keyPatterns.contains { $0.access.contains(.read) && $0.pattern == [UInt8(ascii: "*")] }
    }

    /// A pattern of PSUBSCRIBE is allowed only where it stands literally.
    func allowsChannel(_ channel: Span<UInt8>, isPattern: Bool) -> Bool {
        if allowsAllChannels { return true }
        for pattern in channelPatterns {
            let isAllowed =
                isPattern ? pattern.span.equals(channel) : Glob.matches(pattern: pattern.span, text: channel)
            if isAllowed { return true }
        }
        return false
    }

    func allowsDatabase(_ database: Int) -> Bool { databases?.contains(database) ?? true }
}
