// ACLUserCommands.swift - ACL SETUSER, GETUSER, DELUSER, LIST, USERS, WHOAMI.
internal import Base
internal import Engine
internal import RESP

enum ACLUserCommands {
    static func set(_ call: inout Call) throws(CommandError) {
        let name = call.arguments[2].array
        if name.contains(where: { $0 == 0 || $0 == 32 || ($0 >= 9 && $0 <= 13) }) {
            throw .message("ERR Usernames can't contain spaces or null characters")
        }
        var rules: [[UInt8]] = []
        for index in 3..<call.arguments.count { rules.append(call.arguments[index].array) }
        let running = call.sessionReference
        do throws(ACLRefusal) {
            try call.administration.setUser(name, rules, runningSession: running)
        } catch {
            call.reply.error("ERR \(error.text)")
            throw .written
        }
        call.reply.ok()
    }

    static func delete(_ call: inout Call) throws(CommandError) {
        for index in 2..<call.arguments.count where call.arguments[index].equals("default") {
            throw .message("ERR The 'default' user cannot be removed")
        }
        var removed = 0
        let running = call.sessionReference
        for index in 2..<call.arguments.count
        where call.administration.removeUser(call.arguments[index].array, runningSession: running) {
            removed += 1
        }
        call.reply.integer(removed)
    }

    static func get(_ call: inout Call) throws(CommandError) {
        guard let user = call.administration.acl.find(call.arguments[2].array)?.user else {
            return call.reply.null()
        }
        let reply = call.reply
        reply.map(7)
        reply.bulk("flags")
        reply.set(user.flags.count)
        for flag in user.flags { reply.bulk(flag) }
        reply.bulk("passwords")
        reply.array(user.passwords.count)
        for password in user.passwords { reply.bulk(password.span) }
        write(user.root, reply)
        reply.bulk("selectors")
        reply.array(user.selectors.count)
        for selector in user.selectors {
            reply.map(4)
            write(selector, reply)
        }
    }

    /// The four fields of a selector.
    private static func write(_ selector: ACLSelector, _ reply: borrowing Reply) {
        reply.bulk("commands")
        reply.bulk(selector.commandText.span)
        reply.bulk("keys")
        reply.bulk(selector.keyText.span)
        reply.bulk("channels")
        reply.bulk(selector.channelText.span)
        reply.bulk("databases")
        reply.bulk(selector.databaseText.span)
    }

    static func list(_ call: inout Call) throws(CommandError) {
        let lines = ACLFile.lines(call.administration.acl)
        call.reply.array(lines.count)
        for line in lines { call.reply.bulk(line.span) }
    }

    static func names(_ call: inout Call) throws(CommandError) {
        let names = call.administration.acl.names
        call.reply.array(names.count)
        for name in names { call.reply.bulk(name.span) }
    }

    static func whoAmI(_ call: inout Call) throws(CommandError) {
        let name = call.session.account.user.name
        call.reply.bulk(name.span)
    }
}
