// ClientCommand.swift - CLIENT: what a connection says about itself, and what administrators ask of others. Lines of
// CLIENT LIST are made in ClientLine.swift, filters in ClientFilter.swift. Engine's turn.
internal import Base
internal import Engine
internal import RESP

enum ClientCommand {
    static let commands: [Command] = [
        Command(
            "CLIENT", arity: -2, [], in: .connection,
            since: "2.4.0",
            complexity: "Depends on subcommand.",
            summary: "A container for client connection commands.",
            subcommands: [
                Command(
                    "CAPA", arity: -3, [.noScript, .loading, .stale, .allowBusy], in: .connection,
                    since: "8.0.0", complexity: "O(1)", summary: "A client claims its capability.", run: capa),
                Command(
                    "GETNAME", arity: 2, [.noScript, .loading, .stale], in: .connection,
                    since: "2.6.9", complexity: "O(1)", summary: "Returns the name of the connection.",
                    run: getname),
                Command(
                    "GETREDIR", arity: 2, [.noScript, .loading, .stale], in: .connection,
                    since: "6.0.0", complexity: "O(1)",
                    summary: "Returns the client ID to which the connection's tracking notifications are redirected.",
                    run: getredir),
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .connection,
                    since: "5.0.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: help),
                Command(
                    "ID", arity: 2, [.noScript, .loading, .stale], in: .connection,
                    since: "5.0.0", complexity: "O(1)", summary: "Returns the unique client ID of the connection.",
                    run: id),
                Command(
                    "INFO", arity: 2, [.noScript, .loading, .stale], in: .connection,
                    since: "6.2.0", complexity: "O(1)", summary: "Returns information about the connection.",
                    hints: ["nondeterministic_output"], run: info),
                Command(
                    "KILL", arity: -3, [.admin, .noScript, .loading, .stale], in: .connection,
                    since: "2.4.0", complexity: "O(N) where N is the number of client connections",
                    summary: "Terminates open connections.",
                    history: [
                        ("2.8.12", "Added new filter format."),
                        ("2.8.12", "`ID` option."),
                        ("3.2.0", "Added `master` type in for `TYPE` option."),
                        (
                            "5.0.0",
                            "Replaced `slave` `TYPE` with `replica`. `slave` still supported for backward "
                                + "compatibility."
                        ),
                        ("6.2.0", "`LADDR` option."),
                        ("8.0.0", "`MAXAGE` option."),
                        (
                            "8.0.0",
                            "Replaced `master` `TYPE` with `primary`. `master` still supported for backward "
                                + "compatibility."
                        ),
                        ("8.1.0", "`ID` option accepts multiple IDs."),
                        (
                            "9.0.0",
                            "Added filters NAME, IDLE, FLAGS, LIB-NAME, LIB-VER, DB, CAPA, and IP. And "
                                + "negative filters NOT-ID, NOT-TYPE, NOT-ADDR, NOT-LADDR, NOT-USER, NOT-FLAGS, "
                                + "NOT-NAME, NOT-LIB-NAME, NOT-LIB-VER, NOT-DB, NOT-CAPA, NOT-IP."
                        )
                    ],
                    run: kill),
                Command(
                    "LIST", arity: -2, [.admin, .noScript, .loading, .stale], in: .connection,
                    since: "2.4.0", complexity: "O(N) where N is the number of client connections",
                    summary: "Lists open connections.",
                    history: [
                        ("2.8.12", "Added unique client `id` field."),
                        ("5.0.0", "Added optional `TYPE` filter."),
                        ("6.0.0", "Added `user` field."),
                        (
                            "6.2.0",
                            "Added `argv-mem`, `tot-mem`, `laddr` and `redir` fields and the optional `ID` "
                                + "filter."
                        ),
                        ("7.0.0", "Added `resp`, `multi-mem`, `rbs` and `rbp` fields."),
                        ("7.0.3", "Added `ssub` field."),
                        (
                            "8.0.0",
                            "Replaced `master` `TYPE` with `primary`. `master` still supported for backward "
                                + "compatibility."
                        ),
                        ("8.1.0", "Added filters USER, ADDR, LADDR, SKIPME, and MAXAGE."),
                        (
                            "9.0.0",
                            "Added filters NAME, IDLE, FLAGS, LIB-NAME, LIB-VER, DB, CAPA, and IP. And "
                                + "negative filters NOT-ID, NOT-TYPE, NOT-ADDR, NOT-LADDR, NOT-USER, NOT-FLAGS, "
                                + "NOT-NAME, NOT-LIB-NAME, NOT-LIB-VER, NOT-DB, NOT-CAPA, NOT-IP."
                        )
                    ],
                    hints: ["nondeterministic_output"], run: list),
                Command(
                    "NO-EVICT", arity: 3, [.admin, .noScript, .loading, .stale], in: .connection,
                    since: "7.0.0", complexity: "O(1)", summary: "Sets the client eviction mode of the connection.",
                    run: noEvict),
                Command(
                    "NO-TOUCH", arity: 3, [.noScript, .loading, .stale, .allowBusy], in: .connection,
                    since: "7.2.0", complexity: "O(1)",
                    summary: "Controls whether commands sent by the client affect the LRU/LFU of accessed keys.",
                    run: noTouch),
                Command(
                    "PAUSE", arity: -3, [.admin, .noScript, .loading, .stale], in: .connection,
                    since: "3.0.0", complexity: "O(1)", summary: "Suspends commands processing.",
                    history: [
                        ("6.2.0", "`CLIENT PAUSE WRITE` mode added along with the `mode` option.")
                    ],
                    run: pause),
                Command(
                    "REPLY", arity: 3, [.noScript, .loading, .stale], in: .connection,
                    since: "3.2.0", complexity: "O(1)",
                    summary: "Instructs the server whether to reply to commands.", run: reply),
                Command(
                    "SETINFO", arity: 4, [.noScript, .loading, .stale, .allowBusy], in: .connection,
                    since: "7.2.0", complexity: "O(1)",
                    summary: "Sets information specific to the client or connection.",
                    hints: ["request_policy:all_nodes", "response_policy:all_succeeded"], run: setinfo),
                Command(
                    "SETNAME", arity: 3, [.noScript, .loading, .stale], in: .connection,
                    since: "2.6.9", complexity: "O(1)", summary: "Sets the connection name.", run: setname),
                Command(
                    "TRACKINGINFO", arity: 2, [.noScript, .loading, .stale], in: .connection,
                    since: "6.2.0", complexity: "O(1)",
                    summary: "Returns information about server-assisted client-side caching for the connection.",
                    run: trackinginfo),
                Command(
                    "UNBLOCK", arity: -3, [.admin, .noScript, .loading, .stale], in: .connection,
                    since: "5.0.0", complexity: "O(log N) where N is the number of client connections",
                    summary: "Unblocks a client blocked by a blocking command from a different connection.",
                    run: unblock),
                Command(
                    "UNPAUSE", arity: 2, [.admin, .noScript, .loading, .stale], in: .connection,
                    since: "6.2.0", complexity: "O(N) Where N is the number of paused clients",
                    summary: "Resumes processing commands from paused clients.", run: unpause)
            ])
    ]

