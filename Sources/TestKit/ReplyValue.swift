// ReplyValue.swift - a server's reply as a tree, RESP2 and RESP3, for tests that look inside it, and its two text
// forms: redis-cli's lines and a one-line form for tables. Pure values; nothing of the server's own reply code is used,
// so a test never checks a writer against itself.
internal import Base

package indirect enum ReplyValue: Equatable, Sendable {
    case simple([UInt8])
    case error([UInt8])
    case integer(Int64)
    case bulk([UInt8])
    /// RESP3 `_`, RESP2 `$-1` and `*-1`.
    case null
    case array([ReplyValue])
    /// A RESP3 double, as the server wrote it.
    case double([UInt8])
    case boolean(Bool)
    case bigNumber([UInt8])
    case verbatim(format: [UInt8], text: [UInt8])
    case map([ReplyValue])
    case set([ReplyValue])
    case push([ReplyValue])
    /// RESP3 attributes and the reply they stand before.
    case attributed([ReplyValue], ReplyValue)

    /// The bytes of a text reply of any kind, nil for numbers and aggregates.
    package var bytes: [UInt8]? {
        switch self {
        case .simple(let text), .bulk(let text), .double(let text), .bigNumber(let text), .error(let text): text
        case .verbatim(_, let text): text
        default: nil
        }
    }

    /// The same as a string.
    package var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    /// The value of an integer reply.
    package var integer: Int64? { if case .integer(let value) = self { value } else { nil } }

    /// The elements of any aggregate; a map's keys and values in turn.
    package var elements: [ReplyValue]? {
        switch self {
        case .array(let elements), .map(let elements), .set(let elements), .push(let elements): elements
        default: nil
        }
    }

    /// The value behind `key` in a map, or in an array of pairs as RESP2 writes maps.
    package subscript(key: String) -> ReplyValue? {
        guard let elements else { return nil }
        for index in stride(from: 0, to: elements.count - 1, by: 2) where elements[index].text == key {
            return elements[index + 1]
        }
        return nil
    }

    package var isError: Bool { if case .error = self { true } else { false } }
}

extension ReplyValue: CustomStringConvertible {
    /// One line: `OK`, `"bulk"`, `(integer) 3`, `(nil)`, `(error) ERR no`, `["a", 1, (nil)]`, `{"k": "v"}`, `~[...]`
    /// for a set, `>[...]` for a push. Integers within aggregates stand bare.
    package var description: String {
        if case .integer(let value) = self { return "(integer) \(value)" }
        return compact
    }

    private var compact: String {
        switch self {
        case .simple(let text): String(decoding: text, as: UTF8.self)
        case .error(let text): "(error) " + String(decoding: text, as: UTF8.self)
        case .integer(let value): "\(value)"
        case .bulk(let text): ReplyValue.quoted(text)
        case .null: "(nil)"
        case .array(let elements): "[" + ReplyValue.list(elements) + "]"
        case .double(let text): "(double) " + String(decoding: text, as: UTF8.self)
        case .boolean(let value): value ? "(true)" : "(false)"
        case .bigNumber(let text): "(big number) " + String(decoding: text, as: UTF8.self)
        case .verbatim(let format, let text): String(decoding: format, as: UTF8.self) + ":" + ReplyValue.quoted(text)
        case .map(let elements): "{" + ReplyValue.pairs(elements) + "}"
        case .set(let elements): "~[" + ReplyValue.list(elements) + "]"
        case .push(let elements): ">[" + ReplyValue.list(elements) + "]"
        case .attributed(let attributes, let value): "|{" + ReplyValue.pairs(attributes) + "} " + value.description
        }
    }

    private static func list(_ elements: [ReplyValue]) -> String { elements.map(\.compact).joined(separator: ", ") }

    private static func pairs(_ elements: [ReplyValue]) -> String {
        stride(from: 0, to: elements.count - 1, by: 2)
            .map { elements[$0].compact + ": " + elements[$0 + 1].compact }
            .joined(separator: ", ")
    }

    private static func quoted(_ bytes: [UInt8]) -> String {
        var buffer = ByteBuffer()
        ArgumentText.appendQuoted(bytes.span, to: &buffer)
        return buffer.span.text
    }

    /// The reply with every array's and set's elements in one order, for commands that promise none.
    package var sorted: ReplyValue {
        switch self {
        case .array(let elements): .array(ReplyValue.ordered(elements))
        case .set(let elements): .set(ReplyValue.ordered(elements))
        case .map(let elements):
            .map(
                stride(from: 0, to: elements.count - 1, by: 2)
                    .map { [elements[$0], elements[$0 + 1].sorted] }
                    .sorted { $0[0].description < $1[0].description }
                    .flatMap { $0 })
        default: self
        }
    }

    private static func ordered(_ elements: [ReplyValue]) -> [ReplyValue] {
        elements.map(\.sorted).sorted { $0.description < $1.description }
    }
}

extension ReplyValue {
    /// The lines redis-cli prints on a terminal, without the last newline.
    package var terminalText: String { terminalText(indentation: "") }

    private func terminalText(indentation: String) -> String {
        switch self {
        case .array(let elements):
            elements.isEmpty ? "(empty array)" : ReplyValue.numbered(elements, mark: ")", indentation)
        case .set(let elements):
            elements.isEmpty ? "(empty set)" : ReplyValue.numbered(elements, mark: "~", indentation)
        case .push(let elements):
            elements.isEmpty ? "(empty push)" : ReplyValue.numbered(elements, mark: ")", indentation)
        case .map(let elements): elements.isEmpty ? "(empty hash)" : ReplyValue.mapLines(elements, indentation)
        case .verbatim(_, let text): String(decoding: text, as: UTF8.self)
        case .attributed(_, let value): value.terminalText(indentation: indentation)
        default: description
        }
    }

    private static func numbered(_ elements: [ReplyValue], mark: String, _ indentation: String) -> String {
        let width = "\(elements.count)".count
        let inner = indentation + String(repeating: " ", count: width + 2)
        return elements.enumerated().map { index, element in
            let number = "\(index + 1)"
            let padding = String(repeating: " ", count: width - number.count)
            let lead = index == 0 ? "" : "\n" + indentation
            return lead + padding + number + mark + " " + element.terminalText(indentation: inner)
        }.joined()
    }

    private static func mapLines(_ elements: [ReplyValue], _ indentation: String) -> String {
        let pairCount = elements.count / 2
        let width = "\(pairCount)".count
        let inner = indentation + String(repeating: " ", count: width + 2)
        return (0..<pairCount).map { index in
            let number = "\(index + 1)"
            let padding = String(repeating: " ", count: width - number.count)
            let lead = index == 0 ? "" : "\n" + indentation
            return lead + padding + number + "# " + elements[index * 2].terminalText(indentation: inner) + " => "
                + elements[index * 2 + 1].terminalText(indentation: inner)
        }.joined()
    }
}
