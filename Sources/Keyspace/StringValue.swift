// StringValue.swift - reading a string entry whatever its encoding, and the layout of external values. A `StringView`
// borrows the entry: it is valid until the entry is written, removed or replaced, and the compiler keeps it from
// being stored. Integers become text only when somebody wants bytes.
internal import Base
internal import CLinux
package import Structures

/// Memory of its own behind an entry: {address 8, length 8}; capacity is what the allocator really gave.
enum ExternalValue {
    static let byteCount = 16

    @inline(__always)
    static func address(_ entry: Entry) -> UnsafeMutablePointer<UInt8> {
        let word = UInt(truncatingIfNeeded: entry.valueWord(at: 0))
        return unsafe UnsafeMutablePointer(bitPattern: word).unsafelyUnwrapped
    }

    @inline(__always)
    static func count(_ entry: Entry) -> Int { Int(truncatingIfNeeded: entry.valueWord(at: 8)) }

    static func set(_ entry: Entry, address: UnsafeMutablePointer<UInt8>, count: Int) {
        entry.setValueWord(UInt64(UInt(bitPattern: address)), at: 0)
        entry.setValueWord(UInt64(count), at: 8)
    }
}

extension Entry {
    @inline(__always)
    package var objectType: ObjectType { unsafe ObjectType(rawValue: type).unsafelyUnwrapped }

    /// When the entry dies, in milliseconds since the epoch; nil when it does not.
    @inline(__always)
    package var expiry: Int64? { hasExpiry ? expiryMilliseconds : nil }

    @inline(__always)
    package var isString: Bool { type == ObjectType.string.rawValue }

    @inline(__always)
    package var stringEncoding: StringEncoding { unsafe StringEncoding(rawValue: encoding).unsafelyUnwrapped }

    /// The integer of an integer-encoded string.
    @inline(__always)
    package var integerValue: Int64? {
        encoding == StringEncoding.integer.rawValue ? Int64(bitPattern: valueWord()) : nil
    }

    /// The bytes of a string entry that is not integer-encoded.
    @_lifetime(borrow self) @inline(__always)
    package func stringBytes() -> Span<UInt8> {
        if _fastPath(encoding != StringEncoding.external.rawValue) {
            let view = unsafe Span(_unsafeStart: UnsafePointer(valueAddress), count: valueByteCount)
            return unsafe _overrideLifetime(view, borrowing: self)
        }
        let view = unsafe Span(
            _unsafeStart: UnsafePointer(ExternalValue.address(self)), count: ExternalValue.count(self))
        return unsafe _overrideLifetime(view, borrowing: self)
    }

    /// Length of the string's text.
    package var stringByteCount: Int {
        if isAsleep { return SleepingValue(self).wholeByteCount }
        switch stringEncoding {
        case .integer: return DecimalDigits.count(Int64(bitPattern: valueWord()))
        case .external: return ExternalValue.count(self)
        default: return valueByteCount
        }
    }

    /// Calls `body` with the string's text; integers are written to a few bytes of scratch first.
    @inline(__always)
    package func withStringBytes<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        if let value = integerValue {
            var scratch = ByteBuffer(capacity: 24)
            scratch.append(decimal: Int(value))
            return try body(scratch.span)
        }
        return try body(stringBytes())
    }
}

/// Lengths of decimal numbers.
package enum DecimalDigits {
    package static func count(_ value: Int64) -> Int {
        var digits = value < 0 ? 2 : 1
        var rest = value.magnitude
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        return digits
    }
}
