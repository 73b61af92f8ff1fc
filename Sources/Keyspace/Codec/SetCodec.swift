// SetCodec.swift - sets as RDB values. Written as an intset (type 11) or as their members (2), which Redis 7.0 reads
// both; a set in a listpack has a form of its own (20) only since 7.2, so it is read and not written. Engine's turn
// only.
internal import Base
internal import Structures

enum SetCodec {
    static func typeCode(of entry: Entry) -> UInt8 {
        entry.collectionEncoding == .intset ? ValueCode.setIntset : ValueCode.set
    }

    /// `position.step` is 1 behind the head; the word then is the cursor of a table's next members.
    static func append(_ entry: Entry, from position: inout ValuePosition, to sink: inout ValueSink) -> Bool {
        switch entry.collectionEncoding {
        case .intset: sink.append(string: entry.intset.span)
        case .listpack:
            let view = entry.listpack
            sink.append(length: view.count)
            var offset = view.startOffset
            while let member = view.next(&offset) { sink.append(element: member) }
        case .table: return appendTable(entry, from: &position, to: &sink)
        }
        return true
    }

    private static func appendTable(
        _ entry: Entry, from position: inout ValuePosition, to sink: inout ValueSink
    ) -> Bool {
        if position.step == 0 {
            sink.append(length: entry.members.count)
            position.step = 1
        }
        repeat {
            if sink.isFull { return false }
            position.word = entry.members.scan(cursor: position.word) { member in sink.append(string: member.key) }
        } while position.word != 0
        return true
    }

    static func read(_ type: UInt8, from reader: inout ValueReader) throws(ValueError) -> DetachedValue {
        let limits = reader.limits.set
        if type == ValueCode.set { return try readMembers(&reader, limits) }
        var bytes = ByteBuffer()
        try reader.string(into: &bytes)
        if type == ValueCode.setIntset {
            guard let intset = Intset(validating: bytes.span) else { throw .expected("a well-formed intset") }
            return intset.isEmpty ? .nothing : .set(SetBuilder(intset, limits: limits))
        }
        guard Listpack.validate(bytes.span, uniqueEach: 1, allowsEmpty: true) else {
            throw .expected("a well-formed listpack of members")
        }
        let listpack = Listpack(adopting: bytes)
        return listpack.isEmpty ? .nothing : .set(SetBuilder(listpack, limits: limits))
    }

    private static func readMembers(
        _ reader: inout ValueReader, _ limits: SetLimits
    ) throws(ValueError) -> DetachedValue {
        let count = try reader.length()
        // As stock servers do: more members than an intset has places for make a table whatever they are.
        var set = SetBuilder(limits: limits, encoding: count > limits.intsetCountMax ? .table : .intset)
        for _ in 0..<count {
            guard try reader.withString({ member in set.add(member) }) else {
                throw .expected("a set whose members differ")
            }
        }
        return set.isEmpty ? .nothing : .set(set)
    }
}
