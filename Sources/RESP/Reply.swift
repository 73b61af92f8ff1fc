// Reply.swift - writes replies straight into the connection's output, in RESP2 or RESP3 as the session asked. One
// method per reply shape; nothing is built and converted. Whoever writes an aggregate header writes as many elements.
// Runs under the turn; costs a few nanoseconds a call and allocates only when the output grows.
package import Base

@safe package struct Reply {
    private let output: UnsafeMutablePointer<ByteBuffer>
    /// 2 or 3.
    package var protocolVersion: Int
    /// Set by CLIENT REPLY OFF and SKIP: everything written is dropped.
    package var isSilent = false

    /// The caller promises that `output` outlives the reply.
    @unsafe @inline(__always)
    package init(output: UnsafeMutablePointer<ByteBuffer>, protocolVersion: Int) {
        unsafe self.output = output
        self.protocolVersion = protocolVersion
    }

    /// The buffer replies go to; for measuring and for writers that stream.
    package var buffer: ByteBuffer {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(output) }
        @inline(__always) nonmutating unsafeMutableAddress { unsafe output }
    }

    @inline(__always) private func line(_ prefix: UInt8, _ value: Int) { buffer.append(line: prefix, value) }

    /// Bytes written so far, for `insertHeader` and the like.
    package var length: Int { buffer.count }

    // MARK: simple shapes

    @inline(__always) package func ok() { buffer.append("+OK\r\n") }

    /// `+text`
    package func simple(_ text: StaticString) {
        buffer.append(UInt8(ascii: "+"))
        buffer.append(text)
        buffer.append("\r\n")
    }

    /// `+text` with a text made at run time; CR and LF become blanks.
    @_disfavoredOverload
    package func simple(_ text: String) {
        buffer.append(UInt8(ascii: "+"))
        appendOneLine(text.utf8.span)
        buffer.append("\r\n")
    }

    /// `-text`: the text starts with its code (`ERR ...`); CR and LF become blanks.
    package func error(_ text: StaticString) {
        buffer.append(UInt8(ascii: "-"))
        buffer.append(text)
        buffer.append("\r\n")
    }

    @_disfavoredOverload
    package func error(_ text: String) {
        buffer.append(UInt8(ascii: "-"))
        appendOneLine(text.utf8.span)
        buffer.append("\r\n")
    }

    /// An error line from bytes that may carry user text.
    package func error(_ bytes: Span<UInt8>) {
        buffer.append(UInt8(ascii: "-"))
        appendOneLine(bytes)
        buffer.append("\r\n")
    }

    private func appendOneLine(_ bytes: Span<UInt8>) {
        for index in 0..<bytes.count {
            let byte = bytes[index]
            buffer.append(byte == 13 || byte == 10 ? 32 : byte)
        }
    }

    @inline(__always) package func integer(_ value: Int) {
        if value == 0 {
            buffer.append(":0\r\n")
        } else if value == 1 {
            buffer.append(":1\r\n")
        } else {
            line(UInt8(ascii: ":"), value)
        }
    }

    /// RESP3 boolean; 1 or 0 in RESP2.
    package func boolean(_ value: Bool) {
        if protocolVersion >= 3 {
            buffer.append(value ? "#t\r\n" : "#f\r\n")
        } else {
            integer(value ? 1 : 0)
        }
    }

    /// Null: `_` in RESP3, a null bulk in RESP2.
    @inline(__always) package func null() {
        buffer.append(protocolVersion >= 3 ? "_\r\n" : "$-1\r\n")
    }

    /// Null where RESP2 clients expect a null array.
    package func nullArray() { buffer.append(protocolVersion >= 3 ? "_\r\n" : "*-1\r\n") }

    // MARK: bulks

    @inline(__always) package func bulk(_ bytes: Span<UInt8>) { buffer.append(bulkString: bytes) }

    package func bulk(_ text: StaticString) {
        line(UInt8(ascii: "$"), text.utf8CodeUnitCount)
        buffer.append(text)
        buffer.append("\r\n")
    }

    @_disfavoredOverload
    package func bulk(_ text: String) {
        line(UInt8(ascii: "$"), text.utf8.count)
        buffer.append(text)
        buffer.append("\r\n")
    }

    /// A bulk with the decimal digits of `value`, written straight into the output.
    @inline(__always) package func bulk(decimal value: Int) {
        buffer.reserve(40)
        line(UInt8(ascii: "$"), IntegerText.byteCount(of: Int64(value)))
        buffer.append(decimal: value)
        buffer.append("\r\n")
    }

    /// A header for `byteCount` bytes that the caller appends to `buffer` itself, followed by `endBulk`.
    package func beginBulk(byteCount: Int) {
        buffer.reserve(byteCount &+ 32)
        line(UInt8(ascii: "$"), byteCount)
    }

    package func endBulk() { buffer.append("\r\n") }

    /// RESP3 verbatim text (`txt` or `mkd`), a plain bulk in RESP2.
    package func verbatim(_ text: Span<UInt8>, format: StaticString = "txt") {
        guard protocolVersion >= 3 else { return bulk(text) }
        line(UInt8(ascii: "="), text.count + 4)
        buffer.append(format)
        buffer.append(":")
        buffer.append(text)
        buffer.append("\r\n")
    }

    package func verbatim(_ text: String) { verbatim(text.utf8.span) }

    /// A number already in its text form: RESP3 double, bulk in RESP2.
    package func double(text: Span<UInt8>) {
        guard protocolVersion >= 3 else { return bulk(text) }
        buffer.append(UInt8(ascii: ","))
        buffer.append(text)
        buffer.append("\r\n")
    }

    /// A big number already in its text form: RESP3 `(`, bulk in RESP2.
    package func bigNumber(text: Span<UInt8>) {
        guard protocolVersion >= 3 else { return bulk(text) }
        buffer.append(UInt8(ascii: "("))
        buffer.append(text)
        buffer.append("\r\n")
    }

    // MARK: aggregates

    @inline(__always) package func array(_ count: Int) { line(UInt8(ascii: "*"), count) }

    /// `count` pairs: a map in RESP3, a flat array in RESP2.
    package func map(_ count: Int) {
        if protocolVersion >= 3 { line(UInt8(ascii: "%"), count) } else { array(count * 2) }
    }

    package func set(_ count: Int) {
        line(protocolVersion >= 3 ? UInt8(ascii: "~") : UInt8(ascii: "*"), count)
    }

    /// An out-of-band message in RESP3, an array in RESP2.
    package func push(_ count: Int) {
        line(protocolVersion >= 3 ? UInt8(ascii: ">") : UInt8(ascii: "*"), count)
    }

    /// `count` pairs of attributes before the reply; only RESP3 has them.
    package func attribute(_ count: Int) { line(UInt8(ascii: "|"), count) }

    /// Counts elements while they are written and patches the header in afterwards, for replies whose length is known
    /// only at the end. The header moves the bytes written behind it (O(bytes)).
    package func deferredArray(_ write: (inout Int) -> Void) {
        let mark = buffer.count
        var count = 0
        write(&count)
        insertHeader(UInt8(ascii: "*"), count, at: mark)
    }

    package func deferredMap(_ write: (inout Int) -> Void) {
        let mark = buffer.count
        var count = 0
        write(&count)
        let isMap = protocolVersion >= 3
        insertHeader(isMap ? UInt8(ascii: "%") : UInt8(ascii: "*"), isMap ? count : count * 2, at: mark)
    }

    package func deferredSet(_ write: (inout Int) -> Void) {
        let mark = buffer.count
        var count = 0
        write(&count)
        insertHeader(protocolVersion >= 3 ? UInt8(ascii: "~") : UInt8(ascii: "*"), count, at: mark)
    }

    /// A copy of what was written since `mark`.
    package func bytes(from mark: Int) -> [UInt8] { buffer.span.extracting(mark..<buffer.count).array }

    /// Inserts an aggregate header with `count` before the bytes written since `mark` (a former `buffer.count`).
    package func insertHeader(_ prefix: UInt8, _ count: Int, at mark: Int) {
        let digitCount = IntegerText.byteCount(of: Int64(count))
        buffer.makeRoom(at: mark..<mark, byteCount: digitCount &+ 3)
        buffer.replace(at: mark, with: prefix)
        var rest = count
        for index in (1...digitCount).reversed() {
            buffer.replace(at: mark &+ index, with: UInt8(truncatingIfNeeded: 48 &+ rest % 10))
            rest /= 10
        }
        buffer.replace(at: mark &+ digitCount &+ 1, with: 13)
        buffer.replace(at: mark &+ digitCount &+ 2, with: 10)
    }
}
