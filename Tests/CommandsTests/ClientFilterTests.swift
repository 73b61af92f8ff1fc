// ClientFilterTests.swift - the filters of CLIENT LIST and CLIENT KILL with the texts of Valkey 9.1, CLIENT
// IMPORT-SOURCE with import mode, MODULE on a server that has none, and what counts as a client's memory.
import TestKit
import Testing

struct ClientFilterTests {
    /// Names of the clients that CLIENT LIST shows, in its order.
    private func names(_ session: TestSession, _ filter: String) throws -> [String] {
        let text = try session.client.run("CLIENT LIST \(filter)").text ?? "(no text)"
        return text.split(separator: "\n").map { line in
            let field = line.split(separator: " ").first { $0.hasPrefix("name=") }
            return String(field?.dropFirst(5) ?? "?")
        }
    }

    @Test(arguments: TestVariant.all)
    func filtersCombine(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let second = try session.server.connect()
        let third = try session.server.connect()
        try session.run([("CLIENT SETNAME one", "OK"), ("ACL SETUSER alice on nopass +@all ~* &*", "OK")])
        for line in ["CLIENT SETNAME two", "SELECT 3", "CLIENT SETINFO lib-name lib", "CLIENT CAPA redirect"] {
            #expect(try second.run(line).description == "OK")
        }
        for line in ["AUTH alice x", "CLIENT SETNAME three"] { #expect(try third.run(line).description == "OK") }
        _ = try third.run("SUBSCRIBE news")
        let expected: [(String, [String])] = [
            ("", ["one", "two", "three"]), ("NAME two", ["two"]), ("NOT-NAME two", ["one", "three"]),
            ("NAME ''", []), ("NOT-NAME ''", ["one", "two", "three"]),
            ("DB 3", ["two"]), ("NOT-DB 3", ["one", "three"]),
            ("USER alice", ["three"]), ("NOT-USER alice", ["one", "two"]), ("LIB-NAME lib", ["two"]),
            ("NOT-LIB-NAME lib", ["one", "three"]), ("TYPE pubsub", ["three"]), ("NOT-TYPE pubsub", ["one", "two"]),
            ("NOT-TYPE pubsub NOT-DB 3", ["one"]), ("TYPE normal NOT-NAME one", ["two"]), ("FLAGS P", ["three"]),
            ("NOT-FLAGS P", ["one", "two"]), ("FLAGS ''", ["one", "two", "three"]), ("NOT-FLAGS ''", []),
            ("CAPA r", ["two"]), ("NOT-CAPA r", ["one", "three"]), ("SKIPME yes", ["two", "three"]),
            ("IP 127.0.0.1 NAME one", ["one"]), ("NOT-IP 127.0.0.1", []), ("NOT-IP 10.0.0.1 NAME one", ["one"]),
            ("NOT-ID 999", ["one", "two", "three"]),
        ]
        for (filter, wanted) in expected {
            #expect(try names(session, filter) == wanted, "CLIENT LIST \(filter)")
        }
        let id = try session.client.run("CLIENT ID").description.filter(\.isNumber)
        #expect(try names(session, "ID \(id) 99999") == ["one"])
        #expect(try names(session, "NOT-ID 99998 \(id)") == ["two", "three"])
        #expect(try names(session, "NOT-ID \(id) NOT-NAME three") == ["two"])
        try session.run([
            ("CLIENT KILL NOT-ID \(id) NOT-TYPE pubsub", "1"), ("CLIENT LIST NAME two", variant.protocolVersion == 3
                ? #"txt:"""# : #""""#),
            ("CLIENT KILL NOT-NAME one SKIPME no", "1"),
        ])
        #expect(try names(session, "") == ["one"])
    }

    @Test(arguments: TestVariant.protocols)
    func refusesWrongFilters(variant: TestVariant) throws {
        try TestSession(variant).run([
            ("CLIENT LIST NOT-ID 0", "(error) ERR client-id should be greater than 0"),
            ("CLIENT LIST NOT-ID abc", "(error) ERR syntax error"), ("CLIENT LIST NOT-ID", "(error) ERR syntax error"),
            ("CLIENT LIST NOT-ID 1 foo", "(error) ERR syntax error"),
            ("CLIENT LIST NOT-TYPE bogus", "(error) ERR Unknown client type 'bogus'"),
            ("CLIENT LIST USER nosuch", "(error) ERR No such user 'nosuch'"),
            ("CLIENT KILL NOT-USER nosuch", "(error) ERR No such user 'nosuch'"),
            ("CLIENT LIST FLAGS Q", "(error) ERR Unknown flags found in the provided filter: Q"),
            ("CLIENT LIST NOT-FLAGS NQ", "(error) ERR Unknown flags found in the NOT-FLAGS filter: NQ"),
            ("CLIENT LIST CAPA x", "(error) ERR Unknown capa found in the provided filter: x"),
            ("CLIENT KILL NOT-CAPA rx", "(error) ERR Unknown capa found in the NOT-CAPA filter: rx"),
            ("CLIENT LIST DB 16", "(error) ERR DB number should be between 0 and 15"),
            ("CLIENT LIST NOT-DB -1", "(error) ERR NOT-DB number should be between 0 and 15"),
            ("CLIENT LIST NOT-DB x", "(error) ERR NOT-DB is not an integer or out of range"),
            ("CLIENT LIST NOT-MAXAGE 1", "(error) ERR syntax error"),
            ("CLIENT LIST NOT-SKIPME yes", "(error) ERR syntax error"),
        ])
    }

    /// In import mode keys die when their source says so: readers do not see them, the source does, writers take their
    /// places.
    @Test(arguments: TestVariant.all)
    func importMode(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let source = try session.server.connect()
        try session.run([
            ("CLIENT IMPORT-SOURCE on", "(error) ERR Server is not in import mode"),
            ("CLIENT IMPORT-SOURCE maybe", "(error) ERR Server is not in import mode"),
            ("CLIENT IMPORT-SOURCE off", "OK"), ("CONFIG SET import-mode yes", "OK"),
            ("CLIENT IMPORT-SOURCE maybe", "(error) ERR syntax error"),
        ])
        #expect(try source.run("CLIENT IMPORT-SOURCE on").description == "OK")
        #expect(try source.run("CLIENT LIST FLAGS I").text?.split(separator: "\n").count == 1)
        for line in ["SET a 1 PXAT 1000", "SET b 1 PX 50"] { #expect(try source.run(line).description == "OK") }
        session.server.advanceClock(milliseconds: 10_000)
        try session.run([
            ("GET a", "(nil)"), ("EXISTS a b", "0"), ("TTL b", "-2"), ("TYPE b", "none"), ("STRLEN a", "0"),
            ("DBSIZE", "2"), ("SET c 1", "OK"), ("EXPIRE c -1", "1"), ("GET c", "(nil)"), ("DBSIZE", "3"),
            ("HSET h f v", "1"), ("PEXPIREAT h 1000", "1"), ("HGETALL h", variant.protocolVersion == 3 ? "{}" : "[]"),
            ("DBSIZE", "4"), ("INFO stats", "(matches) *expired_keys:0*"),
        ])
        #expect(try source.run("GET b").description == #""1""#)
        #expect(try source.run("TTL b").description == "(integer) 0")
        try session.run([
            ("APPEND b x", "1"), ("GET b", #""x""#), ("TTL b", "-1"), ("SETNX c 2", "1"), ("GET c", #""2""#),
            ("DBSIZE", "4"), ("CONFIG SET import-mode no", "OK"), ("GET a", "(nil)"), ("HGETALL h", "(any)"),
            ("DBSIZE", "2"),
        ])
        // What it was before does not help it now.
        #expect(try source.run("SET d 1 PXAT 1000").description == "OK")
        #expect(try source.run("GET d").description == "(nil)")
        #expect(try source.run("RESET").description == "RESET")
        #expect(try source.run("CLIENT LIST FLAGS I").text == "")
    }

    @Test(arguments: TestVariant.protocols)
    func modules(variant: TestVariant) throws {
        let refusal = """
            (error) ERR MODULE command not allowed. If the enable-module-command option is set to "local", you can run \
            it from a local connection, otherwise you need to set this option in the configuration file, and then \
            restart the server.
            """
        try TestSession(variant).run([
            ("MODULE LIST", "[]"), ("MODULE LOAD /x.so", refusal), ("MODULE LOADEX /x.so ARGS 1", refusal),
            ("MODULE UNLOAD x", refusal),
            ("MODULE LOAD", "(error) ERR wrong number of arguments for 'module|load' command"),
        ])
        try TestSession(variant, configuration: "enable-module-command local").run([
            ("MODULE LOAD /x.so", "(error) ERR Error loading the extension. Please check the server logs."),
            (
                "MODULE LOADEX /x.so CONFIG a b",
                "(error) ERR Error loading the extension. Please check the server logs."
            ),
            ("MODULE UNLOAD x", "(error) ERR Error unloading module: no such module with that name"),
            ("MODULE LIST", "[]"),
        ])
    }

    /// What a client watches, listens to and tracks is its memory, and goes with it.
    @Test(arguments: TestVariant.all)
    func memoryOfClients(variant: TestVariant) throws {
        let session = try TestSession(variant)
        let other = try session.server.connect()
        let id = try other.run("CLIENT ID").description.filter(\.isNumber)
        func memory(_ field: String) throws -> Int {
            let line = try session.client.run("CLIENT LIST ID \(id)").text ?? ""
            let part = line.split(separator: " ").first { $0.hasPrefix(field + "=") }
            return Int(part?.dropFirst(field.utf8.count + 1) ?? "") ?? -1
        }
        let name = String(repeating: "k", count: 1000)
        let before = try memory("tot-mem")
        for number in 0..<20 { #expect(try other.run("WATCH \(name)\(number)").description == "OK") }
        #expect(try memory("multi-mem") >= 20_000)
        #expect(try memory("tot-mem") >= before + 20_000)
        #expect(try other.run("UNWATCH").description == "OK")
        #expect(try memory("multi-mem") == 0)
        let idle = try memory("tot-mem")
        for number in 0..<20 { _ = try other.run("CLIENT TRACKING ON BCAST PREFIX \(number)\(name)") }
        #expect(try memory("tot-mem") >= idle + 20_000)
        #expect(try other.run("CLIENT TRACKING OFF").description == "OK")
        let untracked = try memory("tot-mem")
        for number in 0..<50 { _ = try other.run("SUBSCRIBE channel:\(number)") }
        #expect(try memory("tot-mem") >= untracked + 50 * 32)
    }
}
