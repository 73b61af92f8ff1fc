// CommandTable.swift - all commands of one server, found by name: an open-addressed table over the case-folded name,
// made once at start (after `rename-command`) and immutable from then on, so every loop reads it without the turn.
// `CommandSlot` is the hot part of a command: what dispatch needs, in one cache line, without reference counting.
internal import Base
package import RESP

/// The part of a command that dispatch reads.
@safe package struct CommandSlot {
    package let run: Command.Handler
    /// Index into statistics, stable while the server runs.
    package let id: Int
    package let arity: Int
    package let flags: CommandFlags
    /// Argument index of the first key, 0 when there is none or it moves.
    package let firstKey: Int
    /// The argument behind the key is a member of a set or a field of a hash, as far as prefetching is concerned.
    package let namesMember: Bool
    /// Index into `CommandTable.commands`.
    package let command: Int
    /// Slot indices of the subcommands.
    package let subcommands: Range<Int>
    package let isContainer: Bool
    /// A container that does something without a subcommand (COMMAND).
    package let runsAlone: Bool

    fileprivate init(_ command: Command, id: Int, subcommands: Range<Int>) {
        run = command.run
        self.id = id
        arity = command.arity
        flags = command.flags
        firstKey = CommandSlot.firstKey(command)
        // Where it is something else (SPOP's count) nobody but the prefetch is misled.
        namesMember = firstKey == 1 && (command.group == .set || command.group == .hash) && command.arity != 2
        self.command = id
        self.subcommands = subcommands
        isContainer = !command.subcommands.isEmpty
        runsAlone = command.runsAlone
    }

    /// Where the first key stands when the command has one: it is hashed and prefetched while commands are parsed.
    /// Behind a number of keys (EVAL) it may be another word; nobody but the prefetch is misled then.
    private static func firstKey(_ command: Command) -> Int {
        guard let spec = command.keys.first, case .index(let index) = spec.begin else { return 0 }
        switch spec.find {
        case .range: return index
        case .keyCount(let count, let first, _): return index + count + first
        default: return 0
        }
    }
}

