// ACLRegistry.swift - all users by name, and the words rules may use. The default user is always there. Engine's turn
// only. Changes are made on copies: a list of rules is applied as a whole or not at all.
internal import Base

package struct ACLRegistry {
    package let words: ACLVocabulary
    private var accounts: [[UInt8]: ACLAccount] = [:]
    package internal(set) var log = ACLLog()
    /// The account of every session that has not named another.
    package let defaultAccount: ACLAccount

    static let defaultName = Array("default".utf8)

    init(_ commands: CommandTable) {
        words = ACLVocabulary(commands)
        defaultAccount = ACLAccount(ACLRegistry.standardDefault(words))
        accounts[ACLRegistry.defaultName] = defaultAccount
    }

    /// The default user as it is before anybody changes it: on, without a password, allowed everything.
    static func standardDefault(_ words: ACLVocabulary) -> ACLUser {
        var user = ACLUser(name: defaultName, commandCount: words.count, startsWithAllChannels: true)
        do throws(ACLRuleError) {
            for rule in ["on", "nopass", "~*", "&*", "+@all"] { try user.apply(Array(rule.utf8), words) }
        } catch {
            preconditionFailure("the default user's rules are known")
        }
        return user
    }

    var standardDefaultUser: ACLUser { ACLRegistry.standardDefault(words) }

    /// Names in byte order.
    package var names: [[UInt8]] { accounts.keys.sorted { $0.lexicographicallyPrecedes($1) } }

    package func find(_ name: [UInt8]) -> ACLAccount? { accounts[name] }

    /// `name` after `rules`: a user that exists, changed, or a new one. Nothing is in place yet.
    func user(
        _ name: [UInt8], after rules: [[UInt8]], startsWithAllChannels: Bool
    ) throws(ACLRefusal) -> ACLUser {
        var user =
            accounts[name]?.user
            ?? ACLUser(name: name, commandCount: words.count, startsWithAllChannels: startsWithAllChannels)
        // What `reset` and a new selector begin with is `acl-pubsub-default` as it is now.
        user.startsWithAllChannels = startsWithAllChannels
        for rule in try ACLRegistry.merged(rules) {
            do throws(ACLRuleError) { try user.apply(rule, words) } catch {
                throw ACLRefusal(
                    text: "Error in ACL SETUSER modifier '\(ConfigText.string(rule))': \(error.text)")
            }
        }
        return user
    }

    /// Puts `user` in place of the one of its name.
    @discardableResult
    mutating func set(_ user: ACLUser) -> ACLAccount {
        if let account = accounts[user.name] {
            account.user = user
            return account
        }
        let account = ACLAccount(user)
        accounts[user.name] = account
        return account
    }

    /// Takes a user out; its sessions are the caller's business.
    mutating func remove(_ name: [UInt8]) -> ACLAccount? { accounts.removeValue(forKey: name) }

    /// Joins the words of selectors in parentheses, which come as several words when they hold blanks.
    static func merged(_ rules: [[UInt8]]) throws(ACLRefusal) -> [[UInt8]] {
        var merged: [[UInt8]] = []
        var open: [UInt8]?
        for rule in rules {
            if let start = open {
                let joined = start + [UInt8(ascii: " ")] + rule
                if rule.last == UInt8(ascii: ")") {
                    merged.append(joined)
                    open = nil
                } else {
                    open = joined
                }
            } else if rule.first == UInt8(ascii: "("), rule.last != UInt8(ascii: ")") {
                open = rule
            } else {
                merged.append(rule)
            }
        }
        if let open {
            let first = rules.last { $0.first == UInt8(ascii: "(") && open.starts(with: $0) } ?? open
            throw ACLRefusal(
                text: "Unmatched parenthesis in acl selector starting at '\(ConfigText.string(first))'.")
        }
        return merged
    }
}
