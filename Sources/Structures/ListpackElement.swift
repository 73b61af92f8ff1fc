// ListpackElement.swift - one element of a compact structure as its reader sees it: an integer, or a view of bytes that
// stay where they are. Never outlives the bytes it looks at (the compiler holds that); copying one costs nothing.
package import Base
internal import CLinux

package enum ListpackElement: ~Escapable {
    /// Stored as a number; its text is the number's decimal spelling.
    case integer(Int64)
    /// Stored as bytes.
    case bytes(Span<UInt8>)

    /// How many bytes the element's text has.
    package var textByteCount: Int {
        switch self {
        case .integer(let value): return ListpackNumber.textByteCount(value)
        case .bytes(let bytes): return bytes.count
        }
    }

    /// The number the element spells, stored either way; nil when its text is not the canonical spelling of one.
    package var integerValue: Int64? {
        switch self {
        case .integer(let value): return value
        case .bytes(let bytes):
            return unsafe ListpackNumber.parse(ListpackCode.address(of: bytes), count: bytes.count)
        }
    }

    /// Whether the element's text is `other`.
    @inline(__always)
    package func equals(_ other: Span<UInt8>) -> Bool {
        switch self {
        case .integer(let value):
            return unsafe ListpackNumber.parse(ListpackCode.address(of: other), count: other.count) == value
        case .bytes(let bytes):
            guard bytes.count == other.count else { return false }
            return unsafe memcmp(ListpackCode.address(of: bytes), ListpackCode.address(of: other), other.count) == 0
        }
    }

    /// Whether both elements have the same text.
    package func equals(_ other: borrowing ListpackElement) -> Bool {
        switch other {
        case .bytes(let bytes): return equals(bytes)
        case .integer(let right):
            switch self {
            case .integer(let left): return left == right
            case .bytes: return integerValue == right
            }
        }
    }

    /// Appends the element's text.
    @inline(__always)
    package func append(to output: inout ByteBuffer) {
        switch self {
        case .integer(let value): output.append(decimal: Int(value))
        case .bytes(let bytes): output.append(bytes)
        }
    }

    /// Runs `body` over the element's text; a number is spelled out first.
    @inline(__always)
    package func withText<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
        switch self {
        case .bytes(let bytes): return body(bytes)
        case .integer(let value):
            let capacity = ListpackNumber.textByteCountMax
            return unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: capacity) { room in
                let byteCount = ListpackNumber.textByteCount(value)
                let base = unsafe room.baseAddress.unsafelyUnwrapped
                unsafe ListpackNumber.write(value, byteCount: byteCount, to: base)
                return unsafe body(Span(_unsafeStart: UnsafePointer(base), count: byteCount))
            }
        }
    }
}
