// EventRuleCommand.swift - FOG.EVENT RULE: a type's templates are kept as a field of the hash `<prefix>event:rules`, so
// they are saved, replicated and listed like anything else. Standard rules apply until a type has some of its own.
// Under the turn.
internal import Base
internal import Commands
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum EventRuleCommand {
    static let rule: Command.Handler = { (call: inout Call) throws(CommandError) in
        var words = call.words()
        if words.take("LIST") {
            try words.finish()
            return try list(call)
        }
        let isSet = words.take("SET", values: 3)
        let isGet = !isSet && words.take("GET", values: 1)
        let isDelete = !isSet && !isGet && words.take("DEL", values: 1)
        guard isSet || isGet || isDelete else { throw .syntax }
        let name = try words.next()
        guard EventType.isName(name) else {
            throw .message("ERR a type of events is named by up to 64 letters, digits and underscores")
        }
        let type = EventType.spelling(name)
        if isSet {
            guard words.take("PATTERN", values: 1) else { throw .syntax }
            return try set(call, type, &words)
        }
        try words.finish()
        if isGet {
            let key = call.rulesKey
            try call.checkRecordAccess(key.span, [.readOnly, .access])
            return write(call, call.rules(of: type.span))
        }
        try delete(call, type)
    }

    private static func set(
        _ call: borrowing Call, _ type: [UInt8], _ words: inout Options
    ) throws(CommandError) {
        var templates: [[UInt8]] = []
        while !words.isAtEnd {
            let template = try words.next().array
            guard !template.isEmpty, !template.contains(UInt8(ascii: " ")) else {
                throw .message("ERR a template is not empty and has no blanks")
            }
            templates.append(template)
        }
        let key = call.rulesKey
        try call.checkRecordAccess(key.span, [.readWrite, .update])
        var fields = RecordFields()
        fields.add(named: type.span, EventRules.join(templates).span)
        try call.administration.setRecord(key.span, in: call.session.database, fields, expiry: .kept)
        call.reply.ok()
    }

    private static func delete(_ call: borrowing Call, _ type: [UInt8]) throws(CommandError) {
        let key = call.rulesKey
        try call.checkRecordAccess(key.span, [.readWrite, .delete])
        let isThere = try call.administration.removeRecordField(key.span, type.span, in: call.session.database)
        call.reply.integer(isThere ? 1 : 0)
    }

    private static func write(_ call: borrowing Call, _ templates: [[UInt8]]) {
        call.reply.array(templates.count)
        for template in templates { call.reply.bulk(template.span) }
    }

    private static func list(_ call: borrowing Call) throws(CommandError) {
        let key = call.rulesKey
        try call.checkRecordAccess(key.span, [.readOnly, .access])
        var types: [[UInt8]] = EventRules.standardTypes.map { type in
            var name = ByteBuffer()
            name.append(type.name)
            return name.span.array
        }
        if let slot = try call.recordSlot(key.span) {
            slot.entry.forEachField(now: call.now) { field, _, _ in
                field.withText { text in
                    let name = text.array
                    if !types.contains(name) { types.append(name) }
                }
            }
        }
        call.reply.map(types.count)
        for type in types {
            call.reply.bulk(type.span)
            write(call, call.rules(of: type.span))
        }
    }
}
