// SortElements.swift - the elements SORT works on: copies of their texts in one buffer, with a number or a text to sort
// by. Equal ones are told apart by their own text when sorted by numbers, and keep their order otherwise, so that the
// same data gives the same answer. Engine's turn only. Cost: O(n log n) compares, no allocation per element.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

struct SortElements: ~Copyable {
    private struct Item {
        let start: Int
        let count: Int
        var weight: Double = 0
        /// The text to sort by, in `weights`; without one the element comes first.
        var weightStart = -1
        var weightCount = 0
    }

    private var bytes = ByteBuffer()
    /// Texts that BY found.
    private var weights = ByteBuffer()
    private var items: [Item] = []
    /// Elements of the answer, in its order.
    private(set) var wanted: Range<Int> = 0..<0

    @_lifetime(borrow self)
    func text(_ index: Int) -> Span<UInt8> {
        bytes.span.extracting(items[index].start..<(items[index].start + items[index].count))
    }

    // MARK: loading

    /// Copies the elements of `entry`: all of them, or just those wanted when their order stays what it is.
    mutating func load(_ entry: Entry, _ options: SortOptions) {
        switch entry.objectType {
        case .list: load(list: entry.list, options)
        case .set:
            items.reserveCapacity(entry.memberCount)
            entry.forEachMember { add($0) }
        case .sortedSet: load(sortedSet: entry.sortedSet, options)
        case .string, .hash, .stream: break
        }
        if wanted.isEmpty { wanted = options.range(of: items.count) }
    }

    private mutating func load(list: ListView, _ options: SortOptions) {
        guard options.keepsOrder else {
            items.reserveCapacity(list.count)
            var cursor = list.cursor()
            while let element = cursor.next() { add(element) }
            return
        }
        let range = options.range(of: list.count)
        var cursor = list.cursor(
            from: options.isDescending ? list.count - 1 - range.lowerBound : range.lowerBound,
            isReversed: options.isDescending)
        var left = range.count
        while left > 0, let element = cursor.next() {
            add(element)
            left -= 1
        }
        wanted = 0..<items.count
    }

    private mutating func load(sortedSet: SortedSetView, _ options: SortOptions) {
        guard options.keepsOrder else {
            items.reserveCapacity(sortedSet.count)
            sortedSet.forEach(in: sortedSet.whole) { member, _ in add(member) }
            return
        }
        let count = sortedSet.count
        let range = options.range(of: count)
        let ranks = options.isDescending ? (count - range.upperBound)..<(count - range.lowerBound) : range
        let stretch = sortedSet.stretch(ranks)
        sortedSet.forEach(in: stretch, isReversed: options.isDescending) { member, _ in add(member) }
        wanted = 0..<items.count
    }

    private mutating func add(_ element: ListpackElement) {
        let start = bytes.count
        element.append(to: &bytes)
        items.append(Item(start: start, count: bytes.count - start))
    }

    // MARK: sorting

    mutating func sort(_ call: borrowing Call, _ options: SortOptions) throws(CommandError) {
        if options.isAlphabetic {
            // What is stored has one order everywhere; what is shown may have the reader's.
            let collates = options.destination == nil && !Collation.isBytewise
            if options.by == nil && !collates { return sortByText(isDescending: options.isDescending) }
            if options.by == nil { weighByThemselves() } else { findWeightTexts(call, options) }
            if collates { collateWeights() }
            sortByWeightText(isDescending: options.isDescending)
        } else {
            try findWeights(call, options)
            sortByWeight(isDescending: options.isDescending)
        }
    }

    private mutating func findWeights(_ call: borrowing Call, _ options: SortOptions) throws(CommandError) {
        var isNumeric = true
        for index in items.indices {
            var weight: Double?
            if let by = options.by {
                // What has no weight weighs nothing.
                if !call.withValue(of: by, for: text(index), { weight = DoubleText.parseWeight($0) }) { weight = 0 }
            } else {
                weight = DoubleText.parseWeight(text(index))
            }
            if let weight { items[index].weight = weight } else { isNumeric = false }
        }
        if !isNumeric { throw .message("ERR One or more scores can't be converted into double") }
    }

    private mutating func findWeightTexts(_ call: borrowing Call, _ options: SortOptions) {
        guard let by = options.by else { return }
        var found = ByteBuffer()
        for index in items.indices {
            let start = found.count
            guard call.withValue(of: by, for: text(index), { found.append($0) }) else { continue }
            items[index].weightStart = start
            items[index].weightCount = found.count - start
        }
        weights = found
    }

    private mutating func weighByThemselves() {
        var copies = ByteBuffer(capacity: bytes.count)
        copies.append(bytes.span)
        weights = copies
        for index in items.indices {
            items[index].weightStart = items[index].start
            items[index].weightCount = items[index].count
        }
    }

    /// Puts the keys of `locale-collate` in the place of the texts to sort by.
    private mutating func collateWeights() {
        var keys = ByteBuffer(capacity: weights.count * 2)
        for index in items.indices where items[index].weightStart >= 0 {
            let start = keys.count
            let end = items[index].weightStart + items[index].weightCount
            Collation.appendKey(of: weights.span.extracting(items[index].weightStart..<end), to: &keys)
            items[index].weightStart = start
            items[index].weightCount = keys.count - start
        }
        weights = keys
    }

    private mutating func sortByWeight(isDescending: Bool) {
        items = SortElements.sorted(items, by: bytes.span) { texts, left, right in
            if left.weight != right.weight { return (left.weight < right.weight) != isDescending }
            let order = SortElements.order(texts, left.start, left.count, right.start, right.count)
            return isDescending ? order > 0 : order < 0
        }
    }

    private mutating func sortByText(isDescending: Bool) {
        items = SortElements.sorted(items, by: bytes.span) { texts, left, right in
            let order = SortElements.order(texts, left.start, left.count, right.start, right.count)
            return isDescending ? order > 0 : order < 0
        }
    }

    private mutating func sortByWeightText(isDescending: Bool) {
        items = SortElements.sorted(items, by: weights.span) { texts, left, right in
            let order: Int
            if left.weightStart < 0 || right.weightStart < 0 {
                order = (left.weightStart < 0 ? 0 : 1) - (right.weightStart < 0 ? 0 : 1)
            } else {
                order = SortElements.order(
                    texts, left.weightStart, left.weightCount, right.weightStart, right.weightCount)
            }
            return isDescending ? order > 0 : order < 0
        }
    }

    private static func sorted(
        _ items: [Item], by texts: Span<UInt8>, _ isBefore: (Span<UInt8>, Item, Item) -> Bool
    ) -> [Item] {
        items.sorted { isBefore(texts, $0, $1) }
    }

    /// Negative when the first stretch comes before the second, byte by byte.
    private static func order(
        _ texts: Span<UInt8>, _ left: Int, _ leftCount: Int, _ right: Int, _ rightCount: Int
    ) -> Int {
        for index in 0..<min(leftCount, rightCount) {
            let difference = Int(texts[left + index]) - Int(texts[right + index])
            if difference != 0 { return difference }
        }
        return leftCount - rightCount
    }
}
