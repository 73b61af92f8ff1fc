// LZFBlock.swift - LZF compression of one block, the form that Redis' files and `list-compress-depth` use. Pure, any
// thread with 512 KiB of stack to spare (the library keeps its table there). Decompression is LZFDecoder's, safe with
// any input: every reference is checked, and the result must have exactly the promised size.
package import Base
internal import CLZF

package enum LZFBlock {
    /// The library counts in 32 bits.
    package static let byteCountMax = Int(UInt32.max) - 1

    /// Appends the compressed form of `bytes` to `output`; false, and nothing appended, unless it is at least
    /// `savedMin` bytes shorter.
    package static func compress(_ bytes: Span<UInt8>, savedMin: Int = 1, to output: inout ByteBuffer) -> Bool {
        let limit = bytes.count &- savedMin
        guard bytes.count > 4, bytes.count <= byteCountMax, savedMin >= 1, limit > 0 else { return false }
        output.reserve(limit)
        let written = unsafe lzf_compress(
            ListpackCode.address(of: bytes), UInt32(bytes.count), output.pointer + output.count, UInt32(limit))
        guard written > 0 else { return false }
        output.commit(Int(written))
        return true
    }

    /// Appends the `byteCount` bytes that `compressed` stands for; false, and nothing appended, when it does not stand
    /// for exactly so many. The caller has bounded `byteCount`: memory for it is reserved.
    package static func decompress(
        _ compressed: Span<UInt8>, byteCount: Int, to output: inout ByteBuffer
    ) -> Bool {
        guard compressed.count > 0, compressed.count <= byteCountMax, byteCount > 0, byteCount <= byteCountMax else {
            return false
        }
        output.reserve(byteCount)
        let isWhole = unsafe LZFDecoder.decode(
            ListpackCode.address(of: compressed), count: compressed.count, to: output.pointer + output.count,
            byteCount: byteCount, room: output.capacity - output.count)
        if isWhole { output.commit(byteCount) }
        return isWhole
    }
}
