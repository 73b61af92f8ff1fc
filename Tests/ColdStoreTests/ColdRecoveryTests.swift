// ColdRecoveryTests.swift - what the next process finds: after a clean end, after a crash, after bytes were lost or
// changed. Whatever happens, it must never find a value that was replaced or removed.
import Foundation
import Testing

@testable import Base
@testable import ColdStore

struct ColdRecoveryTests {
    @Test(arguments: [false, true])
    func aCleanEndIsFollowedByAWarmStart(persists: Bool) throws {
        let rig = try ColdStoreRig {
            $0.segmentByteCount = 128 << 10
            $0.persists = persists
        }
        // Small and large records: the second sort have their heads in the index.
        for index in 0..<500 { rig.put("key:\(index)", bytes(index % 50 == 0 ? 9000 : 100, index)) }
        for index in 0..<100 { rig.put("large:\(index)", bytes(9000, index)) }
        for index in 0..<250 { rig.remove("key:\(index)") }
        rig.put("key:300", [7])
        let before = rig.values
        #expect(rig.close())
        guard case .afterCleanEnd = try rig.reopen() else {
            Issue.record("a clean end was not seen")
            return
        }
        #expect(Set(rig.values.keys) == Set(before.keys))
        for (key, value) in before { #expect(rig.fetch(key) == value.bytes) }
        rig.checkAccount()
        // The mark holds for one start only.
        rig.store.abandon()
        try rig.reopen()
        #expect(rig.values.isEmpty == !persists)
    }

    /// Its index is written in more than one piece.
    @Test func aSegmentOfManySmallRecordsHasItsIndex() throws {
        let rig = try ColdStoreRig()
        for index in 0..<40_000 { #expect(rig.put("key:\(index)", [UInt8(truncatingIfNeeded: index)])) }
        #expect(rig.close())
        let name = try FileManager.default.contentsOfDirectory(atPath: rig.directory).first {
            SegmentFile.number(of: $0) != nil
        }
        let file = try [UInt8](Data(contentsOf: URL(fileURLWithPath: "\(rig.directory)/\(#require(name))")))
        let parsed = SegmentFormat.parseTrailer(
            file.span.extracting((file.count - SegmentFormat.trailerByteCount)..<file.count), fileByteCount: file.count)
        let trailer = try #require(parsed)
        #expect(trailer.recordCount == 40_000 && !trailer.hasHeads && trailer.indexByteCount == 40_000)
        let isIntact = SegmentFormat.check(indexAndTrailer: file.span.extracting(trailer.dataEnd..<file.count))
        #expect(isIntact)
        try rig.reopen()
        #expect(rig.values.count == 40_000)
        for index in stride(from: 0, to: 40_000, by: 997) {
            #expect(rig.fetch("key:\(index)") == [UInt8(truncatingIfNeeded: index)])
        }
    }

    @Test func withoutPersistenceACrashLeavesNothing() throws {
        let rig = try ColdStoreRig()
        for index in 0..<100 { rig.put("key:\(index)", bytes(100, index)) }
        rig.settle()
        rig.store.abandon()
        guard case .none = try rig.reopen() else {
            Issue.record("old values came back")
            return
        }
        #expect(rig.values.isEmpty)
        let names = try FileManager.default.contentsOfDirectory(atPath: rig.directory)
        #expect(names == ["lock"])
    }

    /// A store that did not persist has no tombstones for what it removed: its successor, which does, makes them.
    @Test func persistenceBeginsWithWhatACleanEndKnew() throws {
        let rig = try ColdStoreRig()
        for index in 0..<20 { rig.put("key:\(index)", bytes(100, index)) }
        for index in 0..<10 { rig.remove("key:\(index)") }
        rig.values["key:10"]?.expiry = rig.now + 1000
        let wanted = Set(rig.values.keys)
        #expect(rig.close())
        let change = rig.change
        rig.change = { options in
            change(&options)
            options.persists = true
        }
        try rig.reopen()
        #expect(Set(rig.values.keys) == wanted)
        rig.store.abandon()
        rig.now += 2000
        try rig.reopen()
        #expect(Set(rig.values.keys) == wanted.subtracting(["key:10"]))
    }

    @Test func databasesAndExpiriesFollowTheKey() throws {
        let rig = try ColdStoreRig()
        rig.put("key", [1])
        rig.put("gone", [2])
        let address = try #require(rig.values["key"]).address
        let gone = try #require(rig.values["gone"]).address
        let now = rig.now
        #expect(rig.store.close { add in
            add(address, 5, now + 1000)
            add(gone, 0, now)
        })
        rig.store = try ColdStore(ColdOptions(directory: rig.directory))
        var found: [String: ColdHead] = [:]
        _ = try rig.store.recover(now: now, dictionary: { _, _ in }) { head, key, _ in
            found[key.text] = head
            return true
        }
        #expect(found["key"]?.database == 5 && found["key"]?.expiryMilliseconds == now + 1000)
        #expect(found["gone"] == nil)
        rig.values = [:]
    }

