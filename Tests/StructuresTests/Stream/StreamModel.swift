// StreamModel.swift - a stream as plain arrays, and the real one beside it: what
// the stream tests compare. Every step is done to both; the model knows nothing of
// nodes.
import Base
import Testing
@testable import Structures

final class StreamModel {
    struct Entry: Equatable {
        var id: StreamID
        var pairs: [[UInt8]]
    }

    struct Delivery: Equatable {
        var time: Int64
        var count: UInt64
        var consumer: String
    }

    struct Group {
        var lastID: StreamID
        var pending: [StreamID: Delivery] = [:]
    }

    var log = StreamLog()
    var entries: [Entry] = []
    var groups: [String: Group] = [:]
    var maxDeletedID = StreamID.zero

    // MARK: Entries

    func append(_ id: StreamID, _ pairs: [[UInt8]], _ limits: StreamLog.Limits) {
        let count = pairs.count / 2
        var draft = log.beginEntry(
            id, pairCount: count, byteCount: pairs.reduce(0) { $0 + $1.count }, limits: limits)
        for index in 0..<count {
            let field = pairs[index * 2]
            log.offerField(field.span, &draft)
        }
        for index in 0..<count {
            let field = pairs[index * 2]
            let value = pairs[index * 2 + 1]
            log.addPair(field.span, value.span, &draft)
        }
        log.endEntry(draft)
        entries.append(Entry(id: id, pairs: pairs))
    }

    func delete(_ id: StreamID) -> Bool {
        let isThere = entries.contains { $0.id == id }
        entries.removeAll { $0.id == id }
        if isThere { maxDeletedID = max(maxDeletedID, id) }
        return log.delete(id) == isThere
    }

    static func read(_ entry: StreamEntry) -> Entry {
        var pairs: [[UInt8]] = []
        entry.forEachPair { field, value in
            pairs.append(text(field))
            pairs.append(text(value))
        }
        return Entry(id: entry.id, pairs: pairs)
    }

    private static func text(_ element: ListpackElement) -> [UInt8] {
        var buffer = ByteBuffer()
        element.append(to: &buffer)
        return (0..<buffer.count).map { buffer.span[$0] }
    }

    func collect(_ walk: StreamWalk, limit: Int = .max) -> [Entry] {
        var walk = walk
        var found: [Entry] = []
        while found.count < limit, let entry = walk.next() { found.append(StreamModel.read(entry)) }
        return found
    }

    // MARK: Groups

    func group(_ name: String) -> StreamGroup {
        let bytes = Array(name.utf8)
        if let group = log.group(named: bytes.span) { return group }
        groups[name] = Group(lastID: .zero)
        guard let group = log.createGroup(named: bytes.span, lastID: .zero) else {
            preconditionFailure("a group that is not there can be created")
        }
        return group
    }

    func consumer(_ name: String, in group: StreamGroup) -> StreamConsumer {
        let bytes = Array(name.utf8)
        if let consumer = group.consumer(named: bytes.span) { return consumer }
        guard let consumer = group.createConsumer(named: bytes.span, nowMilliseconds: 1) else {
            preconditionFailure("a consumer that is not there can be created")
        }
        return consumer
    }

    /// XREADGROUP with `>`: what the model says should come, and whether it did.
    func readNew(_ groupName: String, _ consumerName: String, count: Int, time: Int64) -> Bool {
        let group = group(groupName)
        let consumer = consumer(consumerName, in: group)
        let start = groups[groupName]?.lastID ?? .zero
        let expected = entries.filter { $0.id > start }.prefix(count)
        var walk = log.walk(above: group.lastID, group.bookmark)
        var found: [Entry] = []
        while found.count < count, let entry = walk.next() {
            found.append(StreamModel.read(entry))
            log.advance(group, to: entry.id)
            group.deliver(entry.id, to: consumer, nowMilliseconds: time)
        }
        if let last = found.last { group.bookmark = walk.bookmark(behind: last.id) }
        for entry in expected {
            groups[groupName]?.pending[entry.id] = Delivery(time: time, count: 1, consumer: consumerName)
            groups[groupName]?.lastID = entry.id
        }
        return found == Array(expected)
    }

    func isReferenced(_ id: StreamID) -> Bool {
        groups.values.contains { $0.lastID < id || $0.pending[id] != nil }
    }

    /// Compares everything; says what differs first.
    func difference() -> String? {
        if let fault = log.structuralFault() { return fault }
        if collect(log.walk(from: .zero, to: .max)) != entries { return "the entries differ" }
        if collect(log.walk(from: .zero, to: .max, isReversed: true)) != entries.reversed() {
            return "the entries differ backward"
        }
        if log.length != entries.count { return "length is \(log.length), not \(entries.count)" }
        if log.firstID != (entries.first?.id ?? .zero) { return "firstID differs" }
        if log.maxDeletedID != maxDeletedID { return "maxDeletedID differs" }
        for (name, model) in groups {
            if let difference = difference(group(name), model) { return difference }
        }
        return nil
    }

    private func difference(_ group: StreamGroup, _ model: Group) -> String? {
        if group.lastID != model.lastID { return "a group's lastID differs" }
        var seen: [StreamID] = []
        var cursor = group.pendingCursor()
        while let pending = cursor.next() {
            let name = pending.consumer.name.text
            let delivery = Delivery(
                time: pending.deliveryTimeMilliseconds, count: pending.deliveryCount, consumer: name)
            if model.pending[pending.id] != delivery { return "a delivery of \(pending.id) differs" }
            seen.append(pending.id)
        }
        if seen != model.pending.keys.sorted() { return "a pending list differs" }
        for consumer in group.consumers {
            var own: [StreamID] = []
            var cursor = group.pendingCursor(of: consumer)
            while let pending = cursor.next() { own.append(pending.id) }
            let name = consumer.name.text
            if own != model.pending.filter({ $0.value.consumer == name }).keys.sorted() {
                return "a consumer's pending list differs"
            }
        }
        return nil
    }
}
