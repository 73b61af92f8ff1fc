// EmptyBase.swift - the base file of a server that starts with nothing: an RDB file without a key. Pure.
package import Base

package enum EmptyBase {
    /// The file, as a server of this version writes it; every Redis since 7.0 reads it.
    package static func bytes(version: String) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.append("REDIS0010")
        append(&bytes, "redis-ver", version)
        append(&bytes, "redis-bits", "64")
        append(&bytes, "aof-base", "1")
        bytes.append(0xFF)
        let sum = CRC64.checksum(bytes.span)
        for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: sum >> UInt64(shift))) }
        return bytes
    }

    private static func append(_ bytes: inout ByteBuffer, _ name: String, _ value: String) {
        bytes.append(0xFA)
        for text in [name, value] {
            precondition(text.utf8.count < 64, "a short name has its length in one byte")
            bytes.append(UInt8(text.utf8.count))
            bytes.append(text)
        }
    }
}
