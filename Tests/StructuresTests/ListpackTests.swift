// ListpackTests.swift - the listpack against a plain array of byte arrays: random edits, and after each of them the
// bytes must validate and read back, forwards, backwards, by index and by search, as the model says. Each failure
// prints the seed of its run.
import Base
import Structures
import Testing

@Suite struct ListpackTests {
    /// Reads everything in every way and compares it with the model.
    private func check(_ list: borrowing Listpack, _ model: [[UInt8]], _ note: String) {
        verify(Listpack.validate(list.span), "\(note): the bytes do not validate")
        verify(list.count == model.count, "\(note)")
        verify(list.view.walkedCount == model.count, "\(note)")
        verify(list.isEmpty == model.isEmpty, "\(note)")
        verify(forward(list) == model, "\(note): forwards")
        var offset = list.view.endOffset
        var backward: [[UInt8]] = []
        while let element = list.view.previous(&offset) { backward.append(text(element)) }
        verify(backward == model.reversed(), "\(note): backwards")
    }

    private func forward(_ list: borrowing Listpack) -> [[UInt8]] {
        var offset = list.view.startOffset
        var found: [[UInt8]] = []
        while let element = list.view.next(&offset) {
            let text = text(element)
            verify(element.textByteCount == text.count)
            verify(element.equals(text.span))
            found.append(text)
        }
        return found
    }

    private func text(_ element: ListpackElement) -> [UInt8] {
        var output = ByteBuffer()
        element.append(to: &output)
        return output.array()
    }

    /// One random edit of both.
    private func edit(_ list: inout Listpack, _ model: inout [[UInt8]], _ random: inout SeededRandom) {
        let index = model.isEmpty ? 0 : random.below(model.count)
        let offset = list.view.offset(ofIndex: index) ?? list.view.endOffset
        switch random.below(12) {
        case 0...2:
            let element = random.element()
            list.append(element.span)
            model.append(element)
        case 3:
            let element = random.element()
            list.prepend(element.span)
            model.insert(element, at: 0)
        case 4:
            let element = random.element()
            list.insert(element.span, at: offset)
            model.insert(element, at: index)
        case 5:
            let value = random.integer()
            list.insert(value, at: offset)
            model.insert(Array(String(value).utf8), at: index)
        case 6...7 where !model.isEmpty:
            let element = random.element()
            list.replace(at: offset, with: element.span)
            model[index] = element
        case 8 where !model.isEmpty:
            let value = random.integer()
            list.replace(at: offset, with: value)
            model[index] = Array(String(value).utf8)
        case 9...10 where !model.isEmpty:
            list.remove(at: offset)
            model.remove(at: index)
        case 11:
            removeRun(&list, &model, &random)
        default: break
        }
    }

    private func removeRun(_ list: inout Listpack, _ model: inout [[UInt8]], _ random: inout SeededRandom) {
        let limit = random.below(5)
        let index = random.below(model.count + 2)
        let fromEnd = index < model.count && random.chance(50)
        let removed = list.removeRange(index: fromEnd ? index - model.count : index, count: limit)
        guard index < model.count else {
            verify(removed == 0)
            return
        }
        let end = min(model.count, index + limit)
        verify(removed == end - index)
        model.removeSubrange(index..<end)
    }

    @Test(arguments: TestSeeds.make(12))
    func editsMatchTheModel(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var list = Listpack()
        var model: [[UInt8]] = []
        check(list, model, "seed \(seed)")
        for step in 0..<200 {
            edit(&list, &model, &random)
            if step % 4 == 0 || step > 190 { check(list, model, "seed \(seed), step \(step)") }
        }
    }

    @Test(arguments: TestSeeds.make(6))
    func editsInLentMemoryMatchTheModelUntilTheyMoveOut(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let room = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
        defer { unsafe room.deallocate() }
        unsafe room.initialize(repeating: 0xaa, count: 256)
        let start = Listpack()
        let startBytes = start.span.array()
        for index in startBytes.indices { unsafe room[index] = startBytes[index] }
        var list = unsafe Listpack(
            adopting: ByteBuffer(borrowing: room, count: startBytes.count, capacity: 200))
        var model: [[UInt8]] = []
        var moved = false
        for step in 0..<60 {
            edit(&list, &model, &random)
            check(list, model, "seed \(seed), step \(step)")
            for index in 200..<256 { verify(unsafe room[index] == 0xaa, "seed \(seed): wrote beyond the loan") }
            if list.byteCount > 200 { moved = true }
        }
        let final = list.span.array()
        let buffer = list.take()
        verify(buffer.array() == final)
        if moved { verify(buffer.ownsMemory, "seed \(seed)") }
    }

