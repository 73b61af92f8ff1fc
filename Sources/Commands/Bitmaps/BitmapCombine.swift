// BitmapCombine.swift - BITOP: several strings combined bit by bit into one, which is written to another key. Engine's
// turn. The result is complete before anything is written, so a destination may be a source as well.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum BitmapCombine {
    static let commands: [Command] = [
        Command(
            "BITOP",
            """
            operation=(AND | OR | XOR | NOT | DIFF@8.2.0 | DIFF1@8.2.0 | ANDOR@8.2.0 | ONE@8.2.0) destkey:key key...
            """,
            arity: -4, [.write, .denyOOM],
            keys: [.key(at: 2, [.overwrite, .update]), .keys(from: 3, [.readOnly, .access])], in: .bitmap,
            since: "2.6.0", complexity: "O(N)",
            summary: "Performs bitwise operations on multiple strings, and stores the result.", run: combine)
    ]

    private static let combine: Command.Handler = { (call: inout Call) throws(CommandError) in
        let operation = try operation(call.arguments)
        var combiner = BitmapCombiner(operation)
        for index in 3..<call.arguments.count {
            // An absent source is an empty one.
            guard let entry = try call.read(index, .string) else {
                combiner.add(Span<UInt8>())
                continue
            }
            entry.withStringBytes { combiner.add($0) }
        }
        let result = combiner.finish()
        store(result.span, call)
        if operation.isRecent && !result.isEmpty {
            // For the journal: servers that do not know the operation know its result.
            call.propagateSet(call.arguments[2], result.span, expiry: nil)
        }
        call.reply.integer(result.count)
    }

    /// What the first word asks for, if there are as many sources as it wants.
    private static func operation(_ arguments: Arguments) throws(CommandError) -> BitmapOperation {
        let word = arguments[1]
        let sourceCount = arguments.count - 3
        let operation: BitmapOperation
        // What to say when there are fewer than two sources.
        var tooFew: CommandError?
        if word.equalsIgnoringCase("AND") {
            operation = .and
        } else if word.equalsIgnoringCase("OR") {
            operation = .or
        } else if word.equalsIgnoringCase("XOR") {
            operation = .xor
        } else if word.equalsIgnoringCase("NOT") {
            operation = .not
        } else if word.equalsIgnoringCase("ONE") {
            operation = .one
        } else if word.equalsIgnoringCase("DIFF") {
            operation = .diff
            tooFew = .message("ERR BITOP DIFF must be called with at least two source keys.")
        } else if word.equalsIgnoringCase("DIFF1") {
            operation = .diff1
            tooFew = .message("ERR BITOP DIFF1 must be called with at least two source keys.")
        } else if word.equalsIgnoringCase("ANDOR") {
            operation = .andor
            tooFew = .message("ERR BITOP ANDOR must be called with at least two source keys.")
        } else {
            throw .syntax
        }
        if operation == .not && sourceCount != 1 {
            throw .message("ERR BITOP NOT must be called with a single source key.")
        }
        if let tooFew, sourceCount < 2 { throw tooFew }
        return operation
    }

    /// Makes `result` the string at the destination; an empty one is no key at all.
    private static func store(_ result: Span<UInt8>, _ call: borrowing Call) {
        let slot = call.look(2)
        if result.isEmpty {
            guard let slot else { return }
            call.remove(2, slot: slot)
            return call.changed("del", .generic, key: call.arguments[2])
        }
        let hash = call.hash(2)
        let database = call.session.database
        if let slot { call.keyspace.willReplace(slot, in: database) }
        call.overwrote(call.arguments[2], from: slot?.entry.type, to: ObjectType.string.rawValue)
        call.keyspace.setText(call.arguments[2], hash: hash, in: database, slot: slot, value: result, expiry: nil)
        // Bits are raw strings to OBJECT ENCODING, however short; writing nothing makes it one.
        if let slot = call.find(2) {
            call.keyspace.overwriteString(slot, hash: hash, in: database, at: 0, with: result.extracting(0..<0))
        }
        call.changed("set", .string, key: call.arguments[2])
    }
}
