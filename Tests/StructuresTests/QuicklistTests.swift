// QuicklistTests.swift - the quicklist against a plain array of byte arrays: random pushes, pops, inserts, replacements
// and removals under several node limits and compression depths; after them chain, accounts, compression and contents
// must be right. Serialised, because one test sets the process-wide debug threshold. Failures print the seed.
import Base
import Structures
import Testing

@Suite(.serialized) struct QuicklistTests {
    static let shapes: [(fill: Int, depth: Int)] = [
        (-2, 0), (-1, 1), (-5, 2), (1, 0), (3, 1), (16, 0), (16, 2), (128, 3), (0, 1), (-1, 0),
    ]

    private struct Pair: ~Copyable {
        var list: Quicklist
        var model: [[UInt8]] = []
        var random: SeededRandom
        let note: String
        /// Below this, edits that would remove many elements are left out, so that lists grow.
        let sizeMin: Int

        init(seed: UInt64, fill: Int, depth: Int, sizeMin: Int = 0) {
            list = Quicklist(limits: ListLimits(fill: fill), compressDepth: depth)
            random = SeededRandom(seed: seed)
            note = "seed \(seed), fill \(fill), depth \(depth)"
            self.sizeMin = sizeMin
        }
    }

    private func text(_ element: ListpackElement) -> [UInt8] {
        var output = ByteBuffer()
        element.append(to: &output)
        return output.array()
    }

    private func contents(_ list: borrowing Quicklist, from index: Int = 0, isReversed: Bool = false) -> [[UInt8]] {
        var found: [[UInt8]] = []
        var cursor = list.cursor(from: index, isReversed: isReversed)
        while let element = cursor.next() { found.append(text(element)) }
        return found
    }

    private func check(_ pair: borrowing Pair, _ step: Int) {
        let wrong = pair.list.firstInconsistency()
        verify(wrong == nil, "\(pair.note), step \(step): \(wrong ?? "")")
        verify(pair.list.count == pair.model.count, "\(pair.note), step \(step)")
        verify(contents(pair.list) == pair.model, "\(pair.note), step \(step)")
    }

    private func element(_ random: inout SeededRandom) -> [UInt8] {
        if random.chance(3) { return [UInt8](repeating: UInt8(97 + random.below(3)), count: random.below(20_000)) }
        return random.element(lengthMax: 120)
    }

    private func edit(_ pair: inout Pair, _ step: Int) {
        let text = element(&pair.random)
        let size = pair.model.count
        let index = size == 0 ? 0 : pair.random.below(size)
        let signed = pair.random.chance(50) ? index : index - size
        switch pair.random.below(20) {
        case 0...3:
            pair.list.append(text.span)
            pair.model.append(text)
        case 4...7:
            pair.list.prepend(text.span)
            pair.model.insert(text, at: 0)
        case 8...9: popFirst(&pair)
        case 10...11: popLast(&pair)
        case 12...15:
            let place = pair.random.below(size + 1)
            verify(pair.list.insert(text.span, at: place), pair.note)
            pair.model.insert(text, at: place)
        case 16...17 where size > 0:
            verify(pair.list.replace(at: signed, with: text.span), pair.note)
            pair.model[index] = text
        case 18 where size > pair.sizeMin:
            let limit = pair.random.below(pair.random.chance(10) ? size + 2 : 6)
            let removed = pair.list.removeRange(index: size == 0 ? index : signed, count: limit)
            let gone = pair.model[index...].prefix(limit).count
            verify(removed == gone, "\(pair.note), step \(step)")
            pair.model.removeSubrange(index..<index + gone)
        case 19 where size > 0: removeMatches(&pair, step)
        default: break
        }
    }

    private func popFirst(_ pair: inout Pair) {
        var popped: [UInt8]?
        let isPopped = pair.list.popFirst { popped = text($0) }
        verify(isPopped == !pair.model.isEmpty && popped == pair.model.first, pair.note)
        if isPopped { pair.model.removeFirst() }
    }

    private func popLast(_ pair: inout Pair) {
        var popped: [UInt8]?
        let isPopped = pair.list.popLast { popped = text($0) }
        verify(isPopped == !pair.model.isEmpty && popped == pair.model.last, pair.note)
        if isPopped { pair.model.removeLast() }
    }

    private func removeMatches(_ pair: inout Pair, _ step: Int) {
        let needle = pair.model[pair.random.below(pair.model.count)]
        let limit = pair.random.chance(30) ? Int.max : pair.random.below(4)
        let fromTail = pair.random.chance(50)
        let removed = pair.list.removeMatches(of: needle.span, fromTail: fromTail, limit: limit)
        let matches = pair.model.indices.filter { pair.model[$0] == needle }
        let gone = Set(fromTail ? Array(matches.reversed().prefix(limit)) : Array(matches.prefix(limit)))
        verify(removed == gone.count, "\(pair.note), step \(step)")
        pair.model = pair.model.indices.filter { !gone.contains($0) }.map { pair.model[$0] }
    }

