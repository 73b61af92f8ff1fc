// SortPattern.swift - BY's and GET's patterns: a key's name with a `*` that an element takes the place of, or a hash's
// name and a field behind `->`, or `#` for the element itself. One door looks them up. Engine's turn only.
internal import Base
internal import Engine
internal import Keyspace
internal import RESP
internal import Structures

struct SortPattern {
    /// `#`: the element itself.
    private let isElement: Bool
    private let prefix: [UInt8]
    private let suffix: [UInt8]
    /// The hash's field; nil when the key is a string.
    private let field: [UInt8]?
    /// Whether an element has a place in it at all; what has none finds nothing.
    let hasPlace: Bool

    init(_ text: Span<UInt8>) {
        let bytes = text.array
        isElement = bytes == [UInt8(ascii: "#")]
        guard let star = bytes.firstIndex(of: UInt8(ascii: "*")) else {
            hasPlace = false
            prefix = []
            suffix = []
            field = nil
            return
        }
        hasPlace = true
        prefix = Array(bytes[..<star])
        // The first arrow behind the star, and only when something follows it.
        var arrow = star + 1
        while arrow + 1 < bytes.count, bytes[arrow] != UInt8(ascii: "-") || bytes[arrow + 1] != UInt8(ascii: ">") {
            arrow += 1
        }
        if arrow + 2 < bytes.count {
            suffix = Array(bytes[(star + 1)..<arrow])
            field = Array(bytes[(arrow + 2)...])
        } else {
            suffix = Array(bytes[(star + 1)...])
            field = nil
        }
    }

    /// Calls `body` with what the pattern leads to for `element`; false when that is nothing.
    fileprivate func find(
        _ call: borrowing Call, _ element: Span<UInt8>, _ body: (Span<UInt8>) -> Void
    ) -> Bool {
        if isElement {
            body(element)
            return true
        }
        guard hasPlace else { return false }
        var name = ByteBuffer(capacity: prefix.count + element.count + suffix.count)
        name.append(prefix)
        name.append(element)
        name.append(suffix)
        guard let entry = call.read(named: name.span) else { return false }
        guard let field else {
            guard entry.isString else { return false }
            entry.withStringBytes(body)
            return true
        }
        guard entry.objectType == .hash, let value = entry.fieldValue(field.span, now: call.now) else { return false }
        value.withText(body)
        return true
    }
}

extension Call {
    /// Calls `body` with what `pattern` leads to for `element`; false when that is nothing.
    func withValue(of pattern: SortPattern, for element: Span<UInt8>, _ body: (Span<UInt8>) -> Void) -> Bool {
        pattern.find(self, element, body)
    }
}
