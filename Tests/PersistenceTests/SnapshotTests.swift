// SnapshotTests.swift - a snapshot is the keyspace of one moment, whatever is written while it is taken. Two keyspaces
// get the same random commands, one of them has a snapshot running: what the snapshot's file holds must equal the state
// at its beginning, and the two keyspaces must be equal at the end. The seed is printed when a check fails.
import Base
import Keyspace
import Persistence
import Structures
import Testing

struct SnapshotTests {
    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func isExact(seed: UInt64) throws {
        var choices = Choices(seed: seed)
        var observed = Keyspace(databaseCount: 4)
        var plain = Keyspace(databaseCount: 4)
        for _ in 0..<1500 { Choices.run(choices.command(), on: &observed, &plain) }
        // Twice, since the second starts from the epoch that the first left behind.
        for round in 0..<2 {
            let expected = Contents.of(observed)
            var pieces: [SnapshotPiece] = []
            let capture = observed.beginSnapshot(compresses: true) { pieces.append($0) }
            var isComplete = false
            while !isComplete {
                var left = choices.below(40)
                isComplete = observed.advanceSnapshot { _ in
                    left -= 1
                    return left > 0
                }
                for _ in 0..<choices.below(6) { Choices.run(choices.command(), on: &observed, &plain) }
            }
            let file = FileBytes.of(pieces, version: capture.versionNeeded)
            let loaded = try FileBytes.load(file, databaseCount: 4)
            #expect(loaded == expected, "seed \(seed), round \(round)")
            #expect(Contents.of(observed) == Contents.of(plain), "seed \(seed), round \(round)")
        }
    }

    @Test func abandonedSnapshotsLeaveNoTrace() throws {
        var choices = Choices(seed: 99)
        var observed = Keyspace(databaseCount: 4)
        var plain = Keyspace(databaseCount: 4)
        for _ in 0..<400 { Choices.run(choices.command(), on: &observed, &plain) }
        for _ in 0..<10 {
            var left = choices.below(300)
            _ = observed.beginSnapshot(compresses: false) { _ in }
            _ = observed.advanceSnapshot { _ in
                left -= 1
                return left > 0
            }
            for _ in 0..<20 { Choices.run(choices.command(), on: &observed, &plain) }
            observed.abandonSnapshot()
            for _ in 0..<20 { Choices.run(choices.command(), on: &observed, &plain) }
            while !observed.advanceSnapshot(while: { _ in true }) {}
        }
        #expect(Contents.of(observed) == Contents.of(plain))
        let expected = Contents.of(observed)
        #expect(try FileBytes.load(FileBytes.of(&observed), databaseCount: 4) == expected)
    }
}

/// Random commands on a keyspace: every way in which an entry changes, moves or goes.
struct Choices {
    private var state: UInt64
    private var counter = 0

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    struct Command {
        var kind: Int
        var database: Int
        var other: Int
        var key: [UInt8]
        var secondKey: [UInt8]
        var size: Int
        var number: Int64
    }

    mutating func command() -> Command {
        counter += 1
        return Command(
            kind: below(100), database: below(4), other: below(4), key: Array("key:\(below(300))".utf8),
            secondKey: Array("key:\(below(300))".utf8), size: below(60), number: Int64(counter))
    }

    static func run(_ command: Command, on first: inout Keyspace, _ second: inout Keyspace) {
        apply(command, &first)
        apply(command, &second)
    }

    private static func apply(_ command: Command, _ keyspace: inout Keyspace) {
        let (key, database) = (command.key.span, command.database)
        let hash = keyspace[database].table.hash(key)
        let slot = keyspace[database].table.find(key, hash: hash)
        switch command.kind {
        case 0..<30:
            let size = command.size == 59 ? 900_000 : command.size == 58 ? 40_000 : command.size * 5
            let value = [UInt8](repeating: UInt8(truncatingIfNeeded: command.number), count: size)
            keyspace.setString(key, hash: hash, in: database, slot: slot, value: value.span, expiry: slot?.entry.expiry)
        case 30..<40:
            keyspace.setInteger(key, hash: hash, in: database, slot: slot, value: command.number, expiry: nil)
        case 40..<55: push(command, slot, hash, &keyspace)
        case 55..<65: if let slot { keyspace.remove(slot, hash: hash, in: database) }
        case 65..<72:
            if let slot {
                let expiry: Int64? = command.size % 3 == 0 ? nil : 5_000_000_000_000 + command.number
                keyspace.setExpiry(slot, hash: hash, in: database, to: expiry)
            }
        case 72..<80:
            guard let slot, slot.entry.isString else { return }
            let count = slot.entry.stringByteCount + command.size
            keyspace.editString(slot, hash: hash, in: database, byteCount: count) { bytes in
                if bytes.count > 0 { bytes[bytes.count / 2] = UInt8(truncatingIfNeeded: command.number) }
            }
        default: transfer(command, slot, hash, &keyspace)
        }
    }

