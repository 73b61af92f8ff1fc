// SetAlgebra.swift - SINTER, SUNION, SDIFF, their STORE forms and SINTERCARD. An intersection asks the other sets about
// each member of the smallest; a union is built as a set of its own; a difference takes whichever of two ways is less
// work. Keys that do not exist are empty sets. Engine's turn only; allocates a list of the sets, and the result where
// it cannot be written straight into the reply.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

enum SetAlgebra {
    private static let store: [KeySpec] = [.key([.overwrite, .update]), .keys(from: 2, [.readOnly, .access])]

    static let commands: [Command] = [
        Command(
            "SINTER", "key...", arity: -2, [.readonly], keys: [.keys([.readOnly, .access])], in: .set, since: "1.0.0",
            complexity: """
                O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.
                """,
            summary: "Returns the intersect of multiple sets.", hints: ["nondeterministic_output_order"],
            run: intersect),
        Command(
            "SINTERSTORE", "destination:key key...", arity: -3, [.write, .denyOOM], keys: store, in: .set,
            since: "1.0.0",
            complexity: """
                O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.
                """,
            summary: "Stores the intersect of multiple sets in a key.", run: storeIntersection),
        Command(
            "SINTERCARD", "numkeys:integer key... [LIMIT limit:integer]", arity: -3, [.readonly, .movableKeys],
            keys: [.counted(at: 1, [.readOnly, .access])], in: .set, since: "7.0.0",
            complexity: """
                O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.
                """,
            summary: "Returns the number of members of the intersect of multiple sets.", run: countIntersection),
        Command(
            "SUNION", "key...", arity: -2, [.readonly], keys: [.keys([.readOnly, .access])], in: .set, since: "1.0.0",
            complexity: "O(N) where N is the total number of elements in all given sets.",
            summary: "Returns the union of multiple sets.", hints: ["nondeterministic_output_order"]
        ) { (call: inout Call) throws(CommandError) in
            reply(call, try union(call, from: 1))
        },
        Command(
            "SUNIONSTORE", "destination:key key...", arity: -3, [.write, .denyOOM], keys: store, in: .set,
            since: "1.0.0", complexity: "O(N) where N is the total number of elements in all given sets.",
            summary: "Stores the union of multiple sets in a key."
        ) { (call: inout Call) throws(CommandError) in
            call.storeSet(1, try union(call, from: 2), event: "sunionstore")
        },
        Command(
            "SDIFF", "key...", arity: -2, [.readonly], keys: [.keys([.readOnly, .access])], in: .set, since: "1.0.0",
            complexity: "O(N) where N is the total number of elements in all given sets.",
            summary: "Returns the difference of multiple sets.", hints: ["nondeterministic_output_order"]
        ) { (call: inout Call) throws(CommandError) in
            reply(call, try difference(call, from: 1))
        },
        Command(
            "SDIFFSTORE", "destination:key key...", arity: -3, [.write, .denyOOM], keys: store, in: .set,
            since: "1.0.0", complexity: "O(N) where N is the total number of elements in all given sets.",
            summary: "Stores the difference of multiple sets in a key."
        ) { (call: inout Call) throws(CommandError) in
            call.storeSet(1, try difference(call, from: 2), event: "sdiffstore")
        },
    ]

    /// The sets of arguments `first..<end`, nil for keys that do not exist.
    private static func sets(_ call: borrowing Call, _ first: Int, _ end: Int) throws(CommandError) -> [Entry?] {
        // Keys that have expired go first: removing one could move the entries found before.
        for index in first..<end { _ = call.look(index) }
        var sets: [Entry?] = []
        sets.reserveCapacity(end - first)
        for index in first..<end { sets.append(try call.read(index, .set)) }
        return sets
    }

    private static func reply(_ call: borrowing Call, _ set: consuming SetBuilder) {
        let reply = call.reply
        reply.set(set.count)
        set.forEach { reply.bulk($0) }
    }

    // MARK: intersections

