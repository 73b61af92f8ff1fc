// StreamLog+Shape.swift - what XINFO STREAM tells about a stream's inside. Stock servers keep the nodes in a radix tree
// and answer its size; ours is another tree, so the number that theirs would have is computed. Part of `StreamLog`,
// same owner and thread. Cost: one step per node (a hundred entries by default), nothing allocated.
internal import Base

extension StreamLog {
    /// Bytes of nodes and the tree over them: what adding and deleting entries changes. Groups are counted apart, so
    /// that a change of entries costs the same however many groups there are.
    package var entryBytes: Int { nodes.allocatedBytes + nodeBytes }

    /// Nodes of stock's radix tree over the same keys: XINFO's "radix-tree-nodes". A leaf per key, a node wherever keys
    /// part, and one more for every run of bytes between two of these.
    package var radixNodeCount: Int {
        var cursor = nodes.startCursor()
        guard var previous = cursor.next()?.id else { return 1 }
        var shape = RadixShape()
        while let id = cursor.next()?.id {
            shape.add(sharedByteCount: StreamLog.sharedByteCount(previous, id))
            previous = id
        }
        return shape.finish()
    }

    /// Leading bytes that two keys have in common, written as 128-bit big endian numbers.
    private static func sharedByteCount(_ left: StreamID, _ right: StreamID) -> Int {
        let milliseconds = left.milliseconds ^ right.milliseconds
        if milliseconds != 0 { return milliseconds.leadingZeroBitCount / 8 }
        return 8 + (left.sequence ^ right.sequence).leadingZeroBitCount / 8
    }
}

/// Counts a radix tree's nodes while its keys pass by in order.
private struct RadixShape {
    private static let keyByteCount = 16
    /// Bit d: on the way to the last key, keys part behind d bytes.
    private var branches: UInt32 = 0
    private var count = 1

    /// The next key, which shares so many bytes with the one before.
    mutating func add(sharedByteCount depth: Int) {
        let child = close(below: depth)
        if branches >> UInt32(depth) & 1 == 0 {
            branches |= 1 << UInt32(depth)
            count += 1
        }
        addRun(from: depth + 1, to: child)
        count += 1
    }

    mutating func finish() -> Int {
        let child = close(below: -1)
        addRun(from: 0, to: child)
        return count
    }

    /// Leaves the branches deeper than `depth` for good; where the lowest vertex that remains hangs.
    private mutating func close(below depth: Int) -> Int {
        var child = RadixShape.keyByteCount
        while branches != 0 {
            let top = 31 - branches.leadingZeroBitCount
            if top <= depth { break }
            addRun(from: top + 1, to: child)
            branches &= ~(1 << UInt32(top))
            child = top
        }
        return child
    }

    /// Bytes that all keys below share make one node, if there are any.
    private mutating func addRun(from start: Int, to end: Int) {
        if end > start { count += 1 }
    }
}
