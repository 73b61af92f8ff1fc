// BitmapCombiner.swift - BITOP: several strings of bytes combined bit by bit into one as long as the longest, with
// zeros behind the shorter ones. Two doors to the same kernels: sources one after the other (safe, each may go away
// once it was added), or all at once by address, block by block, so that the result is written to memory only once.
// One owner, any thread. Cost: memory bandwidth.
package import Base
internal import CBits
internal import CLinux

/// What BITOP does with its sources; X is the first one, Y any of the others.
package enum BitmapOperation: Sendable {
    case and, or, xor
    /// The complement of the only source.
    case not
    /// Bits of X that are in no Y.
    case diff
    /// Bits of any Y that are not in X.
    case diff1
    /// Bits of X that are in any Y.
    case andor
    /// Bits that are in exactly one source.
    case one

    /// Whether Redis knows it since 8.2 only.
    package var isRecent: Bool {
        switch self {
        case .and, .or, .xor, .not: return false
        case .diff, .diff1, .andor, .one: return true
        }
    }
}

@safe package struct BitmapCombiner: ~Copyable {
    private let operation: BitmapOperation
    private var sourceCount = 0
    /// The result so far; for diff1 and andor the union of all Y.
    private var result = ByteBuffer()
    /// X for diff1 and andor; for one, the bits that were met more than once.
    private var second = ByteBuffer()

    package init(_ operation: BitmapOperation) { self.operation = operation }

    /// Takes the next source in.
    package mutating func add(_ source: Span<UInt8>) {
        precondition(operation != .not || sourceCount == 0, "a complement has one source")
        let count = max(result.count, source.count)
        BitmapCombiner.extend(&result, to: count)
        if BitmapCombiner.usesSecond(operation) { BitmapCombiner.extend(&second, to: count) }
        let block = unsafe BitmapBlock(result: result.pointer, second: second.pointer, count: count)
        unsafe block.add(
            ListpackCode.address(of: source), count: source.count, isFirst: sourceCount == 0, operation)
        sourceCount += 1
    }

    /// The combination of all sources that were added; at least one must have been.
    package consuming func finish() -> ByteBuffer {
        precondition(sourceCount > 0, "there is something to combine")
        let block = unsafe BitmapBlock(result: result.pointer, second: second.pointer, count: result.count)
        unsafe block.finish(operation)
        return result
    }

    /// Combines `sources`, all of which stay where they are meanwhile.
    @unsafe
    package static func combine(
        _ operation: BitmapOperation, _ sources: [UnsafeBufferPointer<UInt8>]
    ) -> ByteBuffer {
        unsafe precondition(!sources.isEmpty && (operation != .not || sources.count == 1), "wrong number of sources")
        var longest = 0
        for unsafe source in unsafe sources { longest = max(longest, source.count) }
        var result = ByteBuffer(capacity: longest)
        var second = ByteBuffer()
        if usesSecond(operation) { extend(&second, to: blockByteCount) }
        result.commit(longest)
        var offset = 0
        while offset < longest {
            let count = min(blockByteCount, longest &- offset)
            let block = unsafe BitmapBlock(result: result.pointer + offset, second: second.pointer, count: count)
            for index in unsafe sources.indices {
                let held = unsafe max(0, min(count, sources[index].count &- offset))
                guard held > 0, let base = unsafe sources[index].baseAddress else {
                    unsafe block.add(UnsafePointer(result.pointer), count: 0, isFirst: index == 0, operation)
                    continue
                }
                unsafe block.add(base + offset, count: held, isFirst: index == 0, operation)
            }
            unsafe block.finish(operation)
            offset &+= count
        }
        return result
    }

    /// Small enough to stay in the first-level cache with one source beside it.
    private static let blockByteCount = 8192

    private static func usesSecond(_ operation: BitmapOperation) -> Bool {
        operation == .diff1 || operation == .andor || operation == .one
    }

    /// Zeros up to `count` bytes.
    private static func extend(_ buffer: inout ByteBuffer, to count: Int) {
        let added = count &- buffer.count
        if added > 0 {
            unsafe buffer.append(count: added) { target in unsafe memset(target, 0, added) }
        }
    }
}

/// Some bytes of the result, with what else the operation keeps for them.
@safe private struct BitmapBlock {
    let result: UnsafeMutablePointer<UInt8>
    let second: UnsafeMutablePointer<UInt8>
    let count: Int

    /// Takes `held` bytes of a source in; the rest of the source counts as zeros.
    @unsafe
    func add(_ source: UnsafePointer<UInt8>, count held: Int, isFirst: Bool, _ operation: BitmapOperation) {
        let rest = count &- held
        if isFirst {
            let keepsFirst = operation == .diff1 || operation == .andor
            let target = unsafe keepsFirst ? second : result
            unsafe memcpy(target, source, held)
            unsafe memset(target + held, 0, rest)
            if keepsFirst { unsafe memset(result, 0, count) }
            if operation == .one { unsafe memset(second, 0, count) }
            return
        }
        switch operation {
        case .and:
            unsafe fog_bits_and(result, source, held)
            unsafe memset(result + held, 0, rest)
        case .xor: unsafe fog_bits_xor(result, source, held)
        case .diff: unsafe fog_bits_and_not(result, source, held)
        case .one: unsafe fog_bits_once(result, second, source, held)
        case .or, .diff1, .andor, .not: unsafe fog_bits_or(result, source, held)
        }
    }

    /// After the last source.
    @unsafe
    func finish(_ operation: BitmapOperation) {
        switch operation {
        case .not: unsafe fog_bits_not(result, count)
        case .diff1, .one: unsafe fog_bits_and_not(result, second, count)
        case .andor: unsafe fog_bits_and(result, second, count)
        case .and, .or, .xor, .diff: break
        }
    }
}
