// ClassMatcher.swift - which class a key belongs to. Patterns are filed under their literal prefixes, these sorted; a
// binary search finds the last prefix that is not behind the key, and every prefix of the key is that one or one of its
// own prefixes, which are linked. So a key costs a handful of comparisons however many classes there are, and a pattern
// that is more than a prefix and a star is matched only when the prefix fits. Flat arrays: a search touches no
// reference count. Pure.
internal import Base

struct ClassMatcher {
    /// A distinct literal prefix.
    private struct Node {
        let start: Int
        let count: Int
        /// The longest prefix that begins this one; -1 for none.
        var parent = -1
        /// Its classes in `order`.
        var classes = 0..<0
    }

    private struct Pattern {
        let start: Int
        let count: Int
        /// A prefix and a star: nothing is left to match.
        let isPrefix: Bool
    }

    private var bytes = ByteBox()
    private var nodes: [Node] = []
    private var order: [Int] = []
    private var patterns: [Pattern] = []

    /// Bytes of prefixes and patterns, one behind another.
    private struct ByteBox {
        var list: [UInt8] = []
        mutating func add(_ text: [UInt8]) -> Int {
            defer { list += text }
            return list.count
        }
    }

    init() {}

    /// `classes` in order of precedence; `find` answers an index into it.
    init(_ classes: [DataClass]) {
        var byPrefix: [[UInt8]: [Int]] = [:]
        for (index, item) in classes.enumerated() {
            let prefix = Array(item.pattern.prefix(Glob.literalPrefixCount(item.pattern.span)))
            byPrefix[prefix, default: []].append(index)
            let isPrefix = item.pattern.count == prefix.count + 1 && item.pattern.last == UInt8(ascii: "*")
            patterns.append(
                Pattern(start: bytes.add(item.pattern), count: item.pattern.count, isPrefix: isPrefix))
        }
        var open: [(index: Int, prefix: [UInt8])] = []
        for prefix in byPrefix.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            while let last = open.last, !prefix.starts(with: last.prefix) { open.removeLast() }
            let members = byPrefix[prefix] ?? []
            nodes.append(
                Node(
                    start: bytes.add(prefix), count: prefix.count, parent: open.last?.index ?? -1,
                    classes: order.count..<(order.count + members.count)))
            order += members
            open.append((nodes.count - 1, prefix))
        }
    }

    /// The first class that has the key; -1 for none. Cost: log2(prefixes) comparisons of bytes, and one match for
    /// each class of the key's prefixes whose pattern is more than a prefix.
    func find(_ key: Span<UInt8>) -> Int {
        var low = 0
        var high = nodes.count
        while low < high {
            let middle = (low + high) / 2
            if isBehind(nodes[middle], key) { high = middle } else { low = middle + 1 }
        }
        var node = low - 1
        while node >= 0, !isPrefix(nodes[node], of: key) { node = nodes[node].parent }
        var best = Int.max
        while node >= 0 {
            for position in nodes[node].classes {
                let candidate = order[position]
                if candidate > best { break }
                if has(candidate, key) {
                    best = candidate
                    break
                }
            }
            node = nodes[node].parent
        }
        return best == .max ? -1 : best
    }

    private func has(_ candidate: Int, _ key: Span<UInt8>) -> Bool {
        let pattern = patterns[candidate]
        if pattern.isPrefix { return true }
        let text = bytes.list.span.extracting(pattern.start..<(pattern.start + pattern.count))
        return Glob.matches(pattern: text, text: key)
    }

    private func isPrefix(_ node: Node, of key: Span<UInt8>) -> Bool {
        guard node.count <= key.count else { return false }
        for index in 0..<node.count where bytes.list[node.start + index] != key[index] { return false }
        return true
    }

    /// Whether the node's prefix sorts behind the key.
    private func isBehind(_ node: Node, _ key: Span<UInt8>) -> Bool {
        let shared = min(node.count, key.count)
        for index in 0..<shared {
            let byte = bytes.list[node.start + index]
            if byte != key[index] { return byte > key[index] }
        }
        return node.count > key.count
    }
}
