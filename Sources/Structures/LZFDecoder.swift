// LZFDecoder.swift - the reading half of LZF: most of the time of loading a file with compressed strings, so it copies
// in strides of 16 bytes, which run over the end of what they write as long as there is room behind it. Pure, any
// thread. Every length and every distance is checked before a byte moves: the input may be anything.
// Cost: about 1 ns a token and 16 bytes a copy; liblzf, which copies byte by byte, takes three times as long on text.
internal import CLinux

enum LZFDecoder {
    /// Writes the `byteCount` bytes that `count` bytes at `source` stand for; false when they stand for anything else.
    /// `target` has `room` bytes, at least `byteCount`; what lies behind those is undefined afterwards.
    @unsafe
    static func decode(
        _ source: UnsafePointer<UInt8>, count: Int, to target: UnsafeMutablePointer<UInt8>, byteCount: Int, room: Int
    ) -> Bool {
        precondition(byteCount <= room, "a block is decompressed into room for it")
        var position = 0
        var written = 0
        while position < count {
            let control = unsafe Int(source[position])
            position &+= 1
            if control < 32 {
                let length = control &+ 1
                guard count &- position >= length, byteCount &- written >= length else { return false }
                let from = unsafe source + position
                let to = unsafe target + written
                if _fastPath(count &- position >= 32 && room &- written >= 32) {
                    unsafe copy16(from, to)
                    unsafe copy16(from + 16, to + 16)
                } else {
                    unsafe memcpy(to, from, length)
                }
                position &+= length
                written &+= length
                continue
            }
            var length = control >> 5 &+ 2
            if length == 9 {
                guard position < count else { return false }
                length &+= unsafe Int(source[position])
                position &+= 1
            }
            guard position < count else { return false }
            let distance = unsafe (control & 31) << 8 &+ Int(source[position]) &+ 1
            position &+= 1
            guard distance <= written, byteCount &- written >= length else { return false }
            if _fastPath(room &- written >= length &+ 16) {
                unsafe repeatBytes(target + written, distance: distance, length: length)
            } else {
                let to = unsafe target + written
                for index in 0..<length { unsafe to[index] = to[index &- distance] }
            }
            written &+= length
        }
        return written == byteCount
    }

    /// Writes `length` bytes at `to`, each the one that stands `distance` before it, and up to 15 more.
    @unsafe @inline(__always)
    private static func repeatBytes(_ to: UnsafeMutablePointer<UInt8>, distance: Int, length: Int) {
        let from = unsafe UnsafePointer(to - distance)
        if _fastPath(distance >= 16) {
            unsafe copy16(from, to)
            var done = 16
            while done < length {
                unsafe copy16(from + done, to + done)
                done &+= 16
            }
        } else if distance >= 8 {
            var done = 0
            repeat {
                unsafe copy8(from + done, to + done)
                done &+= 8
            } while done < length
        } else if distance == 1 {
            unsafe memset(to, Int32(from[0]), length)
        } else {
            for index in 0..<length { unsafe to[index] = from[index] }
        }
    }

    @unsafe @inline(__always)
    private static func copy16(_ from: UnsafePointer<UInt8>, _ to: UnsafeMutablePointer<UInt8>) {
        let bytes = unsafe UnsafeRawPointer(from).loadUnaligned(as: SIMD2<UInt64>.self)
        unsafe UnsafeMutableRawPointer(to).storeBytes(of: bytes, as: SIMD2<UInt64>.self)
    }

    @unsafe @inline(__always)
    private static func copy8(_ from: UnsafePointer<UInt8>, _ to: UnsafeMutablePointer<UInt8>) {
        let bytes = unsafe UnsafeRawPointer(from).loadUnaligned(as: UInt64.self)
        unsafe UnsafeMutableRawPointer(to).storeBytes(of: bytes, as: UInt64.self)
    }
}
