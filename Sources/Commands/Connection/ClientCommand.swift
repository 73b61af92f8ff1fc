// ClientCommand.swift - CLIENT: what a connection says about itself, and what administrators ask of others. Lines of
// CLIENT LIST are made in ClientLine.swift, filters in ClientFilter.swift. Engine's turn.
internal import Base
internal import Engine
internal import RESP

enum ClientCommand {
    static let commands: [Command] = [
        Command(
            "CLIENT", arity: -2, in: .connection, since: "2.4.0", complexity: "Depends on subcommand.",
            summary: "A container for client connection commands.",
            subcommands: [
                ClientTrackingCommand.caching,
                Command(
                    "CAPA", "capability...", arity: -3, [.noScript, .loading, .stale, .allowBusy], in: .connection,
                    since: "8.0.0", complexity: "O(1)", summary: "A client claims its capability.",
                    help: [
                        "CAPA <option> [options...]",
                        "    The client claims its some capability options. Options are:",
                        "    * REDIRECT",
                        """
                              The client can handle redirection during primary and replica failover in \
                        standalone mode.
                        """,
                    ],
                    run: capa),
                ClientTrackingCommand.getredir,
                Command(
                    "GETNAME", arity: 2, [.noScript, .loading, .stale, .allowBusy], in: .connection, since: "2.6.9",
                    complexity: "O(1)", summary: "Returns the name of the connection.",
                    help: [
                        "GETNAME",
                        "    Return the name of the current connection.",
                    ],
                    run: getname),
                Command(
                    "ID", arity: 2, [.noScript, .loading, .stale, .allowBusy], in: .connection, since: "5.0.0",
                    complexity: "O(1)", summary: "Returns the unique client ID of the connection.",
                    help: [
                        "ID",
                        "    Return the ID of the current connection.",
                    ],
                    run: id),
                Command(
                    "INFO", arity: 2, [.noScript, .loading, .stale], in: .connection, since: "6.2.0",
                    complexity: "O(1)", summary: "Returns information about the connection.",
                    hints: ["nondeterministic_output"],
                    help: [
                        "INFO",
                        "    Return information about the current client connection.",
                    ],
                    run: info),
                Command(
                    "KILL",
                    """
                    filter=(old-format/"ip:port"@!2.8.12 | new-format=([ID client-id:integer...@2.8.12] | \
                    [client-type=TYPE (NORMAL | MASTER@3.2.0 | PRIMARY@8.0.0 | SLAVE | REPLICA@5.0.0 | \
                    PUBSUB)@2.8.12] | [USER username] | [ADDR addr/"ip:port"] | [LADDR \
                    laddr/"ip:port"@6.2.0] | [SKIPME (YES | NO)] | [MAXAGE maxage:integer@8.0.0] | [NAME \
                    name@9.0.0] | [IDLE idle:integer@9.0.0] | [FLAGS flags@9.0.0] | [LIB-NAME \
                    lib-name@9.0.0] | [LIB-VER lib-ver@9.0.0] | [DB db:integer@9.0.0] | [CAPA capa@9.0.0] | \
                    [IP ip@9.0.0] | [not-client-type=NOT-TYPE (NORMAL | MASTER | PRIMARY | SLAVE | REPLICA | \
                    PUBSUB)@9.0.0] | [NOT-ID not-client-id:integer...@9.0.0] | [NOT-USER not-username@9.0.0] \
                    | [NOT-ADDR not-addr/"ip:port"@9.0.0] | [NOT-LADDR not-laddr/"ip:port"@9.0.0] | \
                    [NOT-NAME not-name@9.0.0] | [NOT-FLAGS not-flags@9.0.0] | [NOT-LIB-NAME \
                    not-lib-name@9.0.0] | [NOT-LIB-VER not-lib-ver@9.0.0] | [NOT-DB not-db:integer@9.0.0] | \
                    [NOT-CAPA not-capa@9.0.0] | [NOT-IP not-ip@9.0.0])...)
                    """,
                    arity: -3, [.admin, .noScript, .loading, .stale], in: .connection, since: "2.4.0",
                    complexity: "O(N) where N is the number of client connections",
                    summary: "Terminates open connections.",
                    history: [
                        ("2.8.12", "Added new filter format."),
                        ("2.8.12", "`ID` option."),
                        ("3.2.0", "Added `master` type in for `TYPE` option."),
                        (
                            "5.0.0",
                            """
                            Replaced `slave` `TYPE` with `replica`. `slave` still supported for backward \
                            compatibility.
                            """
                        ),
                        ("6.2.0", "`LADDR` option."),
                        ("8.0.0", "`MAXAGE` option."),
                        (
                            "8.0.0",
                            """
                            Replaced `master` `TYPE` with `primary`. `master` still supported for backward \
                            compatibility.
                            """
                        ),
                        ("8.1.0", "`ID` option accepts multiple IDs."),
                        (
                            "9.0.0",
                            """
                            Added filters NAME, IDLE, FLAGS, LIB-NAME, LIB-VER, DB, CAPA, and IP. And negative \
                            filters NOT-ID, NOT-TYPE, NOT-ADDR, NOT-LADDR, NOT-USER, NOT-FLAGS, NOT-NAME, \
                            NOT-LIB-NAME, NOT-LIB-VER, NOT-DB, NOT-CAPA, NOT-IP.
                            """
                        ),
                    ],
                    help: [
                        "KILL <ip:port>",
                        "    Kill connection made from <ip:port>.",
                        "KILL <option> <value> [<option> <value> [...]]",
                        "    Kill connections. Options are:",
                        "    * ADDR (<ip:port>|<unixsocket>:0)",
                        "      Kill connections made from the specified address.",
                        "    * LADDR (<ip:port>|<unixsocket>:0)",
                        "      Kill connections made to the specified local address.",
                        "    * TYPE (NORMAL|PRIMARY|REPLICA|PUBSUB)",
                        "      Kill connections by type.",
                        "    * USER <username>",
                        "      Kill connections authenticated by <username>.",
                        "    * SKIPME (YES|NO)",
                        "      Skip killing current connection (default: yes).",
                        "    * ID <client-id> [<client-id>...]",
                        "      Kill connections by client IDs.",
                        "    * MAXAGE <maxage>",
                        "      Kill connections older than the specified age.",
                        "    * FLAGS <flags>",
                        "      Kill connections that include the specified flags.",
                        "    * NAME <client-name>",
                        "      Kill connections with the specified name.",
                        "    * IDLE <idle>",
                        "      Kill connections with idle time greater than or equal to <idle> seconds.",
                        "    * LIB-NAME <library-name>",
                        "      Kill connections with the specified library name.",
                        "    * LIB-VER <library-version>",
                        "      Kill connections with the specified library version.",
                        "    * DB <db-id>",
                        "      Kill connections currently operating on the specified database ID.",
                        "    * CAPA <capa>",
                        "      Kill connections currently with the specified capa.",
                        "    * IP <ip>",
                        "      Kill connections made from the specified ip.",
                    ],
                    run: kill),
                Command(
                    "LIST",
                    """
                    [client-type=TYPE (NORMAL | MASTER | REPLICA | PUBSUB)@5.0.0] [ID \
                    client-id:integer...@6.2.0] [USER username@8.1.0] [ADDR addr/"ip:port"@8.1.0] [LADDR \
                    laddr/"ip:port"@8.1.0] [SKIPME (YES | NO)@8.1.0] [MAXAGE maxage:integer@8.1.0] [NAME \
                    name@9.0.0] [IDLE idle:integer@9.0.0] [FLAGS flags@9.0.0] [LIB-NAME lib-name@9.0.0] \
                    [LIB-VER lib-ver@9.0.0] [DB db:integer@9.0.0] [CAPA capa@9.0.0] [IP ip@9.0.0] \
                    [not-client-type=NOT-TYPE (NORMAL | MASTER | REPLICA | PUBSUB)@9.0.0] [NOT-ID \
                    not-client-id:integer...@9.0.0] [NOT-USER not-username@9.0.0] [NOT-ADDR \
                    not-addr/"ip:port"@9.0.0] [NOT-LADDR not-laddr/"ip:port"@9.0.0] [NOT-NAME \
                    not-name@9.0.0] [NOT-FLAGS not-flags@9.0.0] [NOT-LIB-NAME not-lib-name@9.0.0] \
                    [NOT-LIB-VER not-lib-ver@9.0.0] [NOT-DB not-db:integer@9.0.0] [NOT-CAPA not-capa@9.0.0] \
                    [NOT-IP not-ip@9.0.0]
                    """,
                    arity: -2, [.admin, .noScript, .loading, .stale], in: .connection, since: "2.4.0",
                    complexity: "O(N) where N is the number of client connections", summary: "Lists open connections.",
                    history: [
                        ("2.8.12", "Added unique client `id` field."),
                        ("5.0.0", "Added optional `TYPE` filter."),
                        ("6.0.0", "Added `user` field."),
                        (
                            "6.2.0",
                            """
                            Added `argv-mem`, `tot-mem`, `laddr` and `redir` fields and the optional `ID` \
                            filter.
                            """
                        ),
                        ("7.0.0", "Added `resp`, `multi-mem`, `rbs` and `rbp` fields."),
                        ("7.0.3", "Added `ssub` field."),
                        (
                            "8.0.0",
                            """
                            Replaced `master` `TYPE` with `primary`. `master` still supported for backward \
                            compatibility.
                            """
                        ),
                        ("8.1.0", "Added filters USER, ADDR, LADDR, SKIPME, and MAXAGE."),
                        (
                            "9.0.0",
                            """
                            Added filters NAME, IDLE, FLAGS, LIB-NAME, LIB-VER, DB, CAPA, and IP. And negative \
                            filters NOT-ID, NOT-TYPE, NOT-ADDR, NOT-LADDR, NOT-USER, NOT-FLAGS, NOT-NAME, \
                            NOT-LIB-NAME, NOT-LIB-VER, NOT-DB, NOT-CAPA, NOT-IP.
                            """
                        ),
                    ],
                    hints: ["nondeterministic_output"],
                    help: [
                        "LIST [options ...]",
                        "    Return information about client connections. Options:",
                        "    * TYPE (NORMAL|PRIMARY|REPLICA|PUBSUB)",
                        "      Return clients of specified type.",
                        "    * USER <username>",
                        "      Return clients authenticated by <username>.",
                        "    * ADDR <ip:port>",
                        "      Return clients connected from the specified address.",
                        "    * LADDR <ip:port>",
                        "      Return clients connected to the specified local address.",
                        "    * ID <client-id> [<client-id>...]",
                        "      Return clients with the specified IDs.",
                        "    * SKIPME (YES|NO)",
                        "      Exclude the current client from the list (default: no).",
                        "    * MAXAGE <maxage>",
                        "      List connections older than the specified age.",
                        "    * FLAGS <flags>",
                        "      Return clients with the specified flags.",
                        "    * NAME <client-name>",
                        "      Return clients with the specified name.",
                        "    * IDLE <idle>",
                        "      Return clients with idle time greater than or equal to <idle> seconds.",
                        "    * LIB-NAME <lib-name>",
                        "      Return clients with the specified lib name.",
                        "    * LIB-VER <lib-version>",
                        "      Return clients with the specified lib version.",
                        "    * DB <db-id>",
                        "      Return clients currently operating on the specified database ID.",
                        "    * CAPA <capa>",
                        "      Return connections currently with the specified capa.",
                        "    * IP <ip>",
                        "      Return connections made from the specified ip.",
                    ],
                    run: list),
                Command(
                    "UNPAUSE", arity: 2, [.admin, .noScript, .loading, .stale], in: .connection, since: "6.2.0",
                    complexity: "O(N) Where N is the number of paused clients",
                    summary: "Resumes processing commands from paused clients.",
                    help: [
                        "UNPAUSE",
                        "    Stop the current client pause, resuming traffic.",
                    ],
                    run: unpause),
                Command(
                    "PAUSE", "timeout:integer [mode=(WRITE | ALL)@6.2.0]", arity: -3,
                    [.admin, .noScript, .loading, .stale], in: .connection, since: "3.0.0", complexity: "O(1)",
                    summary: "Suspends commands processing.",
                    history: [("6.2.0", "`CLIENT PAUSE WRITE` mode added along with the `mode` option.")],
                    help: [
                        "PAUSE <timeout> [WRITE|ALL]",
                        "    Suspend all, or just write, clients for <timeout> milliseconds.",
                    ],
                    run: pause),
                Command(
                    "REPLY", "action=(ON | OFF | SKIP)", arity: 3, [.noScript, .loading, .stale, .noMulti, .allowBusy],
                    in: .connection, since: "3.2.0", complexity: "O(1)",
                    summary: "Instructs the server whether to reply to commands.",
                    help: [
                        "REPLY (ON|OFF|SKIP)",
                        "    Control the replies sent to the current connection.",
                    ],
                    run: reply),
                Command(
                    "SETNAME", "connection-name", arity: 3, [.noScript, .loading, .stale, .allowBusy], in: .connection,
                    since: "2.6.9", complexity: "O(1)", summary: "Sets the connection name.",
                    hints: ["request_policy:all_nodes", "response_policy:all_succeeded"],
                    help: [
                        "SETNAME <name>",
                        "    Assign the name <name> to the current connection.",
                    ],
                    run: setname),
                Command(
                    "SETINFO", "attr=(LIB-NAME libname | LIB-VER libver)", arity: 4,
                    [.noScript, .loading, .stale, .allowBusy], in: .connection, since: "7.2.0", complexity: "O(1)",
                    summary: "Sets information specific to the client or connection.",
                    hints: ["request_policy:all_nodes", "response_policy:all_succeeded"],
                    help: [
                        "SETINFO <option> <value>",
                        "    Set client meta attr. Options are:",
                        "    * LIB-NAME: the client lib name.",
                        "    * LIB-VER: the client lib version.",
                    ],
                    run: setinfo),
                Command(
                    "UNBLOCK", "client-id:integer [unblock-type=(TIMEOUT | ERROR)]", arity: -3,
                    [.admin, .noScript, .loading, .stale], in: .connection, since: "5.0.0",
                    complexity: "O(log N) where N is the number of client connections",
                    summary: "Unblocks a client blocked by a blocking command from a different connection.",
                    help: [
                        "UNBLOCK <clientid> [TIMEOUT|ERROR]",
                        "    Unblock the specified blocked client.",
                    ],
                    run: unblock),
                ClientTrackingCommand.tracking,
                ClientTrackingCommand.trackinginfo,
                Command(
                    "NO-EVICT", "enabled=(ON | OFF)", arity: 3, [.admin, .noScript, .loading, .stale, .allowBusy],
                    in: .connection, since: "7.0.0", complexity: "O(1)",
                    summary: "Sets the client eviction mode of the connection.",
                    help: [
                        "NO-EVICT (ON|OFF)",
                        "    Protect current client connection from eviction.",
                    ],
                    run: noEvict),
                Command(
                    "NO-TOUCH", "enabled=(ON | OFF)", arity: 3, [.noScript, .loading, .stale, .allowBusy],
                    in: .connection, since: "7.2.0", complexity: "O(1)",
                    summary: "Controls whether commands sent by the client affect the LRU/LFU of accessed keys.",
                    help: [
                        "NO-TOUCH (ON|OFF)",
                        "    Will not touch LRU/LFU stats when this mode is on.",
                    ],
                    run: noTouch),
                Command(
                    "IMPORT-SOURCE", "enabled=(ON | OFF)", arity: 3, [.noScript, .loading, .stale], in: .connection,
                    since: "8.1.0", complexity: "O(1)",
                    summary: "Marks this client as an import source when the server is in import mode.",
                    help: [
                        "IMPORT-SOURCE (ON|OFF)",
                        "    Mark this connection as an import source if import-mode is enabled.",
                        "    Sync tools can set their connections into 'import-source' state to visit",
                        "    expired keys.",
                    ],
                    run: importSource),
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .connection, since: "5.0.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help),
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
        call.administration.setNoEvict(try isOn(call), of: call.sessionReference)
        call.reply.ok()
    }

    private static func noTouch(_ call: inout Call) throws(CommandError) {
        call.session.isNoTouch = try isOn(call)
        call.reply.ok()
    }

    private static func importSource(_ call: inout Call) throws(CommandError) {
        let isOff = call.arguments[2].equalsIgnoringCase("off")
        guard call.settings.importMode || isOff else { throw .message("ERR Server is not in import mode") }
        call.session.isImportSource = try isOn(call)
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
        var filter = isOldForm ? ClientFilter(address: call.arguments[2].text) : ClientFilter(skipsMe: true)
        if !isOldForm { try filter.parse(call, from: 2, invalidId: ClientFilter.idTooSmall) }
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
}