    // MARK: about this connection

    private static func id(_ call: inout Call) throws(CommandError) {
        call.reply.integer(Int(call.session.id))
    }

    private static func getname(_ call: inout Call) throws(CommandError) {
        if call.session.name.isEmpty { return call.reply.null() }
        call.reply.bulk(call.session.name)
    }

    private static func setname(_ call: inout Call) throws(CommandError) {
        guard ClientText.isClean(call.arguments[2]) else { throw .message(ClientText.dirtyName) }
        call.session.name = call.arguments[2].text
        call.reply.ok()
    }

    private static func setinfo(_ call: inout Call) throws(CommandError) {
        let isName = call.arguments[2].equalsIgnoringCase("lib-name")
        guard isName || call.arguments[2].equalsIgnoringCase("lib-ver") else {
            call.reply.error("ERR Unrecognized option '\(call.arguments[2].text)'")
            throw .written
        }
        guard ClientText.isClean(call.arguments[3]) else {
            let option = isName ? "lib-name" : "lib-ver"
            call.reply.error("ERR \(option) cannot contain spaces, newlines or special characters.")
            throw .written
        }
        if isName {
            call.session.libraryName = call.arguments[3].text
        } else {
            call.session.libraryVersion = call.arguments[3].text
        }
        call.reply.ok()
    }

    private static func info(_ call: inout Call) throws(CommandError) {
        var text = ByteBuffer()
        ClientLine.append(call.sessionReference, running: call, to: &text)
        call.reply.verbatim(text.span)
    }

    /// Capabilities that this server does not know are no mistake: newer clients announce them everywhere.
    private static func capa(_ call: inout Call) throws(CommandError) {
        for index in 2..<call.arguments.count where call.arguments[index].equalsIgnoringCase("redirect") {
            call.session.followsRedirects = true
        }
        call.reply.ok()
    }

    /// "on" or "off" in argument 2.
    private static func isOn(_ call: borrowing Call) throws(CommandError) -> Bool {
        if call.arguments[2].equalsIgnoringCase("on") { return true }
        guard call.arguments[2].equalsIgnoringCase("off") else { throw .syntax }
        return false
    }

    private static func noEvict(_ call: inout Call) throws(CommandError) {
        call.session.isNoEvict = try isOn(call)
        call.reply.ok()
    }

    private static func noTouch(_ call: inout Call) throws(CommandError) {
        call.session.isNoTouch = try isOn(call)
        call.reply.ok()
    }

