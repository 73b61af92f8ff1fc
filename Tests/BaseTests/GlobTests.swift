// GlobTests.swift - patterns. The table was checked with KEYS on Redis 7.0 and Valkey 9.1; random patterns are compared
// with a plain recursive reading of the rules.
import Base
import Testing

struct GlobTests {
    @Test(arguments: [
        ("", "", true), ("", "a", false), ("a", "", false), ("abc", "abc", true), ("abc", "abd", false),
        ("abc", "abcd", false), ("*", "a", true), ("*", "", false), ("**", "a", true), ("a*", "a", true),
        ("a***", "a", true), ("*a", "ba", true), ("*a", "ab", false), ("a*c", "abcbc", true), ("a*c", "abcb", false),
        ("?", "a", true), ("?", "", false), ("??", "a", false), ("h?llo", "hello", true), ("h*llo", "heeeello", true),
        ("h[ae]llo", "hallo", true), ("h[ae]llo", "hillo", false), ("h[^e]llo", "hallo", true),
        ("h[^e]llo", "hello", false), ("h[a-b]llo", "hbllo", true), ("h[b-a]llo", "hallo", true),
        ("[]", "a", false), ("[^]", "a", true), ("[a", "a", true), ("[a", "b", false), ("[", "[", false),
        ("[^", "x", true), ("[a-", "-", true), ("[a-]", "-", false), ("[a-]", "a", true), ("[a-]b]", "b", true),
        ("[\\]]", "]", true), ("[\\-a]", "-", true), ("\\*", "*", true), ("\\*", "a", false), ("\\", "\\", true),
        ("a\\", "a\\", true), ("\\a", "a", true), ("a\\*b", "a*b", true), ("a\\*b", "axb", false),
        ("*a*b*c*", "xxaxxbxxcxx", true), ("*a*b*c", "abcabcab", false), ("?*", "a", true), ("*?", "", false),
        ("a]", "a]", true), ("^a", "^a", true), ("user:*:name", "user:1000:name", true), ("[a-\u{7f}]", "b", true),
    ] as [(String, String, Bool)])
    func patterns(pattern: String, text: String, isMatch: Bool) {
        #expect(Glob.matches(pattern: bytes(pattern).span, text: bytes(text).span) == isMatch)
    }

    @Test(arguments: [
        ("HELLO", "hello", true), ("h[A-C]llo", "hBllo", true), ("h[a-c]llo", "hBllo", true), ("[\\A]", "a", false),
        ("[A]", "a", true), ("\\A", "a", true), ("*LL*", "hello", true), ("[Z-a]", "b", false), ("{", "[", false),
    ] as [(String, String, Bool)])
    func patternsIgnoringCase(pattern: String, text: String, isMatch: Bool) {
        #expect(Glob.matches(pattern: bytes(pattern).span, text: bytes(text).span, ignoringCase: true) == isMatch)
    }

    @Test func rangesCompareSignedBytes() {
        let pattern: [UInt8] = [0x5b, 0x80, 0x2d, 0x01, 0x5d]
        #expect(Glob.matches(pattern: pattern.span, text: ([0xff] as [UInt8]).span) == true)
        #expect(Glob.matches(pattern: pattern.span, text: ([0x00] as [UInt8]).span) == true)
        #expect(Glob.matches(pattern: pattern.span, text: ([0x7f] as [UInt8]).span) == false)
    }

    @Test(arguments: [("abc", true, 3), ("", true, 0), ("ab*", false, 2), ("?", false, 0), ("a[b]", false, 1),
        ("a\\b", false, 1), ("a]b^-", true, 5)])
    func literalPrefixes(pattern: String, isPlain: Bool, prefixCount: Int) {
        #expect(Glob.isPlain(bytes(pattern).span) == isPlain)
        #expect(Glob.literalPrefixCount(bytes(pattern).span) == prefixCount)
    }

