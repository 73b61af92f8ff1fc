// RDBLoaderTests.swift - RDB files as other servers write them, by opcode, and files that lie: every damage is an error
// with its place, never a trap, a hang or memory for what is not there.
import Base
import Keyspace
import Persistence
import Reactor
import Structures
import Testing

struct RDBLoaderTests {
    private static func head(_ version: String) -> [UInt8] { Array(("REDIS" + version).utf8) }

    private static func string(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        precondition(bytes.count < 64, "a short string")
        return [UInt8(bytes.count)] + bytes
    }

    private static func set(_ key: String, _ value: String) -> [UInt8] { [0] + string(key) + string(value) }

    /// With the end and no checksum, which is allowed.
    private static func file(_ version: String, _ body: [UInt8]) -> [UInt8] {
        let end: [UInt8] = Int(version)! >= 5 ? [255, 0, 0, 0, 0, 0, 0, 0, 0] : [255]
        return head(version) + body + end
    }

    private static func keys(_ file: [UInt8], options: RDBLoader.Options = .init()) throws -> [String] {
        try FileBytes.load(file, options: options).keys.sorted()
    }

    @Test func everyOpcodeIsKnown() throws {
        var body: [UInt8] = [250] + RDBLoaderTests.string("redis-ver") + RDBLoaderTests.string("7.2.4")
        body += [250] + RDBLoaderTests.string("future") + RDBLoaderTests.string("field")
        body += [245] + RDBLoaderTests.string("#!lua name=x\nreturn 1")
        body += [254, 2, 251, 3, 1]
        body += [244, 5, 1, 0]
        // Data beside the keys of a module "fogmodule" that nobody has: when, an integer, a double, a string, the end.
        body += [247, 0x81] + [0x7e, 0x82, 0x26, 0xa1, 0xae, 0x65, 0x78, 0x01]
        body += [2, 1, 1, 9, 4, 0, 0, 0, 0, 0, 0, 0, 0, 5] + RDBLoaderTests.string("text") + [0]
        body += [252, 0, 0x40, 0x7a, 0x10, 0xf3, 0x5a, 0, 0] + RDBLoaderTests.set("later", "1")
        body += [253, 0xff, 0xff, 0xff, 0x7f] + RDBLoaderTests.set("old", "2")
        body += [248, 5] + RDBLoaderTests.set("idle", "3") + [249, 200] + RDBLoaderTests.set("frequent", "4")
        let file = RDBLoaderTests.file("0012", body)
        #expect(try RDBLoaderTests.keys(file) == ["2 frequent", "2 idle", "2 later", "2 old"])
        var loader = FileBytes.loader(file)
        var keyspace = Keyspace(databaseCount: 16)
        while try !loader.run(into: &keyspace, byteCount: 1) {}
        #expect(loader.facts.serverVersion == "7.2.4")
        #expect(loader.facts.functions == [Array("#!lua name=x\nreturn 1".utf8)])
        #expect(loader.facts.warnings.count == 2)
        #expect(loader.progress.keysLoaded == 4)
        #expect(loader.progress.byteCount == file.count)
    }

    @Test func versions() throws {
        let body = RDBLoaderTests.set("k", "v")
        for version in ["0001", "0003", "0004", "0005", "0009", "0010", "0011", "0012"] {
            #expect(try RDBLoaderTests.keys(RDBLoaderTests.file(version, body)) == ["0 k"], "version \(version)")
        }
        let end: [UInt8] = [255, 0, 0, 0, 0, 0, 0, 0, 0]
        #expect(try RDBLoaderTests.keys(Array("VALKEY080".utf8) + body + end) == ["0 k"])
        for head in ["REDIS0000", "REDIS0013", "REDIS00x1", "VALKEY011", "VALKEY081", "REDIX0010", "RED"] {
            #expect(throws: RDBError.self, "\(head)") { try RDBLoaderTests.keys(Array(head.utf8) + body + end) }
        }
        var relaxed = RDBLoader.Options()
        relaxed.triesNewerVersions = true
        #expect(try RDBLoaderTests.keys(Array("REDIS0015".utf8) + body + end, options: relaxed) == ["0 k"])
    }

    @Test func expiredKeysAreDropped() throws {
        let body = [252, 1, 0, 0, 0, 0, 0, 0, 0] + RDBLoaderTests.set("dead", "1") + RDBLoaderTests.set("alive", "2")
        let file = RDBLoaderTests.file("0010", body)
        #expect(try RDBLoaderTests.keys(file) == ["0 alive"])
        var keeping = RDBLoader.Options()
        keeping.dropsExpired = false
        #expect(try RDBLoaderTests.keys(file, options: keeping) == ["0 alive", "0 dead"])
    }

