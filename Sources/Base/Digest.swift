// Digest.swift - SHA-1 (script names, DEBUG DIGEST), SHA-256 (ACL passwords) by OpenSSL, and XXH3 (the DIGEST command)
// by xxHash. Pure, any thread. XXH3 here is wire format: its value must never depend on a seed of ours.
internal import CLinux
internal import COpenSSL
internal import CXXHash

package enum SHA1 {
    /// Bytes of a digest.
    package static let byteCount = 20

    /// The 20-byte digest.
    package static func digest(_ bytes: Span<UInt8>) -> [UInt8] {
        unsafe Hexadecimal.digest(byteCount) { target in
            unsafe bytes.withUnsafeBufferPointer { unsafe fog_sha1($0.baseAddress, $0.count, target) }
        }
    }

    /// The digest as 40 small hexadecimal digits: the name of a script.
    package static func hex(_ bytes: Span<UInt8>) -> String { Hexadecimal.text(digest(bytes).span) }
}

package enum SHA256 {
    /// Bytes of a digest.
    package static let byteCount = 32

    /// The 32-byte digest.
    package static func digest(_ bytes: Span<UInt8>) -> [UInt8] {
        unsafe Hexadecimal.digest(byteCount) { target in
            unsafe bytes.withUnsafeBufferPointer { unsafe fog_sha256($0.baseAddress, $0.count, target) }
        }
    }

    /// The digest as 64 small hexadecimal digits: a password in an ACL file.
    package static func hex(_ bytes: Span<UInt8>) -> String { Hexadecimal.text(digest(bytes).span) }
}

package enum XXH3 {
    /// The 64-bit hash under the default seed 0.
    package static func hash64(_ bytes: Span<UInt8>) -> UInt64 {
        unsafe bytes.withUnsafeBufferPointer { unsafe fog_xxh3_64($0.baseAddress, $0.count) }
    }
}

package enum Hexadecimal {
    /// Small hexadecimal digits, two a byte.
    package static func text(_ bytes: Span<UInt8>) -> String {
        var buffer = ByteBuffer(capacity: bytes.count * 2)
        append(bytes, to: &buffer)
        return buffer.span.text
    }

    /// Appends small hexadecimal digits, two a byte.
    package static func append(_ bytes: Span<UInt8>, to buffer: inout ByteBuffer) {
        for index in bytes.indices {
            buffer.append(digit(bytes[index] >> 4))
            buffer.append(digit(bytes[index] & 15))
        }
    }

    /// Appends the sixteen digits of `value`.
    package static func append(_ value: UInt64, to buffer: inout ByteBuffer) {
        for shift in stride(from: 60, through: 0, by: -4) {
            buffer.append(digit(UInt8(truncatingIfNeeded: value >> UInt64(shift) & 15)))
        }
    }

    /// The value of a hexadecimal digit in either case.
    @inline(__always)
    package static func value(ofDigit byte: UInt8) -> UInt8? {
        if byte &- 48 <= 9 { return byte &- 48 }
        let letter = (byte | 0x20) &- UInt8(ascii: "a")
        return letter < 6 ? letter &+ 10 : nil
    }

    @inline(__always)
    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? 48 &+ value : UInt8(ascii: "a") &- 10 &+ value
    }

    @unsafe fileprivate static func digest(_ byteCount: Int, _ fill: (UnsafeMutablePointer<UInt8>) -> Void) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { target, count in
            guard let base = target.baseAddress else { return }
            unsafe fill(base)
            count = byteCount
        }
    }
}