    @Test(arguments: TestSeeds.make(4), shapes)
    func editsMatchTheModel(seed: UInt64, shape: (fill: Int, depth: Int)) {
        var pair = Pair(seed: seed, fill: shape.fill, depth: shape.depth, sizeMin: 60)
        for step in 0..<400 {
            edit(&pair, step)
            if step % 8 == 0 { check(pair, step) }
        }
        check(pair, 400)
        checkReading(&pair)
        let copy = pair.list.duplicate()
        verify(copy.firstInconsistency() == nil && contents(copy) == pair.model, pair.note)
        while !pair.model.isEmpty {
            if pair.random.chance(50) { popFirst(&pair) } else { popLast(&pair) }
        }
        check(pair, -1)
        verify(pair.list.nodeCount == 0 && pair.list.allocatedBytes == 0, pair.note)
        verify(contents(copy).count == copy.count)
    }

    private func checkReading(_ pair: inout Pair) {
        let size = pair.model.count
        verify(contents(pair.list, from: size).isEmpty, pair.note)
        verify(contents(pair.list, from: -size - 1).isEmpty, pair.note)
        verify(contents(pair.list, from: .min).isEmpty && contents(pair.list, from: .max).isEmpty, pair.note)
        guard size > 0 else { return }
        for _ in 0..<30 {
            let index = pair.random.below(size)
            let signed = pair.random.chance(50) ? index : index - size
            verify(contents(pair.list, from: signed) == Array(pair.model[index...]), pair.note)
            let reversed = Array(pair.model[...index].reversed())
            verify(contents(pair.list, from: signed, isReversed: true) == reversed, pair.note)
            checkBulk(&pair, from: index)
            checkMatches(&pair)
        }
    }

    private func checkBulk(_ pair: inout Pair, from index: Int) {
        let limit = pair.random.chance(30) ? Int.max : pair.random.below(pair.model.count + 2)
        let isReversed = pair.random.chance(50)
        var output = ByteBuffer()
        var cursor = pair.list.cursor(from: index, isReversed: isReversed)
        // In two pieces, as a large reply is written.
        let first = min(limit, 7)
        var written = cursor.appendBulkStrings(limit: first, to: &output)
        written += cursor.appendBulkStrings(limit: limit - first, to: &output)
        let source = isReversed ? Array(pair.model[...index].reversed()) : Array(pair.model[index...])
        let expected = source.prefix(limit)
        verify(written == expected.count, pair.note)
        verify(output.array() == expected.flatMap { bulkString($0) }, pair.note)
    }

    private func checkMatches(_ pair: inout Pair) {
        let needle = pair.model[pair.random.below(pair.model.count)]
        let fromTail = pair.random.chance(50)
        let comparesMax = pair.random.chance(50) ? Int.max : pair.random.below(pair.model.count)
        let wanted = pair.random.below(3) + 1
        var found: [Int] = []
        pair.list.forEachMatch(of: needle.span, fromTail: fromTail, comparesMax: comparesMax) { index in
            found.append(index)
            return found.count < wanted
        }
        let order = fromTail ? Array(pair.model.indices.reversed()) : Array(pair.model.indices)
        let expected = order.prefix(comparesMax).filter { pair.model[$0] == needle }.prefix(wanted)
        verify(found == Array(expected), pair.note)
    }

    @Test(arguments: TestSeeds.make(3), shapes)
    func queuesKeepTheirMemoryBounded(seed: UInt64, shape: (fill: Int, depth: Int)) {
        var pair = Pair(seed: seed, fill: shape.fill, depth: shape.depth)
        for step in 0..<3000 {
            let text = Array("job number \(step)".utf8)
            switch seed % 3 {
            case 0: pair.list.prepend(text.span); pair.model.insert(text, at: 0)
            case 1: pair.list.append(text.span); pair.model.append(text)
            default:
                if step % 2 == 0 { pair.list.prepend(text.span); pair.model.insert(text, at: 0) } else {
                    pair.list.append(text.span)
                    pair.model.append(text)
                }
            }
            if pair.model.count > 300 {
                if pair.random.chance(50) { popFirst(&pair) } else { popLast(&pair) }
            }
            if step % 500 == 0 { check(pair, step) }
        }
        check(pair, 3000)
        // 300 elements of 17 bytes; two end nodes may be half empty, headers and size classes come on top.
        let perNode = 48 + 64
        let bound = 300 * 20 * 2 + pair.list.nodeCount * perNode + 2 * 8192
        verify(pair.list.allocatedBytes <= bound, "\(pair.note): \(pair.list.allocatedBytes)")
    }

