// ACLUser.swift - a user: name, passwords (as SHA-256 in hexadecimal), and what it may do. A value; `ACLAccount` is
// the place where the registry and the sessions see the same one change. Slow path, except that sessions with a
// limited user reach their selectors through it for every command.
internal import Base

package struct ACLUser: Sendable {
    package let name: [UInt8]
    package internal(set) var isEnabled = false
    /// Enters with any password.
    package internal(set) var needsNoPassword = false
    /// SHA-256 digests as 64 hexadecimal digits, oldest first.
    package internal(set) var passwords: [[UInt8]] = []
    package internal(set) var root: ACLSelector
    package internal(set) var selectors: [ACLSelector] = []
    /// Whether new users and new selectors may use every channel.
    var startsWithAllChannels: Bool

    /// A new user: off, without a password, without a permission.
    init(name: [UInt8], commandCount: Int, startsWithAllChannels: Bool) {
        self.name = name
        self.startsWithAllChannels = startsWithAllChannels
        root = ACLSelector(commandCount: commandCount, allowsAllChannels: startsWithAllChannels)
    }

    /// Whether nothing is forbidden to the user.
    var isUnlimited: Bool { root.isUnlimited || selectors.contains { $0.isUnlimited } }

    /// Every selector, the root first.
    var allSelectors: [ACLSelector] { [root] + selectors }

    /// The user as a line of an ACL file, without the leading word.
    package var ruleText: [UInt8] {
        var parts = [name, Array((isEnabled ? "on" : "off").utf8)]
        if needsNoPassword { parts.append(Array("nopass".utf8)) }
        for password in passwords { parts.append(Array("#".utf8) + password) }
        parts.append(root.ruleText)
        for selector in selectors { parts.append(Array("(".utf8) + selector.ruleText + Array(")".utf8)) }
        return ACLSelector.joined(parts)
    }

    /// The words of GETUSER's flags.
    package var flags: [String] { [isEnabled ? "on" : "off"] + (needsNoPassword ? ["nopass"] : []) }

    // MARK: rules

    /// Applies one rule, whole selectors in parentheses included.
    mutating func apply(_ rule: [UInt8], _ words: ACLVocabulary) throws(ACLRuleError) {
        if rule.isEmpty { return }
        switch ConfigText.string(ConfigText.lowercased(rule)) {
        case "on": isEnabled = true
        case "off": isEnabled = false
        case "nopass":
            needsNoPassword = true
            passwords = []
        case "resetpass":
            needsNoPassword = false
            passwords = []
        case "sanitize-payload", "skip-sanitize-payload": break  // Payloads are always validated here.
        case "clearselectors": selectors = []
        case "reset":
            self = ACLUser(
                name: name, commandCount: words.count, startsWithAllChannels: startsWithAllChannels)
        default: try applyPrefixed(rule, words)
        }
    }

    private mutating func applyPrefixed(_ rule: [UInt8], _ words: ACLVocabulary) throws(ACLRuleError) {
        let rest = Array(rule.dropFirst())
        switch rule[0] {
        case UInt8(ascii: ">"): add(ACLUser.digest(rest.span))
        case UInt8(ascii: "#"):
            guard ACLUser.isDigest(rest) else { throw .malformedHash }
            add(rest)
        case UInt8(ascii: "<"): try remove(ACLUser.digest(rest.span))
        case UInt8(ascii: "!"):
            guard ACLUser.isDigest(rest) else { throw .malformedHash }
            try remove(rest)
        case UInt8(ascii: "(") where rule.last == UInt8(ascii: ")"):
            var selector = ACLSelector(commandCount: words.count, allowsAllChannels: startsWithAllChannels)
            for part in rest.dropLast().split(separator: UInt8(ascii: " ")) { try selector.apply(Array(part), words) }
            selectors.append(selector)
        default: try root.apply(rule, words)
        }
    }

    private mutating func add(_ password: [UInt8]) {
        if !passwords.contains(password) { passwords.append(password) }
        needsNoPassword = false
    }

    private mutating func remove(_ password: [UInt8]) throws(ACLRuleError) {
        guard let index = passwords.firstIndex(of: password) else { throw .noSuchPassword }
        passwords.remove(at: index)
    }

    // MARK: passwords

    static func digest(_ password: Span<UInt8>) -> [UInt8] { Array(SHA256.hex(password).utf8) }

    private static func isDigest(_ text: [UInt8]) -> Bool {
        text.count == SHA256.byteCount * 2
            && text.allSatisfy { ConfigText.isDigit($0) || $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "f") }
    }

    /// Whether the user enters with `password`. Takes a time that does not depend on how much of it is right.
    func admits(_ password: Span<UInt8>) -> Bool {
        guard isEnabled else { return false }
        if needsNoPassword { return true }
        let digest = ACLUser.digest(password)
        var isFound = false
        for known in passwords {
            var difference: UInt8 = 0
            for index in digest.indices { difference |= digest[index] ^ known[index] }
            if difference == 0 { isFound = true }
        }
        return isFound
    }
}

/// Where a user is found by the registry and by its sessions.
package final class ACLAccount: @unchecked Sendable {
    // Sendable because it is touched under the engine's turn only.
    package internal(set) var user: ACLUser

    init(_ user: ACLUser) { self.user = user }
}