@safe package final class CommandTable: @unchecked Sendable {
    // Sendable because nothing changes after init.
    @safe private struct Bucket {
        var name = NameWords()
        /// The whole name, where its words do not tell it exactly.
        var bytes: UnsafePointer<UInt8>?
        var slot = -1
    }

    /// By slot id; a container's subcommands follow each other.
    package let commands: [Command]
    /// Full lower-case names by slot id ("client|getname").
    package let fullNames: [String]
    /// Names under which top-level commands answer, by slot id; differs from the command's after rename-command.
    private let names: [[UInt8]]
    private let slots: UnsafeMutablePointer<CommandSlot>
    /// Number of slots.
    package let count: Int
    private let buckets: UnsafeMutablePointer<Bucket>
    /// The bytes of all shown names; buckets point into it.
    private let nameBytes: ByteBuffer
    private let topLevel: [Int]
    /// A subcommand's container, by slot id.
    private let containers: [Int?]
    /// The subcommand that a dotted name stands for, by slot id; itself for all others.
    private let canonicalSlots: [Int]
    /// Where keys stand, by slot id; for those who follow every access.
    private let keyShapes: [KeyShape]

    /// `renames` maps lower-case names to new names; an empty new name removes the command.
    package init(_ commands: [Command], renames: [(from: String, to: String)] = []) {
        var all: [Command] = []
        var fullNames: [String] = []
        var shown: [[UInt8]] = []
        var ranges: [Int: Range<Int>] = [:]
        var topLevel: [Int] = []
        for command in commands {
            topLevel.append(all.count)
            all.append(command)
            fullNames.append(command.name.lowercased())
            shown.append(Array(command.name.lowercased().utf8))
        }
        for index in topLevel where !all[index].subcommands.isEmpty {
            let start = all.count
            for child in all[index].subcommands {
                all.append(child)
                fullNames.append(all[index].name.lowercased() + "|" + child.name.lowercased())
                shown.append(Array(child.name.lowercased().utf8))
            }
            ranges[index] = start..<all.count
        }
        let removed = CommandTable.apply(renames, to: topLevel, &shown)
        topLevel.removeAll { removed.contains($0) }
        let canonical = CommandTable.addDottedNames(of: topLevel, ranges, to: &all, &fullNames, &shown)
        canonicalSlots = canonical
        self.commands = all
        keyShapes = all.map { KeyShape($0) }
        self.fullNames = fullNames
        self.names = shown
        self.topLevel = topLevel
        containers = CommandTable.containers(ranges, count: all.count)
        count = all.count
        unsafe slots = .allocate(capacity: max(1, count))
        for (id, command) in all.enumerated() {
            unsafe (slots + id).initialize(to: CommandSlot(command, id: id, subcommands: ranges[id] ?? 0..<0))
        }
        var bytes = ByteBuffer()
        for name in shown { bytes.append(name) }
        nameBytes = bytes
        unsafe buckets = .allocate(capacity: CommandTable.bucketCount)
        unsafe buckets.initialize(repeating: Bucket(), count: CommandTable.bucketCount)
        let base = unsafe UnsafePointer(nameBytes.pointer)
        var offsets: [Int] = []
        var offset = 0
        for name in shown {
            offsets.append(offset)
            offset += name.count
        }
        for id in topLevel + Array(0..<count).filter({ canonical[$0] != $0 }) {
            let (spelled, name) = (shown[id], NameWords(shown[id]))
            var position = name.hash & (CommandTable.bucketCount - 1)
            while unsafe buckets[position].slot >= 0 { position = (position + 1) & (CommandTable.bucketCount - 1) }
            let bytes = unsafe NameWords.tellAll(of: spelled.span) ? nil : base + offsets[id]
            unsafe buckets[position] = unsafe Bucket(name: name, bytes: bytes, slot: id)
        }
    }

    /// Dotted names are commands that nothing lists, behind all others. Answers what every slot means.
    private static func addDottedNames(
        of topLevel: [Int], _ ranges: [Int: Range<Int>], to all: inout [Command], _ fullNames: inout [String],
        _ shown: inout [[UInt8]]
    ) -> [Int] {
        var canonical = Array(0..<all.count)
        for index in topLevel where all[index].hasDottedNames {
            for child in ranges[index] ?? 0..<0 {
                all.append(all[child].dotted(under: all[index]))
                canonical.append(child)
                fullNames.append(all[index].name.lowercased() + "." + all[child].name.lowercased())
                shown.append(shown[index] + [UInt8(ascii: ".")] + shown[child])
            }
        }
        return canonical
    }

    private static func containers(_ ranges: [Int: Range<Int>], count: Int) -> [Int?] {
        var containers = [Int?](repeating: nil, count: count)
        for (container, range) in ranges { for child in range { containers[child] = container } }
        return containers
    }

    /// Puts the new names in place; answers the commands that are removed.
    private static func apply(
        _ renames: [(from: String, to: String)], to topLevel: [Int], _ shown: inout [[UInt8]]
    ) -> Set<Int> {
        var removed: Set<Int> = []
        for rename in renames {
            let from = Array(rename.from.lowercased().utf8)
            guard let index = topLevel.first(where: { shown[$0] == from }) else { continue }
            if rename.to.isEmpty {
                removed.insert(index)
            } else {
                shown[index] = Array(rename.to.lowercased().utf8)
            }
        }
        return removed
    }

    deinit {
        unsafe slots.deinitialize(count: count)
        unsafe slots.deallocate()
        unsafe buckets.deallocate()
    }

    /// A power of two, at least twice the number of top-level commands.
    private static let bucketCount = 1024

    /// The slot of a top-level command, or nil. Case does not matter.
    @inline(__always)
    package func find(_ name: Span<UInt8>) -> Int? {
        let words = NameWords(name)
        var position = words.hash & (CommandTable.bucketCount &- 1)
        while true {
            let bucket = unsafe buckets + position
            if unsafe bucket.pointee.slot < 0 { return nil }
            if unsafe bucket.pointee.name == words && CommandTable.sameName(bucket.pointee.bytes, name) {
                return unsafe bucket.pointee.slot
            }
            position = (position &+ 1) & (CommandTable.bucketCount &- 1)
        }
    }

    /// Whether `name`, folded to lower case, equals the known name of the same length; nil when its words told so.
    @unsafe @inline(__always)
    private static func sameName(_ known: UnsafePointer<UInt8>?, _ name: Span<UInt8>) -> Bool {
        guard let known = unsafe known else { return true }
        for index in 0..<name.count {
            let byte = unsafe name[unchecked: index]
            let folded = byte >= 65 && byte <= 90 ? byte | 0x20 : byte
            if unsafe known[index] != folded { return false }
        }
        return true
    }

    /// The slot of a container's subcommand.
    package func findSubcommand(of id: Int, _ name: Span<UInt8>) -> Int? {
        for child in slot(id).subcommands where names[child].count == name.count {
            let known = names[child]
            if known.span.equalsIgnoringCase(name) { return child }
        }
        return nil
    }

    /// The slot that runs a command line: the command, or the subcommand its second word names. A container whose
    /// subcommand is unknown answers with itself.
    @inline(__always)
    package func resolve(_ name: Span<UInt8>, _ arguments: borrowing Arguments) -> Int? {
        guard let id = find(name) else { return nil }
        if unsafe _slowPath(slots[id].isContainer), arguments.count > 1 {
            return findSubcommand(of: id, arguments[1]) ?? id
        }
        return id
    }

    /// Where the keys of the command with this slot stand.
    func keyShape(_ id: Int) -> KeyShape { keyShapes[id] }

    package func slot(_ id: Int) -> CommandSlot {
        precondition(id >= 0 && id < count, "command slots are numbered from 0")
        return unsafe slots[id]
    }

    /// The slots in place, for dispatch.
    @unsafe package var slotPointer: UnsafePointer<CommandSlot> { unsafe UnsafePointer(slots) }

    /// The slots of a container's subcommands, in declaration order; none for other commands.
    package func subcommands(of id: Int) -> Range<Int> { slot(id).subcommands }

    /// The container whose subcommand `id` is.
    package func container(of id: Int) -> Int? { containers[id] }

    /// The slot that `id` means: that of the subcommand for a dotted name (FOG.NODE.GET), else `id`.
    package func canonical(_ id: Int) -> Int { canonicalSlots[id] }

    /// The slot of a full name, as COMMAND INFO takes it: "get", "config|get".
    package func find(fullName: Span<UInt8>) -> Int? {
        guard let bar = (0..<fullName.count).first(where: { fullName[$0] == UInt8(ascii: "|") }) else {
            return find(fullName)
        }
        guard let container = find(fullName.extracting(0..<bar)) else { return nil }
        return findSubcommand(of: container, fullName.extracting((bar + 1)..<fullName.count))
    }

    /// Top-level commands in declaration order.
    package var topLevelSlots: [Int] { topLevel }

    /// The name a top-level command answers to.
    package func shownName(_ id: Int) -> String { String(decoding: names[id], as: UTF8.self) }
}
