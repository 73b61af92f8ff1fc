// CommandCommandTests.swift - COMMAND and its subcommands: shapes of the replies in both protocols, filters, key
// extraction, errors.
import Commands
import Engine
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
            ("COMMAND COUNT", "\(AllCommands.list.count)"),
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
