// ACLFile.swift - users in files: one `user NAME RULE...` line each. A file is read as a whole or not at all; every
// line's error is told with its number. Also for the `user` lines of the configuration file.
internal import Base

package enum ACLFile {
    /// The users that `content` describes, each from scratch.
    static func parse(
        _ content: [UInt8], path: String, _ registry: ACLRegistry, startsWithAllChannels: Bool
    ) throws(ACLRefusal) -> [ACLUser] {
        var users: [ACLUser] = []
        var errors: [String] = []
        var number = 0
        for row in content.split(separator: 10, omittingEmptySubsequences: false) {
            number += 1
            let line = ConfigText.trimmed(row)
            if line.isEmpty { continue }
            let words = ConfigText.splitArguments(line) ?? []
            guard words.count >= 2, words[0] == Array("user".utf8) else {
                errors.append("\(path):\(number) should start with user keyword followed by the username.")
                continue
            }
            if users.contains(where: { $0.name == words[1] }) {
                errors.append("WARNING: Duplicate user '\(ConfigText.string(words[1]))' found on line \(number).")
                continue
            }
            do throws(ACLRefusal) {
                users.append(
                    try user(
                        words[1], rules: Array(words.dropFirst(2)), registry,
                        startsWithAllChannels: startsWithAllChannels))
            } catch {
                errors.append("\(path):\(number): \(error.text).")
            }
        }
        if errors.isEmpty { return users }
        let end = "WARNING: ACL errors detected, no change to the previously active ACL rules was performed"
        throw ACLRefusal(text: (errors + [end]).joined(separator: " "))
    }

    /// A user from scratch with `rules`.
    static func user(
        _ name: [UInt8], rules: [[UInt8]], _ registry: ACLRegistry, startsWithAllChannels: Bool
    ) throws(ACLRefusal) -> ACLUser {
        if ACLText.hasBlanks(name[...]) { throw ACLRefusal(text: "Syntax error") }
        var user = ACLUser(
            name: name, commandCount: registry.words.count, startsWithAllChannels: startsWithAllChannels)
        for rule in try ACLRegistry.merged(rules) {
            do throws(ACLRuleError) { try user.apply(rule, registry.words) } catch {
                throw ACLRefusal(
                    text: "Error in applying operation '\(ConfigText.string(rule))': \(error.text)")
            }
        }
        return user
    }

    /// All users as the lines of a file.
    package static func text(_ registry: ACLRegistry) -> [UInt8] {
        var content: [UInt8] = []
        for line in lines(registry) { content += line + [10] }
        return content
    }

    /// All users, a line each.
    package static func lines(_ registry: ACLRegistry) -> [[UInt8]] {
        registry.names.compactMap { name in
            registry.find(name).map { Array("user ".utf8) + $0.user.ruleText }
        }
    }
}
