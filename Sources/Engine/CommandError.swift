// CommandError.swift - what a command answers when the client is wrong, with Redis' exact words in one place. The
// enum is trivial, so throwing one costs nanoseconds; errors that quote user text are written by the handler through
// `call.reply.error` instead.
internal import RESP

package enum CommandError: Error {
    case wrongType
    case syntax
    case notInteger
    case notFloat
    case outOfRange
    case indexOutOfRange
    case noSuchKey
    case invalidExpire
    case sameObject
    case outOfMemory
    case invalidDatabase
    case invalidCursor
    case negativeValue
    case stringTooLong
    /// The error was written by the handler already.
    case written
    /// A text used in one place only; it starts with its code.
    case message(StaticString)

    /// The line behind `-`.
    package var text: StaticString {
        switch self {
        case .wrongType: "WRONGTYPE Operation against a key holding the wrong kind of value"
        case .syntax: "ERR syntax error"
        case .notInteger: "ERR value is not an integer or out of range"
        case .notFloat: "ERR value is not a valid float"
        case .outOfRange: "ERR value is out of range"
        case .indexOutOfRange: "ERR index out of range"
        case .noSuchKey: "ERR no such key"
        case .invalidExpire: "ERR invalid expire time"
        case .sameObject: "ERR source and destination objects are the same"
        case .outOfMemory: "OOM command not allowed when used memory > 'maxmemory'."
        case .invalidDatabase: "ERR DB index is out of range"
        case .invalidCursor: "ERR invalid cursor"
        case .negativeValue: "ERR value is out of range, must be positive"
        case .stringTooLong: "ERR string exceeds maximum allowed size (proto-max-bulk-len)"
        case .written: ""
        case .message(let text): text
        }
    }
}