    private static func push(
        _ command: Command, _ slot: EntryTable.Slot?, _ hash: UInt64, _ keyspace: inout Keyspace
    ) {
        let (key, database) = (command.key.span, command.database)
        if let slot, slot.entry.objectType == .list {
            let element = [UInt8](repeating: 7, count: command.size)
            let options = ListOptions(limits: .standard, compressDepth: 0)
            keyspace.updateList(slot, in: database, .growing(ListGrowth(element.span)), options) { list in
                list.append(element.span)
            }
            return
        }
        var list = Quicklist()
        let count = command.size == 59 ? 40 : 3
        let element = [UInt8](repeating: 9, count: command.size == 59 ? 30_000 : command.size)
        for _ in 0..<count { list.append(element.span) }
        keyspace.setList(key, hash: hash, in: database, slot: slot, list: list, expiry: nil)
    }

    private static func transfer(
        _ command: Command, _ slot: EntryTable.Slot?, _ hash: UInt64, _ keyspace: inout Keyspace
    ) {
        let (database, second) = (command.database, command.secondKey.span)
        let secondHash = keyspace[database].table.hash(second)
        switch command.kind {
        case 80..<86:
            if let slot, command.key != command.secondKey {
                keyspace.rename(slot, hash: hash, to: second, newHash: secondHash, in: database)
            }
        case 86..<90:
            if let slot, command.key != command.secondKey {
                keyspace.copy(slot.entry, to: second, hash: secondHash, in: database)
            }
        case 90..<95:
            guard let slot, database != command.other else { return }
            if keyspace[command.other].table.find(command.key.span, hash: hash) == nil {
                keyspace.move(slot, hash: hash, from: database, to: command.other)
            }
        case 95..<98: keyspace.swap(database, command.other)
        case 98: if command.size < 6 { keyspace.flush(database, inBackground: command.size < 3) }
        default: break
        }
    }
}

/// What a keyspace holds, in a form that can be compared: by database and key, the expiry and the value's bytes.
enum Contents {
    static func of(_ keyspace: borrowing Keyspace) -> [String: [UInt8]] {
        var all: [String: [UInt8]] = [:]
        for index in 0..<keyspace.databaseCount {
            keyspace[index].table.forEach { entry in
                var sink = ValueSink(.never)
                sink.append(littleEndian: UInt64(bitPattern: entry.expiry ?? 0))
                sink.append(ValueCodec.typeCode(of: entry))
                var position = ValuePosition()
                _ = ValueCodec.append(entry, from: &position, to: &sink)
                all["\(index) \(entry.key.text)"] = sink.take().takeBytes().span.array
            }
        }
        return all
    }
}

/// RDB files in memory.
enum FileBytes {
    static func of(_ pieces: [SnapshotPiece], version: Int, compresses: Bool = true) -> [UInt8] {
        var encoder = RDBEncoder(facts: RDBFacts(), compresses: compresses, checksums: true)
        var file: [UInt8] = []
        for (index, piece) in pieces.enumerated() {
            // A writer that falls behind leaves out compression for a while.
            encoder.add(piece, compresses: compresses && index % 3 != 2)
            if index % 2 == 0 { file += encoder.takeOutput().span.array }
        }
        let head = encoder.finish(version: version)
        file += encoder.takeOutput().span.array
        if let head { file.replaceSubrange(0..<head.count, with: head) }
        return file
    }

    static func of(_ keyspace: inout Keyspace) -> [UInt8] {
        var pieces: [SnapshotPiece] = []
        let capture = keyspace.beginSnapshot(compresses: true) { pieces.append($0) }
        while !keyspace.advanceSnapshot(while: { _ in true }) {}
        return of(pieces, version: capture.versionNeeded)
    }

    /// A loader that gets the file in chunks of `chunkByteCount`.
    static func loader(
        _ file: [UInt8], chunkByteCount: Int = .max, options: RDBLoader.Options = .init()
    ) -> RDBLoader {
        var offset = 0
        var limits = ValueLimits()
        limits.stringByteCountMax = 64 << 20
        let reader = unsafe ValueReader(limits: limits) { target, count in
            let size = min(count, file.count - offset, chunkByteCount)
            for index in 0..<size { unsafe target[index] = file[offset + index] }
            offset += size
            return size
        }
        return RDBLoader(reading: reader, options: options)
    }

    static func load(
        _ file: [UInt8], databaseCount: Int = 16, chunkByteCount: Int = .max,
        options: RDBLoader.Options = .init()
    ) throws(RDBError) -> [String: [UInt8]] {
        var keyspace = Keyspace(databaseCount: databaseCount)
        keyspace.now = 1_800_000_000_000
        var loader = loader(file, chunkByteCount: chunkByteCount, options: options)
        while try !loader.run(into: &keyspace, byteCount: 5000) {}
        return Contents.of(keyspace)
    }
}
