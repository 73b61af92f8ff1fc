// Engine+Observing.swift - those who follow every access to keys (classes count what is found and what is not, LRM
// policies count writes, the advisor simulates caches) look at a command's keys right before it runs. A gate is armed
// while there is one of them; nobody else pays. What a command will find is known then: the instant it sees is frozen.
// Under the turn.
internal import Base
internal import Keyspace
internal import RESP
internal import Structures

extension Engine {
    /// Follows the configuration and whoever came or went.
    mutating func armObservation() {
        observer.countsModifications = settings.maxmemory > 0 && settings.maxmemoryPolicy.isLRM
        setGate(.observed, classes.isOn || observer.countsModifications || observer.advises)
    }

    /// Looks at the keys of a command that passed the gates.
    @inline(never)
    mutating func observe(_ id: Int, _ arguments: borrowing Arguments, database: Int) {
        let flags = commands.slot(id).flags
        guard !flags.isDisjoint(with: [.readonly, .write]) else { return }
        if !observer.writes.isEmpty { settleAdvice() }
        switch commands.keyShape(id) {
        case .none: return
        case .one(let index, let use):
            guard index < arguments.count else { return }
            observe(arguments[index], use, flags, database)
        case .any:
            var keys: [KeyReference] = []
            swap(&keys, &observer.keys)
            if KeyExtraction.append(keysOf: commands.commands[id], in: arguments, to: &keys) {
                for key in keys where !key.flags.contains(.notKey) {
                    observe(arguments[key.index], key.flags, flags, database)
                }
            }
            keys.removeAll(keepingCapacity: keys.count <= Observer.keptCount)
            swap(&keys, &observer.keys)
        }
    }

    private mutating func observe(
        _ key: Span<UInt8>, _ use: KeySpec.Flags, _ flags: CommandFlags, _ database: Int
    ) {
        let isRead = flags.contains(.readonly)
        if observer.advises { advise(key, isRead: isRead, database) }
        let number = classes.isOn && isRead ? dataClass(of: key, database) : nil
        guard number != nil || (observer.countsModifications && !isRead) else { return }
        let hash = KeyHash.hash(key, seed: KeyHash.seed)
        let slot = keyspace[database].table.find(key, hash: hash)
        let entry = slot.flatMap { keyspace.isExpired($0.entry) ? nil : $0.entry }
        if let number {
            if entry != nil {
                classes.spaces[database]?.counters[number].hits += 1
            } else {
                classes.spaces[database]?.counters[number].misses += 1
            }
        }
        if let entry, observer.countsModifications && !isRead { keyspace.noteModification(entry) }
    }
}

/// What observing needs to remember.
struct Observer {
    static let keptCount = 1024
    /// LRM: writes make a key younger, reads do not.
    var countsModifications = false
    /// The keys of a command, in a buffer that is used again.
    var keys: [KeyReference] = []

    /// A key of the advisor's sample that a command is about to write.
    struct Write {
        let hash: UInt64
        let identity: UInt64
        let database: Int
    }
    /// FOG.ADVISE runs.
    var advises = false
    /// `fog-advise-eviction` as it was followed last.
    var isAdviceConfigured = false
    /// What keys the advisor looks at; kept here so that all others cost no look at it.
    var sampling = ShadowSampling()
    /// Keys that were read since the advisor counts.
    var reads = 0
    /// What the last command wrote.
    var writes: [Write] = []
    var advisor: EvictionAdvisor?
    init() {}
}

/// Where a command's keys stand, as far as that is known before its words.
enum KeyShape {
    case none
    /// One key at this argument.
    case one(Int, KeySpec.Flags)
    /// To be found in the words.
    case any

    init(_ command: Command) {
        guard command.hasKeys, command.keys.contains(where: { !$0.flags.contains(.notKey) }) else {
            self = .none
            return
        }
        if command.keys.count == 1, case .index(let index) = command.keys[0].begin,
            case .range(last: 0, step: _, limit: _) = command.keys[0].find,
            command.keys[0].flags.isDisjoint(with: [.variableFlags, .incomplete])
        {
            self = .one(index, command.keys[0].flags)
        } else {
            self = .any
        }
    }
}
