// Authentication.swift - who a session is. Everybody starts as the default user, who must give its password when it has
// one; AUTH and HELLO name another. Engine's turn only.
internal import Base
package import RESP

extension Engine {
    /// Why AUTH or HELLO AUTH fails for a user that may not enter.
    package static var wrongPassword: StaticString { "WRONGPASS invalid username-password pair or user is disabled." }

    /// Whether new clients must authenticate.
    package var requiresPassword: Bool {
        let user = acl.defaultAccount.user
        return !(user.isEnabled && user.needsNoPassword)
    }

    /// Whether the default user enters with any password: AUTH with a password alone is then a mistake.
    package var defaultNeedsNoPassword: Bool { acl.defaultAccount.user.needsNoPassword }

    /// Makes the session the user's, or counts and logs the refusal of the command with `slot`.
    package mutating func authenticate(
        _ session: SessionReference, user: Span<UInt8>, password: Span<UInt8>, slot: Int,
        _ arguments: borrowing Arguments
    ) -> Bool {
        let name = user.array
        guard let account = acl.find(name), account.user.admits(password) else {
            statistics.accessDeniedAuth += 1
            logAccess(
                .authentication, object: Array(commands.fullNames[slot].uppercased().utf8), user: name,
                context: "toplevel", of: session, slot: slot, arguments)
            return false
        }
        session.session.gates.remove(.unauthenticated)
        session.session.account = account
        settleAccess(of: session)
        return true
    }

    /// RESET: the session is what it was when it connected.
    package func resetAuthentication(_ session: SessionReference) {
        session.session.account = acl.defaultAccount
        settleAccess(of: session)
        if requiresPassword {
            session.session.gates.insert(.unauthenticated)
        } else {
            session.session.gates.remove(.unauthenticated)
        }
    }
}