    @Test(arguments: TestSeeds.make(4), shapes)
    func detachedRangesHoldWholeNodes(seed: UInt64, shape: (fill: Int, depth: Int)) {
        var pair = Pair(seed: seed, fill: shape.fill, depth: shape.depth)
        for _ in 0..<500 {
            let text = element(&pair.random)
            pair.list.append(text.span)
            pair.model.append(text)
        }
        while !pair.model.isEmpty {
            let index = pair.random.below(pair.model.count)
            let limit = pair.random.below(200) + 1
            var garbage = pair.list.detachRange(index: index, count: limit)
            pair.model.removeSubrange(index..<min(pair.model.count, index + limit))
            check(pair, index)
            verify(garbage.firstInconsistency() == nil && garbage.count <= limit, pair.note)
            while !garbage.removeSome(3) { verify(!garbage.isEmpty, pair.note) }
            verify(garbage.allocatedBytes == 0 && garbage.nodeCount == 0, pair.note)
        }
    }

    @Test func innerNodesAreCompressedAndOuterAreNot() {
        for depth in 1...3 {
            var list = Quicklist(limits: ListLimits(fill: 32), compressDepth: depth)
            for index in 0..<1000 {
                let text = Array("hello hello hello hello number \(index)".utf8)
                if index % 3 == 0 { list.prepend(text.span) } else { list.append(text.span) }
            }
            verify(list.nodeKinds().compressed == list.nodeCount - 2 * depth, "depth \(depth)")
            verify(list.firstInconsistency() == nil)
            var raw = Quicklist(limits: ListLimits(fill: 32))
            list.forEachNode { isPlain, bytes in
                verify(!isPlain && Listpack.validate(bytes))
                raw.appendNode(listpack: ListpackView(bytes))
            }
            verify(contents(raw) == contents(list))
            verify(raw.allocatedBytes > list.allocatedBytes * 2, "compression saves memory")
            verify(list.removeRange(index: 100, count: 800) == 800)
            verify(list.firstInconsistency() == nil)
        }
    }

    @Test func formsConvertAsRedisDoes() {
        let limits = ListLimits(fill: 128)
        verify(!limits.listpackMustConvert(byteCount: 500, count: 127, addedByteCount: 3, addedCount: 1))
        verify(limits.listpackMustConvert(byteCount: 500, count: 128, addedByteCount: 3, addedCount: 1))
        verify(limits.listpackMustConvert(byteCount: 8190, count: 5, addedByteCount: 3, addedCount: 1))
        verify(limits.listpackMustConvert(byteCount: 8190, count: 5, addedByteCount: .max, addedCount: .max))
        verify(ListLimits.standard.listpackMustConvert(byteCount: 8190, count: 5, addedByteCount: 3, addedCount: 1))
        verify(!ListLimits.standard.listpackMustConvert(byteCount: 8190, count: 5, addedByteCount: 2, addedCount: 1))
        var small = Listpack()
        for index in 0..<128 { small.append(Int64(index)) }
        var list = Quicklist(listpack: small.view, limits: limits)
        verify(list.soleListpack(isShrinking: false) != nil)
        verify(list.soleListpack(isShrinking: true) == nil)
        list.append(Array("x".utf8).span)
        verify(list.nodeCount == 2 && list.soleListpack(isShrinking: false) == nil)
        verify(list.removeRange(index: 64, count: 65) == 65)
        verify(list.nodeCount == 1)
        if let back = list.soleListpack(isShrinking: true) {
            verify(Listpack(copying: back).count == 64)
        } else {
            verify(false, "half of the limit is small enough")
        }
        list.removeAll()
        verify(list.isEmpty && list.soleListpack(isShrinking: false) == nil)
    }

    @Test(arguments: TestSeeds.make(4))
    func theDebugThresholdMakesElementsPlain(seed: UInt64) {
        ListLimits.packedThreshold = 30
        defer { ListLimits.packedThreshold = 0 }
        for shape in QuicklistTests.shapes {
            var pair = Pair(seed: seed, fill: shape.fill, depth: shape.depth, sizeMin: 30)
            for step in 0..<200 {
                edit(&pair, step)
                if step % 8 == 0 { check(pair, step) }
            }
            checkReading(&pair)
            if pair.model.contains(where: { $0.count >= 30 }) { verify(pair.list.nodeKinds().plain > 0, pair.note) }
        }
    }
}
