// CommandDocsReply.swift - one command as COMMAND DOCS tells it. Arguments come from the command's usage line, which is
// read here each time: DOCS is rare, and a tree of arguments for every command would be kept for nothing. Engine's
// turn.
internal import Engine
internal import RESP

enum CommandDocsReply {
    static func write(_ id: Int, of commands: CommandTable, to reply: Reply) {
        let command = commands.commands[id]
        // A line that cannot be read would be our own mistake, which a test over all commands finds.
        let arguments = (try? UsageLine(command.usage))?.arguments ?? []
        let subcommands = commands.subcommands(of: id)
        reply.deferredMap { count in
            text("summary", command.summary, &count, to: reply)
            text("since", command.since, &count, to: reply)
            text("group", command.group.rawValue, &count, to: reply)
            if !command.complexity.isEmpty { text("complexity", command.complexity, &count, to: reply) }
            let flags = documentFlags(command)
            if !flags.isEmpty {
                count += 1
                reply.bulk("doc_flags")
                CommandInfoReply.names(flags, to: reply)
            }
            if let deprecated = command.deprecated {
                text("deprecated_since", deprecated.since, &count, to: reply)
                text("replaced_by", deprecated.replacedBy, &count, to: reply)
            }
            if !command.history.isEmpty {
                count += 1
                reply.bulk("history")
                reply.set(command.history.count)
                for (version, change) in command.history {
                    reply.array(2)
                    reply.bulk(version)
                    reply.bulk(change)
                }
            }
            if !arguments.isEmpty {
                count += 1
                reply.bulk("arguments")
                write(arguments, to: reply)
            }
            if !subcommands.isEmpty {
                count += 1
                reply.bulk("subcommands")
                reply.map(subcommands.count)
                for child in subcommands {
                    reply.bulk(commands.fullNames[child])
                    write(child, of: commands, to: reply)
                }
            }
        }
    }

    private static func documentFlags(_ command: Command) -> [StaticString] {
        var flags: [StaticString] = []
        if command.deprecated != nil { flags.append("deprecated") }
        if command.flags.contains(.system) { flags.append("syscmd") }
        return flags
    }

    private static func write(_ arguments: [UsageArgument], to reply: Reply) {
        reply.array(arguments.count)
        for argument in arguments { write(argument, to: reply) }
    }

    private static func write(_ argument: UsageArgument, to reply: Reply) {
        reply.deferredMap { count in
            text("name", argument.name, &count, to: reply)
            text("type", argument.kind.rawValue, &count, to: reply)
            text("display_text", argument.displayText, &count, to: reply)
            if let index = argument.keySpecIndex {
                count += 1
                reply.bulk("key_spec_index")
                reply.integer(index)
            }
            text("token", argument.token, &count, to: reply)
            text("summary", argument.summary, &count, to: reply)
            text("since", argument.since, &count, to: reply)
            text("deprecated_since", argument.deprecatedSince, &count, to: reply)
            var flags: [StaticString] = []
            if argument.isOptional { flags.append("optional") }
            if argument.isMultiple { flags.append("multiple") }
            if argument.repeatsToken { flags.append("multiple_token") }
            if !flags.isEmpty {
                count += 1
                reply.bulk("flags")
                CommandInfoReply.names(flags, to: reply)
            }
            if !argument.arguments.isEmpty {
                count += 1
                reply.bulk("arguments")
                write(argument.arguments, to: reply)
            }
        }
    }

    /// A field with a text; nothing when there is none.
    private static func text(_ name: StaticString, _ value: String?, _ count: inout Int, to reply: Reply) {
        guard let value else { return }
        count += 1
        reply.bulk(name)
        reply.bulk(value)
    }
}
