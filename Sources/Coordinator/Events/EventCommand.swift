// EventCommand.swift - FOG.EVENT: publishing events, reading the log, the types there are and the rules that say which
// keys an event makes invalid. Rules are the fields of the hash `<prefix>event:rules`. Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum EventCommand {
    static let commands: [Command] = [
        Command(
            "FOG.EVENT", arity: -2, in: .fog, since: "8.2.0", summary: "A container for commands on events.",
            subcommands: [
                Command(
                    "PUBLISH",
                    """
                    type resource [priority=PRIORITY (CRITICAL | HIGH | NORMAL | LOW)] [DEDUP id] [DATA json] \
                    [KEYS key...]
                    """,
                    arity: -4, [.write, .pubsub],
                    keys: [
                        KeySpec(
                            [.readWrite, .delete], begin: .keyword("KEYS", startFrom: 4),
                            find: .range(last: -1, step: 1, limit: 0))
                    ],
                    in: .fog, since: "8.2.0",
                    complexity: "O(N+M) where N is the number of keys and M is the number of clients that listen.",
                    summary: "Publishes an event and removes the keys that it makes invalid.",
                    help: [
                        "PUBLISH <type> <resource> [PRIORITY CRITICAL|HIGH|NORMAL|LOW] [DEDUP <id>] [DATA <json>]"
                            + " [KEYS <key> ...]",
                        "    Publish an event; remove its keys and those that the rules of its type name.",
                    ],
                    run: publish),
                Command(
                    "REPLAY", "FROM position:integer [TYPE type] [COUNT count:integer]", arity: -4, [.readonly],
                    in: .fog, since: "8.2.0", complexity: "O(N) where N is the number of events that are looked at.",
                    summary: "Returns events that were published before, from a sequence number or a time on.",
                    help: [
                        "REPLAY FROM <sequence or milliseconds> [TYPE <type>] [COUNT <count>]",
                        "    Return events from a sequence number on, or from a Unix time in milliseconds on.",
                    ],
                    run: replay),
                Command(
                    "TYPES", arity: 2, [.readonly, .fast], in: .fog, since: "8.2.0", complexity: "O(1)",
                    summary: "Returns the types of events that the server sends by itself.",
                    help: ["TYPES", "    Return the types of events that the server sends by itself."], run: types),
                Command(
                    "RULE", "action=(set=(SET type PATTERN template...) | GET type | DEL type | LIST)", arity: -3,
                    [.write], in: .fog, since: "8.2.0", complexity: "O(N) where N is the number of rules.",
                    summary: "Sets or tells which keys the events of a type make invalid.",
                    help: [
                        "RULE SET <type> PATTERN <template> [<template> ...]",
                        "    Events of the type remove these keys; {resource}, {node}, {old} and {new} are theirs.",
                        "RULE GET <type>", "    Return the templates of a type.",
                        "RULE DEL <type>", "    Forget what was set for a type.",
                        "RULE LIST", "    Return the templates of all types that have some.",
                    ],
                    run: EventRuleCommand.rule),
                Command(
                    "HELP", arity: 2, [.loading, .stale], in: .fog, since: "8.2.0", complexity: "O(1)",
                    summary: "Returns helpful text about the different subcommands.", run: Command.help),
            ])
    ]

    private static let publish: Command.Handler = { (call: inout Call) throws(CommandError) in
        let first = call.firstWord
        guard EventType.isName(call.arguments[first]) else {
            throw .message("ERR a type of events is named by up to 64 letters, digits and underscores")
        }
        var event = EventDraft(named: call.arguments[first], resource: call.arguments[first + 1])
        let keyStart = try read(call, from: first + 2, into: &event)
        let start = call.administration.clock.monotonicNanoseconds
        if !event.identifier.isEmpty, call.events.names.isKnown(event.identifier, now: call.now) {
            call.events.deduplicated += 1
            return reply(call, EventReceipt(isDuplicate: true), event, invalidated: 0)
        }
        var removed = 0
        if call.settings.fog.eventsInvalidate {
            let words = EventWords(resource: event.resource)
            removed = try call.invalidate(byRulesOf: event.type.span, words)
            for index in keyStart..<call.arguments.count where call.invalidate(call.arguments[index]) { removed += 1 }
            if removed > 0 {
                call.events.invalidation.record(
                    nanoseconds: call.administration.clock.monotonicNanoseconds - start)
            }
        }
        let receipt = call.publishEvent(event)
        if removed == 0 { call.propagateNothing() }
        reply(call, receipt, event, invalidated: removed)
    }

    /// The options; returns where the keys begin.
    private static func read(
        _ call: borrowing Call, from start: Int, into event: inout EventDraft
    ) throws(CommandError) -> Int {
        var words = call.options(from: start)
        while !words.isAtEnd {
            if words.take("PRIORITY", values: 1) {
                guard let priority = Priority(try words.next()) else {
                    throw .message("ERR a priority is critical, high, normal or low")
                }
                event.priority = priority
            } else if words.take("DEDUP", values: 1) {
                event.identifier = try words.next().array
            } else if words.take("DATA", values: 1) {
                let data = try words.next()
                guard JSONCheck.isValid(data) else { throw .message("ERR DATA is not valid JSON") }
                event.data.append(data)
            } else if words.take("KEYS", values: 1) {
                let keyStart = words.index
                while !words.isAtEnd { event.addKey(try words.next()) }
                return keyStart
            } else {
                throw .syntax
            }
        }
        return call.arguments.count
    }

    private static func reply(
        _ call: borrowing Call, _ receipt: EventReceipt, _ event: borrowing EventDraft, invalidated: Int
    ) {
        call.reply.map(3)
        call.reply.bulk("id")
        call.reply.bulk(Engine.identifier(of: event, receipt.sequence, call.events.origin).span)
        call.reply.pair("receivers", receipt.receivers)
        call.reply.pair("invalidated", invalidated)
    }

    // MARK: reading

    /// Numbers from here on are times: no sequence gets there.
    private static let firstTime = 100_000_000_000
    private static let replayCountMax = 10_000

    private static let replay: Command.Handler = { (call: inout Call) throws(CommandError) in
        var words = call.words()
        guard words.take("FROM", values: 1) else { throw .syntax }
        let position = try words.nonnegative()
        var type: [UInt8]?
        var left = replayCountMax
        while !words.isAtEnd {
            if words.take("TYPE", values: 1) {
                type = EventType.spelling(try words.next())
            } else if words.take("COUNT", values: 1) {
                left = try words.integer(in: 1...Int.max, otherwise: .negativeValue)
            } else {
                throw .syntax
            }
        }
        let log = call.events.log
        let (microseconds, isEndless) = Int64(position).multipliedReportingOverflow(by: 1000)
        let from = position >= firstTime ? log.sequence(from: isEndless ? .max : microseconds) : Int64(position)
        call.reply.map(3)
        call.reply.bulk("events")
        let reply = call.reply
        var next = from
        reply.deferredArray { count in
            next = log.replay(from: from, type: type) { entry in
                if count >= left { return false }
                reply.bulk(entry.payload.span)
                count += 1
                return true
            }
        }
        call.reply.pair("next", Int(next))
        call.reply.pair("lost", Int(max(0, log.firstSequence - max(1, from))))
    }

    private static let types: Command.Handler = { (call: inout Call) throws(CommandError) in
        call.reply.array(EventType.allCases.count)
        for type in EventType.allCases { call.reply.bulk(type.name) }
    }
}
