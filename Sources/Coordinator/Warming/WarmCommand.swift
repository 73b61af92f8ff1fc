// WarmCommand.swift - FOG.WARM, and its LOAD: many values at once, for a cache that begins cold. Keys that are there
// already stay as they are: what was written since is newer than what somebody warms with. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import RESP

enum WarmCommand {
    static let commands: [Command] = [
        Command(
            "FOG.WARM", arity: -2, in: .fog, since: "8.2.0", summary: "A container for commands that fill the cache.",
            subcommands: [
                Command(
                    "LOAD", "[TTL seconds:integer] data=(key value)...", arity: -4, [.write, .denyOOM, .movableKeys],
                    keys: [KeySpec([.overwrite, .insert], begin: .unknown, find: .unknown)], in: .fog,
                    since: "8.2.0", complexity: "O(N) where N is the number of keys.",
                    summary: "Sets the values of keys that do not exist; returns how many were set.",
                    help: [
                        "LOAD [TTL <seconds>] <key> <value> [<key> <value> ...]",
                        "    Set values where there are none; without TTL they get fog-default-ttl, 0 is no end.",
                    ],
                    run: load),
                WarmFileCommand.subcommand,
            ] + WarmSetCommands.subcommands + [
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .fog, since: "8.2.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help),
            ])
    ]

    private static let load: Command.Handler = { (call: inout Call) throws(CommandError) in
        var options = CacheOptions()
        options.expiry = call.cacheExpiry
        var words = call.words()
        // An odd number of words is told from a key named TTL by its count.
        if words.remaining % 2 == 0, words.remaining > 2, words.take("TTL", values: 1) {
            let seconds = try words.integer(in: 0...Int(Int32.max), otherwise: .invalidExpire)
            options.expiry = seconds == 0 ? nil : call.now + Int64(seconds) * 1000
        }
        guard words.remaining > 0, words.remaining % 2 == 0 else {
            throw .message("ERR wrong number of arguments for 'fog.warm|load' command")
        }
        for index in stride(from: words.index, to: words.end, by: 2) {
            try call.checkRecordAccess(call.arguments[index], [.overwrite, .insert])
        }
        var count = 0
        for index in stride(from: words.index, to: words.end, by: 2) where call.find(index) == nil {
            call.cacheValue(index, call.arguments[index + 1], options)
            count += 1
        }
        call.reply.integer(count)
    }
}