    @Test func whatIsRefused() throws {
        let cases: [(String, [UInt8], String)] = [
            ("a key twice", RDBLoaderTests.set("k", "1") + RDBLoaderTests.set("k", "2") + [255], "was not there"),
            ("a database too many", [254, 16] + RDBLoaderTests.set("k", "1"), "larger 'databases'"),
            ("a value of a module", [7] + RDBLoaderTests.string("k"), "EOF"),
            ("an unknown type", [242, 1, 107], "type of value"),
            ("an early form of functions", [246, 0, 0], "functions"),
            ("an import", [243, 0], "imported"),
        ]
        for (name, body, words) in cases {
            do throws(RDBError) {
                _ = try FileBytes.load(RDBLoaderTests.head("0012") + body)
                Issue.record("\(name) was loaded")
            } catch {
                #expect(error.text(path: "dump.rdb").contains(words), "\(name): \(error.text(path: "dump.rdb"))")
            }
        }
        var replacing = RDBLoader.Options()
        replacing.replacesKeys = true
        let twice = RDBLoaderTests.file("0010", Array(cases[0].1.dropLast()))
        #expect(try RDBLoaderTests.keys(twice, options: replacing) == ["0 k"])
    }

    @Test func aMoreThanLongLengthCostsNothing() {
        // Half a gigabyte is promised, four bytes come.
        let body: [UInt8] = [0, 1, 107, 0x80, 0x1F, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4]
        #expect(throws: RDBError.self) { try FileBytes.load(RDBLoaderTests.head("0010") + body) }
        let list: [UInt8] = [18, 1, 107, 0x81, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2]
        #expect(throws: RDBError.self) { try FileBytes.load(RDBLoaderTests.head("0010") + list) }
    }

    private static func example() -> [UInt8] {
        var choices = Choices(seed: 5)
        var keyspace = Keyspace(databaseCount: 4)
        var other = Keyspace(databaseCount: 4)
        for _ in 0..<300 { Choices.run(choices.command(), on: &keyspace, &other) }
        return FileBytes.of(&keyspace)
    }