    @Test func abusivePatternsEndQuickly() {
        let pattern = String(repeating: "a*", count: 900) + "b"
        let text = String(repeating: "a", count: 5000)
        let start = ContinuousClock.now
        #expect(Glob.matches(pattern: bytes(pattern).span, text: bytes(text).span) == false)
        #expect(Glob.matches(pattern: bytes(pattern).span, text: bytes(text + "b").span) == true)
        #expect(ContinuousClock.now - start < .seconds(5))
    }

    @Test func moreThanAThousandStarsDoNotMatch() {
        let text = bytes(String(repeating: "a", count: 2000))
        #expect(Glob.matches(pattern: bytes(String(repeating: "*a", count: 1000)).span, text: text.span) == true)
        #expect(Glob.matches(pattern: bytes(String(repeating: "*a", count: 1001)).span, text: text.span) == false)
        #expect(Glob.matches(pattern: bytes(String(repeating: "*a", count: 1000) + "*").span, text: text.span) == true)
    }

    @Test func randomPatternsAgreeWithAPlainReading() {
        var random = RandomGenerator(seed: testSeed)
        var mismatches = Mismatches()
        var matchCount = 0
        for round in 0..<100_000 {
            let alphabet = bytes(round % 2 == 0 ? "ab*?[]^-\\c" : "aab**?")
            let pattern = random.bytes(countMax: 9, alphabet: alphabet)
            let text = random.bytes(countMax: 8, alphabet: bytes(round % 2 == 0 ? "ab[]^-\\*c" : "ab"))
            let expected = plainMatch(pattern[...], text[...])
            matchCount += expected ? 1 : 0
            mismatches.check(
                Glob.matches(pattern: pattern.span, text: text.span) == expected,
                "\(String(decoding: pattern, as: UTF8.self)) \(String(decoding: text, as: UTF8.self))")
        }
        mismatches.expectNone()
        #expect(matchCount > 1000)
    }

    /// The rules without any cleverness; exponential, for short texts only.
    private func plainMatch(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        guard let element = pattern.first else { return text.isEmpty }
        // Stars match an empty rest only when something was matched before; the caller strips those.
        guard let byte = text.first else { return false }
        func rest(_ pattern: ArraySlice<UInt8>) -> Bool {
            let text = text.dropFirst()
            return plainMatch(text.isEmpty ? pattern.drop { $0 == UInt8(ascii: "*") } : pattern, text)
        }
        switch element {
        case UInt8(ascii: "*"):
            let behind = pattern.drop { $0 == UInt8(ascii: "*") }
            return behind.isEmpty || text.indices.contains { plainMatch(behind, text[$0...]) }
        case UInt8(ascii: "?"):
            return rest(pattern.dropFirst())
        case UInt8(ascii: "["):
            let (isMatch, behind) = plainClass(pattern.dropFirst(), byte)
            return isMatch && rest(behind)
        case UInt8(ascii: "\\") where pattern.count > 1:
            return pattern.dropFirst().first == byte && rest(pattern.dropFirst(2))
        default:
            return element == byte && rest(pattern.dropFirst())
        }
    }

    private func plainClass(_ pattern: ArraySlice<UInt8>, _ byte: UInt8) -> (Bool, ArraySlice<UInt8>) {
        var rest = pattern
        let isNegated = rest.first == UInt8(ascii: "^")
        if isNegated { rest = rest.dropFirst() }
        var members: Set<UInt8> = []
        while let first = rest.first, first != UInt8(ascii: "]") {
            let following = Array(rest.dropFirst().prefix(2))
            if first == UInt8(ascii: "\\"), let escaped = following.first {
                members.insert(escaped)
                rest = rest.dropFirst(2)
            } else if following.count == 2, following[0] == UInt8(ascii: "-") {
                members.formUnion(min(first, following[1])...max(first, following[1]))
                rest = rest.dropFirst(3)
            } else {
                members.insert(first)
                rest = rest.dropFirst()
            }
        }
        return (members.contains(byte) != isNegated, rest.dropFirst())
    }
}
