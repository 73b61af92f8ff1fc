// ScriptCache.swift - compiled scripts, found by their text (EVAL) or digest (EVALSHA). EVAL looks its text up by a
// fast keyed hash and compares the bytes, so that nothing is digested twice. Scripts that only EVAL brought are
// forgotten again, the least recently used first, when there are too many; what SCRIPT LOAD brought stays. Under the
// turn.
internal import Base

/// A SHA-1 digest as a key.
struct ScriptDigest: Hashable {
    let first: UInt64
    let second: UInt64
    let third: UInt32

    /// Of 40 hexadecimal digits in either case; nil for anything else.
    init?(hexadecimal text: Span<UInt8>) {
        guard text.count == 40 else { return nil }
        var words: (UInt64, UInt64, UInt64) = (0, 0, 0)
        for index in 0..<40 {
            guard let digit = Hexadecimal.value(ofDigit: text[index]) else { return nil }
            if index < 16 {
                words.0 = words.0 << 4 | UInt64(digit)
            } else if index < 32 {
                words.1 = words.1 << 4 | UInt64(digit)
            } else {
                words.2 = words.2 << 4 | UInt64(digit)
            }
        }
        first = words.0
        second = words.1
        third = UInt32(truncatingIfNeeded: words.2)
    }
}

/// The 40 bytes of a digest as they were sent, compared without reading them as digits.
private struct DigestText: Equatable {
    private var words = (UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0))

    init() {}

    @inline(__always)
    init?(_ text: Span<UInt8>) {
        guard text.count == 40 else { return nil }
        words = (text.word(at: 0), text.word(at: 8), text.word(at: 16), text.word(at: 24), text.word(at: 32))
    }

    @inline(__always)
    static func == (left: DigestText, right: DigestText) -> Bool {
        let (a, b) = (left.words, right.words)
        return (a.0 ^ b.0) | (a.1 ^ b.1) | (a.2 ^ b.2) | (a.3 ^ b.3) | (a.4 ^ b.4) == 0
    }
}

/// What a script is called by.
struct ScriptText {
    let text: [UInt8]
    /// 40 small hexadecimal digits.
    let digest: [UInt8]
}

/// What running a script needs to know of it: no reference, so that reading it counts none.
struct CachedScript {
    let function: ScriptFunction
    let flags: ScriptFlags
    /// SCRIPT LOAD brought it: only SCRIPT FLUSH takes it away.
    var isKept: Bool
    var lastUse: UInt64
}

