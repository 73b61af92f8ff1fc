// KeyObject.swift - OBJECT: how a key's value is kept. Nothing here makes a key younger. IDLETIME comes from the shared
// access clocks (Keyspace/AccessClocks), FREQ from the entry's own counter of 0 to 15 (Keyspace/AccessLevel).
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum KeyObject {
    static let commands: [Command] = [
        Command(
            "OBJECT", arity: -2, in: .generic, since: "2.2.3", complexity: "Depends on subcommand.",
            summary: "A container for object introspection commands.",
            subcommands: [
                Command(
                    "ENCODING", "key", arity: 3, [.readonly, .leavesAsleep], keys: [.key(at: 2, [.readOnly])],
                    in: .generic,
                    since: "2.2.3", complexity: "O(1)", summary: "Returns the internal encoding of an object.",
                    hints: ["nondeterministic_output"],
                    help: [
                        "ENCODING <key>",
                        "    Return the kind of internal representation used in order to store the value",
                        "    associated with a <key>.",
                    ],
                    run: encoding),
                Command(
                    "FREQ", "key", arity: 3, [.readonly, .leavesAsleep], keys: [.key(at: 2, [.readOnly])], in: .generic,
                    since: "4.0.0", complexity: "O(1)",
                    summary: "Returns the logarithmic access frequency counter of an object.",
                    hints: ["nondeterministic_output"],
                    help: [
                        "FREQ <key>",
                        "    Return the access frequency index of the <key>. The returned integer is",
                        "    proportional to the logarithm of the recent access frequency of the key.",
                    ],
                    run: frequency),
                Command(
                    "IDLETIME", "key", arity: 3, [.readonly, .leavesAsleep], keys: [.key(at: 2, [.readOnly])],
                    in: .generic,
                    since: "2.2.3", complexity: "O(1)", summary: "Returns the time since the last access to an object.",
                    hints: ["nondeterministic_output"],
                    help: [
                        "IDLETIME <key>",
                        "    Return the idle time of the <key>, that is the approximated number of",
                        "    seconds elapsed since the last access to the key.",
                    ],
                    run: idleTime),
                Command(
                    "REFCOUNT", "key", arity: 3, [.readonly, .leavesAsleep], keys: [.key(at: 2, [.readOnly])],
                    in: .generic,
                    since: "2.2.3", complexity: "O(1)", summary: "Returns the reference count of a value of a key.",
                    hints: ["nondeterministic_output"],
                    help: [
                        "REFCOUNT <key>",
                        "    Return the number of references of the value associated with the specified",
                        "    <key>.",
                    ],
                    run: referenceCount),
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .generic, since: "6.2.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help),
            ])
    ]

    private static let encoding: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = call.peek(2, silently: true) else { return call.reply.null() }
        call.reply.bulk(entry.encodingName)
    }

    private static let referenceCount: Command.Handler = { (call: inout Call) throws(CommandError) in
        // Values are never shared between keys.
        guard call.peek(2, silently: true) != nil else { return call.reply.null() }
        call.reply.integer(1)
    }

    private static let idleTime: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard call.peek(2, silently: true) != nil else { return call.reply.null() }
        if call.settings.maxmemoryPolicy.isLFU {
            throw .message(
                """
                ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching \
                between policies at runtime LRU and LFU data will take some time to adjust.
                """
            )
        }
        let hash = call.hash(2)
        call.reply.integer(call.keyspace.clocks.idleSeconds(hash, in: call.session.database, at: call.now))
    }

    private static let frequency: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = call.peek(2, silently: true) else { return call.reply.null() }
        guard call.settings.maxmemoryPolicy.isLFU else {
            throw .message(
                """
                ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when \
                switching between policies at runtime LRU and LFU data will take some time to adjust.
                """
            )
        }
        call.reply.integer(AccessLevel.shown(entry.frequency))
    }
}
