// ACLSelector+Rules.swift - applying one rule to a selector. Keywords come in any case; patterns are bytes. A refused
// rule leaves a selector that its caller throws away. Slow path: ACL SETUSER and files.
internal import Base

extension ACLSelector {
    mutating func apply(_ rule: [UInt8], _ words: ACLVocabulary) throws(ACLRuleError) {
        switch ConfigText.string(ConfigText.lowercased(rule)) {
        case "allkeys", "~*":
            allowsAllKeys = true
            keyPatterns = []
        case "resetkeys":
            allowsAllKeys = false
            keyPatterns = []
        case "allchannels", "&*":
            allowsAllChannels = true
            channelPatterns = []
        case "resetchannels":
            allowsAllChannels = false
            channelPatterns = []
        case "alldbs": databases = nil
        case "resetdbs": databases = []
        case "allcommands", "+@all": setAllCommands(true)
        case "nocommands", "-@all": setAllCommands(false)
        default: try applyPrefixed(rule, words)
        }
    }

    private mutating func applyPrefixed(_ rule: [UInt8], _ words: ACLVocabulary) throws(ACLRuleError) {
        switch rule.first {
        case UInt8(ascii: "~"), UInt8(ascii: "%"): try addKeyPattern(rule)
        case UInt8(ascii: "&"): try addChannelPattern(Array(rule.dropFirst()))
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            let allows = rule[0] == UInt8(ascii: "+")
            let name = Array(rule.dropFirst())
            if name.first == UInt8(ascii: "@") {
                try setCategory(name, allows: allows, words)
            } else if allows, let bar = name.lastIndex(of: UInt8(ascii: "|")) {
                try allowPart(of: Array(name[..<bar]), Array(name[(bar + 1)...]), rule: name, words)
            } else {
                guard let slot = words.slot(name) else { throw .unknownCommand }
                setCommand(slot, allows: allows, words)
                note(Array(words.name(slot).utf8), allows: allows)
            }
        default:
            let prefix = Array("db=".utf8)
            guard rule.count > prefix.count, ConfigText.lowercased(Array(rule.prefix(prefix.count))) == prefix else {
                throw .syntax
            }
            try setDatabases(Array(rule.dropFirst(prefix.count)))
        }
    }

    // MARK: commands

    private mutating func setAllCommands(_ allows: Bool) {
        for index in commandBits.indices { commandBits[index] = allows ? .max : 0 }
        allowsAllCommands = allows
        allowsFutureCommands = allows
        firstArguments = [:]
        commandRules = []
    }

    private mutating func setCommand(_ slot: Int, allows: Bool, _ words: ACLVocabulary) {
        for member in words.family(of: slot) {
            let bit = UInt64(1) << UInt64(member % 64)
            if allows {
                commandBits[member / 64] |= bit
            } else {
                commandBits[member / 64] &= ~bit
                allowsAllCommands = false
            }
            firstArguments[member] = nil
        }
    }

    private mutating func setCategory(
        _ name: [UInt8], allows: Bool, _ words: ACLVocabulary
    ) throws(ACLRuleError) {
        guard let category = words.category(Array(name.dropFirst())) else { throw .unknownCommand }
        for slot in words.members(of: category) {
            let bit = UInt64(1) << UInt64(slot % 64)
            if allows { commandBits[slot / 64] |= bit } else { commandBits[slot / 64] &= ~bit }
            firstArguments[slot] = nil
        }
        if !allows { allowsAllCommands = false }
        note(name, allows: allows)
    }

    /// `+container|subcommand`, or `+command|argument` for a command without subcommands.
    private mutating func allowPart(
        of name: [UInt8], _ part: [UInt8], rule: [UInt8], _ words: ACLVocabulary
    ) throws(ACLRuleError) {
        guard let slot = words.slot(name) else { throw .unknownCommand }
        if words.isSubcommand(slot) { throw .firstArgumentOfSubcommand }
        if part.isEmpty { throw .syntax }
        if words.isContainer(slot) {
            guard let child = words.slot(rule) else { throw .unknownCommand }
            setCommand(child, allows: true, words)
        } else {
            Log.shared.warning(
                """
                Deprecation warning: Allowing a first arg of an otherwise blocked command is a misuse of ACL and may \
                get disabled in the future (offender: +\(ConfigText.string(rule)))
                """)
            firstArguments[slot, default: []].append(part)
        }
        note(rule, allows: true)
    }

    /// Keeps the list of rules short: a new rule takes the place of what it makes void, which is an earlier rule about
    /// the same name or a part of it.
    private mutating func note(_ name: [UInt8], allows: Bool) {
        let name = ConfigText.lowercased(name)
        commandRules.removeAll { rule in
            let old = rule.dropFirst()
            guard old.starts(with: name) else { return false }
            return old.count == name.count || old[old.startIndex + name.count] == UInt8(ascii: "|")
        }
        commandRules.append([UInt8(ascii: allows ? "+" : "-")] + name)
    }

    // MARK: keys, channels, databases

    private mutating func addKeyPattern(_ rule: [UInt8]) throws(ACLRuleError) {
        if allowsAllKeys { throw .patternAfterAllKeys }
        var access = KeyAccess.all
        var pattern = rule.dropFirst()
        if rule[0] == UInt8(ascii: "%") {
            // Without a pattern the rule is taken, and gives access to no key but the empty one, as in Redis.
            let tilde = rule.firstIndex(of: UInt8(ascii: "~")) ?? rule.count
            access = []
            for letter in rule[1..<tilde] {
                switch letter | 0x20 {
                case UInt8(ascii: "r") where !access.contains(.read): access.insert(.read)
                case UInt8(ascii: "w") where !access.contains(.write): access.insert(.write)
                default: throw .syntax
                }
            }
            if access.isEmpty { throw .syntax }
            pattern = rule.dropFirst(tilde + 1)
        }
        if ACLText.hasBlanks(pattern) { throw .syntax }
        let bytes = Array(pattern)
        if let index = keyPatterns.firstIndex(where: { $0.pattern == bytes }) {
            keyPatterns[index].access.formUnion(access)
        } else {
            keyPatterns.append(KeyPattern(pattern: bytes, access: access))
        }
    }

    private mutating func addChannelPattern(_ pattern: [UInt8]) throws(ACLRuleError) {
        if allowsAllChannels { throw .patternAfterAllChannels }
        if ACLText.hasBlanks(pattern[...]) { throw .syntax }
        if !channelPatterns.contains(pattern) { channelPatterns.append(pattern) }
    }

    private mutating func setDatabases(_ list: [UInt8]) throws(ACLRuleError) {
        var chosen: [Int] = []
        for piece in ConfigText.pieces(list, separator: UInt8(ascii: ",")) {
            guard let number = IntegerText.parse(piece.span) else { throw .syntax }
            guard number >= 0, number <= Int64(Int32.max) else { throw .databaseOutOfRange }
            if !chosen.contains(Int(number)) { chosen.append(Int(number)) }
        }
        databases = chosen.sorted()
    }
}

enum ACLText {
    /// What would break a line of an ACL file, or a NUL.
    static func hasBlanks(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.contains { ConfigText.isBlank($0) || $0 == 0 }
    }
}