    @Test(arguments: TestSeeds.make(12))
    func searchingMatchesTheModel(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var list = Listpack()
        var model: [[UInt8]] = []
        for _ in 0..<random.below(150) + 1 {
            let element = random.element(lengthMax: 70)
            list.append(element.span)
            model.append(element)
        }
        for trial in 0..<60 {
            let needle = random.chance(70) ? model[random.below(model.count)] : random.element()
            let skip = random.below(3)
            let first = random.below(model.count)
            let found = list.view.offset(ofIndex: first).flatMap {
                list.view.find(needle.span, from: $0, skip: skip)
            }
            let expected = stride(from: first, to: model.count, by: skip + 1).first { model[$0] == needle }
            verify(found == expected.flatMap { list.view.offset(ofIndex: $0) }, "seed \(seed), trial \(trial)")
            checkMatches(list, model, needle, &random)
        }
        verify(list.view.offset(ofIndex: model.count) == nil)
        verify(list.view.offset(ofIndex: -model.count - 1) == nil)
        verify(list.view.offset(ofIndex: .min) == nil)
        verify(list.view.offset(ofIndex: .max) == nil)
        for index in model.indices {
            verify(list.view.offset(ofIndex: index) == list.view.offset(ofIndex: index - model.count))
        }
    }

    private func checkMatches(
        _ list: borrowing Listpack, _ model: [[UInt8]], _ needle: [UInt8], _ random: inout SeededRandom
    ) {
        let fromTail = random.chance(50)
        let comparesMax = random.chance(50) ? Int.max : random.below(model.count + 2)
        let wanted = random.below(4) + 1
        var found: [Int] = []
        list.view.forEachMatch(of: needle.span, fromTail: fromTail, comparesMax: comparesMax) { index, offset in
            verify(list.view.offset(ofIndex: index) == offset, "seed \(random.seed)")
            found.append(index)
            return found.count < wanted
        }
        let order = fromTail ? Array(model.indices.reversed()) : Array(model.indices)
        let expected = order.prefix(comparesMax).filter { model[$0] == needle }.prefix(wanted)
        verify(found == Array(expected), "seed \(random.seed)")
    }

    @Test(arguments: TestSeeds.make(12))
    func wholesaleEditsMatchTheModel(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var list = Listpack()
        var model: [[UInt8]] = []
        for step in 0..<40 {
            var other = Listpack()
            for _ in 0..<random.below(8) {
                let element = random.element()
                other.append(element.span)
            }
            let added = forward(other)
            let index = random.below(model.count + 1)
            switch random.below(4) {
            case 0:
                list.append(contentsOf: other.view)
                model += added
            case 1:
                list.insert(contentsOf: other.view, at: list.view.offset(ofIndex: index) ?? list.view.endOffset)
                model.insert(contentsOf: added, at: index)
            case 2:
                let kept = model.indices.filter { _ in random.chance(80) }
                let dropped = model.indices.filter { !kept.contains($0) }
                let offsets = dropped.compactMap { list.view.offset(ofIndex: $0) }
                list.removeEntries(at: offsets.span)
                model = kept.map { model[$0] }
            default:
                removeMatches(&list, &model, &random)
            }
            check(list, model, "seed \(seed), step \(step)")
        }
        list.removeAll()
        check(list, [], "seed \(seed)")
    }

    private func removeMatches(_ list: inout Listpack, _ model: inout [[UInt8]], _ random: inout SeededRandom) {
        guard !model.isEmpty else { return }
        let needle = model[random.below(model.count)]
        let limit = random.chance(30) ? Int.max : random.below(4)
        let fromTail = random.chance(50)
        let removed = list.removeMatches(of: needle.span, fromTail: fromTail, limit: limit)
        let matches = model.indices.filter { model[$0] == needle }
        let gone = fromTail ? Array(matches.reversed().prefix(limit)) : Array(matches.prefix(limit))
        verify(removed == gone.count, "seed \(random.seed)")
        model = model.indices.filter { !gone.contains($0) }.map { model[$0] }
    }

