// PatternIndex.swift - which patterns a channel's name may match, without looking at all of them. A pattern is filed
// under the bytes that every match begins with, or under those that every match ends with, whichever are more; a name
// is then looked up once for each length that such bytes have. Ten thousand patterns of the same build cost a PUBLISH
// two or three lookups. Patterns fixed at neither end ("*a*") are always candidates. Whoever asks checks candidates
// with `Glob`. Pure; under the turn.
internal import Base

package struct PatternIndex {
    private var prefixes = EdgeIndex(isAtEnd: false)
    private var suffixes = EdgeIndex(isAtEnd: true)
    /// Patterns fixed at neither end.
    private var others: [Int] = []
    package private(set) var count = 0

    package init() {}

    package var isEmpty: Bool { @inline(__always) get { count == 0 } }

    package mutating func insert(_ pattern: Span<UInt8>, number: Int) {
        count += 1
        switch PatternIndex.edge(of: pattern) {
        case .prefix(let length): prefixes.insert(pattern.extracting(0..<length), number: number)
        case .suffix(let length):
            suffixes.insert(pattern.extracting((pattern.count - length)..<pattern.count), number: number)
        case .none: others.append(number)
        }
    }

    package mutating func remove(_ pattern: Span<UInt8>, number: Int) {
        count -= 1
        switch PatternIndex.edge(of: pattern) {
        case .prefix(let length): prefixes.remove(pattern.extracting(0..<length), number: number)
        case .suffix(let length):
            suffixes.remove(pattern.extracting((pattern.count - length)..<pattern.count), number: number)
        case .none: others.removeAll { $0 == number }
        }
    }

    /// Appends the numbers of all patterns that may match `name`, each once. Allocates only when `candidates` grows.
    package func appendCandidates(for name: Span<UInt8>, to candidates: inout [Int]) {
        prefixes.appendCandidates(for: name, to: &candidates)
        suffixes.appendCandidates(for: name, to: &candidates)
        for number in others { candidates.append(number) }
    }

    private enum Edge {
        case prefix(Int)
        case suffix(Int)
        case none
    }

    private static func edge(of pattern: Span<UInt8>) -> Edge {
        let prefix = Glob.literalPrefixCount(pattern)
        if prefix == pattern.count { return prefix == 0 ? .none : .prefix(prefix) }
        let suffix = literalSuffixCount(pattern)
        if prefix >= suffix { return prefix == 0 ? .none : .prefix(prefix) }
        return .suffix(suffix)
    }

    /// How many bytes every match ends with. Classes and escapes give other bytes their meaning from the left, so a
    /// pattern that has any is not looked at from its end.
    private static func literalSuffixCount(_ pattern: Span<UInt8>) -> Int {
        var count = 0
        for index in 0..<pattern.count {
            switch pattern[index] {
            case UInt8(ascii: "["), UInt8(ascii: "\\"): return 0
            case UInt8(ascii: "*"), UInt8(ascii: "?"): count = 0
            default: count += 1
            }
        }
        return count
    }
}

/// Patterns by the bytes at one end of their matches.
private struct EdgeIndex {
    private let isAtEnd: Bool
    private var edges = NameTable()
    /// Patterns by the number of their edge.
    private var patterns: [[Int]] = []
    /// Lengths that edges have, ascending, each with the number of edges that have it.
    private var lengths: [(length: Int, edgeCount: Int)] = []

    init(isAtEnd: Bool) { self.isAtEnd = isAtEnd }

    mutating func insert(_ edge: Span<UInt8>, number: Int) {
        let (place, isNew) = edges.insert(edge, hash: NameTable.hash(edge))
        if isNew {
            if place == patterns.count { patterns.append([]) }
            add(length: edge.count)
        }
        patterns[place].append(number)
    }

    mutating func remove(_ edge: Span<UInt8>, number: Int) {
        guard let place = edges.find(edge, hash: NameTable.hash(edge)) else { return }
        patterns[place].removeAll { $0 == number }
        guard patterns[place].isEmpty else { return }
        edges.remove(place)
        if edges.isEmpty { patterns = [] }
        remove(length: edge.count)
    }

    func appendCandidates(for name: Span<UInt8>, to candidates: inout [Int]) {
        for index in 0..<lengths.count {
            let length = lengths[index].length
            if length > name.count { return }
            let start = isAtEnd ? name.count - length : 0
            let edge = name.extracting(start..<(start + length))
            guard let place = edges.find(edge, hash: NameTable.hash(edge)) else { continue }
            for number in patterns[place] { candidates.append(number) }
        }
    }

    private mutating func add(length: Int) {
        let index = lengths.firstIndex { $0.length >= length } ?? lengths.count
        if index < lengths.count && lengths[index].length == length {
            lengths[index].edgeCount += 1
        } else {
            lengths.insert((length, 1), at: index)
        }
    }

    private mutating func remove(length: Int) {
        guard let index = lengths.firstIndex(where: { $0.length == length }) else { return }
        lengths[index].edgeCount -= 1
        if lengths[index].edgeCount == 0 { lengths.remove(at: index) }
    }
}
