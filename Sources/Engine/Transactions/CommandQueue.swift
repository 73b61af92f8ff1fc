// CommandQueue.swift - command lines that outlive the buffer they were read from: what MULTI queues until EXEC. All
// words of a queue lie in one buffer, so that queueing a command allocates nothing once the buffers have grown.
// Under the turn.
internal import Base
internal import RESP

struct CommandQueue: ~Copyable {
    private struct Item {
        let slot: Int32
        let wordCount: Int32
        let firstWord: Int
        let firstByte: Int
    }

    private var items: [Item] = []
    private var lengths: [Int] = []
    private var bytes = ByteBuffer()

    var count: Int { items.count }

    /// Memory that the queued words take.
    var byteCount: Int {
        bytes.count + items.count * MemoryLayout<Item>.stride + lengths.count * MemoryLayout<Int>.stride
    }

    /// Keeps a copy of a command line.
    mutating func append(_ arguments: borrowing Arguments, slot: Int) {
        items.append(
            Item(
                slot: Int32(truncatingIfNeeded: slot), wordCount: Int32(truncatingIfNeeded: arguments.count),
                firstWord: lengths.count, firstByte: bytes.count))
        for index in 0..<arguments.count {
            bytes.append(arguments[index])
            lengths.append(arguments[index].count)
        }
    }

    /// Forgets the commands; small buffers stay for the next transaction.
    mutating func removeAll() {
        let isSmall = byteCount <= CommandQueue.keptByteCount
        items.removeAll(keepingCapacity: isSmall)
        lengths.removeAll(keepingCapacity: isSmall)
        bytes.removeAll(keepingCapacity: CommandQueue.keptByteCount)
    }

    private static let keptByteCount = 16 << 10

    /// Calls `body` with slot and words of every command from `first` on in order, until it answers false.
    func forEach(from first: Int, _ body: (Int, Arguments) -> Bool) {
        let widest = items[first...].reduce(1) { max($0, Int($1.wordCount)) }
        let slices = UnsafeMutablePointer<ArgumentSlice>.allocate(capacity: widest)
        defer { unsafe slices.deallocate() }
        for item in items[first...] {
            var offset = item.firstByte
            for word in 0..<Int(item.wordCount) {
                let length = lengths[item.firstWord + word]
                unsafe (slices + word).initialize(
                    to: ArgumentSlice(base: UnsafePointer(bytes.pointer) + offset, count: length))
                offset += length
            }
            let words = unsafe Arguments(unchecked: slices, count: Int(item.wordCount))
            if !body(Int(item.slot), words) { return }
        }
    }
}
