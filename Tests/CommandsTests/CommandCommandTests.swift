// CommandCommandTests.swift - COMMAND and its subcommands: shapes of the replies in both protocols, filters, key
// extraction, errors.
import Engine
import Server
import TestKit
import Testing

struct CommandCommandTests {
    @Test(arguments: TestVariant.all)
    func keysOfLines(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("COMMAND GETKEYS get a", #"["a"]"#),
            ("command getkeys mset a 1 b 2", #"["a", "b"]"#),
            ("COMMAND GETKEYS object encoding k", #"["k"]"#),
            ("COMMAND GETKEYS", "(error) ERR wrong number of arguments for 'command|getkeys' command"),
            ("COMMAND GETKEYS nosuch", "(error) ERR Invalid command specified"),
            ("COMMAND GETKEYS config nosuch", "(error) ERR Invalid command specified"),
            ("COMMAND GETKEYS get", "(error) ERR Invalid number of arguments specified for command"),
            ("COMMAND GETKEYS ping", "(error) ERR The command has no key arguments"),
            ("COMMAND GETKEYS config", "(error) ERR The command has no key arguments"),
            ("COMMAND nosuch", "(error) ERR unknown subcommand 'nosuch'. Try COMMAND HELP."),
        ])
    }

    /// Words that options, counts and keys are made of, in any order: the keys told must be words of the line.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func keysOfRandomLines(seed: UInt64) throws {
        let words = [
            "key", "0", "1", "2", "3", "-1", "9223372036854775807", "9223372036854775808", "", "STORE", "STREAMS",
            "KEYS", "GET", "BY", "LIMIT", "AUTH", "AUTH2", "OVERFLOW", "GROUP", "COPY", "STOREDIST", "x",
        ]
        let names = DeclaredCommand.all.filter { $0.command.hasKeys }.map(\.fullName)
        let session = try TestSession()
        var state = seed
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for _ in 0..<1500 {
            let name = names[random(names.count)].split(separator: "|").map(String.init)
            let line = name + (0..<random(12)).map { _ in words[random(words.count)] }
            let sent = (["COMMAND", "GETKEYS"] + line).map { Array($0.utf8) }
            let reply = try session.client.run(arguments: sent)
            guard case .array(let keys) = reply else {
                #expect(reply.isError, "\(line) answered \(reply)")
                continue
            }
            for key in keys { #expect(line.contains { .bulk(Array($0.utf8)) == key }, "\(line) answered \(reply)") }
        }
    }

    @Test func listsAreFiltered() throws {
        let session = try TestSession()
        try session.run([
            ("COMMAND LIST FILTERBY PATTERN ge?", #"["get"]"#),
            ("COMMAND LIST FILTERBY PATTERN command|c*", #"["command|count"]"#),
            ("COMMAND LIST FILTERBY ACLCAT nosuch", "[]"),
            ("COMMAND LIST FILTERBY MODULE any", "[]"),
            ("COMMAND LIST FILTERBY PATTERN", "(error) ERR syntax error"),
            ("COMMAND LIST nosuch", "(error) ERR syntax error"),
            ("COMMAND INFO nosuch config|nosuch", "[(nil), (nil)]"),
            ("COMMAND COUNT", "\(ServerCommands.list.count)"),
        ])
    }

    @Test func descriptionsOfOneCommand() throws {
        try TestSession(TestVariant()).run([
            (
                "COMMAND INFO get",
                #"[["get", 2, [readonly, fast], 1, 1, 1, [@read, @string, @fast], [], [["flags", [RO, access], "#
                    + #""begin_search", ["type", "index", "spec", ["index", 1]], "find_keys", ["type", "range", "#
                    + #""spec", ["lastkey", 0, "keystep", 1, "limit", 0]]]], []]]"#
            ),
            (
                "COMMAND DOCS strlen",
                #"["strlen", ["summary", "Returns the length of a string value.", "since", "2.2.0", "#
                    + #""group", "string", "complexity", "O(1)", "arguments", [["name", "key", "type", "key", "#
                    + #""display_text", "key", "key_spec_index", 0]]]]"#
            ),
            ("COMMAND DOCS nosuch", "[]"),
        ])
    }
}
