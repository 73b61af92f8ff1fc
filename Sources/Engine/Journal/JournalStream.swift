// JournalStream.swift - the journal's bytes for one kind of reader: the append only file, or the replicas. Offsets
// count bytes since the stream was first switched on and never go back; a reader takes what there is and remembers
// nothing else. Each stream knows which database its reader has selected, so one may start in the middle of the other.
// Engine's turn only; a stream that is off costs nothing.
package import Base
internal import RESP

package struct JournalStream: ~Copyable {
    package private(set) var isOn = false
    /// Offset of the first byte that `bytes` still holds.
    package private(set) var start: Int64 = 0
    /// What nobody has taken yet.
    package private(set) var bytes = ByteBuffer()
    /// The database that a reader at the end has selected; -1 when it may be any.
    private var database = -1
    /// Seconds since the epoch of the last time annotation; 0 when none is wanted.
    private var annotatedSecond: Int64 = 0

    init() {}

    /// Offset behind the last byte.
    package var end: Int64 { @inline(__always) get { start &+ Int64(bytes.count) } }

    package mutating func turn(on isOn: Bool) {
        self.isOn = isOn
        restart()
        if !isOn {
            start = end
            bytes.removeAll()
        }
    }

    /// A new reader, or a new file, begins at the end: the next command selects its database anew.
    package mutating func restart() {
        database = -1
        annotatedSecond = 0
    }

    /// Everything nobody has taken yet: `body` gets it and may exchange the buffer for an empty one.
    package mutating func take(_ body: (inout ByteBuffer) -> Void) {
        let end = end
        body(&bytes)
        start = end
        bytes.removeAll(keepingCapacity: JournalStream.keptByteCount)
    }

    private static let keptByteCount = 1 << 20

    // MARK: writing

    /// The time, as a comment that loaders skip: once a second, between units.
    mutating func annotate(second: Int64) {
        guard second > annotatedSecond else { return }
        annotatedSecond = second
        bytes.append("#TS:")
        bytes.append(decimal: Int(second))
        bytes.append("\r\n")
    }

    @inline(__always)
    mutating func select(_ index: Int) {
        if _fastPath(database == index) { return }
        appendSelect(index)
    }

    private mutating func appendSelect(_ index: Int) {
        database = index
        bytes.append("*2\r\n$6\r\nSELECT\r\n$")
        bytes.append(decimal: IntegerText.byteCount(of: Int64(index)))
        bytes.append("\r\n")
        bytes.append(decimal: index)
        bytes.append("\r\n")
    }

    /// A command of `database`, as it is spelled by `arguments`.
    @inline(__always)
    mutating func append(_ arguments: borrowing Arguments, database: Int) {
        select(database)
        appendHead(arguments.count)
        JournalText.append(arguments, to: &bytes)
    }

    /// A command of `database` whose `count` words are bulk strings already.
    mutating func append(words: Span<UInt8>, count: Int, database: Int) {
        select(database)
        appendHead(count)
        bytes.append(words)
    }

    /// As `append(words:)`, in comments that stock servers pass over and `AOFRemark` reads: the command's bytes in
    /// hexadecimal, a few dozen a line, because such lines are short by agreement. The last line says that it is.
    mutating func append(remark words: Span<UInt8>, count: Int, database: Int) {
        select(database)
        var command = ByteBuffer(capacity: words.count + 16)
        command.append(UInt8(ascii: "*"))
        command.append(decimal: count)
        command.append("\r\n")
        command.append(words)
        var start = 0
        repeat {
            let end = min(command.count, start + JournalStream.remarkByteCount)
            bytes.append(end < command.count ? "#FOG+" : "#FOG.")
            for index in start..<end {
                let byte = command.span[index]
                bytes.append(JournalStream.hexDigit(byte >> 4))
                bytes.append(JournalStream.hexDigit(byte & 15))
            }
            bytes.append("\r\n")
            start = end
        } while start < command.count
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }

    /// Bytes of a command in one line of a remark: with their mark and end less than the 128 that loaders take.
    private static let remarkByteCount = 48

    /// MULTI or EXEC.
    mutating func append(bracket: StaticString) { bytes.append(bracket) }

    @inline(__always)
    private mutating func appendHead(_ count: Int) {
        bytes.append(UInt8(ascii: "*"))
        bytes.append(decimal: count)
        bytes.append("\r\n")
    }
}
