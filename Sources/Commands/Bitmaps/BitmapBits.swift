// BitmapBits.swift - SETBIT and GETBIT, and what the bitmap commands share: reading bit offsets and growing a string
// for bits behind its end. Engine's turn. No offset may reach beyond proto-max-bulk-len.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum BitmapBits {
    static let commands: [Command] = [
        Command(
            "GETBIT", "key offset:integer", arity: 3, [.readonly, .fast], keys: [.key([.readOnly, .access])],
            in: .bitmap, since: "2.2.0", complexity: "O(1)", summary: "Returns a bit value by offset.", run: get),
        Command(
            "SETBIT", "key offset:integer value:integer", arity: 4, [.write, .denyOOM],
            keys: [.key([.readWrite, .access, .update])], in: .bitmap, since: "2.2.0", complexity: "O(1)",
            summary: """
                Sets or clears the bit at offset of the string value. Creates the key if it doesn't exist.
                """,
            run: set),
    ]

    private static let get: Command.Handler = { (call: inout Call) throws(CommandError) in
        let offset = try BitOffset.parse(call.arguments[2], byteCountMax: call.settings.protoMaxBulkLength)
        guard let entry = try call.read(1, .string) else { return call.reply.integer(0) }
        call.reply.integer(entry.withStringBytes { Bitmap.bit(at: offset, in: $0) } ? 1 : 0)
    }

    private static let set: Command.Handler = { (call: inout Call) throws(CommandError) in
        let offset = try BitOffset.parse(call.arguments[2], byteCountMax: call.settings.protoMaxBulkLength)
        guard let value = IntegerText.parse(call.arguments[3]), value == 0 || value == 1 else {
            throw .message("ERR bit is not an integer or out of range")
        }
        var wasSet = false
        let grew = try call.editBits(byteCount: offset >> 3 + 1) { bytes in
            wasSet = Bitmap.setBit(at: offset, to: value == 1, in: &bytes)
        }
        // A bit that was the same already is no change, as in Redis.
        if grew || wasSet != (value == 1) { call.changed("setbit", .string, key: call.arguments[1]) }
        call.reply.integer(wasSet ? 1 : 0)
    }
}

enum BitOffset {
    /// A bit's offset; with `fieldWidth`, "#3" is the offset of the field behind three others of that width.
    static func parse(
        _ text: Span<UInt8>, fieldWidth: Int? = nil, byteCountMax: Int
    ) throws(CommandError) -> Int {
        let invalid = CommandError.message("ERR bit offset is not an integer or out of range")
        let isIndex = fieldWidth != nil && text.count > 0 && text[0] == UInt8(ascii: "#")
        guard let number = IntegerText.parse(isIndex ? text.extracting(1..<text.count) : text), number >= 0 else {
            throw invalid
        }
        var offset = Int(number)
        if isIndex, let fieldWidth {
            guard let scaled = Bitfield.bitOffset(ofIndex: offset, width: fieldWidth) else { throw invalid }
            offset = scaled
        }
        // A field's last bits may reach a few bytes behind the limit, as in Redis; near Int.max they must not wrap.
        guard offset >> 3 < byteCountMax, offset <= Int.max - 64 else { throw invalid }
        return offset
    }
}

extension Call {
    /// Hands the string at the key in argument 1 to `edit`, made or filled up with zeros to `byteCount` bytes where it
    /// is shorter. Answers whether that was necessary.
    func editBits(
        byteCount: Int, _ edit: (inout MutableSpan<UInt8>) -> Void
    ) throws(CommandError) -> Bool {
        var slot = try find(1, .string)
        let oldCount = slot?.entry.stringByteCount
        if slot == nil {
            setString(1, slot: nil, value: arguments[1].extracting(0..<0), expiry: nil)
            slot = find(1)
        }
        guard let slot else { return false }
        keyspace.editString(
            slot, hash: hash(1), in: session.database, byteCount: max(oldCount ?? 0, byteCount), edit: edit)
        return (oldCount ?? -1) < byteCount
    }
}