    @Test func expiriesAreAmendedBeforeACrash() throws {
        let rig = try ColdStoreRig { $0.persists = true }
        for key in ["a", "b", "c"] { rig.put(key, [1], expiry: key == "c" ? rig.now + 5000 : 0) }
        rig.settle()
        rig.store.amend(try #require(rig.values["a"]).address, expiryMilliseconds: rig.now + 100)
        rig.store.amend(try #require(rig.values["b"]).address, expiryMilliseconds: rig.now + 100_000)
        rig.store.amend(try #require(rig.values["c"]).address, expiryMilliseconds: 0)
        rig.store.commit()
        rig.store.abandon()
        rig.now += 10_000
        try rig.reopen()
        #expect(Set(rig.values.keys) == ["b", "c"])
        #expect(rig.values["b"]?.expiry == rig.now + 90_000 && rig.values["c"]?.expiry == 0)
    }

    @Test func dictionariesComeBackAndGo() throws {
        let rig = try ColdStoreRig { $0.segmentByteCount = 64 << 10 }
        let number = try #require(rig.store.register(dictionary: bytes(8192, 1)))
        #expect(rig.store.register(dictionary: bytes(8192, 1)) == number)
        let second = try #require(rig.store.register(dictionary: bytes(100, 2)))
        rig.put("key", bytes(60_000, 1), dictionary: number)
        rig.put("other", bytes(60_000, 2), dictionary: second)
        rig.put("third", bytes(60_000, 3), dictionary: second)
        rig.remove("other")
        rig.remove("third")
        #expect(rig.close())
        let values = rig.values
        rig.store = try ColdStore(ColdOptions(directory: rig.directory))
        var found: [UInt16: [UInt8]] = [:]
        _ = try rig.store.recover(now: rig.now, dictionary: { found[$0] = $1 }, found: { _, _, _ in true })
        #expect(found[number] == bytes(8192, 1))
        rig.values = values
        #expect(rig.fetch("key") == bytes(60_000, 1))
    }

    @Test func twoProcessesDoNotShareADirectory() throws {
        let rig = try ColdStoreRig()
        #expect(throws: SystemError.self) { _ = try ColdStore(ColdOptions(directory: rig.directory)) }
    }

    @Test func manifestsAreBelievedWholeOrNotAtAll() throws {
        var manifest = Manifest()
        manifest.boot = "0f"
        manifest.persists = true
        manifest.segments = [3, 9]
        manifest.dictionaries = [2: Manifest.Dictionary(byteCount: 5, checksum: 77)]
        let text = manifest.text
        #expect(Manifest(text) == manifest)
        let characters = Array(text)
        for index in characters.indices {
            var changed = characters
            changed[index] = changed[index] == "7" ? "8" : "7"
            #expect(Manifest(String(changed)) == nil || String(changed) == text)
            #expect(Manifest(String(characters[..<index])) == nil)
        }
    }

    /// The last segments lose their ends at any byte, or one bit anywhere: what comes back is what was put last, or
    /// nothing.
    @Test(arguments: 0..<40)
    func crashesAtAnyByteLoseButNeverLie(seed: Int) throws {
        var random = RandomGenerator(seed: UInt64(seed))
        let rig = try ColdStoreRig {
            $0.persists = true
            $0.segmentByteCount = 32 << 10
            $0.chunkByteCount = 4 << 10
            $0.byteCountMax = 400 << 10
        }
        for step in 0..<400 {
            let key = "key:\(random.below(80))"
            switch random.below(6) {
            case 0, 1: rig.remove(key)
            case 2: #expect(rig.fetch(key) == rig.values[key]?.bytes, "seed \(seed), step \(step)")
            case 3: rig.put(key, bytes(random.below(1500), step), expiry: rig.now + 1 + Int64(random.below(5000)))
            default: rig.put(key, bytes(random.below(1500), step))
            }
            if random.below(10) == 0 {
                rig.now += 100
                rig.poll()
                rig.tidy()
            }
        }
        rig.store.commit()
        if random.below(2) == 0 { rig.settle() }
        rig.store.abandon()
        let before = rig.values
        rig.now += 1000
        let names = try FileManager.default.contentsOfDirectory(atPath: rig.directory)
        let files = names.filter { $0.hasSuffix(".segment") }.sorted()
        let damage = random.below(3)
        if damage > 0, let name = files.isEmpty ? nil : files[random.below(files.count)] {
            let path = rig.directory + "/" + name
            var data = try Data(contentsOf: URL(fileURLWithPath: path))
            if damage == 1 { data = data.prefix(random.below(data.count + 1)) }
            if damage == 2, !data.isEmpty { data[random.below(data.count)] ^= UInt8(1 << random.below(8)) }
            try data.write(to: URL(fileURLWithPath: path))
        }
        let how = try rig.reopen()
        guard case .afterCrash = how else {
            Issue.record("seed \(seed): tombstones were not believed")
            return
        }
        var lost = 0
        for key in rig.values.keys {
            let value = rig.fetch(key)
            let expiry = rig.values[key]?.expiry ?? 0
            #expect(expiry == 0 || expiry > rig.now, "seed \(seed): \(key) is of age")
            #expect(before[key] != nil, "seed \(seed): \(key) was removed and came back")
            #expect(value == nil || value == before[key]?.bytes, "seed \(seed): \(key) has a wrong value")
            if value == nil { lost += 1 }
        }
        if damage == 0 { #expect(lost == 0, "seed \(seed)") }
        rig.checkAccount()
    }
}
