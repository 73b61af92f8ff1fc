// Hello.swift - HELLO and AUTH: the protocol a connection speaks and the user it acts for.
internal import Base
internal import Engine
internal import RESP

enum Hello {
    static let commands: [Command] = [
        Command(
            "AUTH", "[username@6.0.0] password", arity: -2, [.noScript, .loading, .stale, .fast, .noAuth, .allowBusy],
            in: .connection, since: "1.0.0", complexity: "O(N) where N is the number of passwords defined for the user",
            summary: "Authenticates the connection.", history: [("6.0.0", "Added ACL style (username and password).")],
            run: auth),
        Command(
            "HELLO", "[arguments=(protover:integer [AUTH (username password)] [SETNAME clientname])]", arity: -1,
            [.noScript, .loading, .stale, .fast, .noAuth, .allowBusy], in: .connection, since: "6.0.0",
            complexity: "O(1)", summary: "Handshakes with the server.",
            history: [
                (
                    "8.1.0",
                    """
                    A new `availability_zone` field is added to the response if the `availability-zone` config \
                    is set.
                    """
                ),
                (
                    "6.2.0",
                    """
                    `protover` made optional; when called without arguments the command reports the current \
                    connection's context.
                    """
                ),
            ],
            run: hello),
    ]

    private static func auth(_ call: inout Call) throws(CommandError) {
        if call.arguments.count > 3 { throw .syntax }
        let reference = call.sessionReference
        if call.arguments.count == 2 {
            if call.administration.defaultNeedsNoPassword {
                throw .message(
                    """
                    ERR AUTH <password> called without any password configured for the default user. Are you sure \
                    your configuration is correct?
                    """)
            }
            let user: [UInt8] = Array("default".utf8)
            guard
                call.administration.authenticate(
                    reference, user: user.span, password: call.arguments[1], slot: call.slot, call.arguments)
            else { throw .message(Engine.wrongPassword) }
        } else {
            guard
                call.administration.authenticate(
                    reference, user: call.arguments[1], password: call.arguments[2], slot: call.slot, call.arguments)
            else { throw .message(Engine.wrongPassword) }
        }
        call.reply.ok()
    }

    /// What the words behind HELLO ask for: argument indices, 0 where absent.
    private struct Wishes {
        var protocolVersion: Int?
        var user = 0
        var name = 0
    }

    private static func hello(_ call: inout Call) throws(CommandError) {
        let wishes = try parse(call)
        let reference = call.sessionReference
        if wishes.user > 0 {
            let user = call.arguments[wishes.user]
            guard
                call.administration.authenticate(
                    reference, user: user, password: call.arguments[wishes.user + 1], slot: call.slot, call.arguments)
            else { throw .message(Engine.wrongPassword) }
        }
        guard call.session.isAuthenticated || !call.administration.requiresPassword else {
            throw .message(
                """
                NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> \
                <pass> option can be used to authenticate the client and select the RESP protocol version at the \
                same time
                """)
        }
        if wishes.name > 0 { call.session.name = call.arguments[wishes.name].text }
        if let version = wishes.protocolVersion {
            call.session.protocolVersion = version
            call.administration.settleSubscribedMode(reference)
            call.reply.protocolVersion = version
        }
        writeGreeting(call)
    }

    private static func parse(_ call: borrowing Call) throws(CommandError) -> Wishes {
        var wishes = Wishes()
        guard call.arguments.count > 1 else { return wishes }
        guard let version = IntegerText.parse(call.arguments[1]) else {
            throw .message("ERR Protocol version is not an integer or out of range")
        }
        guard version == 2 || version == 3 else { throw .message("NOPROTO unsupported protocol version") }
        wishes.protocolVersion = Int(version)
        var options = call.options(from: 2)
        while !options.isAtEnd {
            if options.take("AUTH", values: 2) {
                wishes.user = options.index
                try options.skip(2)
            } else if options.take("SETNAME", values: 1) {
                wishes.name = options.index
                guard ClientText.isClean(try options.next()) else { throw .message(ClientText.dirtyName) }
            } else {
                call.reply.error("ERR Syntax error in HELLO option '\(try options.next().text)'")
                throw .written
            }
        }
        return wishes
    }

    private static func writeGreeting(_ call: borrowing Call) {
        let reply = call.reply
        let zone = call.administration.config.string("availability-zone")
        reply.map(zone.isEmpty ? 7 : 8)
        reply.bulk("server")
        reply.bulk("redis")
        reply.bulk("version")
        reply.bulk(FogVersion.redis)
        reply.bulk("proto")
        reply.integer(call.session.protocolVersion)
        reply.bulk("id")
        reply.integer(Int(call.session.id))
        reply.bulk("mode")
        reply.bulk(call.settings.clusterEnabled ? "cluster" : "standalone")
        reply.bulk("role")
        reply.bulk("master")
        reply.bulk("modules")
        reply.array(0)
        if zone.isEmpty { return }
        reply.bulk("availability_zone")
        reply.bulk(zone)
    }
}

/// Names that clients give themselves appear in lines of CLIENT LIST, so they must not break them.
enum ClientText {
    static let dirtyName: StaticString = "ERR Client names cannot contain spaces, newlines or special characters."

    /// Printable ASCII without blanks; empty is fine.
    static func isClean(_ text: Span<UInt8>) -> Bool {
        for index in 0..<text.count where text[index] < 33 || text[index] > 126 { return false }
        return true
    }
}
