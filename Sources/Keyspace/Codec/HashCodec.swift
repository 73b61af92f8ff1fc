// HashCodec.swift - hashes as RDB values. Written as a listpack (type 16) or as fields and values (4), which Redis 7.0
// reads; with times to live in the form of Redis 7.4 (24). Read in every form since Redis 1: fields and values (4), a
// zipmap (9), a ziplist (13), a listpack (16), and with times: previews and releases of Redis 7.4 (22 to 25) and
// Valkey 9's own form, which has number 22 in its dialect. Engine's turn only.
internal import Base
internal import Structures

enum HashCodec {
    static func typeCode(of entry: Entry) -> UInt8 {
        guard entry.isMemberTable else { return ValueCode.hashListpack }
        return entry.hasExpiringFields ? ValueCode.hashMetadata : ValueCode.hash
    }

    /// `position.step` is 0 before the head; behind it 1, or the earliest time, to which the others are relative. The
    /// word is the cursor of a table's next fields.
    static func append(_ entry: Entry, from position: inout ValuePosition, to sink: inout ValueSink) -> Bool {
        guard entry.isMemberTable else {
            sink.append(string: entry.listpack.span)
            return true
        }
        let expires = entry.hasExpiringFields
        if position.step == 0 {
            position.step = 1
            if expires {
                position.step = max(1, earliestExpiry(entry))
                sink.append(littleEndian: UInt64(position.step))
            }
            sink.append(length: entry.members.count)
        }
        let earliest = position.step
        repeat {
            if sink.isFull { return false }
            position.word = entry.members.scan(cursor: position.word) { member in
                if expires { sink.append(length: member.expiry.map { max(Int($0) - earliest, 0) + 1 } ?? 0) }
                sink.append(string: member.key)
                sink.append(string: member.value)
            }
        } while position.word != 0
        return true
    }

    /// Tables up to this size are looked through for it.
    private static let exactCountMax = 1000

    /// No field dies before it. Of a large table a bound will do, which its segments know: times are relative to it.
    private static func earliestExpiry(_ entry: Entry) -> Int {
        if entry.members.count > exactCountMax, let bound = entry.members.earliestExpiryBound { return Int(bound) }
        var earliest = Int64.max
        entry.members.forEach { member in if let expiry = member.expiry { earliest = min(earliest, expiry) } }
        return Int(earliest)
    }

    // MARK: reading

    static func read(_ type: UInt8, from reader: inout ValueReader) throws(ValueError) -> DetachedValue {
        switch type {
        case ValueCode.hash: return try readFields(&reader, .none)
        case ValueCode.hashMetadata: return try readFields(&reader, .relative)
        case ValueCode.hashMetadataPreview:
            return try readFields(&reader, reader.dialect == .valkey ? .behind : .absolute)
        case ValueCode.hashListpackExpiring:
            _ = try reader.littleEndian()
            return try readTriples(&reader)
        case ValueCode.hashListpackExpiringPreview: return try readTriples(&reader)
        default: return try readCompact(type, &reader)
        }
    }

    /// How times stand with their fields.
    private enum Times {
        case none
        /// Before each field, relative to the earliest, which stands in front; 0 for none.
        case relative
        /// Before each field, 0 for none.
        case absolute
        /// Behind each value, eight bytes, -1 for none.
        case behind
    }

    private static func readFields(_ reader: inout ValueReader, _ times: Times) throws(ValueError) -> DetachedValue {
        let earliest = times == .relative ? Int64(bitPattern: try reader.littleEndian()) : 0
        let count = try reader.length()
        var hash = HashBuilder(limits: reader.limits.hash, expecting: count)
        var field = ByteBuffer()
        var value = ByteBuffer()
        for _ in 0..<count {
            let before = times == .relative || times == .absolute ? try reader.wideLength() : 0
            try reader.string(into: &field)
            try reader.string(into: &value)
            var expiry: Int64?
            switch times {
            case .none: break
            case .relative: if before > 0 { expiry = try time(before - 1, after: earliest) }
            case .absolute: if before > 0 { expiry = try time(before, after: 0) }
            case .behind:
                let given = Int64(bitPattern: try reader.littleEndian())
                if given != -1 { expiry = try time(UInt64(bitPattern: given), after: 0) }
            }
            guard hash.add(field.span, value.span, expiry: expiry) else {
                throw .expected("a hash whose fields differ")
            }
        }
        return hash.count == 0 ? .nothing : .hash(hash)
    }

    private static func time(_ given: UInt64, after earliest: Int64) throws(ValueError) -> Int64 {
        guard earliest >= 0, let distance = Int64(exactly: given) else { throw .expected("a time of a field") }
        let (time, overflow) = earliest.addingReportingOverflow(distance)
        if overflow { throw .expected("a time of a field") }
        return max(1, time)
    }

    private static func readTriples(_ reader: inout ValueReader) throws(ValueError) -> DetachedValue {
        var bytes = ByteBuffer()
        try reader.string(into: &bytes)
        guard Listpack.validate(bytes.span, uniqueEach: 3, allowsEmpty: true) else {
            throw .expected("a well-formed listpack of fields, values and times")
        }
        let view = ListpackView(bytes.span)
        var hash = HashBuilder(limits: reader.limits.hash, expecting: view.count / 3)
        var field = ByteBuffer()
        var value = ByteBuffer()
        var offset = view.startOffset
        while offset < view.endOffset {
            field.truncate(to: 0)
            value.truncate(to: 0)
            view.next(&offset)?.append(to: &field)
            view.next(&offset)?.append(to: &value)
            guard let given = view.next(&offset)?.integerValue, given >= 0 else {
                throw .expected("a time of a field")
            }
            let expiry: Int64? = given == 0 ? nil : try time(UInt64(given), after: 0)
            _ = hash.add(field.span, value.span, expiry: expiry)
        }
        return hash.count == 0 ? .nothing : .hash(hash)
    }

    private static func readCompact(_ type: UInt8, _ reader: inout ValueReader) throws(ValueError) -> DetachedValue {
        var bytes = ByteBuffer()
        try reader.string(into: &bytes)
        if type == ValueCode.hashListpack {
            guard Listpack.validate(bytes.span, uniqueEach: 2, allowsEmpty: true) else {
                throw .expected("a well-formed listpack of fields and values")
            }
            let listpack = Listpack(adopting: bytes)
            return listpack.isEmpty ? .nothing : .hash(HashBuilder(listpack, limits: reader.limits.hash))
        }
        var hash = HashBuilder(limits: reader.limits.hash)
        if type == ValueCode.hashZipmap {
            guard Zipmap.validate(bytes.span) else { throw .expected("a well-formed zipmap") }
            var walk = ZipmapWalk(bytes.span)
            var field = ByteBuffer()
            var value = ByteBuffer()
            while walk.next(field: &field, value: &value) { _ = hash.add(field.span, value.span) }
        } else {
            guard Ziplist.validate(bytes.span, uniqueEach: 2) else {
                throw .expected("a well-formed ziplist of fields and values")
            }
            var walk = ZiplistWalk(bytes.span)
            while let field = walk.next(), let value = walk.next() {
                field.withText { text in value.withText { valueText in _ = hash.add(text, valueText) } }
            }
        }
        return hash.count == 0 ? .nothing : .hash(hash)
    }
}
