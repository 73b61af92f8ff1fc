// Engine+Users.swift - changing who there is and what they may do, with what follows for the connections of a user.
// Slow path, under the turn.
internal import Base

extension Engine {
    /// Arms or lifts the gate of a session according to its user.
    func settleAccess(of reference: SessionReference) {
        if reference.session.account.user.isUnlimited {
            reference.session.gates.remove(.limited)
        } else {
            reference.session.gates.insert(.limited)
        }
    }

    /// ACL SETUSER: applies `rules` to a user, all or none. Its sessions are bound by them from now on.
    package mutating func setUser(
        _ name: [UInt8], _ rules: [[UInt8]], runningSession: SessionReference
    ) throws(ACLRefusal) {
        let user = try acl.user(
            name, after: rules, startsWithAllChannels: settings.aclPubSubDefault == .allChannels)
        replaceUser(user, runningSession: runningSession)
    }

    private mutating func replaceUser(_ user: ACLUser, runningSession: SessionReference? = nil) {
        let account = acl.set(user)
        for session in sessions.all where session.session.account === account {
            settleAccess(of: session)
            if listensBeyond(user, session) { cut(session, runningSession) }
        }
    }

    /// Closes a session's connection, after the reply when it is the one whose command runs.
    private mutating func cut(_ session: SessionReference, _ runningSession: SessionReference?) {
        if let runningSession {
            kill(session, runningSession: runningSession)
        } else {
            session.session.gates.insert(.killed)
            deliver(.close, to: session)
        }
    }

    /// Whether the session hears a channel that its user may not hear any more.
    private func listensBeyond(_ user: ACLUser, _ session: SessionReference) -> Bool {
        guard let subscriptions = session.session.subscriptions else { return false }
        for kind in SubscriptionKind.allCases {
            for number in subscriptions.numbers(kind) {
                let name = pubsub[kind].names.name(number)
                let isAllowed = user.allSelectors.contains {
                    $0.allowsChannel(name.span, isPattern: kind == .pattern)
                }
                if !isAllowed { return true }
            }
        }
        return false
    }

    /// Takes a user out and closes its connections; false when there is none. The default user stays.
    package mutating func removeUser(_ name: [UInt8], runningSession: SessionReference) -> Bool {
        guard name != ACLRegistry.defaultName, let account = acl.remove(name) else { return false }
        for session in sessions.all where session.session.account === account {
            kill(session, runningSession: runningSession)
        }
        return true
    }

    /// Puts the users of an ACL file in the place of all there are, as ACL LOAD does. Connections of users that are
    /// gone or not the same any more are closed.
    package mutating func replaceUsers(_ users: [ACLUser], runningSession: SessionReference?) {
        var fresh: [[UInt8]: ACLUser] = [:]
        for user in users { fresh[user.name] = user }
        if fresh[ACLRegistry.defaultName] == nil { fresh[ACLRegistry.defaultName] = acl.standardDefaultUser }
        for name in acl.names {
            guard let account = acl.find(name) else { continue }
            let isSame = fresh[name].map { $0.ruleText == account.user.ruleText } ?? false
            if !isSame && name != ACLRegistry.defaultName {
                for session in sessions.all where session.session.account === account {
                    cut(session, runningSession)
                }
            }
            if fresh[name] == nil { _ = acl.remove(name) }
        }
        for user in fresh.values { replaceUser(user, runningSession: runningSession) }
    }

    /// `requirepass` as the default user's password; empty means none is needed.
    package mutating func setDefaultPassword(_ password: [UInt8]) {
        var user = acl.defaultAccount.user
        user.passwords = password.isEmpty ? [] : [ACLUser.digest(password.span)]
        user.needsNoPassword = password.isEmpty
        replaceUser(user)
    }

    // MARK: files

    /// ACL LOAD: reads `file` as a whole or changes nothing.
    package mutating func loadUsers(
        file path: [UInt8], fileSystem: ConfigFileSystem, runningSession: SessionReference?
    ) throws(ACLRefusal) {
        let content: [UInt8]
        do throws(SystemError) { content = try fileSystem.readFile(fileSystem.absolutePath(path)) } catch {
            throw ACLRefusal(
                text: "Error loading ACLs, opening file '\(ConfigText.string(path))': \(error.reason)")
        }
        let users = try ACLFile.parse(
            content, path: ConfigText.string(path), acl,
            startsWithAllChannels: settings.aclPubSubDefault == .allChannels)
        replaceUsers(users, runningSession: runningSession)
    }

    /// The users of a start: the default user's password, then the configuration's `user` lines (each without that
    /// word) or the ACL file, never both.
    package mutating func loadUsers(
        lines: [[[UInt8]]], fileSystem: ConfigFileSystem
    ) throws(ACLRefusal) {
        if !config.requirePass.isEmpty { setDefaultPassword(config.requirePass) }
        let path = config.text("aclfile")
        if !lines.isEmpty && !path.isEmpty {
            throw ACLRefusal(
                text: """
                    Configuring users in the configuration file and naming an ACL file at the same time is invalid, \
                    because it is not clear which of them counts: define users in one of the two places.
                    """)
        }
        var seen: Set<[UInt8]> = []
        for words in lines {
            guard let name = words.first else { continue }
            guard seen.insert(name).inserted else {
                let name = ConfigText.string(name)
                throw ACLRefusal(text: "Error in user declaration '\(name)': Duplicate user found. Define it once.")
            }
            let user = try ACLFile.user(
                name, rules: Array(words.dropFirst()), acl,
                startsWithAllChannels: settings.aclPubSubDefault == .allChannels)
            replaceUser(user)
        }
        if !path.isEmpty { try loadUsers(file: path, fileSystem: fileSystem, runningSession: nil) }
    }
}
