// Glob.swift - glob-style patterns as KEYS, SCAN, PSUBSCRIBE and ACLs use them, with Redis' semantics down to its odd
// corners: an unterminated class ends with the pattern, ranges compare signed bytes and are swapped when reversed,
// an escape inside a class ignores the case flag. Pure, any thread, no recursion and no allocation: only the last
// star ever backtracks (a longer match for an earlier star cannot help), so cost is at most pattern x text.
internal import CLinux

package enum Glob {
    /// Redis gives up beyond this many stars; a pattern with more that still needs matching does not match.
    private static let starsMax = 1000

    /// True when `text` as a whole matches `pattern`.
    package static func matches(pattern: Span<UInt8>, text: Span<UInt8>, ignoringCase: Bool = false) -> Bool {
        unsafe pattern.withUnsafeBufferPointer { patternBuffer in
            unsafe text.withUnsafeBufferPointer { textBuffer in
                guard let patternBase = patternBuffer.baseAddress, let textBase = textBuffer.baseAddress,
                    patternBuffer.count > 0, textBuffer.count > 0
                else { return patternBuffer.count == 0 && textBuffer.count == 0 }
                let matcher = unsafe Matcher(
                    pattern: patternBase, patternCount: patternBuffer.count, text: textBase,
                    textCount: textBuffer.count, ignoringCase: ignoringCase)
                return matcher.run()
            }
        }
    }

    /// True when nothing in `pattern` is special: it matches exactly the text it spells.
    package static func isPlain(_ pattern: Span<UInt8>) -> Bool {
        literalPrefixCount(pattern) == pattern.count
    }

    /// How many leading bytes of every matching text are those of `pattern`.
    package static func literalPrefixCount(_ pattern: Span<UInt8>) -> Int {
        var index = 0
        while index < pattern.count, !isSpecial(pattern[index]) { index += 1 }
        return index
    }

    @inline(__always)
    fileprivate static func isSpecial(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "*") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "[")
            || byte == UInt8(ascii: "\\")
    }

    /// One match in progress; lives on the stack of `matches`. Both views are non-empty.
    @safe private struct Matcher {
        let pattern: UnsafePointer<UInt8>
        let patternCount: Int
        let text: UnsafePointer<UInt8>
        let textCount: Int
        let ignoringCase: Bool

        /// Behind the end there is a byte that means nothing, as in C.
        @inline(__always)
        private func patternByte(_ index: Int) -> UInt8 {
            unsafe index < patternCount ? pattern[index] : 0
        }

        func run() -> Bool {
            var patternIndex = 0
            var textIndex = 0
            var starCount = 0
            // Where to resume when the part after the last star fails: that part, and the text one byte further on.
            var resumePattern = -1
            var resumeText = 0
            while true {
                var failed = false
                if patternIndex < patternCount, textIndex < textCount {
                    if unsafe pattern[patternIndex] == UInt8(ascii: "*") {
                        skipStars(&patternIndex)
                        if patternIndex == patternCount { return true }
                        starCount &+= 1
                        if starCount > Glob.starsMax { return false }
                        resumePattern = patternIndex
                        guard let start = candidate(from: textIndex, patternIndex) else { return false }
                        textIndex = start
                        resumeText = start
                        continue
                    }
                    failed = !step(&patternIndex, textIndex)
                    textIndex &+= 1
                    if !failed && textIndex == textCount { skipStars(&patternIndex) }
                } else if patternIndex == patternCount, textIndex == textCount {
                    return true
                } else if textIndex == textCount {
                    // Every element but a star takes one byte, so a later start would run out of text as well.
                    return false
                } else {
                    failed = true
                }
                if failed {
                    guard resumePattern >= 0, resumeText &+ 1 < textCount,
                        let start = candidate(from: resumeText &+ 1, resumePattern)
                    else { return false }
                    patternIndex = resumePattern
                    textIndex = start
                    resumeText = start
                }
            }
        }

        @inline(__always)
        private func skipStars(_ patternIndex: inout Int) {
            while patternIndex < patternCount, unsafe pattern[patternIndex] == UInt8(ascii: "*") {
                patternIndex &+= 1
            }
        }

        /// The next place where the part after a star can begin: a literal byte is looked for by memchr.
        @inline(__always)
        private func candidate(from textIndex: Int, _ patternIndex: Int) -> Int? {
            let wanted = unsafe pattern[patternIndex]
            guard !ignoringCase, !Glob.isSpecial(wanted) else { return textIndex }
            guard let found = unsafe memchr(text + textIndex, Int32(wanted), textCount &- textIndex) else {
                return nil
            }
            return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(text)
        }

        /// Matches one text byte against one pattern element and moves behind that element.
        @inline(__always)
        private func step(_ patternIndex: inout Int, _ textIndex: Int) -> Bool {
            var wanted = unsafe pattern[patternIndex]
            switch wanted {
            case UInt8(ascii: "?"):
                patternIndex &+= 1
                return true
            case UInt8(ascii: "["):
                return unsafe stepClass(&patternIndex, text[textIndex])
            case UInt8(ascii: "\\") where patternIndex &+ 1 < patternCount:
                patternIndex &+= 1
                unsafe wanted = pattern[patternIndex]
            default:
                break
            }
            patternIndex &+= 1
            return unsafe same(wanted, text[textIndex])
        }

        @inline(__always)
        private func same(_ left: UInt8, _ right: UInt8) -> Bool {
            left == right || ignoringCase && ByteComparison.lowercased(left) == ByteComparison.lowercased(right)
        }

        private func stepClass(_ patternIndex: inout Int, _ byte: UInt8) -> Bool {
            var index = patternIndex &+ 1
            let isNegated = patternByte(index) == UInt8(ascii: "^")
            if isNegated { index &+= 1 }
            var isMatch = false
            while index < patternCount {
                let first = unsafe pattern[index]
                if first == UInt8(ascii: "\\"), index &+ 1 < patternCount {
                    index &+= 1
                    if unsafe pattern[index] == byte { isMatch = true }
                } else if first == UInt8(ascii: "]") {
                    break
                } else if index &+ 2 < patternCount, unsafe pattern[index &+ 1] == UInt8(ascii: "-") {
                    if unsafe isInRange(first, pattern[index &+ 2], byte) { isMatch = true }
                    index &+= 2
                } else if same(first, byte) {
                    isMatch = true
                }
                index &+= 1
            }
            patternIndex = min(index &+ 1, patternCount)
            return isMatch != isNegated
        }

        private func isInRange(_ first: UInt8, _ last: UInt8, _ byte: UInt8) -> Bool {
            var low = Int8(bitPattern: first)
            var high = Int8(bitPattern: last)
            var value = Int8(bitPattern: byte)
            if low > high { swap(&low, &high) }
            if ignoringCase {
                low = Int8(bitPattern: ByteComparison.lowercased(UInt8(bitPattern: low)))
                high = Int8(bitPattern: ByteComparison.lowercased(UInt8(bitPattern: high)))
                value = Int8(bitPattern: ByteComparison.lowercased(byte))
            }
            return low <= value && value <= high
        }
    }
}
