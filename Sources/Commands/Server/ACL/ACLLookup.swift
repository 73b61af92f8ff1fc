// ACLLookup.swift - ACL CAT, DRYRUN, GENPASS, LOG and HELP.
internal import Base
internal import Engine
internal import RESP

enum ACLLookup {
    static func categories(_ call: inout Call) throws(CommandError) {
        if call.arguments.count > 3 { return writeWrongShape(call) }
        let reply = call.reply
        guard call.arguments.count == 3 else {
            reply.array(ACLCategory.allCases.count)
            for category in ACLCategory.allCases { reply.bulk(category.rawValue) }
            return
        }
        let name = call.arguments[2].text
        guard let category = ACLCategory(rawValue: name.lowercased()) else {
            reply.error("ERR Unknown category '\(name)'")
            throw .written
        }
        let words = call.administration.acl.words
        let members = words.members(of: category)
        reply.array(members.count)
        for slot in members { reply.bulk(words.name(slot)) }
    }

    static func dryRun(_ call: inout Call) throws(CommandError) {
        guard let user = call.administration.acl.find(call.arguments[2].array)?.user else {
            call.reply.error("ERR User '\(call.arguments[2].text)' not found")
            throw .written
        }
        let line = call.arguments.dropFirst(3)
        let commands = call.administration.commands
        guard let slot = commands.resolve(line[0], line) else {
            call.reply.error("ERR Command '\(line[0].text)' not found")
            throw .written
        }
        let arity = commands.slot(slot).arity
        if arity >= 0 ? line.count != arity : line.count < -arity {
            call.reply.error("ERR wrong number of arguments for '\(commands.fullNames[slot])' command")
            throw .written
        }
        let database = call.session.database
        guard let refusal = call.administration.refusal(of: user, slot, line, database: database) else {
            return call.reply.ok()
        }
        call.reply.bulk(call.administration.dryRunText(refusal, of: user, slot, line).span)
    }

    /// As many hexadecimal digits as hold the bits asked for, from the system's generator.
    static func makePassword(_ call: inout Call) throws(CommandError) {
        if call.arguments.count > 3 { return writeWrongShape(call) }
        var bits = 256
        if call.arguments.count == 3 {
            bits = try call.integer(2)
            guard bits > 0, bits <= 4096 else {
                throw .message(
                    """
                    ERR ACL GENPASS argument must be the number of bits for the output password, a positive number \
                    up to 4096
                    """)
            }
        }
        var generator = SystemRandomNumberGenerator()
        var digits = ByteBuffer()
        let count = (bits + 3) / 4
        while digits.count < count { Hexadecimal.append(generator.next() as UInt64, to: &digits) }
        digits.truncate(to: count)
        call.reply.bulk(digits.span)
    }

    static func log(_ call: inout Call) throws(CommandError) {
        if call.arguments.count > 3 { return writeWrongShape(call) }
        var limit = 10
        if call.arguments.count == 3 {
            if call.arguments[2].equalsIgnoringCase("RESET") {
                call.administration.resetAccessLog()
                return call.reply.ok()
            }
            limit = max(0, try call.integer(2))
        }
        let now = call.administration.clock.nowMilliseconds
        let entries = call.administration.acl.log.entries.prefix(limit)
        call.reply.array(entries.count)
        for entry in entries { write(entry, now: now, call.reply) }
    }

    private static func write(_ entry: ACLLog.Entry, now: Int64, _ reply: borrowing Reply) {
        reply.map(10)
        reply.bulk("count")
        reply.integer(entry.count)
        reply.bulk("reason")
        reply.bulk(entry.reason.rawValue)
        reply.bulk("context")
        reply.bulk(entry.context)
        reply.bulk("object")
        reply.bulk(entry.object.span)
        reply.bulk("username")
        reply.bulk(entry.user.span)
        reply.bulk("age-seconds")
        var age = ByteBuffer()
        DoubleText.append(Double(now - entry.createdMilliseconds) / 1000, to: &age)
        reply.double(text: age.span)
        reply.bulk("client-info")
        reply.bulk(entry.client)
        reply.bulk("entry-id")
        reply.integer(entry.id)
        reply.bulk("timestamp-created")
        reply.integer(Int(entry.createdMilliseconds))
        reply.bulk("timestamp-last-updated")
        reply.integer(Int(entry.updatedMilliseconds))
    }

    private static func writeWrongShape(_ call: borrowing Call) {
        call.reply.error(
            "ERR unknown subcommand or wrong number of arguments for '\(call.arguments[1].text)'. Try ACL HELP.")
    }
}
