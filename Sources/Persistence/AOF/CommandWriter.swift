// CommandWriter.swift - a snapshot as commands instead of an RDB file: the base of an append only file when
// `aof-use-rdb-preamble` is off. It takes the records of the snapshot's pieces apart again, value by value, in a
// keyspace of its own, and spells what makes each. A value is whole in memory while it is spelled, which an RDB base
// never needs: the price of the option. Only the thread that writes the file.
internal import Base
internal import Keyspace
internal import Structures

struct CommandWriter: ~Copyable {
    /// Elements of one command: so a huge value never becomes one huge command.
    private static let elementsMax = 64

    /// Commands that can be written to the file; the caller takes them by `takeOutput`.
    private(set) var output = ByteBuffer()
    private var keyspace = Keyspace(databaseCount: 1)
    private var database = -1
    private var expiry: Int64?
    /// The key of the record under way.
    private var key: [UInt8] = []

    init(facts: RDBFacts, second: Int64?) {
        if let second {
            output.append("#TS:")
            output.append(decimal: Int(second))
            output.append("\r\n")
        }
        for source in facts.functions {
            begin(3)
            add("FUNCTION")
            add("LOAD")
            output.append(bulkString: source.span)
        }
    }

    mutating func takeOutput() -> ByteBuffer {
        var taken = ByteBuffer()
        Swift.swap(&taken, &output)
        return taken
    }

    /// Spells the next record. What it reads was written by this process a moment ago, so it cannot be wrong.
    mutating func take(from reader: inout ValueReader) throws(ValueError) {
        let code = try reader.byte()
        switch code {
        case ValueCode.selectDatabase:
            let number = try reader.length()
            guard number != database else { return }
            database = number
            begin(2)
            add("SELECT")
            add(Int64(number))
        case ValueCode.expiryMilliseconds: expiry = Int64(bitPattern: try reader.littleEndian())
        default:
            var text = ByteBuffer()
            try reader.string(into: &text)
            let key = text.span.array
            self.key = key
            let value = try ValueCodec.read(code, from: &reader)
            let hash = keyspace[0].table.hash(key.span)
            guard keyspace.place(value, at: key.span, hash: hash, in: 0, slot: nil, expiry: nil),
                let slot = keyspace[0].table.find(key.span, hash: hash)
            else { throw .expected("a value") }
            spell(slot.entry)
            if let expiry {
                begin(3)
                add("PEXPIREAT")
                addKey()
                add(expiry)
            }
            expiry = nil
            keyspace.remove(slot, hash: hash, in: 0)
            keyspace.garbage.take().freeAll()
        }
    }

    private mutating func spell(_ entry: Entry) {
        switch entry.objectType {
        case .string:
            begin(3)
            add("SET")
            addKey()
            var text = ByteBuffer()
            entry.withStringBytes { text.append($0) }
            output.append(bulkString: text.span)
        case .list: spellList(entry)
        case .set: spellSet(entry)
        case .hash: spellHash(entry)
        case .sortedSet: spellSortedSet(entry)
        case .stream: spellStream(entry.stream)
        }
    }

    // MARK: words

    private mutating func begin(_ count: Int) {
        output.append("*")
        output.append(decimal: count)
        output.append("\r\n")
    }

    private mutating func add(_ word: StaticString) {
        output.append("$")
        output.append(decimal: word.utf8CodeUnitCount)
        output.append("\r\n")
        output.append(word)
        output.append("\r\n")
    }

    private mutating func add(_ number: Int64) {
        output.append("$")
        output.append(decimal: IntegerText.byteCount(of: number))
        output.append("\r\n")
        output.append(decimal: Int(number))
        output.append("\r\n")
    }

    private mutating func add(_ id: StreamID) {
        var text = ByteBuffer()
        id.append(to: &text)
        output.append(bulkString: text.span)
    }

    private mutating func addKey() {
        let key = key
        output.append(bulkString: key.span)
    }

    /// Commands `name key ...`, each with as many of `count` elements of `wordCount` words as one may have: `begin` is
    /// called before every element.
    private struct Batches {
        let name: StaticString
        let wordCount: Int
        var left: Int
        var inCommand = 0
    }

    private mutating func next(_ batches: inout Batches) {
        if batches.inCommand == 0 {
            batches.inCommand = min(batches.left, CommandWriter.elementsMax)
            begin(2 + batches.inCommand * batches.wordCount)
            add(batches.name)
            addKey()
        }
        batches.inCommand -= 1
        batches.left -= 1
    }

