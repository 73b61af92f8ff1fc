// Engine+Access.swift - whether a session's user may run a command line. Sessions whose user may do everything never
// come here: the gate is armed only for others, so that permissions cost nothing where nothing is forbidden. A line is
// allowed when one selector allows its command, all its keys, all its channels and its databases; else the refusal
// that came closest is told. Under the turn.
internal import Base
internal import Keyspace
package import RESP

/// A refused line: why, and the argument it is about (0: the command itself).
package struct AccessRefusal: Sendable {
    package let denial: ACLDenial
    let argument: Int

    /// How close a selector came to allowing it.
    private var rank: Int {
        switch denial {
        case .command, .authentication: 0
        case .database: 1
        case .key: 2
        case .channel: 3
        }
    }

    func isCloser(than other: AccessRefusal?) -> Bool {
        guard let other else { return true }
        return rank != other.rank ? rank > other.rank : argument > other.argument
    }
}

extension Engine {
    /// Why `user` may not run the line with slot `id` in `database`; nil when it may.
    package func refusal(
        of user: ACLUser, _ id: Int, _ arguments: borrowing Arguments, database: Int
    ) -> AccessRefusal? {
        if commands.slot(id).flags.contains(.noAuth) { return nil }
        var closest: AccessRefusal?
        var keys: [KeyReference]?
        for selector in user.allSelectors {
            guard let refusal = refusal(of: selector, id, arguments, database, &keys) else { return nil }
            if refusal.isCloser(than: closest) { closest = refusal }
        }
        return closest
    }

    /// `keys` caches the line's keys from one selector to the next.
    private func refusal(
        of selector: ACLSelector, _ id: Int, _ arguments: borrowing Arguments, _ database: Int,
        _ keys: inout [KeyReference]?
    ) -> AccessRefusal? {
        let isSubcommand = commands.container(of: id) != nil
        guard selector.allowsCommand(commands.canonical(id), isSubcommand: isSubcommand, arguments) else {
            return AccessRefusal(denial: .command, argument: 0)
        }
        let command = commands.commands[id]
        if !selector.allowsAllKeys && command.hasKeys {
            let found = keys ?? keyReferences(command, arguments)
            keys = found
            for key in found where !selector.allowsKey(arguments[key.index], key.flags) {
                return AccessRefusal(denial: .key, argument: key.index)
            }
        }
        let name = commands.fullNames[id]
        if !selector.allowsAllChannels,
            let channels = AccessTargets.channels(of: name, argumentCount: arguments.count)
        {
            for index in channels.indices
            where !selector.allowsChannel(arguments[index], isPattern: channels.isPattern) {
                return AccessRefusal(denial: .channel, argument: index)
            }
        }
        guard selector.databases != nil else { return nil }
        return databaseRefusal(selector, AccessTargets.databases(of: name, command, arguments), arguments, database)
    }

    private func keyReferences(_ command: Command, _ arguments: borrowing Arguments) -> [KeyReference] {
        var found: [KeyReference] = []
        // Words that do not fit the command have no keys; the command itself will say what is wrong with them.
        _ = KeyExtraction.append(keysOf: command, in: arguments, to: &found)
        return found
    }

    private func databaseRefusal(
        _ selector: ACLSelector, _ use: AccessTargets.Databases, _ arguments: borrowing Arguments, _ selected: Int
    ) -> AccessRefusal? {
        let isSelectedAllowed = selector.allowsDatabase(selected)
        switch use {
        case .none: return nil
        case .selected: return isSelectedAllowed ? nil : AccessRefusal(denial: .database, argument: 0)
        case .all:
            let isAllowed = (0..<keyspace.databaseCount).allSatisfy { selector.allowsDatabase($0) }
            return isAllowed ? nil : AccessRefusal(denial: .database, argument: 0)
        case .named(let indices, let alsoSelected):
            for index in indices where index < arguments.count {
                // What is no database number is refused by the command itself.
                guard let number = IntegerText.parse(arguments[index]), number >= 0, number <= Int64(Int32.max) else {
                    continue
                }
                if !selector.allowsDatabase(Int(number)) { return AccessRefusal(denial: .database, argument: index) }
            }
            return alsoSelected && !isSelectedAllowed ? AccessRefusal(denial: .database, argument: 0) : nil
        }
    }

    /// Whether a selector that allows `user` the command also allows it `key`, which is none of its arguments.
    func mayUse(
        _ key: Span<UInt8>, _ flags: KeySpec.Flags, _ user: ACLUser, _ id: Int, _ arguments: borrowing Arguments
    ) -> Bool {
        let isSubcommand = commands.container(of: id) != nil
        for selector in user.allSelectors
        where selector.allowsCommand(commands.canonical(id), isSubcommand: isSubcommand, arguments)
            && selector.allowsKey(key, flags)
        {
            return true
        }
        return false
    }

    /// Whether a selector that allows `user` the whole line also lets it read every key there is.
    fileprivate func mayReadEveryKey(
        _ user: ACLUser, _ id: Int, _ arguments: borrowing Arguments, database: Int
    ) -> Bool {
        var keys: [KeyReference]?
        for selector in user.allSelectors
        where selector.allowsReadingAllKeys && refusal(of: selector, id, arguments, database, &keys) == nil {
            return true
        }
        return false
    }

