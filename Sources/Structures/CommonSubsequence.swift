// CommonSubsequence.swift - the longest common subsequence of two byte strings (LCS), by the classic table of partial
// lengths. The table takes 4 bytes per pair of positions, so the caller limits its size first; `length` alone gets by
// with one row. Pure, any thread. Cost: one step per pair of positions.
internal import Base
internal import CLinux

@safe package struct CommonSubsequence: ~Copyable {
    /// Positions of one run that both strings share, first to last, inclusive.
    package struct Match {
        package var firstStart: Int
        package var firstEnd: Int
        package var secondStart: Int
        package var secondEnd: Int
        package var byteCount: Int { firstEnd - firstStart + 1 }
    }

    /// Lengths for prefixes: row by prefix of the first string, column by prefix of the second.
    private let lengths: UnsafeMutablePointer<UInt32>
    private let firstCount: Int
    private let secondCount: Int

    /// Bytes the table for strings of these lengths takes; nil when that overflows.
    package static func tableByteCount(_ firstCount: Int, _ secondCount: Int) -> Int? {
        let (cells, overflow) = (firstCount + 1).multipliedReportingOverflow(by: secondCount + 1)
        let (bytes, carry) = cells.multipliedReportingOverflow(by: MemoryLayout<UInt32>.size)
        return overflow || carry ? nil : bytes
    }

    /// Compares the strings; nil when there is no memory for the table.
    package init?(_ first: Span<UInt8>, _ second: Span<UInt8>) {
        guard let byteCount = CommonSubsequence.tableByteCount(first.count, second.count),
            let memory = unsafe calloc(1, byteCount)
        else { return nil }
        unsafe lengths = memory.assumingMemoryBound(to: UInt32.self)
        firstCount = first.count
        secondCount = second.count
        let width = secondCount + 1
        for row in 1..<(firstCount + 1) {
            let byte = first[row - 1]
            let above = unsafe lengths + (row - 1) * width
            let current = unsafe lengths + row * width
            for column in 1..<width {
                if byte == second[column - 1] {
                    unsafe current[column] = above[column - 1] &+ 1
                } else {
                    unsafe current[column] = max(above[column], current[column - 1])
                }
            }
        }
    }

    deinit { unsafe free(lengths) }

    /// Bytes of the longest common subsequence.
    package var length: Int { at(firstCount, secondCount) }

    private func at(_ row: Int, _ column: Int) -> Int { unsafe Int(lengths[row * (secondCount + 1) + column]) }

    /// The subsequence's bytes; the strings are those of `init`.
    package func text(_ first: Span<UInt8>, _ second: Span<UInt8>) -> [UInt8] {
        var text = [UInt8](repeating: 0, count: length)
        var position = text.count
        walk(first, second) { row, _ in
            position -= 1
            text[position] = first[row]
        }
        return text
    }

    /// Calls `body` with every run of matching bytes, the last one first.
    package func forEachMatch(_ first: Span<UInt8>, _ second: Span<UInt8>, _ body: (Match) -> Void) {
        var run: Match?
        walk(first, second) { row, column in
            if var open = run, open.firstStart == row + 1, open.secondStart == column + 1 {
                open.firstStart = row
                open.secondStart = column
                run = open
            } else {
                if let open = run { body(open) }
                run = Match(firstStart: row, firstEnd: row, secondStart: column, secondEnd: column)
            }
        }
        if let open = run { body(open) }
    }

    /// Walks the table from its end; `visit` gets the positions of every byte of the subsequence, the last one first.
    private func walk(_ first: Span<UInt8>, _ second: Span<UInt8>, _ visit: (Int, Int) -> Void) {
        precondition(first.count == firstCount && second.count == secondCount, "the strings of init are walked")
        var row = firstCount
        var column = secondCount
        while row > 0 && column > 0 {
            if first[row - 1] == second[column - 1] {
                row -= 1
                column -= 1
                visit(row, column)
            } else if at(row - 1, column) > at(row, column - 1) {
                row -= 1
            } else {
                column -= 1
            }
        }
    }

    /// The length alone, in memory proportional to the second string; nil when there is none.
    package static func length(_ first: Span<UInt8>, _ second: Span<UInt8>) -> Int? {
        let width = second.count + 1
        guard let memory = unsafe calloc(width, MemoryLayout<UInt32>.size) else { return nil }
        defer { unsafe free(memory) }
        let row = unsafe memory.assumingMemoryBound(to: UInt32.self)
        for index in 0..<first.count {
            let byte = first[index]
            var diagonal: UInt32 = 0
            for column in 1..<width {
                let above = unsafe row[column]
                unsafe row[column] = byte == second[column - 1] ? diagonal &+ 1 : max(above, row[column - 1])
                diagonal = above
            }
        }
        return unsafe Int(row[second.count])
    }
}
