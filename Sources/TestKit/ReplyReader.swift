// ReplyReader.swift - reads replies out of received bytes, RESP2 and RESP3, strictly: whatever the protocol does not
// allow is an error with the offset, never a guess. A reply that has not arrived completely is read again from its
// start when more came: tests have small replies.

package struct ReplyReader {
    /// The server sent something that is no RESP.
    package struct Malformed: Error, CustomStringConvertible {
        package let reason: String
        package let offset: Int
        package var description: String { "malformed reply at byte \(offset): \(reason)" }
    }

    private enum Step: Error {
        case incomplete
        case malformed(Malformed)
    }

    /// Received and not read yet.
    package private(set) var received: [UInt8] = []
    private var position = 0

    package init() {}

    package mutating func append(_ bytes: [UInt8]) { received += bytes }

    /// The next reply, nil when it has not arrived completely.
    package mutating func next() throws(Malformed) -> ReplyValue? {
        guard !received.isEmpty else { return nil }
        position = 0
        do throws(Step) {
            let value = try value()
            received.removeFirst(position)
            return value
        } catch {
            switch error {
            case .incomplete: return nil
            case .malformed(let malformed): throw malformed
            }
        }
    }

    private mutating func value() throws(Step) -> ReplyValue {
        guard position < received.count else { throw .incomplete }
        let kind = received[position]
        position += 1
        switch kind {
        case UInt8(ascii: "+"): return .simple(try line())
        case UInt8(ascii: "-"): return .error(try line())
        case UInt8(ascii: ":"): return .integer(try number())
        case UInt8(ascii: ","): return .double(try line())
        case UInt8(ascii: "("): return .bigNumber(try line())
        case UInt8(ascii: "#"): return try boolean()
        case UInt8(ascii: "_"):
            guard try line().isEmpty else { throw malformed("a null with text") }
            return .null
        case UInt8(ascii: "$"), UInt8(ascii: "="): return try bulk(isVerbatim: kind == UInt8(ascii: "="))
        default: return try aggregate(kind)
        }
    }

    private mutating func aggregate(_ kind: UInt8) throws(Step) -> ReplyValue {
        switch kind {
        case UInt8(ascii: "*"):
            let count = try number()
            if count == -1 { return .null }
            return .array(try elements(count))
        case UInt8(ascii: "~"): return .set(try elements(try number()))
        case UInt8(ascii: ">"): return .push(try elements(try number()))
        case UInt8(ascii: "%"): return .map(try elements(try number() * 2))
        case UInt8(ascii: "|"):
            let attributes = try elements(try number() * 2)
            return .attributed(attributes, try value())
        default: throw malformed("unknown type byte \(kind)")
        }
    }

    private mutating func bulk(isVerbatim: Bool) throws(Step) -> ReplyValue {
        let count = try number()
        if count == -1 && !isVerbatim { return .null }
        guard count >= 0 else { throw malformed("negative length") }
        guard received.count - position >= count + 2 else { throw .incomplete }
        let bytes = Array(received[position..<position + Int(count)])
        position += Int(count)
        guard received[position] == 13, received[position + 1] == 10 else { throw malformed("a bulk without line end") }
        position += 2
        guard isVerbatim else { return .bulk(bytes) }
        guard bytes.count >= 4, bytes[3] == UInt8(ascii: ":") else { throw malformed("verbatim text without format") }
        return .verbatim(format: Array(bytes[..<3]), text: Array(bytes[4...]))
    }

    private mutating func elements(_ count: Int64) throws(Step) -> [ReplyValue] {
        guard count >= 0 else { throw malformed("negative count") }
        var elements: [ReplyValue] = []
        for _ in 0..<count { elements.append(try value()) }
        return elements
    }

    private mutating func boolean() throws(Step) -> ReplyValue {
        switch try line() {
        case [UInt8(ascii: "t")]: return .boolean(true)
        case [UInt8(ascii: "f")]: return .boolean(false)
        default: throw malformed("a boolean that is neither t nor f")
        }
    }

    private mutating func number() throws(Step) -> Int64 {
        let text = String(decoding: try line(), as: UTF8.self)
        guard let value = Int64(text) else { throw malformed("no number: \(text)") }
        return value
    }

    /// Up to CR LF. A lone CR or LF within is an error: no reply line may carry one.
    private mutating func line() throws(Step) -> [UInt8] {
        var index = position
        while index < received.count && received[index] != 13 && received[index] != 10 { index += 1 }
        guard index + 1 < received.count else { throw .incomplete }
        guard received[index] == 13, received[index + 1] == 10 else { throw malformed("a line with a lone CR or LF") }
        let bytes = Array(received[position..<index])
        position = index + 2
        return bytes
    }

    private func malformed(_ reason: String) -> Step { .malformed(Malformed(reason: reason, offset: position)) }
}