    /// Calls `body` with the members that all of `sets` have until it says false; never when one does not exist.
    private static func walkIntersection(_ sets: [Entry?], _ body: (ListpackElement) -> Bool) {
        var ordered: [Entry] = []
        for set in sets {
            guard let set else { return }
            ordered.append(set)
        }
        ordered.sort { $0.memberCount < $1.memberCount }
        let smallest = ordered.removeFirst()
        ordered.removeAll { $0 == smallest }
        smallest.walkMembers { member in
            for other in ordered where !other.hasMember(member) { return true }
            return body(member)
        }
    }

    private static let intersect: Command.Handler = { (call: inout Call) throws(CommandError) in
        let sets = try sets(call, 1, call.arguments.count)
        let reply = call.reply
        reply.deferredSet { count in
            walkIntersection(sets) { member in
                reply.bulk(member)
                count += 1
                return true
            }
        }
    }

    private static let storeIntersection: Command.Handler = { (call: inout Call) throws(CommandError) in
        let sets = try sets(call, 2, call.arguments.count)
        let hasEmpty = sets.contains { $0 == nil }
        let smallest = hasEmpty ? nil : sets.compactMap { $0 }.min { $0.memberCount < $1.memberCount }
        let isIntegers = smallest.map { $0.collectionEncoding == .intset } ?? false
        var result = SetBuilder(limits: call.setLimits, encoding: isIntegers ? .intset : .listpack)
        walkIntersection(sets) { member in
            result.add(member)
            return true
        }
        result.becomeIntsetIfPossible()
        call.storeSet(1, result, event: "sinterstore")
    }

    private static let countIntersection: Command.Handler = { (call: inout Call) throws(CommandError) in
        guard let keyCount = IntegerText.parse(call.arguments[1]), keyCount > 0 else {
            throw .message("ERR numkeys should be greater than 0")
        }
        guard keyCount <= call.arguments.count - 2 else {
            throw .message("ERR Number of keys can't be greater than number of args")
        }
        var limit = 0
        var options = call.options(from: 2 + Int(keyCount))
        while !options.isAtEnd {
            guard options.take("LIMIT", values: 1) else { throw .syntax }
            guard let given = IntegerText.parse(try options.next()), given >= 0 else {
                throw .message("ERR LIMIT can't be negative")
            }
            limit = Int(given)
        }
        let sets = try sets(call, 2, 2 + Int(keyCount))
        var count = 0
        walkIntersection(sets) { _ in
            count += 1
            return count != limit
        }
        call.reply.integer(count)
    }

    // MARK: unions and differences

    private static func union(_ call: borrowing Call, from first: Int) throws(CommandError) -> SetBuilder {
        let sets = try sets(call, first, call.arguments.count)
        var result = SetBuilder(limits: call.setLimits)
        for set in sets { set?.forEachMember { member in result.add(member) } }
        return result
    }

    private static func difference(_ call: borrowing Call, from first: Int) throws(CommandError) -> SetBuilder {
        let sets = try sets(call, first, call.arguments.count)
        var result = SetBuilder(limits: call.setLimits)
        guard let minuend = sets[0] else { return result }
        var subtrahends = sets.dropFirst().compactMap { $0 }
        if subtrahends.contains(minuend) { return result }
        // Asking every other set about each member, or taking all their members out: the former stops early.
        let asking = minuend.memberCount.multipliedReportingOverflow(by: subtrahends.count + 1)
        let removing = subtrahends.reduce(minuend.memberCount) { $0 + $1.memberCount }
        if !asking.overflow && asking.partialValue / 2 <= removing {
            subtrahends.sort { $0.memberCount > $1.memberCount }
            minuend.forEachMember { member in
                for other in subtrahends where other.hasMember(member) { return }
                result.add(member)
            }
        } else {
            minuend.forEachMember { member in result.add(member) }
            for other in subtrahends where !result.isEmpty { other.forEachMember { member in result.remove(member) } }
        }
        return result
    }
}
