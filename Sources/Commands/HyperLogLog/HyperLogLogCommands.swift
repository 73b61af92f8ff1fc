// HyperLogLogCommands.swift - PFADD, PFCOUNT and PFMERGE on strings that hold a HyperLogLog (Structures/HyperLogLog).
// Clients can SET any bytes, so a value is checked before it is used. Dense values are changed where they lie; sparse
// ones, at most hll-sparse-max-bytes, in a copy that replaces the value once every element went in.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum HyperLogLogCommands {
    static let commands: [Command] = [
        Command(
            "PFADD", "key [element...]", arity: -2, [.write, .denyOOM, .fast], keys: [.key([.readWrite, .insert])],
            in: .hyperloglog, since: "2.8.9", complexity: "O(1) to add every element.",
            summary: "Adds elements to a HyperLogLog key. Creates the key if it doesn't exist.", run: add),
        Command(
            "PFCOUNT", "key...", arity: -2, [.readonly, .mayReplicate],
            keys: [
                .keys(
                    [.readWrite, .access],
                    notes: """
                        RW because it may change the internal representation of the key, and propagate to replicas
                        """)
            ],
            in: .hyperloglog, since: "2.8.9",
            complexity: """
                O(1) with a very small average constant time when called with a single key. O(N) with N being the \
                number of keys, and much bigger constant times, when called with multiple keys.
                """,
            summary: "Returns the approximated cardinality of the set(s) observed by the HyperLogLog key(s).",
            run: count),
        Command(
            "PFMERGE", "destkey:key [sourcekey:key...]", arity: -2, [.write, .denyOOM],
            keys: [.key([.readWrite, .access, .insert]), .keys(from: 2, [.readOnly, .access])], in: .hyperloglog,
            since: "2.8.9", complexity: "O(N) to merge N HyperLogLogs, but with high constant times.",
            summary: "Merges one or more HyperLogLog values into a single key.", run: merge),
    ]

    // MARK: PFADD

    private static let add: Command.Handler = { (call: inout Call) throws(CommandError) in
        let slot = try call.find(1, .string)
        let changed: Bool
        if let slot, try HyperLogLogValue.encoding(of: slot.entry) == .dense {
            changed = addToDense(call, slot)
        } else {
            changed = try addToSparse(call, slot)
        }
        if changed { call.changed("pfadd", .string, key: call.arguments[1]) }
        call.reply.integer(changed ? 1 : 0)
    }

    /// True when a register grew. A value that none of the elements changes is not written at all.
    private static func addToDense(_ call: borrowing Call, _ slot: EntryTable.Slot) -> Bool {
        let arguments = call.arguments
        var first = 2
        while first < arguments.count, !HyperLogLog.isNews(arguments[first], toDense: slot.entry.stringBytes()) {
            first += 1
        }
        guard first < arguments.count else { return false }
        let byteCount = HyperLogLog.denseByteCount
        call.keyspace.editString(slot, hash: call.hash(1), in: call.session.database, byteCount: byteCount) { memory in
            for index in first..<arguments.count { HyperLogLog.add(arguments[index], toDense: &memory) }
        }
        return true
    }

    /// True when a register grew or the key is new.
    private static func addToSparse(_ call: borrowing Call, _ slot: EntryTable.Slot?) throws(CommandError) -> Bool {
        var value = HyperLogLogValue.copy(slot?.entry)
        let sparseBytesMax = call.settings.hllSparseMaxBytes
        var changed = slot == nil
        for index in 2..<call.arguments.count {
            do throws(HyperLogLog.Fault) {
                if try HyperLogLog.add(call.arguments[index], to: &value, sparseBytesMax: sparseBytesMax) {
                    changed = true
                }
            } catch {
                throw HyperLogLogValue.error(error)
            }
        }
        guard changed else { return false }
        HyperLogLog.invalidateCache(of: &value)
        HyperLogLogValue.store(value.span, call, 1, slot)
        return true
    }

    // MARK: PFCOUNT

    private static let count: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard call.arguments.count == 2 else {
            let registers = try union(call)
            return call.reply.integer(Int(registers.count()))
        }
        guard let slot = try call.readSlot(1, .string) else { return call.reply.integer(0) }
        _ = try HyperLogLogValue.encoding(of: slot.entry)
        if let cached = HyperLogLog.cachedCount(of: slot.entry.stringBytes()) {
            return call.reply.integer(Int(cached))
        }
        let fresh: Int64
        do throws(HyperLogLog.Fault) {
            fresh = try HyperLogLog.count(slot.entry.stringBytes())
        } catch {
            throw HyperLogLogValue.error(error)
        }
        // The header keeps the count for the next time. No event tells of it, but it is a change of the value.
        var header = ByteBuffer()
        HyperLogLog.appendCachedCount(fresh, to: &header)
        call.keyspace.overwriteString(
            slot, hash: call.hash(1), in: call.session.database, at: HyperLogLog.cacheOffset, with: header.span)
        call.changed("", [], key: call.arguments[1])
        call.reply.integer(Int(fresh))
    }

    /// The union of every key among the arguments; absent keys are empty.
    private static func union(_ call: borrowing Call) throws(CommandError) -> HyperLogLogRegisters {
        var registers = HyperLogLogRegisters(usesVectors: call.mergesByVectors)
        for index in 1..<call.arguments.count {
            guard let entry = try call.read(index, .string) else { continue }
            _ = try HyperLogLogValue.encoding(of: entry)
            do throws(HyperLogLog.Fault) {
                try registers.merge(entry.stringBytes())
            } catch {
                throw HyperLogLogValue.error(error)
            }
        }
        return registers
    }

    // MARK: PFMERGE

    private static let merge: Command.Handler = { (call: inout Call) throws(CommandError) in
        let registers = try union(call)
        let slot = call.find(1)
        var value = HyperLogLogValue.copy(slot?.entry)
        do throws(HyperLogLog.Fault) {
            try registers.store(in: &value, sparseBytesMax: call.settings.hllSparseMaxBytes)
        } catch {
            throw HyperLogLogValue.error(error)
        }
        HyperLogLogValue.store(value.span, call, 1, slot)
        call.changed("pfadd", .string, key: call.arguments[1])
        call.reply.ok()
    }
}
