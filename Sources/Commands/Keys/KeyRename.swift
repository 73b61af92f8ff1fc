// KeyRename.swift - keys on the move: RENAME, RENAMENX, COPY, MOVE. Values are handed over by Keyspace, only COPY makes
// a second one.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum KeyRename {
    static let commands: [Command] = [
        Command(
            "COPY", "source:key destination:key [DB destination-db:integer] [REPLACE]", arity: -3, [.write, .denyOOM],
            keys: [.key([.readOnly, .access]), .key(at: 2, [.overwrite, .update])], in: .generic, since: "6.2.0",
            complexity: """
                O(N) worst case for collections, where N is the number of nested items. O(1) for string values.
                """,
            summary: "Copies the value of a key to a new key.", run: copy),
        Command(
            "MOVE", "key db:integer", arity: 3, [.write, .fast], keys: [.key([.readWrite, .access, .update])],
            in: .generic, since: "1.0.0", complexity: "O(1)", summary: "Moves a key to another database.", run: move),
        Command(
            "RENAME", "key newkey:key", arity: 3, [.write],
            keys: [.key([.readWrite, .access, .delete]), .key(at: 2, [.overwrite, .update])], in: .generic,
            since: "1.0.0", complexity: "O(1)", summary: "Renames a key and overwrites the destination.", run: rename),
        Command(
            "RENAMENX", "key newkey:key", arity: 3, [.write, .fast],
            keys: [.key([.readWrite, .access, .delete]), .key(at: 2, [.overwrite, .insert])], in: .generic,
            since: "1.0.0", complexity: "O(1)", summary: "Renames a key only when the target key name doesn't exist.",
            history: [
                ("3.2.0", "The command no longer returns an error when source and destination names are the same.")
            ],
            run: renameIfFree),
    ]

    private static let rename: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard call.look(1) != nil else { throw .noSuchKey }
        if !call.arguments[1].equals(call.arguments[2]) {
            // Looking for the new name may remove an expired key, so the source is looked up again behind it.
            let oldType = call.look(2)?.entry.type
            guard let slot = movable(call) else { throw .noSuchKey }
            moveName(call, slot, over: oldType)
        }
        call.reply.ok()
    }

    private static let renameIfFree: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard call.look(1) != nil else { throw .noSuchKey }
        guard call.look(2) == nil else { return call.reply.integer(0) }
        guard let slot = movable(call) else { throw .noSuchKey }
        moveName(call, slot, over: nil)
        call.reply.integer(1)
    }

    /// The slot of the first key, its value where it can be moved from.
    private static func movable(_ call: borrowing Call) -> EntryTable.Slot? {
        guard let slot = call.look(1),
            call.keyspace.awaken(slot, hash: call.hash(1), in: call.session.database)
        else { return nil }
        return slot
    }

    /// `oldType` is what has the new name until now.
    private static func moveName(_ call: borrowing Call, _ slot: EntryTable.Slot, over oldType: Int?) {
        let (hash, newHash) = (call.hash(1), call.hash(2))
        let type = slot.entry.type
        call.keyspace.rename(
            slot, hash: hash, to: call.arguments[2], newHash: newHash, in: call.session.database)
        call.noteAccess(newHash)
        if oldType != nil { call.replacedKey(call.arguments[2]) }
        call.changed("rename_from", .generic, key: call.arguments[1])
        call.changed("rename_to", .generic, key: call.arguments[2])
        call.overwrote(call.arguments[2], from: oldType, to: type)
    }

    private static let copy: Command.Handler = { (call: inout Call) throws(CommandError) in
        var target = call.session.database
        var replaces = false
        var index = 3
        while index < call.arguments.count {
            if call.arguments[index].equalsIgnoringCase("replace") {
                replaces = true
            } else if call.arguments[index].equalsIgnoringCase("db"), index + 1 < call.arguments.count {
                target = try call.databaseIndex(index + 1)
                index += 1
            } else {
                throw .syntax
            }
            index += 1
        }
        if target == call.session.database && call.arguments[1].equals(call.arguments[2]) { throw .sameObject }
        guard call.look(1) != nil else { return call.reply.integer(0) }
        let hash = call.hash(2)
        let oldType = call.keyspace.look(call.arguments[2], hash: hash, in: target)?.entry.type
        if oldType != nil && !replaces { return call.reply.integer(0) }
        guard let source = movable(call) else { return call.reply.integer(0) }
        let type = source.entry.type
        call.keyspace.copy(source.entry, to: call.arguments[2], hash: hash, in: target)
        call.keyspace.clocks.note(hash, in: target, at: call.now)
        if oldType != nil { call.replacedKey(call.arguments[2], database: target) }
        call.changed("copy_to", .generic, key: call.arguments[2], database: target)
        call.overwrote(call.arguments[2], from: oldType, to: type, database: target)
        call.reply.integer(1)
    }

    private static let move: Command.Handler = { (call: inout Call) throws(CommandError) in
        let source = call.session.database
        let target = try call.databaseIndex(2)
        if source == target { throw .sameObject }
        guard let slot = movable(call) else { return call.reply.integer(0) }
        let hash = call.hash(1)
        if call.keyspace.look(call.arguments[1], hash: hash, in: target) != nil { return call.reply.integer(0) }
        call.keyspace.move(slot, hash: hash, from: source, to: target)
        call.keyspace.clocks.note(hash, in: target, at: call.now)
        call.changed("move_from", .generic, key: call.arguments[1])
        call.changed("move_to", .generic, key: call.arguments[1], database: target)
        call.reply.integer(1)
    }
}

extension Call {
    /// The database number in argument `index`.
    func databaseIndex(_ index: Int) throws(CommandError) -> Int {
        guard let number = IntegerText.parse(arguments[index]) else { throw .notInteger }
        guard Int32(exactly: number) != nil else {
            throw .message("ERR value is out of range, value must between -2147483648 and 2147483647")
        }
        guard number >= 0 && number < keyspace.databaseCount else { throw .invalidDatabase }
        return Int(number)
    }
}
