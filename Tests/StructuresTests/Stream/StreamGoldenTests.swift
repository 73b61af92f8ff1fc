// StreamGoldenTests.swift - streams that a stock Redis 7.0.15 built from the same commands, frozen as
// FNV-1a hashes of the nodes and counters inside `DUMP`: 300 XADDs with two sets of fields, an XDEL of
// every 17th, an exact XTRIM.
import Base
import Testing
@testable import Structures

struct StreamGoldenTests {
    private static func hex(_ bytes: Span<UInt8>, _ text: inout ByteBuffer) {
        let digits = Array("0123456789abcdef".utf8)
        for index in 0..<bytes.count {
            text.append(digits[Int(bytes[index] >> 4)])
            text.append(digits[Int(bytes[index] & 15)])
        }
    }

    private static func description(_ log: borrowing StreamLog) -> ByteBuffer {
        var text = ByteBuffer()
        var nodes: [(StreamID, [UInt8])] = []
        log.forEachNode { key, bytes in nodes.append((key, (0..<bytes.count).map { bytes[$0] })) }
        for (key, bytes) in nodes {
            key.append(to: &text)
            text.append("=")
            hex(bytes.span, &text)
            text.append(" ")
        }
        text.append("len=\(log.length) last=\(log.lastID.milliseconds)-\(log.lastID.sequence)")
        text.append(" first=\(log.firstID.milliseconds)-\(log.firstID.sequence)")
        text.append(" maxdel=\(log.maxDeletedID.milliseconds)-\(log.maxDeletedID.sequence) added=\(log.entriesAdded)")
        return text
    }

    @Test(arguments: [
        (4096, 100, 32, UInt64(0xcee3_5fcd_f976_b51c)), (300, 0, 32, 0x9c6c_27a9_1699_7bda),
        (0, 7, 32, 0x48b6_8f0e_17bc_cf34),
    ])
    func nodesAreStockBytes(bytesMax: Int, entriesMax: Int, trimmed: Int, expected: UInt64) {
        let model = StreamModel()
        let limits = StreamLog.Limits(nodeBytesMax: bytesMax, nodeEntriesMax: entriesMax)
        for step in 0..<300 {
            let id = StreamID(UInt64(1000 + 3 * step), UInt64(step % 2))
            let pairs = step % 10 == 9
                ? ["n\(step % 3)", "", "\(-step * step * step * 1000)", String(repeating: "x", count: step / 2)]
                : ["sensor", "\(step)", "value", "v\(step)"]
            model.append(id, pairs.map { Array($0.utf8) }, limits)
        }
        for step in stride(from: 0, to: 300, by: 17) {
            verify(model.delete(StreamID(UInt64(1000 + 3 * step), UInt64(step % 2))))
        }
        let removed = model.log.trim(.length(250), isApproximate: false, limit: 0)
        let text = StreamGoldenTests.description(model.log)
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for index in 0..<text.count { hash = (hash ^ UInt64(text.span[index])) &* 0x0000_0100_0000_01b3 }
        #expect(removed == trimmed && hash == expected)
    }
}
