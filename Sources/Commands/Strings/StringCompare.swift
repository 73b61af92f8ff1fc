// StringCompare.swift - removing a key only while it holds a certain value (DELIFEQ of Valkey, DELEX of Redis) and the
// digest that stands for a long value (DIGEST). Digests are 64-bit XXH3, sixteen hexadecimal digits.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum StringCompare {
    static let commands: [Command] = [
        Command(
            "DELIFEQ", "key value", arity: 3, [.write, .fast], keys: [.key([.remove, .delete])], in: .string,
            since: "9.0.0", complexity: "O(1)", summary: "Delete key if value matches string.", run: deleteIfEqual),
        Command(
            "DELEX", "key [condition=(IFEQ value | IFNE value | IFDEQ digest | IFDNE digest)]", arity: -2,
            [.write, .fast],
            keys: [.key([.readWrite, .access, .delete, .variableFlags])], in: .string, since: "8.4.0",
            complexity: "O(1) for IFEQ/IFNE, O(N) for IFDEQ/IFDNE where N is the length of the string value.",
            summary: "Conditionally removes the specified key based on value or digest comparison.", run: deleteIf),
        Command(
            "DIGEST", "key", arity: 2, [.readonly, .fast], keys: [.key([.readOnly, .access])], in: .string,
            since: "8.4.0", complexity: "O(N) where N is the length of the string value.",
            summary: "Returns the XXH3 hash of a string value.", run: digest),
    ]

    private static let deleteIfEqual: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let slot = try call.find(1, .string),
            try StringComparison.holds(.equal, slot.entry, call.arguments[2])
        else { return call.reply.integer(0) }
        delete(&call, slot)
    }

    private static let deleteIf: Command.Handler = { (call: inout Call) throws(CommandError) in
        let count = call.arguments.count
        guard count == 2 || count == 4 else {
            throw .message("ERR wrong number of arguments for 'delex' command")
        }
        guard let slot = call.find(1) else { return call.reply.integer(0) }
        if count == 4 {
            guard slot.entry.isString else {
                throw .message("ERR Key should be of string type if conditions are specified")
            }
            var words = call.options(from: 2)
            guard let condition = SetOptions.takeComparison(&words) else {
                throw .message("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE")
            }
            guard try StringComparison.holds(condition, slot.entry, call.arguments[3]) else {
                return call.reply.integer(0)
            }
        }
        delete(&call, slot)
    }

    private static func delete(_ call: inout Call, _ slot: EntryTable.Slot) {
        call.remove(1, slot: slot)
        call.changed("del", .generic, key: call.arguments[1])
        call.propagate("DEL", call.arguments[1])
        call.reply.integer(1)
    }

    private static let digest: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let entry = try call.read(1, .string) else { return call.reply.null() }
        let digits = StringComparison.digest(entry)
        call.reply.bulk(digits.span)
    }
}

/// What the comparing words of SET and DELEX mean.
enum StringComparison {
    static let digestByteCount = 16

    /// Whether a string entry compares with `other` as `condition`, one of the comparing ones, says.
    static func holds(
        _ condition: SetOptions.Condition, _ entry: Entry, _ other: Span<UInt8>
    ) throws(CommandError) -> Bool {
        switch condition {
        case .equal: return equals(entry, other)
        case .different: return !equals(entry, other)
        case .digestEqual: return try digestEquals(entry, other)
        case .digestDifferent: return try !digestEquals(entry, other)
        case .none, .absent, .present: return true
        }
    }

    private static func equals(_ entry: Entry, _ other: Span<UInt8>) -> Bool {
        // Stored integers are canonical, so equal text is an equal number.
        if let integer = entry.integerValue { return IntegerText.parse(other) == integer }
        return entry.stringBytes().equals(other)
    }

    /// Only the length of a digest is checked: one that is not hexadecimal just differs.
    private static func digestEquals(_ entry: Entry, _ other: Span<UInt8>) throws(CommandError) -> Bool {
        guard other.count == digestByteCount else {
            throw .message("ERR must be exactly 16 hexadecimal characters")
        }
        let digits = digest(entry)
        return digits.span.equalsIgnoringCase(other)
    }

    /// The sixteen digits for a string entry.
    static func digest(_ entry: Entry) -> ByteBuffer {
        var digits = ByteBuffer(capacity: digestByteCount)
        let hash = entry.withStringBytes { XXH3.hash64($0) }
        Hexadecimal.append(hash, to: &digits)
        return digits
    }
}
