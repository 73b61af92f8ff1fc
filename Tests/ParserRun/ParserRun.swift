// ParserRun.swift - drives the command parser over given bytes as a loop does, in pieces of given sizes, and keeps what
// came out. Shared by the parser's tests and its fuzz target. Every piece is shown to the parser in memory that ends
// exactly at an unreadable page, so that one byte read too far is a crash, not luck.
internal import Base
internal import CLinux
package import RESP

package struct ParserRun: Equatable {
    /// Commands in order, arguments copied.
    package var commands: [[[UInt8]]] = []
    /// Why it ended, nil when the input was used up or ends within a command.
    package var failure: ProtocolError?
    /// Where the first command that is not complete starts, or the failing one.
    package var end = 0

    /// Parses `input`, of which the parser first sees `pieces[0]` bytes, then that and `pieces[1]` more, and so on;
    /// what the pieces do not cover arrives last.
    package init(_ input: [UInt8], pieces: [Int] = [], isAuthenticated: Bool = true, bulkByteCountMax: Int = 1 << 29) {
        let limits = CommandParser.Limits(bulkByteCountMax: bulkByteCountMax, isAuthenticated: isAuthenticated)
        var parser = CommandParser()
        var ranges = ArgumentRanges()
        let memory = GuardedMemory(byteCountMax: input.count)
        var received = 0
        for piece in pieces + [input.count] {
            received = min(input.count, received + max(0, piece))
            let view = memory.show(Array(input[end..<received]))
            if !take(view, &parser, &ranges, limits) { return }
        }
    }

    /// Runs the parser over what has arrived since `end`; false when it failed.
    private mutating func take(
        _ view: Span<UInt8>, _ parser: inout CommandParser, _ ranges: inout ArgumentRanges,
        _ limits: CommandParser.Limits
    ) -> Bool {
        var offset = 0
        while offset < view.count {
            ranges.removeAll()
            switch parser.parse(view, from: offset, limits: limits, into: &ranges) {
            case .command(let next):
                precondition(next > offset && next <= view.count, "a command ends within what was received")
                commands.append((0..<ranges.count).map { ParserRun.bytes(ranges[$0], view, parser.unquoted.span) })
                offset = next
            case .nothing(let next):
                precondition(next > offset && next <= view.count, "nothing ends within what was received")
                offset = next
            case .incomplete:
                end += offset
                parser.endRound()
                return true
            case .failure(let error):
                failure = error
                end += offset
                return false
            }
        }
        end += offset
        parser.endRound()
        return true
    }

    private static func bytes(_ range: ArgumentRange, _ view: Span<UInt8>, _ unquoted: Span<UInt8>) -> [UInt8] {
        range.offset >= 0
            ? view.extracting(range.offset..<range.offset + range.count).array
            : unquoted.extracting((-1 - range.offset)..<(-1 - range.offset + range.count)).array
    }
}

/// Memory whose last byte is followed by a page that may not be read.
@safe private struct GuardedMemory: ~Copyable {
    private static let pageByteCount = 4096
    private let base: UnsafeMutableRawPointer
    private let byteCount: Int

    init(byteCountMax: Int) {
        let pages = byteCountMax / GuardedMemory.pageByteCount + 2
        byteCount = pages * GuardedMemory.pageByteCount
        let mapped = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped = unsafe mapped, Int(bitPattern: mapped) != -1 else {
            preconditionFailure("no memory for a test")
        }
        unsafe base = mapped
        let last = unsafe base + (byteCount - GuardedMemory.pageByteCount)
        let result = unsafe mprotect(last, GuardedMemory.pageByteCount, PROT_NONE)
        precondition(result == 0, "a page can be protected")
    }

    deinit { unsafe munmap(base, byteCount) }

    /// The bytes, laid against the guard page. Valid until the next call.
    @_lifetime(borrow self)
    func show(_ bytes: [UInt8]) -> Span<UInt8> {
        let start = unsafe base + (byteCount - GuardedMemory.pageByteCount - bytes.count)
        unsafe bytes.withUnsafeBytes { source in
            if let address = source.baseAddress { unsafe start.copyMemory(from: address, byteCount: source.count) }
        }
        let view = unsafe Span(_unsafeStart: start.assumingMemoryBound(to: UInt8.self), count: bytes.count)
        return unsafe _overrideLifetime(view, borrowing: self)
    }
}
