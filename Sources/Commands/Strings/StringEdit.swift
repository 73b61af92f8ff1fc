// StringEdit.swift - APPEND and SETRANGE: strings that grow where they lie. No string becomes longer than
// proto-max-bulk-len.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum StringEdit {
    static let commands: [Command] = [
        Command(
            "APPEND", "key value", arity: 3, [.write, .denyOOM, .fast], keys: [.key([.readWrite, .insert])],
            in: .string, since: "2.0.0",
            complexity: """
                O(1). The amortized time complexity is O(1) assuming the appended value is small and the already \
                present value is of any size, since the dynamic string library used by the server will double \
                the free space available on every reallocation.
                """,
            summary: "Appends a string to the value of a key. Creates the key if it doesn't exist.", run: append),
        Command(
            "SETRANGE", "key offset:integer value", arity: 4, [.write, .denyOOM], keys: [.key([.readWrite, .update])],
            in: .string, since: "2.2.0",
            complexity: """
                O(1), not counting the time taken to copy the new string in place. Usually, this string is very \
                small so the amortized complexity is O(1). Otherwise, complexity is O(M) with M being the length \
                of the value argument.
                """,
            summary: """
                Overwrites a part of a string value with another by an offset. Creates the key if it doesn't \
                exist.
                """,
            run: setPart),
    ]

    private static let append: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let slot = try call.find(1, .string) else {
            call.setString(1, slot: nil, value: call.arguments[2], expiry: nil)
            call.changed("append", .string, key: call.arguments[1])
            return call.reply.integer(call.arguments[2].count)
        }
        let oldCount = slot.entry.stringByteCount
        let newCount = try checkedEnd(call, offset: oldCount, byteCount: call.arguments[2].count)
        call.keyspace.overwriteString(
            slot, hash: call.hash(1), in: call.session.database, at: oldCount, with: call.arguments[2])
        call.changed("append", .string, key: call.arguments[1])
        call.reply.integer(newCount)
    }

    private static let setPart: Command.Handler = { (call: inout Call) throws(CommandError) in
        let offset = try call.integer(2)
        guard offset >= 0 else { throw .message("ERR offset is out of range") }
        let byteCount = call.arguments[3].count
        var slot = try call.find(1, .string)
        let oldCount = slot?.entry.stringByteCount ?? 0
        // Writing nothing changes nothing, and creates nothing.
        guard byteCount > 0 else { return call.reply.integer(oldCount) }
        let end = try checkedEnd(call, offset: offset, byteCount: byteCount)
        if slot == nil {
            call.setString(1, slot: nil, value: call.arguments[3].extracting(0..<0), expiry: nil)
            slot = call.find(1)
        }
        guard let slot else { return }
        call.keyspace.overwriteString(
            slot, hash: call.hash(1), in: call.session.database, at: offset, with: call.arguments[3])
        call.changed("setrange", .string, key: call.arguments[1])
        call.reply.integer(max(oldCount, end))
    }

    /// Where bytes written at `offset` end; refuses what would be longer than a string may be.
    private static func checkedEnd(
        _ call: borrowing Call, offset: Int, byteCount: Int
    ) throws(CommandError) -> Int {
        let (end, overflow) = offset.addingReportingOverflow(byteCount)
        if overflow || end > call.settings.protoMaxBulkLength { throw .stringTooLong }
        return end
    }
}
