// ScriptFlags.swift - what a script or function declares about itself: the flags of `#!lua flags=...` and of
// register_function, and the first line that carries them. Pure.
internal import Base

package struct ScriptFlags: OptionSet, Sendable {
    package let rawValue: Int32
    package init(rawValue: Int32) { self.rawValue = rawValue }
    package static let noWrites = ScriptFlags(rawValue: 1)
    package static let allowOOM = ScriptFlags(rawValue: 2)
    package static let allowStale = ScriptFlags(rawValue: 4)
    package static let noCluster = ScriptFlags(rawValue: 8)
    package static let allowCrossSlotKeys = ScriptFlags(rawValue: 16)
    /// Not to be declared: a script without a first line of its own runs under the rules of old.
    package static let undeclared = ScriptFlags(rawValue: 1 << 8)

    /// Names in the order in which FUNCTION LIST shows them.
    static let names: [(name: StaticString, flag: ScriptFlags)] = [
        ("no-writes", .noWrites), ("allow-oom", .allowOOM), ("allow-stale", .allowStale), ("no-cluster", .noCluster),
        ("allow-cross-slot-keys", .allowCrossSlotKeys),
    ]

    static func named(_ name: Span<UInt8>) -> ScriptFlags? {
        for entry in names where name.equals(entry.name) { return entry.flag }
        return nil
    }

    /// The names of the flags set.
    package var shown: [String] { ScriptFlags.names.filter { contains($0.flag) }.map { "\($0.name)" } }
}

/// The first line of a script: `#!lua flags=no-writes,allow-oom`.
struct ScriptHead {
    var flags: ScriptFlags = .undeclared
    /// Bytes of the line; the script proper begins behind them, with the line's end, so that line numbers stay.
    var byteCount = 0

    /// Reads the head of `text`; the error's words, without a code, when it is malformed.
    static func read(_ text: Span<UInt8>) throws(ScriptError) -> ScriptHead {
        guard text.starts(with: "#!") else { return ScriptHead() }
        guard let end = (0..<text.count).first(where: { text[$0] == 10 }) else {
            throw ScriptError("Invalid script shebang")
        }
        var head = ScriptHead(flags: [], byteCount: end)
        let words = ScriptHead.words(text.extracting(0..<end))
        guard let engine = words.first, engine == Array("#!lua".utf8) else {
            let named = words.first.map { String(decoding: $0, as: UTF8.self) } ?? ""
            throw ScriptError("Unexpected engine in script shebang: \(named)")
        }
        for word in words.dropFirst() {
            guard word.starts(with: Array("flags=".utf8)) else {
                throw ScriptError("Unknown lua shebang option: \(String(decoding: word, as: UTF8.self))")
            }
            for name in word.dropFirst(6).split(separator: UInt8(ascii: ",")) {
                guard let flag = ScriptFlags.named(Array(name).span) else {
                    throw ScriptError("Unexpected flag in script shebang: \(String(decoding: name, as: UTF8.self))")
                }
                head.flags.insert(flag)
            }
        }
        return head
    }

    /// The words of a line, split at blanks.
    static func words(_ line: Span<UInt8>) -> [[UInt8]] {
        line.array.split(whereSeparator: { $0 == 32 || $0 == 9 || $0 == 13 }).map { Array($0) }
    }
}

/// A refusal whose words are made at run time, without a code.
package struct ScriptError: Error {
    package let words: String
    init(_ words: String) { self.words = words }
}
