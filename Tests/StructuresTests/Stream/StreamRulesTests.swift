// StreamRulesTests.swift - rules that are written down by example: how identifiers are read and
// counted up, how far behind a group is said to be (the sequences of Redis' own bug reports), and what
// makes a stored stream refused.
import Base
import Testing
@testable import Structures

struct StreamRulesTests {
    private static func parse(_ text: String, missing: UInt64 = 7) -> StreamID? {
        let bytes = Array(text.utf8)
        return StreamID(parsing: bytes.span, missingSequence: missing)
    }

    @Test func readsIdentifiers() {
        #expect(Self.parse("1-2") == StreamID(1, 2) && Self.parse("5") == StreamID(5, 7))
        #expect(Self.parse("18446744073709551615-18446744073709551615") == .max)
        #expect(Self.parse("007-01") == StreamID(7, 1) && Self.parse("+3-0") == StreamID(3, 0))
        for text in ["", "-", "+", "-1", "1-", "a", "1-a", "1--", "18446744073709551616", "1-*", "1-2-3", "*"] {
            #expect(Self.parse(text) == nil, "\(text)")
        }
        #expect(Self.parse(String(repeating: "0", count: 128)) == nil)
        let low = Array("-".utf8)
        let high = Array("+".utf8)
        #expect(StreamID(parsingBound: low.span, missingSequence: 0) == .zero)
        #expect(StreamID(parsingBound: high.span, missingSequence: 0) == .max)
        let open = Array("12-*".utf8)
        #expect(StreamID.request(parsing: open.span) == .anySequence(milliseconds: 12))
        #expect(StreamID.max.next == nil && StreamID.zero.previous == nil)
        #expect(StreamID(4, .max).next == StreamID(5, 0) && StreamID(5, 0).previous == StreamID(4, .max))
        #expect(StreamID.generated(after: StreamID(10, 3), nowMilliseconds: 9) == StreamID(10, 4))
        #expect(StreamID.generated(after: StreamID(10, 3), nowMilliseconds: 11) == StreamID(11, 0))
        #expect(StreamID.generated(after: .max, nowMilliseconds: 0) == nil)
    }

    @Test(arguments: [
        StreamID.zero, .max, StreamID(1_526_919_030_474, 55), StreamID(1 << 63, 9), StreamID(9, .max - 1),
    ])
    func printsIdentifiers(id: StreamID) {
        var buffer = ByteBuffer()
        id.append(to: &buffer)
        let text = buffer.span.text
        #expect(text == "\(id.milliseconds)-\(id.sequence)" && id.textByteCount == buffer.count)
    }

    private static func filled(_ count: Int) -> StreamModel {
        let model = StreamModel()
        let pairs = [Array("data".utf8), Array("x".utf8)]
        for step in 1...count { model.append(StreamID(UInt64(step), 0), pairs, .init()) }
        return model
    }

    /// redis/redis issue 13957: a group behind a trimmed stream is recounted.
    @Test func lagAfterTrimming() {
        let model = Self.filled(5)
        _ = model.readNew("g", "c", count: 1, time: 0)
        let group = model.group("g")
        #expect(model.log.lag(of: group) == 4 && group.entriesRead == 1)
        _ = model.log.trim(.length(1), isApproximate: false, limit: 0)
        model.entries.removeFirst(4)
        #expect(model.log.lag(of: group) == 1 && group.entriesRead == 1)
        _ = model.readNew("g", "c", count: 1, time: 0)
        #expect(model.log.lag(of: group) == 0 && group.entriesRead == 5)
    }

    /// redis/redis issue 13337: a tombstone ahead of the group makes the count unknown until it is passed.
    @Test func lagWithTombstones() {
        let model = Self.filled(4)
        _ = model.readNew("g", "c", count: 2, time: 0)
        let group = model.group("g")
        #expect(model.log.lag(of: group) == 2)
        _ = model.delete(StreamID(3, 0))
        #expect(model.log.lag(of: group) == nil)
        _ = model.readNew("g", "c", count: 2, time: 0)
        #expect(model.log.lag(of: group) == 0 && group.entriesRead == 4)
        for step in 1...4 { _ = model.delete(StreamID(UInt64(step), 0)) }
        #expect(model.log.lag(of: group) == 0)
    }

