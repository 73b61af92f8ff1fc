// CommandInfoReply.swift - one command as COMMAND and COMMAND INFO tell it: ten elements, in RESP3 with sets and maps.
// Engine's turn.
internal import Engine
internal import RESP

enum CommandInfoReply {
    static func write(_ id: Int, of commands: CommandTable, to reply: Reply) {
        let command = commands.commands[id]
        let range = command.keyRange.range
        reply.array(10)
        reply.bulk(commands.fullNames[id])
        reply.integer(command.arity)
        names(command.shownFlags.names, to: reply)
        reply.integer(range.first)
        reply.integer(range.last)
        reply.integer(range.step)
        let categories = command.aclCategories.list
        reply.set(categories.count)
        for category in categories { reply.simple("@" + category.rawValue) }
        reply.set(command.hints.count)
        for hint in command.hints { reply.bulk(hint) }
        reply.set(command.keys.count)
        for spec in command.keys { write(spec, to: reply) }
        let subcommands = commands.subcommands(of: id)
        reply.array(subcommands.count)
        for child in subcommands { write(child, of: commands, to: reply) }
    }

    /// A set of status lines.
    static func names(_ names: [StaticString], to reply: Reply) {
        reply.set(names.count)
        for name in names { reply.simple(name) }
    }

    private static func write(_ spec: KeySpec, to reply: Reply) {
        reply.map(spec.notes.isEmpty ? 3 : 4)
        if !spec.notes.isEmpty {
            reply.bulk("notes")
            reply.bulk(spec.notes)
        }
        reply.bulk("flags")
        names(spec.flags.names, to: reply)
        reply.bulk("begin_search")
        switch spec.begin {
        case .index(let index):
            search("index", 1, to: reply)
            number("index", index, to: reply)
        case .keyword(let word, let start):
            search("keyword", 2, to: reply)
            reply.bulk("keyword")
            reply.bulk(word)
            number("startfrom", start, to: reply)
        case .unknown:
            search("unknown", 0, to: reply)
        }
        reply.bulk("find_keys")
        switch spec.find {
        case .range(let last, let step, let limit):
            search("range", 3, to: reply)
            number("lastkey", last, to: reply)
            number("keystep", step, to: reply)
            number("limit", limit, to: reply)
        case .keyCount(let index, let first, let step):
            search("keynum", 3, to: reply)
            number("keynumidx", index, to: reply)
            number("firstkey", first, to: reply)
            number("keystep", step, to: reply)
        case .unknown:
            search("unknown", 0, to: reply)
        }
    }

    /// The head of a search: its type, and a map for `count` fields.
    private static func search(_ type: StaticString, _ count: Int, to reply: Reply) {
        reply.map(2)
        reply.bulk("type")
        reply.bulk(type)
        reply.bulk("spec")
        reply.map(count)
    }

    private static func number(_ name: StaticString, _ value: Int, to reply: Reply) {
        reply.bulk(name)
        reply.integer(value)
    }
}
