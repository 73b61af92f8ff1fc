// CompactBenchmarks.swift - nanoseconds per operation of the compact structures, for tuning by hand; off unless
// FOG_MICRO_BENCH is set: `FOG_MICRO_BENCH=1 swift test -c release --filter CompactBenchmarks`. Checks nothing beyond
// that the measured work was really done.
import Base
import CLinux
import Structures
import Testing

private let isWanted = unsafe getenv("FOG_MICRO_BENCH") != nil

@Suite(.serialized, .enabled(if: isWanted)) struct CompactBenchmarks {
    /// Runs `body` (`operations` operations at a time) for a fifth of a second, five times; reports the best.
    private func measure(_ name: String, operations: Int, _ body: () -> Void) {
        var best = Double.infinity
        for _ in 0..<5 {
            var rounds = 0
            let start = nanoseconds()
            var now = start
            while now - start < 40_000_000 {
                for _ in 0..<8 { body() }
                rounds += 8
                now = nanoseconds()
            }
            best = min(best, Double(now - start) / Double(rounds * operations))
        }
        let hundredths = Int(best * 100)
        let fraction = hundredths % 100
        let line = "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) ns  \(name)\n"
        unsafe write(2, line, line.utf8.count)
    }

    private func nanoseconds() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private func names(_ count: Int) -> [[UInt8]] { (0..<count).map { Array("field:\($0)".utf8) } }

    @Test func listpackAppend() {
        for count in [10, 32, 128] {
            let fields = names(count)
            var total = 0
            measure("append text, \(count) elements", operations: count) {
                var list = Listpack(adopting: emptyBuffer(count * 16))
                for field in fields { list.append(field.span) }
                total &+= list.byteCount
            }
            measure("append integer, \(count) elements", operations: count) {
                var list = Listpack(adopting: emptyBuffer(count * 16))
                for index in 0..<count { list.append(Int64(index &* 77)) }
                total &+= list.byteCount
            }
            verify(total > 0)
        }
    }

    private func emptyBuffer(_ capacity: Int) -> ByteBuffer {
        var buffer = ByteBuffer(capacity: capacity)
        Listpack.appendEmpty(to: &buffer)
        return buffer
    }

    @Test func listpackFind() {
        for count in [10, 32, 128] {
            let fields = names(count)
            var hash = Listpack()
            for field in fields {
                hash.append(field.span)
                hash.append(Array("some value \(field.count)".utf8).span)
            }
            var hits = 0
            measure("find field (average place), \(count) fields", operations: count) {
                for field in fields where hash.view.find(field.span, skip: 1) != nil { hits &+= 1 }
            }
            let missing = Array("field:x".utf8)
            measure("find field that is missing, \(count) fields", operations: 1) {
                if hash.view.find(missing.span, skip: 1) != nil { hits &-= 1 }
            }
            let word = Array("another".utf8)
            measure("find member that is missing, \(2 * count) members", operations: 1) {
                if hash.view.find(word.span) != nil { hits &-= 1 }
            }
            verify(hits > 0)
        }
    }

    @Test func listpackBulk() {
        for length in [3, 16, 60, 200] {
            var list = Listpack()
            for _ in 0..<100 { list.append([UInt8](repeating: 120, count: length).span) }
            var output = ByteBuffer(capacity: 1 << 20)
            measure("bulk string of \(length) bytes", operations: 100) {
                output.truncate(to: 0)
                var offset = list.view.startOffset
                list.view.appendBulkStrings(from: &offset, limit: 100, to: &output)
            }
            measure("bulk string of \(length) bytes, backwards", operations: 100) {
                output.truncate(to: 0)
                var offset = list.view.endOffset
                list.view.appendBulkStrings(before: &offset, limit: 100, to: &output)
            }
            measure("element value of \(length) bytes, one by one", operations: 100) {
                output.truncate(to: 0)
                var offset = list.view.startOffset
                while let element = list.view.next(&offset) {
                    output.append("$")
                    output.append(decimal: element.textByteCount)
                    output.append("\r\n")
                    element.append(to: &output)
                    output.append("\r\n")
                }
            }
            verify(output.count > 0)
        }
    }
}