    /// The dispatcher drops what a silent session's commands write, this one's OK included.
    private static func reply(_ call: inout Call) throws(CommandError) {
        if call.arguments[2].equalsIgnoringCase("on") {
            call.session.replyMode = .on
            call.session.gates.remove(.silent)
            call.reply.ok()
        } else if call.arguments[2].equalsIgnoringCase("off") {
            call.session.replyMode = .off
            call.session.gates.insert(.silent)
        } else if call.arguments[2].equalsIgnoringCase("skip") {
            if call.session.replyMode == .off { return }
            call.session.replyMode = .skipNext
            call.session.gates.insert(.silent)
        } else {
            throw .syntax
        }
    }

    // MARK: client-side caching, which no session has switched on

    private static func getredir(_ call: inout Call) throws(CommandError) { call.reply.integer(-1) }

    private static func trackinginfo(_ call: inout Call) throws(CommandError) {
        call.reply.map(3)
        call.reply.bulk("flags")
        call.reply.set(1)
        call.reply.bulk("off")
        call.reply.bulk("redirect")
        call.reply.integer(-1)
        call.reply.bulk("prefixes")
        call.reply.array(0)
    }

    // MARK: about other connections

    private static func list(_ call: inout Call) throws(CommandError) {
        var filter = ClientFilter(skipsMe: false)
        try filter.parse(call, from: 2, invalidId: "ERR Invalid client ID")
        var text = ByteBuffer()
        for session in call.administration.sessions.all where filter.matches(session, call) {
            ClientLine.append(session, running: call, to: &text)
        }
        call.reply.verbatim(text.span)
    }

    private static func kill(_ call: inout Call) throws(CommandError) {
        let isOldForm = call.arguments.count == 3
        var filter = ClientFilter(skipsMe: !isOldForm)
        if isOldForm {
            filter.address = call.arguments[2].text
        } else {
            try filter.parse(call, from: 2, invalidId: "ERR client-id should be greater than 0")
        }
        let doomed = call.administration.sessions.all.filter { filter.matches($0, call) }
        let running = call.sessionReference
        for session in doomed { call.administration.kill(session, runningSession: running) }
        if !isOldForm { return call.reply.integer(doomed.count) }
        if doomed.isEmpty { throw .message("ERR No such client") }
        call.reply.ok()
    }

    private static func pause(_ call: inout Call) throws(CommandError) {
        var mode = ClientPause.Mode.all
        if call.arguments.count == 4 {
            if call.arguments[3].equalsIgnoringCase("write") {
                mode = .writes
            } else if !call.arguments[3].equalsIgnoringCase("all") {
                throw .message("ERR CLIENT PAUSE mode must be WRITE or ALL")
            }
        } else if call.arguments.count > 4 {
            throw .syntax
        }
        let milliseconds = try call.timeoutMilliseconds(2)
        call.administration.pauseClients(mode, milliseconds: milliseconds)
        call.reply.ok()
    }

    private static func unpause(_ call: inout Call) throws(CommandError) {
        call.administration.unpauseClients()
        call.reply.ok()
    }

    private static func unblock(_ call: inout Call) throws(CommandError) {
        var withError = false
        if call.arguments.count == 4 {
            withError = call.arguments[3].equalsIgnoringCase("error")
            guard withError || call.arguments[3].equalsIgnoringCase("timeout") else {
                throw .message("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
            }
        }
        let id = try call.integer(2)
        guard id > 0, let session = call.administration.sessions.find(UInt64(id)) else {
            return call.reply.integer(0)
        }
        let wasBlocked = call.administration.unblock(session, withError: withError)
        call.reply.integer(wasBlocked ? 1 : 0)
    }

    private static func help(_ call: inout Call) throws(CommandError) {
        CommandHelp.write(call, "CLIENT", ClientFilter.help + lines)
    }

    private static let lines: [StaticString] = [
        "CAPA <capability> [<capability> ...]", "    Tell the server what this client can handle (REDIRECT).",
        "GETREDIR", "    Where invalidation messages go: a client ID, 0 for here, -1 when tracking is off.",
        "GETNAME", "    The name of this connection.",
        "ID", "    The ID of this connection.",
        "INFO", "    What CLIENT LIST says about this connection.",
        "NO-EVICT (ON|OFF)", "    Keep this connection when clients are evicted.",
        "NO-TOUCH (ON|OFF)", "    Leave the access statistics of keys alone.",
        "PAUSE <timeout> [WRITE|ALL]", "    Hold commands of all clients, or only writes, for <timeout> milliseconds.",
        "REPLY (ON|OFF|SKIP)", "    Whether this connection gets replies.",
        "SETINFO (LIB-NAME|LIB-VER) <value>", "    Name the client library of this connection, or its version.",
        "SETNAME <name>", "    Name this connection.",
        "TRACKINGINFO", "    The state of client-side caching for this connection.",
        "UNBLOCK <clientid> [TIMEOUT|ERROR]", "    End the wait of a blocked client.",
        "UNPAUSE", "    End a pause.",
    ]
}
