// KeyHash.swift - the seeded 64-bit hash of keys and fields, in the wyhash family (128-bit folded multiplications;
// Wang Yi's public-domain design), with a random seed per process so that nobody outside can aim at one bucket.
// Cost: about 2 ns for a 16-byte key. Never persisted: nothing on disk or on the wire may depend on it.
internal import CLinux

package enum KeyHash {
    /// Drawn once per process.
    package static let seed: UInt64 = {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }()

    @inline(__always)
    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    @unsafe @inline(__always)
    private static func load64(_ pointer: UnsafePointer<UInt8>) -> UInt64 {
        unsafe UnsafeRawPointer(pointer).loadUnaligned(as: UInt64.self)
    }

    @unsafe @inline(__always)
    private static func load32(_ pointer: UnsafePointer<UInt8>) -> UInt64 {
        unsafe UInt64(UnsafeRawPointer(pointer).loadUnaligned(as: UInt32.self))
    }

    private static let secret0: UInt64 = 0xa076_1d64_78bd_642f
    private static let secret1: UInt64 = 0xe703_7ed1_a0b4_28db

    /// The hash of `bytes` under `seed`.
    @inline(__always)
    package static func hash(_ bytes: Span<UInt8>, seed: UInt64) -> UInt64 {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return fold(seed ^ secret0, secret1) }
            return unsafe hash(base, count: buffer.count, seed: seed)
        }
    }

    @unsafe @inline(__always)
    package static func hash(_ base: UnsafePointer<UInt8>, count: Int, seed: UInt64) -> UInt64 {
        var first: UInt64
        var second: UInt64
        var state = seed ^ secret0
        if count <= 16 {
            if count >= 4 {
                let middle = (count >> 3) << 2
                unsafe first = (load32(base) << 32) | load32(base + middle)
                unsafe second = (load32(base + count - 4) << 32) | load32(base + count - 4 - middle)
            } else if count > 0 {
                unsafe first = UInt64(base[0]) << 16 | UInt64(base[count >> 1]) << 8 | UInt64(base[count - 1])
                second = 0
            } else {
                first = 0
                second = 0
            }
        } else {
            var position = 0
            while count &- position > 16 {
                unsafe state = fold(load64(base + position) ^ secret1, load64(base + position + 8) ^ state)
                position &+= 16
            }
            unsafe first = load64(base + count - 16)
            unsafe second = load64(base + count - 8)
        }
        return fold(secret1 ^ UInt64(truncatingIfNeeded: count), fold(first ^ secret1, second ^ state))
    }
}