    @Test func chunksDoNotMatter() throws {
        let file = RDBLoaderTests.example()
        let whole = try FileBytes.load(file)
        for chunk in [1, 7, 1000, 65536] { #expect(try FileBytes.load(file, chunkByteCount: chunk) == whole) }
    }

    /// A file of many batches, read on a thread of its own: the same keys as when one thread does all. What the file
    /// says about its size is believed only as far as its own size goes.
    @Test(arguments: [0, 60_000, Int(UInt32.max)])
    func readingAheadChangesNothing(promised: Int) throws {
        var body: [UInt8] = [251, 0x80]
        for shift in [24, 16, 8, 0] { body.append(UInt8(truncatingIfNeeded: promised >> shift)) }
        body.append(0)
        for index in 0..<60_000 {
            body += RDBLoaderTests.set("key:\(index)", "value \(index)")
            if index % 100 == 0 {
                body += [1] + RDBLoaderTests.string("list:\(index)") + [2] + RDBLoaderTests.string("a")
                body += RDBLoaderTests.string("b")
            }
        }
        let bytes = RDBLoaderTests.file("0010", body)
        try RDBLoaderTests.withFile(bytes) { file in
            var keyspace = Keyspace(databaseCount: 1)
            let summary = try RDBLoaderTests.readAhead(file, into: &keyspace)
            #expect(summary?.progress.byteCount == bytes.count)
            let byteCount = keyspace[0].table.allocatedByteCount
            #expect(byteCount < 60_600 * 30, "\(byteCount)")
            #expect(Contents.of(keyspace) == (try FileBytes.load(bytes, databaseCount: 1)))
        }
    }

    @Test func readingAheadTellsWhatIsBroken() throws {
        var body: [UInt8] = []
        for index in 0..<30_000 { body += RDBLoaderTests.set("key:\(index)", "value") }
        let cases: [(tail: [UInt8], words: String)] = [
            ([0] + RDBLoaderTests.string("cut"), "more bytes were expected (key 'cut', database 0)"),
            (RDBLoaderTests.set("key:7", "again") + [255], "was not there before (key 'key:7', database 0)"),
            ([254, 1] + RDBLoaderTests.set("k", "v"), "larger 'databases'"),
        ]
        for (tail, words) in cases {
            try RDBLoaderTests.withFile(RDBLoaderTests.head("0012") + body + tail) { file in
                var keyspace = Keyspace(databaseCount: 1)
                do throws(RDBError) {
                    _ = try RDBLoaderTests.readAhead(file, into: &keyspace)
                    Issue.record("loaded, without \(words)")
                } catch {
                    #expect(error.text(path: "dump.rdb").contains(words), "\(error.text(path: "dump.rdb"))")
                }
            }
        }
    }

    /// Whoever does not want the rest stops the reader, whatever it is doing.
    @Test func readingAheadCanBeStopped() throws {
        var body: [UInt8] = []
        for index in 0..<200_000 { body += RDBLoaderTests.set("key:\(index)", "a value of some length") }
        try RDBLoaderTests.withFile(RDBLoaderTests.file("0010", body)) { file in
            for taken in [0, 1, 5] {
                var keyspace = Keyspace(databaseCount: 1)
                let summary = try RDBLoaderTests.readAhead(file, into: &keyspace, batchesMax: taken)
                #expect(summary == nil)
            }
        }
    }

    /// Nil when it was stopped after `batchesMax` batches.
    private static func readAhead(
        _ file: RDBFile, into keyspace: inout Keyspace, batchesMax: Int = .max
    ) throws(RDBError) -> RDBLoader.Summary? {
        var options = RDBLoader.Options()
        options.databaseCount = keyspace.databaseCount
        let feed = try RDBReadAhead(file, limits: ValueLimits(), options: options)
        defer { feed.stop() }
        for _ in 0..<batchesMax {
            switch feed.next() {
            case .failure(let error): throw error
            case .end(let summary): return summary
            case .batch(let batch):
                while !batch.records.isPlaced {
                    try batch.records.place(into: &keyspace, countMax: 1000, options: options)
                }
                feed.recycle(batch)
            }
        }
        return nil
    }

    private static func withFile(_ bytes: [UInt8], _ body: (RDBFile) throws -> Void) throws {
        let path = "/tmp/fog-loader-\(Clock().monotonicNanoseconds)-\(bytes.count).rdb"
        defer { Disk.remove(path) }
        let file = try DiskFile(path, .replace)
        try file.writeAll(bytes.span)
        let readable = try RDBFile(path)
        try body(try #require(readable))
    }

    @Test func aFlippedBitIsFound() throws {
        let file = RDBLoaderTests.example()
        var choices = Choices(seed: 11)
        for _ in 0..<60 {
            var damaged = file
            let index = choices.below(damaged.count)
            damaged[index] ^= 1 << UInt8(choices.below(8))
            // The last eight bytes zero would say that there is no checksum; one flipped bit cannot make that.
            #expect(throws: RDBError.self, "bit of byte \(index)") { try FileBytes.load(damaged) }
        }
    }

    @Test func aCutFileIsFound() throws {
        let file = RDBLoaderTests.example()
        var choices = Choices(seed: 12)
        for _ in 0..<60 {
            let count = choices.below(file.count)
            #expect(throws: RDBError.self, "cut at \(count)") { try FileBytes.load(Array(file.prefix(count))) }
        }
    }

    /// Without the checksum's help: bytes changed at random either load as something or are refused.
    @Test(arguments: [21, 22, 23] as [UInt64])
    func damageNeverTraps(seed: UInt64) {
        var choices = Choices(seed: seed)
        var keyspace = Keyspace(databaseCount: 4)
        var other = Keyspace(databaseCount: 4)
        // Small values: the damage is to hit structure more often than text.
        for _ in 0..<200 {
            var command = choices.command()
            command.size = min(command.size, 12)
            Choices.run(command, on: &keyspace, &other)
        }
        let file = FileBytes.of(&keyspace)
        var options = RDBLoader.Options()
        options.checksChecksum = false
        var refused = 0
        for _ in 0..<1500 {
            var damaged = file
            for _ in 0...choices.below(4) {
                let special: [UInt8] = [0, 0x40, 0x80, 0x81, 0xC0, 0xC3, 0xFA, 0xFE, 0xFF, 18, 14, 10]
                let byte = choices.below(2) == 0 ? special[choices.below(special.count)] : UInt8(choices.below(256))
                damaged[9 + choices.below(damaged.count - 9)] = byte
            }
            do throws(RDBError) { _ = try FileBytes.load(damaged, options: options) } catch { refused += 1 }
        }
        #expect(refused > 100, "seed \(seed)")
    }
}
