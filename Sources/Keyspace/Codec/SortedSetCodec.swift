// SortedSetCodec.swift - sorted sets as RDB values. A small set is written as its listpack (type 17), a large one as
// members and binary scores from the highest to the lowest (5), both as Redis 7.0 does; read in every form since Redis
// 1.2: text scores (3), binary ones (5), a ziplist (12), a listpack (17). What is read has no member twice, no score
// that is no number, and pairs only in order. Engine's turn only.
internal import Base
internal import Structures

enum SortedSetCodec {
    /// Members written between two looks at the sink.
    private static let chunkCount = 64

    static func typeCode(of entry: Entry) -> UInt8 {
        entry.hasHeldValue ? ValueCode.sortedSet2 : ValueCode.sortedSetListpack
    }

    /// `position.step` is 1 behind the head of a large set; the word then says how many members were written.
    static func append(_ entry: Entry, from position: inout ValuePosition, to sink: inout ValueSink) -> Bool {
        guard entry.hasHeldValue else {
            sink.append(string: entry.listpack.span)
            return true
        }
        let set = entry.sortedSet
        if position.step == 0 {
            sink.append(length: set.count)
            position.step = 1
        }
        var left = set.count - Int(position.word)
        while left > 0 {
            let start = max(0, left - chunkCount)
            set.forEach(in: set.stretch(start..<left), isReversed: true) { member, score in
                sink.append(element: member)
                sink.append(double: score)
            }
            position.word += UInt64(left - start)
            left = start
            if sink.isFull { return left == 0 }
        }
        return true
    }

    static func read(_ type: UInt8, from reader: inout ValueReader) throws(ValueError) -> DetachedValue {
        switch type {
        case ValueCode.sortedSetListpack: return try readPairs(&reader)
        case ValueCode.sortedSetZiplist: return try readZiplist(&reader)
        default: return try readMembers(&reader, scoresAreText: type == ValueCode.sortedSet)
        }
    }

    private static func readMembers(
        _ reader: inout ValueReader, scoresAreText: Bool
    ) throws(ValueError) -> DetachedValue {
        var tally = ScoreTally()
        var member = ByteBuffer()
        let count = try reader.length()
        for _ in 0..<count {
            try reader.string(into: &member)
            let score = scoresAreText ? try reader.textDouble() : try reader.double()
            if score.isNaN { throw .expected("a score that is a number") }
            tally.add(member.span, score: score) { $0 }
        }
        guard tally.count == count else { throw .expected("members of a sorted set, none of them twice") }
        return count == 0 ? .nothing : .sortedSet(tally.makeSet(reader.limits.sortedSet))
    }

    private static func readPairs(_ reader: inout ValueReader) throws(ValueError) -> DetachedValue {
        var bytes = ByteBuffer()
        try reader.string(into: &bytes)
        guard Listpack.validate(bytes.span, uniqueEach: 2, allowsEmpty: true),
            SortedSetDraft.validatePairs(ListpackView(bytes.span))
        else { throw .expected("a well-formed listpack of members and scores in order") }
        let pairs = Listpack(copying: ListpackView(bytes.span))
        if pairs.isEmpty { return .nothing }
        var draft = SortedSetDraft(pairs: pairs, reader.limits.sortedSet)
        draft.expect(draft.count)
        return .sortedSet(draft)
    }

    private static func readZiplist(_ reader: inout ValueReader) throws(ValueError) -> DetachedValue {
        var bytes = ByteBuffer()
        try reader.string(into: &bytes)
        guard Ziplist.validate(bytes.span, uniqueEach: 2) else {
            throw .expected("a well-formed ziplist of different members and scores")
        }
        var walk = ZiplistWalk(bytes.span)
        var tally = ScoreTally()
        while let member = walk.next() {
            var text = ByteBuffer()
            member.withText { text.append($0) }
            guard let element = walk.next() else { throw .expected("a score for every member") }
            let score = element.withText { DoubleText.parse($0) }
            guard let score else { throw .expected("a score that is a number") }
            tally.add(text.span, score: score) { $0 }
        }
        return tally.count == 0 ? .nothing : .sortedSet(tally.makeSet(reader.limits.sortedSet))
    }
}
