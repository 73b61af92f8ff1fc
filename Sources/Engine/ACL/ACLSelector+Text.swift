// ACLSelector+Text.swift - a selector as ACL LIST, ACL GETUSER and files spell it. What is printed here, read again,
// gives the same permissions.

extension ACLSelector {
    /// All command rules in order; one base rule in front.
    package var commandText: [UInt8] {
        let base = Array((allowsFutureCommands ? "+@all" : "-@all").utf8)
        return ACLSelector.joined([base] + commandRules)
    }

    /// Key patterns with their signs.
    package var keyText: [UInt8] {
        if allowsAllKeys { return Array("~*".utf8) }
        return ACLSelector.joined(
            keyPatterns.map { pattern in
                switch pattern.access {
                case .all: Array("~".utf8) + pattern.pattern
                case .read: Array("%R~".utf8) + pattern.pattern
                default: Array("%W~".utf8) + pattern.pattern
                }
            })
    }

    /// Channel patterns with their signs.
    package var channelText: [UInt8] {
        if allowsAllChannels { return Array("&*".utf8) }
        return ACLSelector.joined(channelPatterns.map { Array("&".utf8) + $0 })
    }

    /// "alldbs", "db=0,1", or nothing when there is none.
    package var databaseText: [UInt8] {
        guard let databases else { return Array("alldbs".utf8) }
        return databases.isEmpty ? [] : Array(("db=" + databases.map(String.init).joined(separator: ",")).utf8)
    }

    /// The whole selector as rules.
    var ruleText: [UInt8] {
        var parts: [[UInt8]] = []
        if !keyText.isEmpty { parts.append(keyText) }
        if !allowsAllChannels { parts.append(Array("resetchannels".utf8)) }
        if !channelText.isEmpty { parts.append(channelText) }
        if databases != nil { parts.append(databaseText.isEmpty ? Array("resetdbs".utf8) : databaseText) }
        parts.append(commandText)
        return ACLSelector.joined(parts)
    }

    static func joined(_ parts: [[UInt8]]) -> [UInt8] { Array(parts.joined(separator: [UInt8(ascii: " ")])) }
}
