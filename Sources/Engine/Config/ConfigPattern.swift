// ConfigPattern.swift - glob matching of directive names (CONFIG GET) and file names (include), and the nearest name
// for "did you mean". Iterative with one backtracking point, so the cost is at most pattern times text whatever a
// client sends; class syntax follows Redis, broken classes included. Pure, never traps.

enum ConfigPattern {
    /// True when the pattern has no wildcard and so can only match itself.
    static func isPlain(_ pattern: [UInt8]) -> Bool {
        !pattern.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "[") }
    }

    static func matches(_ pattern: [UInt8], _ text: [UInt8], ignoringCase: Bool) -> Bool {
        var patternIndex = 0
        var textIndex = 0
        var retryPattern: Int?
        var retryText = 0
        while textIndex < text.count {
            if patternIndex < pattern.count, pattern[patternIndex] == UInt8(ascii: "*") {
                patternIndex += 1
                retryPattern = patternIndex
                retryText = textIndex
            } else if let next = matchOne(pattern, patternIndex, text[textIndex], ignoringCase) {
                patternIndex = next
                textIndex += 1
            } else if let retry = retryPattern {
                retryText += 1
                patternIndex = retry
                textIndex = retryText
            } else {
                return false
            }
        }
        return pattern[min(patternIndex, pattern.count)...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// The pattern index after the element at `start` when that element accepts `byte`.
    private static func matchOne(_ pattern: [UInt8], _ start: Int, _ byte: UInt8, _ ignoringCase: Bool) -> Int? {
        guard start < pattern.count else { return nil }
        switch pattern[start] {
        case UInt8(ascii: "?"):
            return start + 1
        case UInt8(ascii: "["):
            return matchClass(pattern, start + 1, byte, ignoringCase)
        case UInt8(ascii: "\\") where start + 1 < pattern.count:
            return equal(pattern[start + 1], byte, ignoringCase) ? start + 2 : nil
        default:
            return equal(pattern[start], byte, ignoringCase) ? start + 1 : nil
        }
    }

    private static func equal(_ left: UInt8, _ right: UInt8, _ ignoringCase: Bool) -> Bool {
        left == right || (ignoringCase && ConfigText.lowercased(left) == ConfigText.lowercased(right))
    }

    /// `[abc]`, `[^a-z]`; a class that is never closed runs to the end of the pattern.
    private static func matchClass(_ pattern: [UInt8], _ start: Int, _ byte: UInt8, _ ignoringCase: Bool) -> Int? {
        var index = start
        let isNegated = index < pattern.count && pattern[index] == UInt8(ascii: "^")
        if isNegated { index += 1 }
        var isFound = false
        while index < pattern.count, pattern[index] != UInt8(ascii: "]") {
            if pattern[index] == UInt8(ascii: "\\"), index + 1 < pattern.count {
                index += 1
                if pattern[index] == byte { isFound = true }
            } else if index + 2 < pattern.count, pattern[index + 1] == UInt8(ascii: "-") {
                let folded = [pattern[index], pattern[index + 2], byte]
                    .map { ignoringCase ? ConfigText.lowercased($0) : $0 }
                if folded[2] >= min(folded[0], folded[1]) && folded[2] <= max(folded[0], folded[1]) { isFound = true }
                index += 2
            } else if equal(pattern[index], byte, ignoringCase) {
                isFound = true
            }
            index += 1
        }
        return isFound != isNegated ? min(index + 1, pattern.count) : nil
    }

    /// The candidate that a mistyped name most likely meant: at most a third of its letters wrong.
    static func nearest(to name: [UInt8], among candidates: [String]) -> String? {
        guard name.count >= 2, name.count <= 64 else { return nil }
        let limit = max(1, min(3, name.count / 3))
        var best: (distance: Int, name: String)?
        for candidate in candidates {
            let distance = editDistance(name, Array(candidate.utf8), limit: limit)
            if distance <= limit, distance < best?.distance ?? .max { best = (distance, candidate) }
        }
        return best?.name
    }

    /// Letters inserted, dropped, changed or swapped with their neighbour; `limit + 1` when there are more.
    static func editDistance(_ left: [UInt8], _ right: [UInt8], limit: Int) -> Int {
        if abs(left.count - right.count) > limit { return limit + 1 }
        if left.isEmpty || right.isEmpty { return max(left.count, right.count) }
        var beforePrevious: [Int] = []
        var previous = Array(0...right.count)
        for (row, byte) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var cost = min(
                    previous[column] + (byte == other ? 0 : 1), previous[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, byte == right[column - 1], left[row - 1] == other {
                    cost = min(cost, beforePrevious[column - 1] + 1)
                }
                current.append(cost)
            }
            (beforePrevious, previous) = (previous, current)
        }
        return previous[right.count]
    }
}
