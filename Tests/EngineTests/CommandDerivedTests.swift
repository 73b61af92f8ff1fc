// CommandDerivedTests.swift - key ranges and categories that follow from declarations, without a server.
import Engine
import Testing

struct CommandDerivedTests {
    private func command(_ keys: [KeySpec], _ flags: CommandFlags = [], in group: CommandGroup = .string) -> Command {
        Command("X", arity: -1, flags, keys: keys, in: group, since: "1.0.0")
    }

    @Test func neighbouringRangesAreJoined() {
        let joined = command([.key([.readWrite]), .key(at: 2, [.readWrite])]).keyRange
        #expect(joined.range == KeyRange(first: 1, last: 2, step: 1) && !joined.movesKeys)
        let apart = command([.key([.readWrite]), .key(at: 3, [.readWrite])]).keyRange
        #expect(apart.range == KeyRange(first: 1, last: 1, step: 1) && apart.movesKeys)
        let open = command([.key([.readWrite]), .keys(from: 2, [.readOnly])]).keyRange
        #expect(open.range == KeyRange(first: 1, last: -1, step: 1) && !open.movesKeys)
    }

    @Test func countedKeysMove() {
        let counted = command([.counted(at: 2, [.readOnly])])
        #expect(counted.keyRange.range == KeyRange() && counted.keyRange.movesKeys)
        #expect(counted.shownFlags.contains(.movableKeys))
        #expect(command([]).keyRange.movesKeys == false)
        let everySecond = command([.keys(step: 2, [.overwrite])]).keyRange
        #expect(everySecond.range == KeyRange(first: 1, last: -1, step: 2) && !everySecond.movesKeys)
    }

    @Test func categoriesFollow() {
        #expect(command([], [.write, .fast]).aclCategories.list == [.write, .string, .fast])
        #expect(command([], [.readonly], in: .scripting).aclCategories.list == [.slow, .scripting])
        #expect(command([], [.admin], in: .server).aclCategories.list == [.admin, .slow, .dangerous])
        let wait = Command("X", arity: -1, in: .generic, categories: ["connection"], since: "1.0.0")
        #expect(wait.aclCategories.list == [.slow, .connection])
        let keys = Command("X", arity: -1, [.readonly], in: .generic, categories: ["dangerous"], since: "1.0.0")
        #expect(keys.aclCategories.list == [.keyspace, .read, .slow, .dangerous])
    }
}