    @Test func lagOfUntouchedAndUnknown() {
        let empty = StreamModel()
        let fresh = empty.group("g")
        #expect(empty.log.lag(of: fresh) == 0)
        let model = Self.filled(6)
        let name = Array("late".utf8)
        guard let late = model.log.createGroup(named: name.span, lastID: StreamID(3, 0)) else {
            Issue.record("the group is new")
            return
        }
        #expect(model.log.lag(of: late) == nil && model.log.createGroup(named: name.span, lastID: .zero) == nil)
        late.lastID = StreamID(6, 0)
        #expect(model.log.lag(of: late) == 0)
        late.lastID = StreamID(9, 0)
        #expect(model.log.lag(of: late) == nil)
        // A count from a forged file must not trap.
        late.entriesRead = .min
        late.lastID = StreamID(5, 0)
        #expect(model.log.lag(of: late) != nil)
        late.entriesRead = .max
        model.log.advance(late, to: StreamID(6, 0))
        #expect(late.lastID == StreamID(6, 0))
    }

    @Test func storedStreamsAreCheckedAsAWhole() {
        let model = Self.filled(250)
        var stored: [(StreamID, [UInt8])] = []
        model.log.forEachNode { key, bytes in stored.append((key, (0..<bytes.count).map { bytes[$0] })) }
        #expect(stored.count == 3)
        func load(_ nodes: [(StreamID, [UInt8])], length: UInt64, last: StreamID, added: UInt64? = nil) -> Bool {
            var log = StreamLog()
            for (key, bytes) in nodes where !log.loadNode(key: key, bytes.span) { return false }
            guard log.finishLoading(length: length, lastID: last, entriesAdded: added) else { return false }
            verify(log.structuralFault() == nil)
            verify(model.collect(log.walk(from: .zero, to: .max)) == Array(model.entries.prefix(Int(length))))
            return true
        }
        #expect(load(stored, length: 250, last: StreamID(250, 0)))
        #expect(load(stored, length: 250, last: StreamID(900, 0), added: 1000))
        #expect(load([], length: 0, last: StreamID(3, 3)))
        #expect(!load(stored, length: 249, last: StreamID(250, 0)))
        #expect(!load(stored, length: 250, last: StreamID(249, 9)))
        #expect(!load(stored, length: 250, last: StreamID(250, 0), added: 249))
        #expect(!load(stored.reversed(), length: 250, last: StreamID(250, 0)))
        #expect(!load([stored[0], stored[0]], length: 200, last: StreamID(250, 0)))
        // Differences that wrap below the node's own key.
        #expect(!load([(.max, stored[0].1)], length: 100, last: .max))
    }

    @Test func storedPendingListsAreCheckedAsAWhole() {
        let model = StreamModel()
        let group = model.group("g")
        #expect(group.loadPending(StreamID(1, 0), timeMilliseconds: 5, count: 2))
        #expect(!group.loadPending(StreamID(1, 0), timeMilliseconds: 5, count: 2))
        #expect(group.loadPending(StreamID(2, 0), timeMilliseconds: 6, count: 1))
        let first = model.consumer("a", in: group)
        let second = model.consumer("b", in: group)
        #expect(group.loadOwner(of: StreamID(1, 0), first) && !group.loadOwner(of: StreamID(1, 0), second))
        #expect(!group.loadOwner(of: StreamID(3, 0), second) && !group.finishLoading())
        // An entry without an owner is never handed out, and never stops anything.
        #expect(group.pending(StreamID(2, 0)) == nil && group.acknowledge(StreamID(2, 0)))
        #expect(group.finishLoading() && group.pending(StreamID(1, 0))?.deliveryCount == 2)
    }

    /// XAUTOCLAIM gives entries away while it walks the list, which must not move under it.
    @Test func cursorsOutliveANewOwner() {
        for count in 1...130 as ClosedRange<UInt64> {
            var log = StreamLog()
            let name = Array("g".utf8)
            let other = Array("h".utf8)
            guard let group = log.createGroup(named: name.span, lastID: .zero),
                let first = group.createConsumer(named: name.span, nowMilliseconds: 0),
                let second = group.createConsumer(named: other.span, nowMilliseconds: 0)
            else {
                Issue.record("a group and its consumers can be made")
                return
            }
            for number in 1...count { group.deliver(StreamID(number, 0), to: first, nowMilliseconds: 1) }
            var cursor = group.pendingCursor()
            var seen: UInt64 = 0
            while let pending = cursor.next() {
                seen += 1
                #expect(pending.id == StreamID(seen, 0))
                group.assign(pending.id, to: second, timeMilliseconds: 2, count: 2)
            }
            #expect(seen == count && second.pendingCount == Int(count) && first.pendingCount == 0)
            #expect(group.structuralFault() == nil)
        }
    }
}
