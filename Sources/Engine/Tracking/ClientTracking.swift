// ClientTracking.swift - what one client asked of CLIENT TRACKING. Made by CLIENT TRACKING ON and dropped by OFF, so
// that nobody else pays for it. Under the turn.

package struct TrackingOptions: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// All keys with one of the client's prefixes, whether it read them or not.
    package static let broadcast = TrackingOptions(rawValue: 1 << 0)
    /// Only keys read behind CLIENT CACHING YES.
    package static let optIn = TrackingOptions(rawValue: 1 << 1)
    /// All keys but those read behind CLIENT CACHING NO.
    package static let optOut = TrackingOptions(rawValue: 1 << 2)
    /// Not the keys that the client changed itself.
    package static let noLoop = TrackingOptions(rawValue: 1 << 3)
}

package final class ClientTracking {
    package internal(set) var options: TrackingOptions = []
    /// Id of the client that gets the messages, 0 for the client itself.
    package internal(set) var redirection: UInt64 = 0
    /// CLIENT CACHING was said: it holds for the next command, or for the next transaction.
    package internal(set) var isCaching = false
    /// A message could not be sent because the client it goes to is gone.
    package internal(set) var isBroken = false
    /// Of a broadcasting client; never one within another.
    package private(set) var prefixes: [[UInt8]] = []
    /// What the prefixes take, here and in the table of prefixes.
    private(set) var byteCount = 0
    private static let prefixByteCount = 96

    func add(_ prefix: [UInt8]) {
        prefixes.append(prefix)
        byteCount += prefix.count + ClientTracking.prefixByteCount
    }

    /// Whether the keys of a command that only reads are to be remembered.
    var remembers: Bool {
        if options.contains(.broadcast) { return false }
        if options.contains(.optIn) { return isCaching }
        return !(options.contains(.optOut) && isCaching)
    }
}
