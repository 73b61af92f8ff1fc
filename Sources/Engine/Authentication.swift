// Authentication.swift - who a session is: the default user and its password (`requirepass`). Engine's turn only.
// Passwords are compared in a time that depends on nothing but their lengths.
internal import Base

extension Engine {
    /// Why AUTH or HELLO AUTH fails for a user that may not enter.
    package static var wrongPassword: StaticString { "WRONGPASS invalid username-password pair or user is disabled." }

    /// The one user there is.
    private static var defaultUser: StaticString { "default" }

    /// Whether `user` may enter with `password`. Without a configured password the default user enters with any.
    package func admits(user: Span<UInt8>, password: Span<UInt8>) -> Bool {
        guard user.equals(Engine.defaultUser) else { return false }
        let wanted = config.requirePass
        return wanted.isEmpty || Engine.equalInConstantTime(wanted.span, password)
    }

    /// Makes the session the default user's, or counts the refusal.
    package mutating func authenticate(
        _ session: SessionReference, user: Span<UInt8>, password: Span<UInt8>
    ) -> Bool {
        guard admits(user: user, password: password) else {
            statistics.accessDeniedAuth += 1
            return false
        }
        session.session.gates.remove(.unauthenticated)
        session.session.user = user.text
        return true
    }

    /// RESET: the session is what it was when it connected.
    package func resetAuthentication(_ session: SessionReference) {
        session.session.user = "default"
        if requiresPassword {
            session.session.gates.insert(.unauthenticated)
        } else {
            session.session.gates.remove(.unauthenticated)
        }
    }

    private static func equalInConstantTime(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
        var difference: UInt8 = left.count == right.count ? 0 : 1
        for index in 0..<right.count {
            difference |= left[index % max(1, left.count)] ^ right[index]
        }
        return difference == 0
    }
}
