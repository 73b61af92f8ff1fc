// RDBError.swift - why an RDB file or stream cannot be loaded, in words that help: what is wrong, where, and what can
// be done. Made off the data path, once.
internal import Base
internal import Keyspace

package struct RDBError: Error, Sendable {
    /// What is wrong, without place.
    package let reason: String
    /// Bytes before it.
    package let offset: Int
    /// The key whose record it is in; empty outside of records.
    package var key: [UInt8] = []
    package var database = 0

    init(_ reason: String, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    init(_ error: ValueError, at offset: Int) {
        self.offset = offset
        switch error {
        case .ended: reason = "Unexpected EOF reading RDB file: more bytes were expected"
        case .expected(let what): reason = "expected \(what)"
        case .system(let code): reason = SystemError(code: code, operation: "read").description
        }
    }

    /// One line for the log.
    package func text(path: String) -> String {
        var text = "\(path) is broken at byte \(offset): \(reason)"
        if !key.isEmpty {
            let name = String(decoding: key.prefix(64), as: UTF8.self)
            text += " (key '\(name)', database \(database))"
        }
        return text
    }
}
