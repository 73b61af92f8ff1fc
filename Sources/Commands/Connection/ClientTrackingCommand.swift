// ClientTrackingCommand.swift - CLIENT TRACKING, CACHING, GETREDIR and TRACKINGINFO: a client asks to be told when keys
// that it may hold copies of change. They stand in ClientCommand's list. Under the turn.
internal import Base
internal import Engine
internal import RESP

enum ClientTrackingCommand {
    static let caching = Command(
        "CACHING", "mode=(YES | NO)", arity: 3, [.noScript, .loading, .stale, .allowBusy], in: .connection,
        since: "6.0.0", complexity: "O(1)",
        summary: "Instructs the server whether to track the keys in the next request.",
        help: [
            "CACHING (YES|NO)",
            "    Enable/disable tracking of the keys for next command in OPTIN/OPTOUT modes.",
        ],
        run: cache)

    static let getredir = Command(
        "GETREDIR", arity: 2, [.noScript, .loading, .stale, .allowBusy], in: .connection, since: "6.0.0",
        complexity: "O(1)",
        summary: "Returns the client ID to which the connection's tracking notifications are redirected.",
        help: [
            "GETREDIR",
            "    Return the client ID we are redirecting to when tracking is enabled.",
        ],
        run: redirection)

    static let tracking = Command(
        "TRACKING",
        """
        status=(ON | OFF) [REDIRECT client-id:integer] [PREFIX prefix]... [BCAST] [OPTIN] [OPTOUT] [NOLOOP]
        """,
        arity: -3, [.noScript, .loading, .stale], in: .connection, since: "6.0.0",
        complexity: "O(1). Some options may introduce additional complexity.",
        summary: "Controls server-assisted client-side caching for the connection.",
        help: [
            "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
            "         [OPTIN] [OPTOUT] [NOLOOP]",
            "    Control server assisted client side caching.",
        ],
        run: track)

    static let trackinginfo = Command(
        "TRACKINGINFO", arity: 2, [.noScript, .loading, .stale], in: .connection, since: "6.2.0",
        complexity: "O(1)",
        summary: "Returns information about server-assisted client-side caching for the connection.",
        help: [
            "TRACKINGINFO",
            "    Report tracking status for the current connection.",
        ],
        run: info)

    // MARK: switching

    private struct Request {
        var options: TrackingOptions = []
        var redirection: UInt64 = 0
        var prefixes: [[UInt8]] = []
    }

    private static func track(_ call: inout Call) throws(CommandError) {
        let request = try parse(call)
        if call.arguments[2].equalsIgnoringCase("on") {
            try check(request, call)
            call.startTracking(request.options, redirection: request.redirection, prefixes: request.prefixes)
        } else if call.arguments[2].equalsIgnoringCase("off") {
            call.stopTracking()
        } else {
            throw .syntax
        }
        call.reply.ok()
    }

    private static func parse(_ call: borrowing Call) throws(CommandError) -> Request {
        var request = Request()
        var options = call.options(from: 3)
        while !options.isAtEnd {
            if options.take("REDIRECT", values: 1) {
                if request.redirection != 0 {
                    throw .message("ERR A client can only redirect to a single other client")
                }
                let id = try options.integer()
                guard id > 0, call.administration.sessions.find(UInt64(id)) != nil else {
                    throw .message("ERR The client ID you want redirect to does not exist")
                }
                request.redirection = UInt64(id)
            } else if options.take("BCAST") {
                request.options.insert(.broadcast)
            } else if options.take("OPTIN") {
                request.options.insert(.optIn)
            } else if options.take("OPTOUT") {
                request.options.insert(.optOut)
            } else if options.take("NOLOOP") {
                request.options.insert(.noLoop)
            } else if options.take("PREFIX", values: 1) {
                request.prefixes.append(try options.next().array)
            } else {
                throw .syntax
            }
        }
        return request
    }

