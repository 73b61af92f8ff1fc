// ByteSpan.swift - comparing and reading byte views. Short texts (keys, option words) are compared by overlapping
// machine words without leaving the caller; long ones by memcmp. Pure, any thread; `text` allocates and is for logs,
// errors and listings only.
internal import CLinux

extension Span where Element == UInt8 {
    /// The first byte, nil when there is none.
    @inline(__always)
    package var firstByte: UInt8? { isEmpty ? nil : self[0] }

    /// The eight bytes from `offset` on, in memory order.
    @inline(__always)
    package func word(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset <= count &- 8, "a word of a view lies inside of it")
        return unsafe withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
    }

    /// The four bytes from `offset` on, in memory order.
    @inline(__always)
    package func halfWord(at offset: Int) -> UInt32 {
        precondition(offset >= 0 && offset <= count &- 4, "a word of a view lies inside of it")
        return unsafe withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
    }

    /// Byte-wise equality.
    @inline(__always)
    package func equals(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        return unsafe withUnsafeBufferPointer { left in
            unsafe other.withUnsafeBufferPointer { right in
                unsafe ByteComparison.equals(left.baseAddress, right.baseAddress, count: left.count)
            }
        }
    }

    /// Byte-wise equality with a literal.
    @inline(__always)
    package func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        return unsafe withUnsafeBufferPointer { left in
            unsafe ByteComparison.equals(left.baseAddress, text.utf8Start, count: left.count)
        }
    }

    /// Equality with a literal where ASCII letters match in either case.
    @inline(__always)
    package func equalsIgnoringCase(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        return unsafe withUnsafeBufferPointer { left in
            unsafe ByteComparison.equalsIgnoringCase(left.baseAddress, text.utf8Start, count: left.count)
        }
    }

    /// Equality where ASCII letters match in either case.
    @inline(__always)
    package func equalsIgnoringCase(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        return unsafe withUnsafeBufferPointer { left in
            unsafe other.withUnsafeBufferPointer { right in
                unsafe ByteComparison.equalsIgnoringCase(left.baseAddress, right.baseAddress, count: left.count)
            }
        }
    }

    /// True when the first bytes are `prefix`.
    @inline(__always)
    package func starts(with prefix: Span<UInt8>) -> Bool {
        guard count >= prefix.count else { return false }
        return unsafe withUnsafeBufferPointer { left in
            unsafe prefix.withUnsafeBufferPointer { right in
                unsafe ByteComparison.equals(left.baseAddress, right.baseAddress, count: right.count)
            }
        }
    }

    /// True when the first bytes are the literal `prefix`.
    @inline(__always)
    package func starts(with prefix: StaticString) -> Bool {
        guard count >= prefix.utf8CodeUnitCount else { return false }
        return unsafe withUnsafeBufferPointer { left in
            unsafe ByteComparison.equals(left.baseAddress, prefix.utf8Start, count: prefix.utf8CodeUnitCount)
        }
    }

    /// Order of unsigned bytes, then of length: negative, zero or positive.
    package func compare(_ other: Span<UInt8>) -> Int {
        let common = min(count, other.count)
        guard common > 0 else { return count &- other.count }
        let order = unsafe withUnsafeBufferPointer { left in
            unsafe other.withUnsafeBufferPointer { right in
                unsafe memcmp(left.baseAddress.unsafelyUnwrapped, right.baseAddress.unsafelyUnwrapped, common)
            }
        }
        return order != 0 ? Int(order) : count &- other.count
    }

    /// The bytes as text, every ill-formed sequence replaced. Allocates: off the data path only.
    package var text: String {
        unsafe withUnsafeBufferPointer { buffer in unsafe String(decoding: buffer, as: UTF8.self) }
    }

    /// A copy that outlives the view. Allocates: off the data path only.
    package var array: [UInt8] {
        unsafe withUnsafeBufferPointer { buffer in unsafe [UInt8](buffer) }
    }
}

/// The comparisons over raw memory; both sides hold `count` bytes.
package enum ByteComparison {
    /// Beyond this, memcmp's vector loop wins over inlined words.
    private static let inlineByteCountMax = 64

    /// Equality of `count` bytes; the addresses are read only when `count` is not 0.
    @unsafe @inline(__always)
    package static func equals(
        _ left: UnsafePointer<UInt8>?, _ right: UnsafePointer<UInt8>?, count: Int
    ) -> Bool {
        guard count > 0, let left = unsafe left, let right = unsafe right else { return true }
        if count >= 8 {
            if count > inlineByteCountMax { return unsafe equalsLong(left, right, count: count) }
            var position = 0
            while position &+ 8 < count {
                if unsafe load64(left + position) != load64(right + position) { return false }
                position &+= 8
            }
            return unsafe load64(left + count - 8) == load64(right + count - 8)
        }
        if count >= 4 {
            return unsafe load32(left) == load32(right) && load32(left + count - 4) == load32(right + count - 4)
        }
        return unsafe left[0] == right[0] && left[count >> 1] == right[count >> 1]
            && left[count - 1] == right[count - 1]
    }

    @unsafe @inline(never)
    package static func equalsLong(_ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>, count: Int) -> Bool {
        unsafe memcmp(left, right, count) == 0
    }

    @unsafe
    package static func equalsIgnoringCase(
        _ left: UnsafePointer<UInt8>?, _ right: UnsafePointer<UInt8>?, count: Int
    ) -> Bool {
        guard count > 0, let left = unsafe left, let right = unsafe right else { return true }
        for index in 0..<count {
            let byte = unsafe left[index]
            let difference = unsafe byte ^ right[index]
            if difference == 0 { continue }
            // Only the case bit may differ, and only on a letter ("[" and "{" differ by that bit as well).
            guard difference == 0x20, (byte | 0x20) &- UInt8(ascii: "a") < 26 else { return false }
        }
        return true
    }

    /// The byte with ASCII capitals made small; other bytes unchanged.
    @inline(__always)
    package static func lowercased(_ byte: UInt8) -> UInt8 {
        byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
    }

    @unsafe @inline(__always)
    private static func load64(_ pointer: UnsafePointer<UInt8>) -> UInt64 {
        unsafe UnsafeRawPointer(pointer).loadUnaligned(as: UInt64.self)
    }

    @unsafe @inline(__always)
    private static func load32(_ pointer: UnsafePointer<UInt8>) -> UInt32 {
        unsafe UnsafeRawPointer(pointer).loadUnaligned(as: UInt32.self)
    }
}

extension StaticString {
    /// Whether both spell the same.
    package func isEqual(to other: StaticString) -> Bool {
        guard utf8CodeUnitCount == other.utf8CodeUnitCount else { return false }
        return unsafe ByteComparison.equals(utf8Start, other.utf8Start, count: utf8CodeUnitCount)
    }
}
