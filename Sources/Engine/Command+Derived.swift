// Command+Derived.swift - what follows from a command's declaration: names of its flags, ACL categories, the old
// first/last/step key range, and whether keys move. Nobody writes these by hand. Pure; any thread; computed when asked
// (COMMAND, ACL), never on the data path.

/// Where keys stand, as COMMAND said it before key specifications: first and last position (-1: the last argument) and
/// step. All zero when the command has no keys, or none that this form can say.
package struct KeyRange: Sendable, Equatable {
    package var first: Int
    package var last: Int
    package var step: Int

    package init(first: Int = 0, last: Int = 0, step: Int = 0) {
        self.first = first
        self.last = last
        self.step = step
    }
}

extension CommandFlags {
    /// Flags that clients see, in COMMAND INFO's order. The others are the server's own business.
    private static let shownNames: [(CommandFlags, StaticString)] = [
        (.write, "write"), (.readonly, "readonly"), (.denyOOM, "denyoom"), (.admin, "admin"), (.pubsub, "pubsub"),
        (.noScript, "noscript"), (.blocking, "blocking"), (.loading, "loading"), (.stale, "stale"),
        (.skipMonitor, "skip_monitor"), (.skipSlowlog, "skip_commandlog"), (.asking, "asking"), (.fast, "fast"),
        (.noAuth, "no_auth"), (.noMandatoryKeys, "no_mandatory_keys"), (.noAsyncLoading, "no_async_loading"),
        (.noMulti, "no_multi"), (.movableKeys, "movablekeys"), (.allowBusy, "allow_busy"),
    ]

    package var names: [StaticString] {
        CommandFlags.shownNames.filter { contains($0.0) }.map(\.1)
    }
}

extension KeySpec {
    /// The same keys of a command line with so many words more in front.
    func shifted(by count: Int) -> KeySpec {
        switch begin {
        case .index(let index): KeySpec(flags, begin: .index(index + count), find: find, notes: notes)
        case .keyword(let word, let start):
            KeySpec(
                flags, begin: .keyword(word, startFrom: start < 0 ? start : start + count), find: find, notes: notes)
        case .unknown: self
        }
    }
}

extension KeySpec.Flags {
    private static let allNames: [(KeySpec.Flags, StaticString)] = [
        (.readOnly, "RO"), (.readWrite, "RW"), (.overwrite, "OW"), (.remove, "RM"), (.access, "access"),
        (.update, "update"), (.insert, "insert"), (.delete, "delete"), (.notKey, "not_key"),
        (.incomplete, "incomplete"), (.variableFlags, "variable_flags"),
    ]

    package var names: [StaticString] {
        KeySpec.Flags.allNames.filter { contains($0.0) }.map(\.1)
    }
}

extension Command {
    /// The flags with `movablekeys` where it follows from the key specifications.
    package var shownFlags: CommandFlags {
        keyRange.movesKeys ? flags.union(.movableKeys) : flags
    }

    /// The categories that follow from flags and group, and the declared ones.
    package var aclCategories: ACLCategories {
        var categories: ACLCategories = []
        for name in self.categories {
            if let category = ACLCategory(rawValue: name) { categories.insert(category) }
        }
        let isPlain = categories.isDisjoint(with: .areas) && subcommands.isEmpty
        if isPlain, let category = group.aclCategory { categories.insert(category) }
        if flags.contains(.write) { categories.insert(.write) }
        // Scripts are declared as readers or not at all; what they do is their own commands' matter.
        if flags.contains(.readonly), !categories.contains(.scripting) { categories.insert(.read) }
        if flags.contains(.admin) {
            categories.insert(.admin)
            categories.insert(.dangerous)
        }
        if flags.contains(.pubsub) { categories.insert(.pubsub) }
        if flags.contains(.blocking) { categories.insert(.blocking) }
        categories.insert(flags.contains(.fast) ? .fast : .slow)
        return categories
    }

    /// Whether the subcommands may also be called as one word, with a dot (FOG.NODE.GET).
    var hasDottedNames: Bool { group == .fog && !subcommands.isEmpty }

    /// This subcommand as a command of its own: one word less in front of its arguments.
    func dotted(under container: Command) -> Command {
        Command(
            container.name + "." + name, usage, arity: arity > 0 ? arity - 1 : arity + 1, flags,
            keys: keys.map { $0.shifted(by: -1) }, in: group, categories: categories, since: since,
            complexity: complexity, summary: summary, history: history, hints: hints, run: run)
    }

    /// Whether any argument may be a key.
    package var hasKeys: Bool { keys.contains { !$0.flags.contains(.notKey) } }

    /// The old range, and whether keys may stand outside of it. Ranges that follow each other are joined into one.
    package var keyRange: (range: KeyRange, movesKeys: Bool) {
        var range = KeyRange()
        var movesKeys = false
        if keys.count == 1, case .index(let first) = keys[0].begin, case .range(let last, let step, _) = keys[0].find {
            return (KeyRange(first: first, last: last >= 0 ? first + last : last, step: step), false)
        }
        for spec in keys {
            guard case .index(let first) = spec.begin, case .range(let last, 1, _) = spec.find,
                range.first == 0 || range.last == first - 1
            else {
                movesKeys = true
                continue
            }
            if range.first == 0 { range.first = first }
            range.last = last >= 0 ? first + last : last
            range.step = 1
        }
        return (range, movesKeys)
    }
}