    @Test(arguments: TestSeeds.make(8))
    func bulkStringsMatchTheModel(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var list = Listpack()
        let model = (0..<random.below(60) + 1).map { _ in random.element() }
        for element in model { list.append(element.span) }
        for _ in 0..<30 {
            let first = random.below(model.count)
            let limit = random.chance(20) ? Int.max : random.below(model.count + 3)
            let stride = random.below(3) + 1
            var output = ByteBuffer()
            var offset = list.view.offset(ofIndex: first) ?? 0
            let written = list.view.appendBulkStrings(from: &offset, limit: limit, stride: stride, to: &output)
            let indices = Array(Swift.stride(from: first, to: model.count, by: stride).prefix(limit))
            verify(written == indices.count, "seed \(seed)")
            verify(output.array() == indices.flatMap { bulkString(model[$0]) }, "seed \(seed)")
            let stop = limit == 0 ? first : min(model.count, first + indices.count * stride)
            verify(offset == list.view.offset(ofIndex: stop) ?? list.view.endOffset, "seed \(seed)")

            var back = ByteBuffer()
            var before = list.view.offset(ofIndex: first) ?? 0
            let backward = list.view.appendBulkStrings(before: &before, limit: limit, to: &back)
            let reversed = Array(model[..<first].reversed().prefix(limit))
            verify(backward == reversed.count, "seed \(seed)")
            verify(back.array() == reversed.flatMap { bulkString($0) }, "seed \(seed)")
        }
    }

    @Test(arguments: TestSeeds.make(6))
    func pickingGroupsIsFairAndInOrder(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var list = Listpack()
        for index in 0..<20 {
            list.append(Int64(index))
            list.append(Array("value \(index)".utf8).span)
        }
        var hits = [Int](repeating: 0, count: 20)
        for _ in 0..<2000 {
            var picked: [Int] = []
            list.view.pickGroups(5, stride: 2, below: { random.below($0) }) { offset in
                picked.append(Int(list.view.element(at: offset).integerValue ?? -1))
            }
            verify(picked.count == 5 && picked == picked.sorted() && Set(picked).count == 5, "seed \(seed)")
            for index in picked { hits[index] += 1 }
        }
        // 500 expected for each, deviation 19: seven deviations do not happen by chance.
        verify(hits.allSatisfy { $0 > 360 && $0 < 640 }, "seed \(seed): \(hits)")
        var all: [Int] = []
        list.view.pickGroups(.max, stride: 2, below: { random.below($0) }) { all.append($0) }
        var offsets: [Int32] = []
        list.view.appendOffsets(stride: 2, to: &offsets)
        verify(all == offsets.map(Int.init) && all.count == 20, "seed \(seed)")
    }

    @Test func countsBeyondTheFieldAreWalked() {
        var list = Listpack()
        for index in 0..<65_540 { list.append(Int64(index % 100)) }
        verify(list.count == 65_540)
        verify(list.view.offset(ofIndex: 65_539) == list.view.offset(ofIndex: -1))
        verify(list.view.offset(ofIndex: 65_540) == nil)
        verify(Listpack.validate(list.span))
        verify(list.removeRange(index: 0, count: 10) == 10)
        verify(list.count == 65_530)
        verify(Listpack.validate(list.span))
        list.append(5)
        verify(list.count == 65_531)
    }

    @Test func sizesAreEstimatedAsTheyWillBe() {
        for value in [0, 127, 128, -1, 4095, -4096, 32767, -32768, 8_388_607, 1 << 31, .min, .max] as [Int64] {
            var list = Listpack()
            for _ in 0..<9 { list.append(value) }
            verify(list.byteCount == Listpack.estimateBytes(value, repeats: 9))
        }
        verify(Listpack.estimateBytes(1, repeats: .max) == .max)
        verify(Listpack().hasRoom(for: 1000))
        verify(!Listpack().hasRoom(for: 1 << 30))
        verify(!Listpack().hasRoom(for: .max))
        verify(!Listpack().hasRoom(for: -1))
    }
}