    /// Options must fit each other, and what the client asked for before.
    private static func check(_ request: Request, _ call: borrowing Call) throws(CommandError) {
        let isBroadcast = request.options.contains(.broadcast)
        if !isBroadcast && !request.prefixes.isEmpty {
            throw .message("ERR PREFIX option requires BCAST mode to be enabled")
        }
        let present = call.session.tracking?.options
        if let present, present.contains(.broadcast) != isBroadcast {
            throw .message(
                """
                ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then \
                re-enabling it with a different mode.
                """)
        }
        if isBroadcast && !request.options.isDisjoint(with: [.optIn, .optOut]) {
            throw .message("ERR OPTIN and OPTOUT are not compatible with BCAST")
        }
        if request.options.isSuperset(of: [.optIn, .optOut]) {
            throw .message("ERR You can't specify both OPTIN mode and OPTOUT mode")
        }
        if let present,
            request.options.contains(.optIn) && present.contains(.optOut)
                || request.options.contains(.optOut) && present.contains(.optIn)
        {
            throw .message(
                """
                ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then \
                re-enabling it with a different mode.
                """)
        }
        if isBroadcast { try checkPrefixes(request.prefixes, call) }
    }

    /// A key must not be told twice.
    private static func checkPrefixes(_ prefixes: [[UInt8]], _ call: borrowing Call) throws(CommandError) {
        for (index, prefix) in prefixes.enumerated() {
            for other in call.session.tracking?.prefixes ?? [] where overlap(prefix, other) {
                try refuse(call, prefix, "an existing prefix", other)
            }
            for other in prefixes[(index + 1)...] where overlap(prefix, other) {
                try refuse(call, prefix, "another provided prefix", other)
            }
        }
    }

    private static func overlap(_ first: [UInt8], _ second: [UInt8]) -> Bool {
        first.starts(with: second) || second.starts(with: first)
    }

    private static func refuse(
        _ call: borrowing Call, _ prefix: [UInt8], _ what: StaticString, _ other: [UInt8]
    ) throws(CommandError) {
        var text = ByteBuffer()
        text.append("ERR Prefix '")
        text.append(prefix)
        text.append("' overlaps with ")
        text.append(what)
        text.append(" '")
        text.append(other)
        text.append("'. Prefixes for a single client must not overlap.")
        call.reply.error(text.span)
        throw .written
    }

    private static func cache(_ call: inout Call) throws(CommandError) {
        guard let tracking = call.session.tracking else {
            throw .message(
                """
                ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode \
                enabled
                """)
        }
        if call.arguments[2].equalsIgnoringCase("yes") {
            guard tracking.options.contains(.optIn) else {
                throw .message("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.")
            }
        } else if call.arguments[2].equalsIgnoringCase("no") {
            guard tracking.options.contains(.optOut) else {
                throw .message("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.")
            }
        } else {
            throw .syntax
        }
        call.setCaching()
        call.reply.ok()
    }

    // MARK: telling

    private static func redirection(_ call: inout Call) throws(CommandError) {
        call.reply.integer(call.session.tracking.map { Int($0.redirection) } ?? -1)
    }

    private static func info(_ call: inout Call) throws(CommandError) {
        let tracking = call.session.tracking
        let words = flags(tracking)
        let reply = call.reply
        reply.map(3)
        reply.bulk("flags")
        reply.set(words.count)
        for word in words { reply.bulk(word) }
        reply.bulk("redirect")
        reply.integer(tracking.map { Int($0.redirection) } ?? -1)
        reply.bulk("prefixes")
        reply.array(tracking?.prefixes.count ?? 0)
        for prefix in tracking?.prefixes ?? [] { reply.bulk(prefix.span) }
    }

    private static func flags(_ tracking: ClientTracking?) -> [StaticString] {
        guard let tracking else { return ["off"] }
        var words: [StaticString] = ["on"]
        if tracking.options.contains(.broadcast) { words.append("bcast") }
        if tracking.options.contains(.optIn) {
            words.append("optin")
            if tracking.isCaching { words.append("caching-yes") }
        }
        if tracking.options.contains(.optOut) {
            words.append("optout")
            if tracking.isCaching { words.append("caching-no") }
        }
        if tracking.options.contains(.noLoop) { words.append("noloop") }
        if tracking.isBroken { words.append("broken_redirect") }
        return words
    }
}
