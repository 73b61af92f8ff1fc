// StringGet.swift - GET, STRLEN and reading parts of strings. Readers never change the keyspace.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum StringGet {
    static let commands: [Command] = [
        Command(
            "GET", "key", arity: 2, [.readonly, .fast], keys: [.key([.readOnly, .access])], in: .string,
            since: "1.0.0", complexity: "O(1)", summary: "Returns the string value of a key.", run: get)
    ]

    private static let get: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = try call.read(1, .string) else { return call.reply.null() }
        call.reply.string(entry)
    }
}

extension Reply {
    /// A bulk with a string entry's text.
    @inline(__always)
    func string(_ entry: Entry) {
        if let value = entry.integerValue {
            bulk(decimal: Int(value))
        } else {
            bulk(entry.stringBytes())
        }
    }
}
