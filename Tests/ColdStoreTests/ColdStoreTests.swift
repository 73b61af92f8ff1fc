// ColdStoreTests.swift - what the store promises, one promise a test; reads by both readers.
import Foundation
import Testing

@testable import Base
@testable import ColdStore

struct ColdStoreTests {
    @Test(arguments: readings)
    func valuesComeBackFromBufferCacheAndDisk(reading: ColdOptions.Reading) throws {
        let rig = try ColdStoreRig(reading)
        let expected = Dictionary(uniqueKeysWithValues: (0..<300).map { ("key:\($0)", bytes($0 * 7, $0)) })
        for (key, value) in expected { #expect(rig.put(key, value)) }
        for (key, value) in expected { #expect(rig.fetch(key) == value) }
        #expect(rig.store.statistics.readsFromBuffer == 300)
        rig.store.submitAll()
        rig.now += 10_000
        rig.dropCache()
        // The buffers of open segments go when a full one takes their place: here by the end of the segments.
        for kind in [ColdStore.LaneKind.general, .brief] { rig.store.seal(kind) }
        rig.dropCache()
        for (key, value) in expected { #expect(rig.fetch(key) == value) }
        for (key, value) in expected { #expect(rig.fetch(key) == value) }
        #expect(rig.store.statistics.readsAtOnce + rig.store.statistics.readsFromDisk == 600)
        rig.checkAccount()
    }

    @Test(arguments: readings)
    func manyReadsAtOnceAreAllDelivered(reading: ColdOptions.Reading) throws {
        let rig = try ColdStoreRig(reading) { $0.readsInFlightMax = 8 }
        for index in 0..<400 { #expect(rig.put("key:\(index)", bytes(3000, index))) }
        for kind in [ColdStore.LaneKind.general, .brief] { rig.store.seal(kind) }
        rig.dropCache()
        var expected: [UInt64: [UInt8]] = [:]
        var atOnce: [UInt64: [UInt8]] = [:]
        for round in 0..<2 {
            for index in 0..<400 {
                guard let value = rig.values["key:\(index)"] else { continue }
                let token = UInt64(round * 1000 + index)
                expected[token] = value.bytes
                _ = rig.store.fetch(value.address, key: Array("key:\(index)".utf8).span, token: token) { _, payload in
                    atOnce[token] = payload.array
                }
            }
        }
        #expect(rig.store.readsPending <= 400)
        rig.store.flush()
        #expect(rig.store.readsInFlight <= 8)
        rig.wait { rig.delivered.count + atOnce.count == 800 }
        for (token, value) in expected { #expect((rig.delivered[token] ?? atOnce[token]) == value) }
    }

    @Test func headsAreKept() throws {
        let rig = try ColdStoreRig()
        rig.put("key", [1, 2, 3], expiry: 5_000_000)
        rig.dropCache()
        var head = ColdHead()
        let address = try #require(rig.values["key"]).address
        #expect(rig.store.fetchWaiting(address, key: Array("key".utf8).span) { found, _ in head = found })
        #expect(head.type == 3 && head.codec == 2 && head.encoding == 5 && head.version == 3)
        #expect(head.wholeByteCount == 6 && head.expiryMilliseconds == 5_000_000)
        // Another key's address gives nothing.
        let isFound = rig.store.fetchWaiting(address, key: Array("other".utf8).span) { _, _ in
            Issue.record("a wrong value")
        }
        #expect(!isFound)
    }

    @Test func deadSegmentsLeaveAtOnce() throws {
        let rig = try ColdStoreRig { $0.segmentByteCount = 64 << 10 }
        for index in 0..<200 { #expect(rig.put("key:\(index)", bytes(2000, index))) }
        rig.settle()
        #expect(rig.store.segmentCount >= 6)
        for index in 0..<200 { rig.remove("key:\(index)") }
        rig.settle()
        rig.checkAccount()
        // The open one stays.
        #expect(rig.store.segmentCount == 1)
        let files = try FileManager.default.contentsOfDirectory(atPath: rig.directory)
        rig.wait { (try? FileManager.default.contentsOfDirectory(atPath: rig.directory))?.count ?? 0 <= 2 }
        #expect(files.contains("lock"))
    }

    @Test func shortLivesHaveSegmentsOfTheirOwn() throws {
        let rig = try ColdStoreRig { $0.segmentByteCount = 64 << 10 }
        for index in 0..<20 {
            rig.put("long:\(index)", bytes(100, index))
            rig.put("short:\(index)", bytes(100, index), expiry: rig.now + 60_000)
        }
        let long = Set((0..<20).compactMap { rig.values["long:\($0)"]?.address.slot })
        let short = Set((0..<20).compactMap { rig.values["short:\($0)"]?.address.slot })
        #expect(long.count == 1 && short.count == 1 && long != short)
    }

    @Test func writesKeepToTheirRate() throws {
        let rig = try ColdStoreRig { $0.bytesPerSecond = 100_000 }
        var taken = 0
        for index in 0..<1000 where rig.put("key:\(index)", bytes(974, index)) { taken += 1 }
        #expect(taken >= 98 && taken <= 102)
        #expect(rig.store.statistics.refusedForRate == 1000 - taken)
        rig.now += 500
        for index in 1000..<2000 where rig.put("key:\(index)", bytes(974, index)) { taken += 1 }
        #expect(taken >= 146 && taken <= 154)
    }

    @Test func theQueueIsBounded() throws {
        let faults = ColdFaults()
        faults.allow(byteCount: 0)
        let rig = try ColdStoreRig {
            $0.faults = faults
            $0.inFlightByteCountMax = 100_000
        }
        var taken = 0
        for index in 0..<1000 where rig.put("key:\(index)", bytes(1000, index)) { taken += 1 }
        #expect(taken <= 100)
        let refused = rig.store.statistics.refusedForQueue + rig.store.statistics.refusedForFailure
        #expect(refused == 1000 - taken)
    }

    @Test func aFullDiskStopsAndResumes() throws {
        let faults = ColdFaults()
        let rig = try ColdStoreRig { $0.faults = faults }
        for index in 0..<50 { rig.put("key:\(index)", bytes(1000, index)) }
        rig.settle()
        faults.allow(byteCount: 10_000)
        for index in 50..<100 { rig.put("key:\(index)", bytes(1000, index)) }
        rig.store.submitAll()
        rig.wait { rig.store.failure != nil }
        #expect(!rig.put("refused", [1]))
        #expect(rig.store.statistics.refusedForFailure == 1)
        // Everything that was taken is served: from disk what got there, from memory what did not.
        for index in 0..<100 { #expect(rig.fetch("key:\(index)") == bytes(1000, index)) }
        faults.allow(byteCount: Int.max)
        rig.wait { rig.store.failure == nil }
        #expect(rig.put("taken", [1]))
        rig.dropCache()
        for index in 0..<100 { #expect(rig.fetch("key:\(index)") == bytes(1000, index)) }
        rig.checkAccount()
    }

    @Test(arguments: readings)
    func aFlippedBitIsAMiss(reading: ColdOptions.Reading) throws {
        let rig = try ColdStoreRig(reading)
        for index in 0..<100 { rig.put("key:\(index)", bytes(500, index)) }
        for kind in [ColdStore.LaneKind.general, .brief] { rig.store.seal(kind) }
        rig.settle()
        let address = try #require(rig.values["key:50"]).address
        let file = try #require(rig.store.segments[address.slot]).file
        var byte = ByteBuffer()
        try file.read(at: address.offset + 200, count: 1, into: &byte)
        let flipped: [UInt8] = [byte.span[0] ^ 4]
        try file.write(flipped.span, at: address.offset + 200)
        rig.dropCache()
        #expect(rig.fetch("key:50") == nil)
        #expect(rig.store.statistics.checksumErrors == 1 && rig.store.statistics.segmentsQuarantined == 1)
        rig.remove("key:50")
        // The segment is emptied: what can be read moves, and its file goes.
        rig.wait { rig.store.statistics.recordsMoved == 99 }
        rig.wait { !FileManager.default.fileExists(atPath: file.path) }
        for index in 0..<100 where index != 50 { #expect(rig.fetch("key:\(index)") == bytes(500, index)) }
        rig.checkAccount()
    }

    @Test func reclaimGivesASecondChance() throws {
        let rig = try ColdStoreRig {
            $0.segmentByteCount = 64 << 10
            $0.chunkByteCount = 16 << 10
            $0.byteCountMax = 1 << 20
        }
        rig.keeps = { $0.hasSuffix("0") }
        var newest = 0
        for index in 0..<3000 {
            rig.put("key:\(index)", bytes(1000, index))
            newest = index
            if index % 20 == 0 { rig.settle() }
        }
        rig.settle()
        #expect(rig.store.statistics.segmentsReclaimed > 0 && rig.store.statistics.recordsMoved > 0)
        #expect(rig.store.diskByteCount <= 1 << 20)
        for key in rig.values.keys { #expect(rig.fetch(key) == bytes(1000, Int(key.dropFirst(4)) ?? -1)) }
        // Of the old ones there are those that deserve it.
        let old = rig.values.keys.compactMap { Int($0.dropFirst(4)) }.filter { $0 < newest - 1000 }
        #expect(!old.isEmpty && old.allSatisfy { $0 % 10 == 0 })
        rig.checkAccount()
    }

    @Test func deadBytesAreGivenBackThoughThereIsRoom() throws {
        let rig = try ColdStoreRig {
            $0.segmentByteCount = 64 << 10
            $0.chunkByteCount = 16 << 10
        }
        rig.keeps = { [unowned rig] _ in rig.store.sparesLiving }
        for index in 0..<3000 {
            rig.put("key:\(index)", bytes(1000, index))
            if index % 20 == 0 { rig.settle() }
        }
        let wholeByteCount = rig.store.diskByteCount
        // Two of three go, everywhere.
        for index in 0..<3000 where index % 3 != 0 { rig.remove("key:\(index)") }
        rig.settle()
        rig.wait { rig.store.diskByteCount < wholeByteCount / 2 && rig.store.isIdle && !rig.store.isReclaiming }
        // What is open counts too.
        #expect(rig.store.diskByteCount <= rig.store.liveByteCount * 5 / 4 + 2 * 64 << 10)
        #expect(rig.store.statistics.recordsDropped == 0 && rig.values.count == 1000)
        for index in 0..<3000 where index % 3 == 0 { #expect(rig.fetch("key:\(index)") == bytes(1000, index)) }
        rig.checkAccount()
    }

    @Test(arguments: [false, true])
    func everythingCanGoAtOnce(persists: Bool) throws {
        let rig = try ColdStoreRig { $0.persists = persists }
        for index in 0..<1000 { rig.put("key:\(index)", bytes(1000, index)) }
        rig.settle()
        rig.store.removeAll()
        rig.values = [:]
        rig.checkAccount()
        rig.put("fresh", [1, 2])
        rig.settle()
        #expect(rig.fetch("fresh") == [1, 2])
        rig.store.abandon()
        try rig.reopen()
        #expect(Set(rig.values.keys) == (persists ? ["fresh"] : []))
    }
}
