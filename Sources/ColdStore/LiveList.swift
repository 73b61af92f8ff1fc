// LiveList.swift - which records were alive when the store was closed, written with the mark of a clean end: what makes
// a restart warm without a tombstone for every change. It also knows what became of a record's database and expiry
// since it was written. Read and written as a whole by the owner, at start and end.
//
//     "FOGLIVE1" | per segment: number u32, records u32, each offset u32, database u16, expiry u48 | crc32c u32
internal import Base
internal import Reactor

struct LiveList: ~Copyable {
    static let fileName = "live"
    private static let magic: StaticString = "FOGLIVE1"

    struct Record {
        let offset: Int
        let database: Int
        let expiryMilliseconds: Int64
    }

    /// Records by segment number, ascending by offset.
    private(set) var segments: [UInt32: [Record]] = [:]

    init() {}

    mutating func add(_ record: Record, of segment: UInt32) { segments[segment, default: []].append(record) }

    mutating func sort() {
        for number in segments.keys { segments[number]?.sort { $0.offset < $1.offset } }
    }

    func write(in directory: String) throws(SystemError) {
        var buffer = ByteBuffer()
        buffer.append(LiveList.magic)
        for (number, records) in segments {
            buffer.append(littleEndian: number)
            buffer.append(littleEndian: UInt32(records.count))
            for record in records {
                buffer.append(littleEndian: UInt32(record.offset))
                buffer.append(littleEndian: UInt64(record.database) | UInt64(record.expiryMilliseconds) << 16)
            }
        }
        buffer.append(littleEndian: CRC32C.checksum(buffer.span))
        try Disk.replace(
            "\(directory)/\(LiveList.fileName)", temporary: "\(directory)/live.temporary", with: buffer.span)
    }

    /// Nil when there is none or it is not as it was written.
    init?(in directory: String) {
        var buffer = ByteBuffer()
        do throws(SystemError) {
            let file = try DiskFile("\(directory)/\(LiveList.fileName)", .read)
            try file.read(at: 0, byteCount: try file.byteCount, into: &buffer)
        } catch {
            return nil
        }
        let bytes = buffer.span
        guard bytes.count >= 12, bytes.starts(with: LiveList.magic) else { return nil }
        let end = bytes.count - 4
        guard bytes.littleEndian32(at: end) == CRC32C.checksum(bytes.extracting(0..<end)) else { return nil }
        var position = 8
        while position + 8 <= end {
            let number = bytes.littleEndian32(at: position)
            let count = Int(bytes.littleEndian32(at: position + 4))
            position += 8
            guard count <= (end - position) / 12 else { return nil }
            var records: [Record] = []
            records.reserveCapacity(count)
            for _ in 0..<count {
                let rest = bytes.littleEndian64(at: position + 4)
                records.append(
                    Record(
                        offset: Int(bytes.littleEndian32(at: position)), database: Int(rest & 0xFFFF),
                        expiryMilliseconds: Int64(rest >> 16)))
                position += 12
            }
            segments[number] = records
        }
    }
}