    // MARK: collections

    private mutating func spellList(_ entry: Entry) {
        let list = entry.list
        var batches = Batches(name: "RPUSH", wordCount: 1, left: list.count)
        var cursor = list.cursor()
        var text = ByteBuffer()
        while let element = cursor.next() {
            text.truncate(to: 0)
            element.append(to: &text)
            next(&batches)
            output.append(bulkString: text.span)
        }
    }

    private mutating func spellSet(_ entry: Entry) {
        // Counted first: a set's own count and its visit must agree in what one command is told to hold.
        var count = 0
        entry.forEachMember { _ in count += 1 }
        var batches = Batches(name: "SADD", wordCount: 1, left: count)
        entry.forEachMember { member in
            next(&batches)
            member.withText { output.append(bulkString: $0) }
        }
    }

    private mutating func spellSortedSet(_ entry: Entry) {
        let view = entry.sortedSet
        var batches = Batches(name: "ZADD", wordCount: 2, left: view.count)
        var text = ByteBuffer()
        view.forEach(in: view.whole) { member, score in
            next(&batches)
            text.truncate(to: 0)
            DoubleText.append(score, to: &text)
            output.append(bulkString: text.span)
            member.withText { output.append(bulkString: $0) }
        }
    }

    private mutating func spellHash(_ entry: Entry) {
        var count = 0
        entry.forEachField(now: .min) { _, _, _ in count += 1 }
        var batches = Batches(name: "HMSET", wordCount: 2, left: count)
        entry.forEachField(now: .min) { field, value, _ in
            next(&batches)
            field.withText { output.append(bulkString: $0) }
            value.withText { output.append(bulkString: $0) }
        }
        entry.forEachField(now: .min) { field, _, time in
            guard let time else { return }
            begin(6)
            add("HPEXPIREAT")
            addKey()
            add(time)
            add("FIELDS")
            add(1)
            field.withText { output.append(bulkString: $0) }
        }
    }

    // MARK: streams

    private mutating func spellStream(_ stream: borrowing StreamLog) {
        var walk = stream.walk(from: .zero, to: .max)
        while let entry = walk.next() {
            var words = ByteBuffer()
            var count = 0
            var text = ByteBuffer()
            entry.forEachPair { field, value in
                text.truncate(to: 0)
                field.append(to: &text)
                words.append(bulkString: text.span)
                text.truncate(to: 0)
                value.append(to: &text)
                words.append(bulkString: text.span)
                count += 2
            }
            begin(3 + count)
            add("XADD")
            addKey()
            add(entry.id)
            output.append(words.span)
        }
        if stream.length == 0 { spellEmptyStream() }
        begin(7)
        add("XSETID")
        addKey()
        add(stream.lastID)
        add("ENTRIESADDED")
        add(Int64(clamping: stream.entriesAdded))
        add("MAXDELETEDID")
        add(stream.maxDeletedID)
        for group in stream.groups { spell(group) }
    }

    /// A stream without entries is made by adding one that is not kept.
    private mutating func spellEmptyStream() {
        begin(7)
        add("XADD")
        addKey()
        add("MAXLEN")
        add(0)
        add(StreamID(0, 1))
        add("x")
        add("y")
    }

    private mutating func spell(_ group: StreamGroup) {
        begin(7)
        add("XGROUP")
        add("CREATE")
        addKey()
        output.append(bulkString: group.name)
        add(group.lastID)
        add("ENTRIESREAD")
        add(group.entriesRead)
        for consumer in group.consumers {
            begin(5)
            add("XGROUP")
            add("CREATECONSUMER")
            addKey()
            output.append(bulkString: group.name)
            output.append(bulkString: consumer.name)
        }
        var cursor = group.pendingCursor()
        while let pending = cursor.next() {
            begin(12)
            add("XCLAIM")
            addKey()
            output.append(bulkString: group.name)
            output.append(bulkString: pending.consumer.name)
            add(0)
            add(pending.id)
            add("TIME")
            add(pending.deliveryTimeMilliseconds)
            add("RETRYCOUNT")
            add(Int64(clamping: pending.deliveryCount))
            add("JUSTID")
            add("FORCE")
        }
    }
}
