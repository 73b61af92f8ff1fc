// ValuesRun.swift - what nobody has checked as a value: the bytes behind RESTORE, or a whole RDB file, are read, placed
// in a keyspace, written again and read again; append only files and manifests are looked at as a start does. Shared by
// the tests and the fuzz target. The first byte of an input says what the rest is: bit 0 the dialect, bit 1 an RDB file
// instead of one value, bit 2 small thresholds (so that small values leave their compact forms), bits 4 to 7 how a file
// arrives; bit 3 an append only file, or with bit 4 its manifest.
internal import Base
internal import Commands
internal import Keyspace
internal import Persistence
internal import RESP
internal import Structures

package enum ValuesRun {
    /// Whatever was read may be at most so many times its input, and this more.
    private static let growthMax = 300

    /// True when the input was a value, or a file with a whole head. Traps when what was accepted cannot be used.
    @discardableResult
    package static func run(_ input: [UInt8]) -> Bool {
        guard let flags = input.first, input.count > 1 else { return false }
        var limits = ValueLimits()
        limits.stringByteCountMax = 1 << 20
        if flags & 4 != 0 {
            limits.hash = CompactLimits(countMax: 2, byteCountMax: 8)
            limits.set = SetLimits(intsetCountMax: 2, listpackCountMax: 2, listpackByteCountMax: 8)
            limits.sortedSet = SortedSetLimits(countMax: 2, memberByteCountMax: 8)
        }
        let bytes = Array(input.dropFirst())
        if flags & 8 != 0 { return flags & 16 == 0 ? runCommands(bytes) : runManifest(bytes) }
        return flags & 2 != 0
            ? runFile(bytes, chunk: 1 << Int(flags >> 4), limits)
            : runValue(bytes, flags & 1 == 0 ? .redis : .valkey, limits)
    }

    // MARK: one value

    private static func runValue(_ bytes: [UInt8], _ dialect: ValueDialect, _ limits: ValueLimits) -> Bool {
        var keyspace = Keyspace(databaseCount: 1)
        keyspace.now = 1_800_000_000_000
        guard place(bytes.span, dialect, limits, &keyspace) else { return false }
        let first = dump(keyspace)
        precondition(
            first.count <= bytes.count * growthMax + 4096, "a value is not much larger than what it was read from")
        let value = digest(keyspace)
        // What is written is always ours, and must be what our own reader accepts.
        let second = writeAgain(first, limits, &keyspace)
        precondition(digest(keyspace) == value, "what was written is read as the same value")
        // Only now: a set of numbers may come as a listpack, and is an intset once it was written member by member.
        let third = writeAgain(second, limits, &keyspace)
        precondition(third.count == second.count, "what was read again is written alike")
        keyspace.flush(0, inBackground: false)
        keyspace.garbage.take().freeAll()
        return true
    }

    /// Reads what a value was written as in its place, and writes it.
    private static func writeAgain(
        _ written: borrowing ByteBuffer, _ limits: ValueLimits, _ keyspace: inout Keyspace
    ) -> ByteBuffer {
        let contents = written.span.extracting(0..<(written.count - DumpPayload.footerByteCount))
        let isGood = place(contents, .redis, limits, &keyspace)
        precondition(isGood, "what was written can be read")
        return dump(keyspace)
    }

    private static let key: [UInt8] = Array("key".utf8)

    private static func place(
        _ bytes: Span<UInt8>, _ dialect: ValueDialect, _ limits: ValueLimits, _ keyspace: inout Keyspace
    ) -> Bool {
        do throws(ValueError) {
            let value = try ValueReader.read(bytes, limits: limits) { reader throws(ValueError) in
                reader.dialect = dialect
                let value = try ValueCodec.read(reader.byte(), from: &reader)
                guard reader.leftInWindow == 0 else { throw ValueError.ended }
                return value
            }
            let hash = keyspace[0].table.hash(key.span)
            let slot = keyspace[0].table.find(key.span, hash: hash)
            return keyspace.place(value, at: key.span, hash: hash, in: 0, slot: slot, expiry: nil)
        } catch {
            return false
        }
    }

    private static func placed(_ keyspace: borrowing Keyspace) -> Entry {
        let hash = keyspace[0].table.hash(key.span)
        guard let slot = keyspace[0].table.find(key.span, hash: hash) else {
            preconditionFailure("what was placed is there")
        }
        return slot.entry
    }

    private static func dump(_ keyspace: borrowing Keyspace) -> ByteBuffer {
        var output = ByteBuffer()
        DumpPayload.append(placed(keyspace), compresses: false, to: &output)
        return output
    }

    private static func digest(_ keyspace: borrowing Keyspace) -> [UInt8] {
        var digest = DatasetDigest()
        digest.mixValue(placed(keyspace))
        return digest.bytes
    }

    // MARK: a file

    private static func runFile(_ bytes: [UInt8], chunk: Int, _ limits: ValueLimits) -> Bool {
        var keyspace = Keyspace(databaseCount: 16)
        keyspace.now = 1_800_000_000_000
        var options = RDBLoader.Options()
        options.checksChecksum = false
        var offset = 0
        let reader = unsafe ValueReader(limits: limits) { target, count in
            let size = min(count, bytes.count - offset, chunk)
            for index in 0..<size { unsafe target[index] = bytes[offset + index] }
            offset += size
            return size
        }
        var loader = RDBLoader(reading: reader, options: options)
        do throws(RDBError) {
            while try !loader.run(into: &keyspace, byteCount: 4096) {}
        } catch {
            precondition(error.offset <= bytes.count, "what is wrong is within the file")
        }
        // Whole or not, what has been loaded can be written.
        let capture = keyspace.beginSnapshot(compresses: true) { _ in }
        while !keyspace.advanceSnapshot(while: { _ in true }) {}
        precondition(capture.keysWritten == keyspace.count, "every key is written")
        for index in 0..<16 { keyspace.flush(index, inBackground: false) }
        keyspace.garbage.take().freeAll()
        return loader.facts.version > 0
    }

    // MARK: an append only file

    /// True when all of it is good.
    private static func runCommands(_ bytes: [UInt8]) -> Bool {
        let found = AOFInspection(bytes.span)
        precondition(found.goodEnd <= bytes.count && found.faultOffset <= bytes.count, "what is found is in the file")
        let good = bytes.span.extracting(0..<found.goodEnd)
        let again = AOFInspection(good)
        precondition(again.problem == nil && again.goodEnd == found.goodEnd, "what was called good is good by itself")
        let strict = AOFInspection(bytes.span, lastSecond: 1_700_000_000, isStrict: true)
        precondition(strict.goodEnd <= found.goodEnd && (strict.timeEnd ?? 0) <= strict.goodEnd, "never more is good")
        var scanner = AOFScanner()
        var ranges = ArgumentRanges()
        var remark = AOFRemark()
        var commandCount = 0
        scan: while true {
            switch scanner.next(good, into: &ranges) {
            case .command:
                commandCount += 1
                for index in 0..<ranges.count {
                    precondition(ranges[index].offset + ranges[index].count <= good.count, "words lie in the file")
                }
            case .annotation(second: nil):
                let line = good.extracting(scanner.annotationRange)
                guard remark.take(line, into: &ranges) else { continue }
                for index in 0..<ranges.count {
                    let end = ranges[index].offset + ranges[index].count
                    precondition(end <= remark.command.count, "words lie in the remark")
                }
            case .annotation, .checksum: continue
            case .end: break scan
            case .cut, .malformed: preconditionFailure("a good file can be read to its end")
            }
        }
        precondition(commandCount == again.commandCount, "both count alike")
        return found.problem == nil
    }

    private static func runManifest(_ bytes: [UInt8]) -> Bool {
        do throws(AOFManifest.Fault) {
            let manifest = try AOFManifest(text: String(decoding: bytes, as: UTF8.self))
            let written = String(decoding: manifest.makeText().span.array, as: UTF8.self)
            let again = try AOFManifest(text: written)
            precondition(again == manifest, "what was written says the same")
            return true
        } catch {
            precondition(!error.text.isEmpty, "a refusal says why")
            return false
        }
    }
}
