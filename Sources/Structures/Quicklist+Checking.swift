// Quicklist+Checking.swift - the promises that the chain of a quicklist keeps, looked at one by one: for tests and for
// DEBUG. Reads everything, changes nothing. Cost: a walk over every entry.
internal import Base

extension Quicklist {
    /// What is wrong with the list, in words; nil when nothing is.
    package func firstInconsistency() -> String? {
        var elements = 0
        var nodes = 0
        var allocated = 0
        var previous: QuicklistNode?
        var node = head
        var scratch = ByteBuffer()
        while let current = node {
            if current.previous != previous { return "node \(nodes) does not point back to the one before" }
            if current.count == 0 { return "node \(nodes) is empty" }
            if !current.isCompressed && current.start + current.byteCount > current.capacity {
                return "node \(nodes) has more bytes than memory"
            }
            if current.isCompressed && (nodes < compressDepth || nodeCount - nodes <= compressDepth) {
                return "node \(nodes) of \(nodeCount) is compressed at depth \(compressDepth)"
            }
            if !current.isPlain {
                scratch.truncate(to: 0)
                current.appendBytes(to: &scratch)
                if !Listpack.validate(scratch.span) { return "node \(nodes) is not a listpack" }
                let count = ListpackView(scratch.span).walkedCount
                if count != current.count { return "node \(nodes) counts \(current.count), holds \(count)" }
            } else if current.count != 1 {
                return "plain node \(nodes) counts \(current.count)"
            }
            if isSpendthrift(current) { return "inner node \(nodes) has \(current.capacity) for \(current.byteCount)" }
            elements += current.count
            nodes += 1
            allocated += current.allocatedBytes
            previous = current
            node = current.next
        }
        if previous != tail { return "the tail is not the last node" }
        if elements != count { return "counts \(count) elements, holds \(elements)" }
        if nodes != nodeCount { return "counts \(nodeCount) nodes, holds \(nodes)" }
        if allocated != allocatedBytes { return "accounts \(allocatedBytes) bytes, holds \(allocated)" }
        return nil
    }

    private func isSpendthrift(_ node: QuicklistNode) -> Bool {
        if node.isCompressed || node.previous == nil || node.next == nil { return false }
        // A fifth is the widest step between the allocator's size classes.
        return node.capacity > 2 * node.byteCount + 512
    }

    /// How many nodes are compressed, and how many hold one plain element.
    package func nodeKinds() -> (compressed: Int, plain: Int) {
        var compressed = 0
        var plain = 0
        var node = head
        while let current = node {
            if current.isCompressed { compressed += 1 }
            if current.isPlain { plain += 1 }
            node = current.next
        }
        return (compressed, plain)
    }
}
