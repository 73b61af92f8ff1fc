// AOFManifest.swift - the append only file's table of contents, as Redis 7 keeps it in `appenddirname`: one base
// file, the increments behind it in order, and files that are history because a rewrite replaced them. Reading refuses
// what Redis refuses, with its words, because scripts look for them. A value; touches no file.
package import Base

package struct AOFManifest: Sendable, Equatable {
    package enum Kind: Character, Sendable {
        case base = "b"
        case increment = "i"
        case history = "h"
    }

    package struct Entry: Sendable, Equatable {
        package var name: String
        package var sequence: Int
        package var kind: Kind

        package init(name: String, sequence: Int, kind: Kind) {
            self.name = name
            self.sequence = sequence
            self.kind = kind
        }
    }

    /// Why a manifest cannot be used: with the line to blame in front, when one is.
    package struct Fault: Error, Sendable {
        package let text: String

        package init(_ text: String) { self.text = text }
    }

    /// A line of the file.
    private struct Place {
        let number: Int
        let text: String

        func fault(_ reason: String) -> Fault {
            Fault("Reading the manifest file, at line \(number)\n>>> '\(text)'\n\(reason)")
        }
    }

    package private(set) var base: Entry?
    package private(set) var increments: [Entry] = []
    package private(set) var history: [Entry] = []
    package private(set) var baseSequence = 0
    package private(set) var incrementSequence = 0

    package init() {}

    /// A base file of this name and nothing else: an old single file that becomes the first of the new kind.
    package init(upgrading name: String) {
        base = Entry(name: name, sequence: 1, kind: .base)
        baseSequence = 1
    }

    /// What loading reads, in order.
    package var files: [Entry] { (base.map { [$0] } ?? []) + increments }

    package var isEmpty: Bool { base == nil && increments.isEmpty && history.isEmpty }

    // MARK: growing

    /// Names a new base file; the old one and every increment before `keeping` become history.
    package mutating func addBase(prefix: String, isRDB: Bool, keeping: Entry?) -> Entry {
        if let base { history.append(Entry(name: base.name, sequence: base.sequence, kind: .history)) }
        baseSequence += 1
        let name = "\(prefix).\(baseSequence).base.\(isRDB ? "rdb" : "aof")"
        let fresh = Entry(name: name, sequence: baseSequence, kind: .base)
        base = fresh
        for entry in increments where entry != keeping {
            history.append(Entry(name: entry.name, sequence: entry.sequence, kind: .history))
        }
        increments = keeping.map { [$0] } ?? []
        return fresh
    }

    /// Names a new increment behind all others.
    package mutating func addIncrement(prefix: String) -> Entry {
        incrementSequence += 1
        let fresh = Entry(
            name: "\(prefix).\(incrementSequence).incr.aof", sequence: incrementSequence, kind: .increment)
        increments.append(fresh)
        return fresh
    }

    package mutating func forgetHistory() { history = [] }

    // MARK: text

    /// The manifest as its file holds it, a line for each of its files.
    package func makeText() -> ByteBuffer {
        var text = ByteBuffer()
        for entry in (base.map { [$0] } ?? []) + history + increments {
            text.append("file ")
            let name = Array(entry.name.utf8)
            let isPlain = name.allSatisfy { $0 > 32 && $0 < 127 && $0 != 34 && $0 != 39 && $0 != 92 }
            if isPlain { text.append(name) } else { ArgumentText.appendQuoted(name.span, to: &text) }
            text.append(" seq \(entry.sequence) type \(entry.kind.rawValue)\n")
        }
        return text
    }

    /// The longest line Redis reads.
    private static let lineByteCountMax = 1024

    package init(text: String) throws(Fault) {
        guard !text.isEmpty else { throw Fault("Found an empty AOF manifest") }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        for (index, line) in lines.enumerated() where line.first != "#" {
            let place = Place(number: index + 1, text: String(line))
            guard line.utf8.count < AOFManifest.lineByteCountMax else {
                throw place.fault("The AOF manifest file contains too long line")
            }
            try add(AOFManifest.entry(line, place), place)
        }
    }

    private mutating func add(_ entry: Entry, _ place: Place) throws(Fault) {
        switch entry.kind {
        case .base:
            guard base == nil else { throw place.fault("Found duplicate base file information") }
            base = entry
            baseSequence = entry.sequence
        case .history: history.append(entry)
        case .increment:
            guard entry.sequence > incrementSequence else {
                throw place.fault("Found a non-monotonic sequence number")
            }
            increments.append(entry)
            incrementSequence = entry.sequence
        }
    }

    private static func entry(_ line: Substring, _ place: Place) throws(Fault) -> Entry {
        let invalid = place.fault("Invalid AOF manifest file format")
        guard let words = ArgumentText.split(Array(line.utf8).span), words.count >= 6, words.count.isMultiple(of: 2)
        else {
            throw invalid
        }
        var name: String?
        var sequence: Int?
        var kind: Kind?
        for index in stride(from: 0, to: words.count, by: 2) {
            let value = String(decoding: words[index + 1], as: UTF8.self)
            switch String(decoding: words[index], as: UTF8.self).lowercased() {
            case "file":
                if value.contains("/") || value.contains("\\") {
                    throw place.fault("File can't be a path, just a filename")
                }
                name = value
            case "seq": sequence = Int(value)
            case "type":
                guard let letter = value.first, let known = Kind(rawValue: letter) else {
                    throw place.fault("Unknown AOF file type")
                }
                kind = known
            default: break
            }
        }
        guard let name, !name.isEmpty, let sequence, sequence > 0, let kind else { throw invalid }
        return Entry(name: name, sequence: sequence, kind: kind)
    }
}