package struct ScriptCache: ~Copyable {
    /// EVAL's own scripts that are kept, as in Redis.
    private static let evalCountMax = 500

    private var scripts: [CachedScript?] = []
    /// Side by side with `scripts`; empty where there is none.
    private var texts: [ScriptText] = []
    private var free: [Int] = []
    private var byDigest: [ScriptDigest: Int] = [:]
    private var byText: [UInt64: Int] = [:]
    /// Found last by its text: a client that sends one script again and again needs no hash of it.
    private var latest = -1
    /// Found last by its digest, likewise, and how that was spelled.
    private var latestByDigest = -1
    private var latestDigest = DigestText()
    private var uses: UInt64 = 0
    private var evalCount = 0
    /// Scripts forgotten to make room (INFO evicted_scripts).
    package internal(set) var evictedCount = 0
    /// Bytes of the scripts' texts.
    package private(set) var textByteCount = 0

    init() {}

    /// Scripts held (INFO number_of_cached_scripts).
    package var count: Int { byDigest.count }

    /// What the table itself takes, texts included (INFO used_memory_scripts).
    package var byteCount: Int {
        textByteCount + scripts.capacity * MemoryLayout<CachedScript?>.stride
            + texts.capacity * MemoryLayout<ScriptText>.stride
            + byDigest.capacity * (MemoryLayout<ScriptDigest>.stride + 8) + byText.capacity * 16
    }

    func function(_ index: Int) -> ScriptFunction? { scripts[index]?.function }

    func flags(_ index: Int) -> ScriptFlags { scripts[index]?.flags ?? [] }

    func digest(_ index: Int) -> [UInt8] { texts[index].digest }

    func text(_ index: Int) -> [UInt8] { texts[index].text }

    // MARK: finding

    @inline(__always)
    mutating func find(text: Span<UInt8>) -> Int? {
        if latest >= 0, isText(text, of: latest) {
            noteUse(latest)
            return latest
        }
        guard let index = byText[KeyHash.hash(text, seed: KeyHash.seed)] else { return nil }
        guard isText(text, of: index) else { return nil }
        noteUse(index)
        latest = index
        return index
    }

    private func isText(_ text: Span<UInt8>, of index: Int) -> Bool {
        let known = texts[index].text
        return known.span.equals(text)
    }

    @inline(__always)
    mutating func find(digest: Span<UInt8>) -> Int? {
        guard let spelled = DigestText(digest) else { return nil }
        if latestByDigest >= 0 && spelled == latestDigest {
            noteUse(latestByDigest)
            return latestByDigest
        }
        guard let key = ScriptDigest(hexadecimal: digest), let index = byDigest[key] else { return nil }
        noteUse(index)
        latestByDigest = index
        latestDigest = spelled
        return index
    }

    /// What the script of a digest declared; asking is no use of it.
    func flags(digest: Span<UInt8>) -> ScriptFlags? {
        guard let key = ScriptDigest(hexadecimal: digest), let index = byDigest[key] else { return nil }
        return flags(index)
    }

    func contains(digest: Span<UInt8>) -> Bool {
        guard let key = ScriptDigest(hexadecimal: digest) else { return false }
        return byDigest[key] != nil
    }

    @inline(__always)
    private mutating func noteUse(_ index: Int) {
        uses &+= 1
        scripts[index]?.lastUse = uses
    }

    // MARK: changing

    mutating func add(
        text: Span<UInt8>, digest: [UInt8], function: ScriptFunction, flags: ScriptFlags, isKept: Bool
    ) -> Int {
        uses &+= 1
        let script = CachedScript(function: function, flags: flags, isKept: isKept, lastUse: uses)
        let named = ScriptText(text: text.array, digest: digest)
        let index = free.popLast() ?? scripts.count
        if index == scripts.count {
            scripts.append(script)
            texts.append(named)
        } else {
            scripts[index] = script
            texts[index] = named
        }
        if let key = ScriptDigest(hexadecimal: digest.span) { byDigest[key] = index }
        byText[KeyHash.hash(text, seed: KeyHash.seed)] = index
        textByteCount += text.count
        if !isKept { evalCount += 1 }
        return index
    }

    /// SCRIPT LOAD of a script that EVAL brought.
    mutating func keep(_ index: Int) {
        guard scripts[index]?.isKept == false else { return }
        scripts[index]?.isKept = true
        evalCount -= 1
    }

    /// The least recently used of too many; the caller makes the interpreter forget its function.
    mutating func evict(sparing newest: Int) -> ScriptFunction? {
        guard evalCount > ScriptCache.evalCountMax else { return nil }
        var oldest = -1
        var use = UInt64.max
        for index in scripts.indices where index != newest {
            guard let script = scripts[index], !script.isKept, script.lastUse < use else { continue }
            oldest = index
            use = script.lastUse
        }
        guard oldest >= 0, let script = scripts[oldest] else { return nil }
        let named = texts[oldest]
        scripts[oldest] = nil
        texts[oldest] = ScriptText(text: [], digest: [])
        if latest == oldest { latest = -1 }
        if latestByDigest == oldest { latestByDigest = -1 }
        free.append(oldest)
        if let key = ScriptDigest(hexadecimal: named.digest.span) { byDigest[key] = nil }
        let hash = KeyHash.hash(named.text.span, seed: KeyHash.seed)
        if byText[hash] == oldest { byText[hash] = nil }
        textByteCount -= named.text.count
        evalCount -= 1
        evictedCount += 1
        return script.function
    }

    /// SCRIPT FLUSH; the interpreter goes with its functions.
    mutating func removeAll() {
        scripts = []
        texts = []
        latest = -1
        latestByDigest = -1
        free = []
        byDigest = [:]
        byText = [:]
        evalCount = 0
        textByteCount = 0
    }
}
