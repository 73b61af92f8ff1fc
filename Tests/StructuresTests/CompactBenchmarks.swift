// CompactBenchmarks.swift - nanoseconds per operation of the compact structures, for tuning by hand; off unless
// FOG_MICRO_BENCH is set: `FOG_MICRO_BENCH=1 swift test -c release --filter CompactBenchmarks`. Checks nothing beyond
// that the measured work was really done.
import Base
import CBits
import CLinux
import Structures
import Testing

private let isWanted = unsafe getenv("FOG_MICRO_BENCH") != nil

@Suite(.serialized, .enabled(if: isWanted)) struct CompactBenchmarks {
    /// Runs `body` (`operations` operations at a time) for a fifth of a second, five times; reports the best.
    private func measure(_ name: String, operations: Int, _ body: () -> Void) {
        var best = Double.infinity
        // So many at a time that reading the clock does not count.
        var batch = 1
        while true {
            let start = nanoseconds()
            for _ in 0..<batch { body() }
            if nanoseconds() - start > 100_000 { break }
            batch *= 2
        }
        for _ in 0..<5 {
            var rounds = 0
            let start = nanoseconds()
            var now = start
            while now - start < 40_000_000 {
                for _ in 0..<batch { body() }
                rounds += batch
                now = nanoseconds()
            }
            best = min(best, Double(now - start) / Double(rounds * operations))
        }
        let hundredths = Int(best * 100)
        let fraction = hundredths % 100
        let line = "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) ns  \(name)\n"
        unsafe write(2, line, line.utf8.count)
    }

    /// Of this thread's processor time: whoever else runs on the machine disturbs that least.
    private func nanoseconds() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
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

    @Test func quicklistEnds() {
        let text = [UInt8](repeating: 120, count: 16)
        for depth in [0, 1] {
            var list = Quicklist(compressDepth: depth)
            for _ in 0..<5000 { list.append(text.span) }
            measure("push first and pop last, depth \(depth)", operations: 1) {
                list.prepend(text.span)
                _ = list.popLast { _ in }
            }
            measure("push last and pop first, depth \(depth)", operations: 1) {
                list.append(text.span)
                _ = list.popFirst { _ in }
            }
            verify(list.count == 5000)
        }
        measure("push 10000 first, then free all", operations: 10_000) {
            var list = Quicklist()
            for _ in 0..<10_000 { list.prepend(text.span) }
            list.removeAll()
        }
        measure("push 10000 last, then free all", operations: 10_000) {
            var list = Quicklist()
            for _ in 0..<10_000 { list.append(text.span) }
            list.removeAll()
        }
    }

    @Test func quicklistReading() {
        for length in [3, 16, 100] {
            var list = Quicklist()
            for _ in 0..<5000 { list.append([UInt8](repeating: 120, count: length).span) }
            var output = ByteBuffer(capacity: 1 << 20)
            for count in [100, 600] {
                measure("LRANGE of \(count) elements of \(length) bytes, whole", operations: 1) {
                    output.truncate(to: 0)
                    var cursor = list.cursor(from: 0)
                    cursor.appendBulkStrings(limit: count, to: &output)
                }
            }
            var bytes = 0
            measure("cursor, one element of \(length) bytes", operations: 600) {
                var cursor = list.cursor(from: 0)
                for _ in 0..<600 {
                    if let element = cursor.next() { bytes &+= element.textByteCount }
                }
            }
            measure("index in the middle of 5000, \(length) bytes", operations: 1) {
                var cursor = list.cursor(from: 2500)
                if let element = cursor.next() { bytes &+= element.textByteCount }
            }
            verify(output.count > 0 && bytes > 0)
        }
    }

    @Test func intset() {
        for count in [10, 128, 512] {
            var set = Intset()
            for index in 0..<count { set.add(Int64(index &* 7919 % 30_011)) }
            var hits = 0
            measure("contains, \(count) members", operations: count) {
                for index in 0..<count where set.view.contains(Int64(index &* 7919 % 30_011)) { hits &+= 1 }
            }
            measure("add and remove, \(count) members", operations: 1) {
                set.add(15_000)
                set.remove(15_000)
            }
            verify(hits > 0)
        }
    }

    @Test func bitmaps() {
        var random = SeededRandom(seed: 1)
        for length in [16, 1000, 1 << 20] {
            let bytes = random.bytes(length)
            var total = 0
            measure("bit count of \(length) bytes", operations: 1) { total &+= Bitmap.count(bytes.span) }
            if length > 1000 {
                for kernel in 0..<4 as Range<Int32> {
                    unsafe bytes.withUnsafeBytes { buffer in
                        measure("bit count of \(length) bytes, kernel \(kernel)", operations: 1) {
                            let counted = unsafe fog_count_bits_by(kernel, buffer.baseAddress, length)
                            total &+= Int(truncatingIfNeeded: counted)
                        }
                    }
                }
            }
            let zeros = [UInt8](repeating: 0, count: length)
            measure("first set bit, none in \(length) bytes", operations: 1) {
                if Bitmap.firstBit(true, in: zeros.span, bits: 0..<8 * length) != nil { total = 0 }
            }
            verify(total != 0)
        }
        let sources = (0..<3).map { _ in random.bytes(1 << 20) }
        for operation in [.and, .xor, .one, .andor] as [BitmapOperation] {
            var total = 0
            measure("\(operation) of three times 1 MiB, one by one", operations: 1) {
                var combiner = BitmapCombiner(operation)
                for source in sources { combiner.add(source.span) }
                total &+= combiner.finish().count
            }
            let first = sources[0]
            let second = sources[1]
            let third = sources[2]
            unsafe first.withUnsafeBufferPointer { one in
                unsafe second.withUnsafeBufferPointer { two in
                    unsafe third.withUnsafeBufferPointer { three in
                        measure("\(operation) of three times 1 MiB, at once", operations: 1) {
                            unsafe total &+= BitmapCombiner.combine(operation, [one, two, three]).count
                        }
                    }
                }
            }
            verify(total != 0)
        }
    }
}
