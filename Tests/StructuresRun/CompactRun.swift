// CompactRun.swift - compact forms that nobody has checked: each function takes any bytes at all, lets the validator
// judge them, and uses whatever it accepted in every way a server would. A trap or a sanitizer's report is a finding;
// the returned flag says whether the bytes were accepted.
internal import Base
internal import Structures

package enum CompactRun {
    /// Reads and edits a listpack that was accepted, and a quicklist made of it.
    package static func listpack(_ bytes: Span<UInt8>) -> Bool {
        guard Listpack.validate(bytes) else {
            _ = Listpack.validate(bytes, deep: false)
            return false
        }
        let view = ListpackView(bytes)
        let count = view.count
        var forward = 0
        var offset = view.startOffset
        var output = ByteBuffer()
        while let element = view.next(&offset) {
            output.truncate(to: 0)
            element.append(to: &output)
            precondition(output.count == element.textByteCount, "a text is as long as it says")
            precondition(view.find(output.span) != nil, "what is there is found")
            forward += 1
        }
        var backward = 0
        while view.previous(&offset) != nil { backward += 1 }
        precondition(forward == count && backward == count, "both directions count the same")
        _ = Listpack.validate(bytes, uniqueEach: 1)
        _ = Listpack.validate(bytes, uniqueEach: 2, allowsEmpty: true)
        var start = view.startOffset
        view.appendBulkStrings(from: &start, limit: .max, to: &output)
        var end = view.endOffset
        view.appendBulkStrings(before: &end, limit: .max, to: &output)
        edit(view, count)
        return true
    }

    private static func edit(_ view: ListpackView, _ count: Int) {
        var copy = Listpack(copying: view)
        copy.append(view.span)
        copy.prepend(Int64(count))
        if let offset = copy.view.offset(ofIndex: count / 2) {
            copy.replace(at: offset, with: 123_456)
            copy.remove(at: offset)
        }
        precondition(copy.count == count + 1 && Listpack.validate(copy.span), "edits keep a listpack whole")
        var list = Quicklist(listpack: view, limits: ListLimits(fill: 4), compressDepth: 1)
        list.append(view.span)
        list.insert(view.span, at: list.count / 2)
        list.replace(at: 0, with: Span())
        _ = list.popLast { _ in }
        list.removeMatches(of: Span(), limit: 3)
        if let wrong = list.firstInconsistency() { preconditionFailure(wrong) }
    }

    /// Reads and edits an intset that was accepted.
    package static func intset(_ bytes: Span<UInt8>) -> Bool {
        guard var set = Intset(validating: bytes) else { return false }
        for index in 0..<set.count { precondition(set.view.index(of: set.view[index]) == index, "order holds") }
        let count = set.count
        let grown = set.add(.min)
        precondition(set.count == count + (grown ? 1 : 0) && set.view.minimum == .min, "adding adds")
        set.remove(.min)
        precondition(Intset.validate(set.span, allowsEmpty: true), "edits keep an intset whole")
        return true
    }

    /// Decompresses anything, as RDB files and payloads ask for.
    package static func lzf(_ bytes: Span<UInt8>) -> Bool {
        var output = ByteBuffer()
        let claimed = bytes.count == 0 ? 0 : Int(bytes[0]) << 4
        return LZFBlock.decompress(bytes, byteCount: claimed, to: &output)
    }
}