    // MARK: the gate

    /// The whole error for a line that the session's user may not run, which is also logged; nil when it may.
    mutating func accessGate(
        _ reference: SessionReference, _ id: Int, _ arguments: borrowing Arguments
    ) -> ByteBuffer? {
        let user = reference.session.account.user
        guard
            let refusal = refusal(of: user, id, arguments, database: reference.session.database)
        else { return nil }
        note(refusal, id, arguments, of: reference)
        var text = ByteBuffer()
        text.append("NOPERM ")
        text.append(refusalText(refusal, of: user, id))
        return text
    }

    /// The words of a refusal without a code.
    private func refusalText(_ refusal: AccessRefusal, of user: ACLUser, _ id: Int) -> [UInt8] {
        switch refusal.denial {
        case .command, .authentication:
            Array("User ".utf8) + user.name
                + Array(" has no permissions to run the '\(commands.fullNames[id])' command".utf8)
        case .key: Array("No permissions to access a key".utf8)
        case .channel: Array("No permissions to access a channel".utf8)
        case .database: Array("No permissions to access database".utf8)
        }
    }

    /// What EXEC answers for a queued command that its user may not run any more, and what a script's caller gets.
    mutating func nestedAccessGate(
        _ reference: SessionReference, _ id: Int, _ arguments: borrowing Arguments
    ) -> ByteBuffer? {
        guard reference.session.gates.contains(.limited), id >= 0 else { return nil }
        let user = reference.session.account.user
        guard
            let refusal = refusal(of: user, id, arguments, database: reference.session.database)
        else { return nil }
        note(refusal, id, arguments, of: reference)
        var text = ByteBuffer()
        if context == .script {
            text.append("ERR ACL failure in script: ")
            text.append(refusalText(refusal, of: user, id))
            return text
        }
        text.append(
            """
            NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This \
            command is no longer allowed for the following reason:
            """)
        text.append(" ")
        switch refusal.denial {
        case .command: text.append("no permission to execute the command or subcommand")
        case .key: text.append("no permission to touch the specified keys")
        case .channel:
            text.append("no permission to access one of the channels used as arguments to the command")
        case .database: text.append("no permission to access database")
        case .authentication: text.append("no permission")
        }
        return text
    }

    /// What ACL DRYRUN answers about a line that is refused.
    package func dryRunText(
        _ refusal: AccessRefusal, of user: ACLUser, _ id: Int, _ arguments: borrowing Arguments
    ) -> [UInt8] {
        let start = Array("User ".utf8) + user.name + Array(" has no permissions to ".utf8)
        let object = arguments[refusal.argument].array
        switch refusal.denial {
        case .command, .authentication: return start + Array("run the '\(commands.fullNames[id])' command".utf8)
        case .key: return start + Array("access the '".utf8) + object + Array("' key".utf8)
        case .channel: return start + Array("access the '".utf8) + object + Array("' channel".utf8)
        case .database: return start + Array("access database ".utf8) + object
        }
    }

    /// Counts a refusal and keeps it in ACL LOG.
    private mutating func note(
        _ refusal: AccessRefusal, _ id: Int, _ arguments: borrowing Arguments, of reference: SessionReference
    ) {
        switch refusal.denial {
        case .command: statistics.accessDeniedCommand += 1
        case .key: statistics.accessDeniedKey += 1
        case .channel: statistics.accessDeniedChannel += 1
        case .database: statistics.accessDeniedDatabase += 1
        case .authentication: break
        }
        let object =
            refusal.argument == 0
            ? Array(commands.fullNames[id].utf8) : arguments[refusal.argument].array
        let isInTransaction = reference.session.gates.contains(.queueing) || context == .transaction
        logAccess(
            refusal.denial, object: object, user: reference.session.account.user.name,
            context: context == .script ? "lua" : (isInTransaction ? "multi" : "toplevel"), of: reference, slot: id,
            arguments)
    }

    /// ACL LOG RESET.
    package mutating func resetAccessLog() { acl.log.removeAll() }

    mutating func logAccess(
        _ denial: ACLDenial, object: [UInt8], user: [UInt8], context: String, of reference: SessionReference, slot: Int,
        _ arguments: borrowing Arguments
    ) {
        var line = ByteBuffer()
        ClientLine.append(reference, isRunning: true, slot: slot, arguments, self, to: &line)
        // Without the line's end.
        line.truncate(to: line.count - 1)
        acl.log.add(
            denial, context: context, object: object, user: user, client: line.span.text, now: keyspace.now,
            maximum: settings.aclLogMaxLength)
    }
}

extension Call {
    /// Whether the session's user may read keys that no argument names: those whose names are made of data (SORT's BY
    /// and GET), which the gate before the command cannot see.
    package var mayReadEveryKey: Bool {
        guard session.gates.contains(.limited) else { return true }
        return administration.mayReadEveryKey(
            session.account.user, slot, arguments, database: session.database)
    }
}
