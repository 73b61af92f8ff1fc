// JournalWords.swift - commands as the journal spells them: RESP arrays of bulk strings. `JournalWords` collects the
// words of commands of which nobody knows yet how many words they get; `Arguments` whose count is known go straight to
// where they are wanted. Engine's turn only.
internal import Base
internal import RESP

/// The words of one command under way, handed to a handler's closure by `call.propagate`.
package struct JournalWords: ~Copyable {
    /// Bulk strings of all commands of the unit, one behind another.
    private(set) var bytes = ByteBuffer()
    /// Words of the command under way.
    private(set) var count = 0

    /// A word.
    package mutating func add(_ word: Span<UInt8>) {
        count += 1
        bytes.append(bulkString: word)
    }

    /// A word of the protocol.
    package mutating func add(_ word: StaticString) {
        begin(word.utf8CodeUnitCount)
        bytes.append(word)
        end()
    }

    /// A number.
    package mutating func add(decimal value: Int64) {
        begin(IntegerText.byteCount(of: value))
        bytes.append(decimal: Int(value))
        end()
    }

    private mutating func begin(_ byteCount: Int) {
        count += 1
        bytes.append(UInt8(ascii: "$"))
        bytes.append(decimal: byteCount)
        bytes.append("\r\n")
    }

    private mutating func end() { bytes.append("\r\n") }

    /// All words of a command.
    mutating func add(_ arguments: borrowing Arguments) {
        JournalText.append(arguments, to: &bytes)
        count += arguments.count
    }

    /// The number of words since the last call.
    mutating func takeCount() -> Int {
        defer { count = 0 }
        return count
    }

    /// Forgets everything; a large buffer is given back.
    mutating func removeAll() {
        count = 0
        bytes.removeAll(keepingCapacity: JournalWords.keptByteCount)
    }

    private static let keptByteCount = 64 << 10
}

enum JournalText {
    /// The bulk strings of `arguments`, without the array's head.
    @inline(__always)
    static func append(_ arguments: borrowing Arguments, to buffer: inout ByteBuffer) {
        for index in 0..<arguments.count { buffer.append(bulkString: arguments[index]) }
    }
}
