// ColdPassTests.swift - a passage over all that is on disk: every record that is written and living is met, by both
// readers and with waiting, whatever goes meanwhile, however large it is, and whoever lies beside it.
import Foundation
import Testing

@testable import Base
@testable import ColdStore

struct ColdPassTests {
    /// Goes through everything; `change` is called now and then. What was met, by address.
    private func met(_ rig: ColdStoreRig, waits: Bool, _ change: (Int) -> Void = { _ in }) -> [ColdAddress: [UInt8]] {
        var found: [ColdAddress: [UInt8]] = [:]
        var count = 0
        var isOver = false
        let end = Clock().monotonicNanoseconds + 10_000_000_000
        while !isOver && Clock().monotonicNanoseconds < end {
            let result = rig.store.pass(waits: waits) { head, key, payload, address in
                #expect(head.type == 3)
                #expect(found[address] == nil)
                found[address] = payload.array
                count += 1
                return count % 37 != 0
            }
            change(count)
            switch result {
            case .over: isOver = true
            case .stopped: break
            case .waiting:
                Clock.sleep(nanoseconds: 50_000)
                rig.poll()
            }
        }
        #expect(isOver)
        return found
    }

    /// Values of every size up to several windows, in several segments.
    private func fill(_ rig: ColdStoreRig) {
        for index in 0..<1500 { #expect(rig.put("key:\(index)", bytes(index % 700, index))) }
        for index in 0..<4 { #expect(rig.put("large:\(index)", bytes(300_000 * (index + 1), index))) }
        for index in 1500..<2000 { #expect(rig.put("key:\(index)", bytes(index % 70, index))) }
    }

    @Test(arguments: readings, [false, true])
    func everythingOnDiskIsMet(reading: ColdOptions.Reading, waits: Bool) throws {
        let rig = try ColdStoreRig(reading) {
            $0.segmentByteCount = 2 << 20
            $0.inFlightByteCountMax = 64 << 20
        }
        fill(rig)
        rig.settle()
        rig.store.beginPass()
        let found = met(rig, waits: waits)
        #expect(rig.values.values.count { found[$0.address] != $0.bytes } == 0)
        #expect(found.count == rig.values.count)
        // Half a megabyte of small records, and four large ones, whose sizes are seen before they are read.
        let windows = rig.store.statistics.windowsRead
        #expect(windows >= 8 && windows <= 30)
        #expect(rig.store.statistics.readsFromDisk == 0)
    }

    @Test(arguments: readings)
    func whatGoesMeanwhileIsNotInTheWay(reading: ColdOptions.Reading) throws {
        let rig = try ColdStoreRig(reading) {
            $0.segmentByteCount = 128 << 10
            $0.inFlightByteCountMax = 64 << 20
        }
        for index in 0..<4000 { #expect(rig.put("key:\(index)", bytes(100, index))) }
        rig.settle()
        let kept = rig.values.filter { $0.key.hasSuffix("7") }
        rig.store.beginPass()
        let found = met(rig, waits: false) { count in
            // Segments die while they are read, and their places are taken by others.
            for index in count..<min(4000, count + 300) where index % 10 != 7 { rig.remove("key:\(index)") }
            for index in 0..<10 { rig.put("fresh:\(count + index)", bytes(100, index)) }
        }
        #expect(kept.values.count { found[$0.address] != $0.bytes } == 0)
        for (key, value) in rig.values where key.hasPrefix("key:") && !key.hasSuffix("7") {
            #expect(found[value.address] == nil || found[value.address] == value.bytes)
        }
        rig.checkAccount()
    }

    @Test func anotherPassageBeginsAnew() throws {
        let rig = try ColdStoreRig()
        for index in 0..<3000 { #expect(rig.put("key:\(index)", bytes(300, index))) }
        rig.settle()
        for turn in 0..<4 {
            rig.store.beginPass()
            // The read under way belongs to the passage that is given up, or is not waited for.
            _ = rig.store.pass(waits: false) { _, _, _, _ in false }
            if turn == 1 { rig.store.endPass() }
        }
        rig.store.beginPass()
        _ = rig.store.pass(waits: false) { _, _, _, _ in false }
        #expect(met(rig, waits: true).count == 3000)
        rig.store.removeAll()
        rig.store.beginPass()
        #expect(met(rig, waits: false).isEmpty)
    }

    @Test func oneThatIsWrongIsPassedOver() throws {
        let rig = try ColdStoreRig()
        for index in 0..<500 { #expect(rig.put("key:\(index)", bytes(200, index))) }
        rig.settle()
        let names = try FileManager.default.contentsOfDirectory(atPath: rig.directory)
        let name = try #require(names.first { $0.hasSuffix("segment") })
        let file = try #require(FileHandle(forUpdatingAtPath: "\(rig.directory)/\(name)"))
        let address = try #require(rig.values["key:77"]).address
        try file.seek(toOffset: UInt64(address.offset + 100))
        try file.write(contentsOf: Data([1, 2, 3]))
        rig.store.beginPass()
        let found = met(rig, waits: false)
        #expect(found.count == 499 && found[address] == nil)
        // A length that is wrong: what lies behind it is not met, and nothing else is lost.
        try file.seek(toOffset: UInt64(address.offset + 4))
        try file.write(contentsOf: Data([0xFF, 0xFF, 0xFF]))
        try file.close()
        rig.store.beginPass()
        #expect(met(rig, waits: false).count == 77)
        #expect(rig.store.segments.compactMap { $0?.isQuarantined }.allSatisfy { !$0 })
    }
}
