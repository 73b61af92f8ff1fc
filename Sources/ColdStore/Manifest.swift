// Manifest.swift - which files of the directory count: lines of text, replaced as a whole (written beside, synced,
// renamed), so there is always one or the other and never half of one.
//
//     fog-cold 1
//     boot 0f6b...            the machine has not been down since: unsynced writes were not lost
//     persist yes             records and tombstones are complete after a crash
//     clean no                yes: the list of living records is complete
//     next 17                 the next segment's number
//     dictionary 2 8192 1a2b3c4d
//     segment 3
//     end 5e6f7a8b            crc32c of the lines before
//
// Pure except for `bootIdentifier`.
internal import Base
internal import Reactor

struct Manifest: Equatable, Sendable {
    static let fileName = "manifest"
    /// A hundred thousand segments, 1.6 TB, have a manifest of 2 MB.
    static let byteCountMax = 16 << 20

    struct Dictionary: Equatable, Sendable {
        var byteCount: Int
        var checksum: UInt32
    }

    var boot = ""
    var persists = false
    var isClean = false
    var nextNumber: UInt32 = 1
    var dictionaries: [UInt16: Dictionary] = [:]
    var segments: Set<UInt32> = []

    /// Changes whenever the machine starts.
    static func bootIdentifier() -> String {
        // Files of the kernel say that they have no bytes, so they are read to their end.
        do throws(SystemError) {
            let file = try DiskFile("/proc/sys/kernel/random/boot_id", .read)
            var buffer = ByteBuffer()
            try file.read(at: 0, byteCount: 64, into: &buffer)
            return buffer.span.text.filter { $0 != "\n" && $0 != " " }
        } catch {
            return "unknown"
        }
    }

    var text: String {
        var text = "fog-cold 1\nboot \(boot)\npersist \(persists ? "yes" : "no")\nclean \(isClean ? "yes" : "no")\n"
        text += "next \(nextNumber)\n"
        for (number, dictionary) in dictionaries.sorted(by: { $0.key < $1.key }) {
            text += "dictionary \(number) \(dictionary.byteCount) \(String(dictionary.checksum, radix: 16))\n"
        }
        for number in segments.sorted() { text += "segment \(number)\n" }
        return text + "end \(String(Manifest.checksum(text), radix: 16))\n"
    }

    private static func checksum(_ text: String) -> UInt32 { CRC32C.checksum(Array(text.utf8).span) }

    init() {}

    /// Nil when the text is no manifest, or not the whole of one.
    init?(_ text: String) {
        guard text.hasPrefix("fog-cold 1\n"), let end = text.range(ofLast: "\nend ") else { return nil }
        let body = String(text[..<text.index(after: end.lowerBound)])
        let rest = text[end.upperBound...]
        guard rest.hasSuffix("\n"), UInt32(rest.dropLast(), radix: 16) == Manifest.checksum(body) else { return nil }
        for line in body.split(separator: "\n").dropFirst() where !read(line) { return nil }
    }

    private mutating func read(_ line: Substring) -> Bool {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count >= 2 else { return false }
        switch words[0] {
        case "boot": boot = String(words[1])
        case "persist": persists = words[1] == "yes"
        case "clean": isClean = words[1] == "yes"
        case "next":
            guard let number = UInt32(words[1]) else { return false }
            nextNumber = number
        case "segment":
            guard let number = UInt32(words[1]) else { return false }
            segments.insert(number)
        case "dictionary":
            guard words.count == 4, let number = UInt16(words[1]), let count = Int(words[2]),
                let checksum = UInt32(words[3], radix: 16)
            else { return false }
            dictionaries[number] = Dictionary(byteCount: count, checksum: checksum)
        default: return false
        }
        return true
    }
}

extension String {
    /// The last place where `text` stands.
    fileprivate func range(ofLast text: String) -> Range<Index>? {
        var start = endIndex
        while true {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            guard start > startIndex else { return nil }
            start = index(before: start)
        }
    }
}
