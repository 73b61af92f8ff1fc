// Engine+ClassGate.swift - the gate of classes that are full: over their limit, and their policy lets no key go. What
// would grow the dataset (`denyOOM`) and writes to a key of such a class is refused, as `maxmemory` refuses what is too
// much for all; reads, deletes and other classes go on. A transaction is refused as it is queued, and at EXEC when the
// class became full since; a script's commands one by one, until it has written something. Armed while a class has a
// limit that may come to this, and then a matter of a few comparisons while none is full. Under the turn.
internal import Base
internal import Keyspace
internal import RESP

extension Engine {
    /// A class that takes no more.
    private struct FullClass {
        let database: Int
        let number: Int
    }

    /// How much of a class's name an error quotes.
    private static let quotedByteCountMax = 128

    /// Why a client's command may not run; nil when it may.
    @inline(__always)
    mutating func classGate(
        _ reference: SessionReference, _ id: Int, _ arguments: borrowing Arguments
    ) -> ByteBuffer? {
        gates.contains(.classLimits) ? armedClassGate(reference, id, arguments) : nil
    }

    @inline(never)
    private mutating func armedClassGate(
        _ reference: SessionReference, _ id: Int, _ arguments: borrowing Arguments
    ) -> ByteBuffer? {
        let flags = commands.slot(id).flags
        guard !flags.isDisjoint(with: [.denyOOM, .runsQueue]), gates.isDisjoint(with: [.loading, .importing]),
            hasFullClass
        else { return nil }
        let found =
            flags.contains(.runsQueue)
            ? fullClass(ofQueueOf: reference) : fullClass(id, arguments, database: databaseToBe(reference))
        return found.map { refuse($0) }
    }

    /// The same of a script's command; it has a shape that fits.
    mutating func nestedClassGate(
        _ reference: SessionReference, _ id: Int, _ arguments: borrowing Arguments
    ) -> ByteBuffer? {
        guard gates.isDisjoint(with: [.loading, .importing]), hasFullClass else { return nil }
        return fullClass(id, arguments, database: reference.session.database).map { refuse($0) }
    }

    private mutating func refuse(_ full: FullClass) -> ByteBuffer {
        classes.spaces[full.database]?.counters[full.number].refused += 1
        let name = classes.spaces[full.database]?.classes[full.number].name ?? []
        var text = ByteBuffer()
        text.append("OOM command not allowed when used memory of class '")
        text.append(UnknownCommand.quotable(name.span, Engine.quotedByteCountMax))
        text.append("' > 'MAXMEM'.")
        return text
    }

    // MARK: which class

    private var hasFullClass: Bool {
        for database in classes.spaces.indices where hasFullClass(database) { return true }
        return false
    }

    private func hasFullClass(_ database: Int) -> Bool {
        guard database < classes.spaces.count, let numbers = classes.spaces[database]?.refusing else { return false }
        for number in numbers where isFull(database, number) { return true }
        return false
    }

    private func isFull(_ database: Int, _ number: Int) -> Bool {
        classes.spaces[database]?.isFull(number, tableShare: keyspace[database].tableShare) ?? false
    }

    /// The first full class that the command would add to.
    private mutating func fullClass(_ id: Int, _ arguments: borrowing Arguments, database: Int) -> FullClass? {
        guard commands.slot(id).flags.contains(.denyOOM), hasFullClass(database) else { return nil }
        var keys: [KeyReference] = []
        swap(&keys, &observer.keys)
        defer {
            keys.removeAll(keepingCapacity: keys.count <= Observer.keptCount)
            swap(&keys, &observer.keys)
        }
        guard KeyExtraction.append(keysOf: commands.commands[id], in: arguments, to: &keys) else { return nil }
        for key in keys where key.flags.mayGrow {
            if let number = dataClass(of: arguments[key.index], database), isFull(database, number) {
                return FullClass(database: database, number: number)
            }
        }
        return nil
    }

    // MARK: transactions

    /// The same of what EXEC is about to run.
    private mutating func fullClass(ofQueueOf session: SessionReference) -> FullClass? {
        guard let transaction = session.session.transaction, transaction.mayRun,
            transaction.flags.contains(.denyOOM)
        else { return nil }
        var database = session.session.database
        var found: FullClass?
        transaction.queue.forEach(from: 0) { id, arguments in
            found = fullClass(id, arguments, database: database)
            database = selection(id, arguments) ?? database
            return found == nil
        }
        return found
    }

    /// The database in which a command of the session will run: one that is queued comes behind every SELECT there.
    private func databaseToBe(_ session: SessionReference) -> Int {
        guard session.session.gates.contains(.queueing), let transaction = session.session.transaction else {
            return session.session.database
        }
        // Each queued command is looked at once, however many are asked about behind it.
        transaction.queue.forEach(from: transaction.foreseenCount) { id, arguments in
            transaction.selectedDatabase = selection(id, arguments) ?? transaction.selectedDatabase
            return true
        }
        transaction.foreseenCount = transaction.queue.count
        return transaction.selectedDatabase ?? session.session.database
    }

    /// The database that the command selects; nil when it is none that does.
    private func selection(_ id: Int, _ arguments: borrowing Arguments) -> Int? {
        guard commands.fullNames[id] == "select", arguments.count == 2, let number = IntegerText.parse(arguments[1]),
            number >= 0, number < Int64(keyspace.databaseCount)
        else { return nil }
        return Int(number)
    }
}

extension KeySpec.Flags {
    /// Whether a command that grows the dataset may do so at this key: what it takes elements from grows no more.
    fileprivate var mayGrow: Bool {
        guard !contains(.notKey), !isDisjoint(with: [.readWrite, .overwrite]) else { return false }
        return !contains(.delete) || !isDisjoint(with: [.insert, .update])
    }
}
