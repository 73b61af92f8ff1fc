// HyperLogLog+Dense.swift - 6-bit registers: one at a time, and all of them. Unpacking works on words (48 bits spread
// to 8 bytes by three shift-and-mask steps), four words per vector, so merging and counting touch no single register.
// Part of `HyperLogLog`: pure, engine's turn. Callers have checked that a dense value has its one length.
internal import CLinux
package import Base

extension HyperLogLog {
    /// The value of one register of a dense value.
    package static func denseRegister(_ index: Int, of bytes: Span<UInt8>) -> UInt8 {
        precondition(index >= 0 && index < registerCount, "a HyperLogLog has 16384 registers")
        precondition(bytes.count == denseByteCount, "a dense value has its one length")
        let offset = headerByteCount + index * 6 / 8
        let shift = UInt8(index * 6 % 8)
        var value = bytes[offset] >> shift
        // Registers that end within their byte must not look at the next: the last one has none.
        if shift > 2 { value |= bytes[offset + 1] << (8 - shift) }
        return value & registerMax
    }

    /// Sets a register to `value` if that is more than it holds. True when it was.
    static func raiseDense(_ index: Int, to value: UInt8, in buffer: inout ByteBuffer) -> Bool {
        guard value > denseRegister(index, of: buffer.span) else { return false }
        let offset = headerByteCount + index * 6 / 8
        let shift = UInt8(index * 6 % 8)
        let low = buffer.span[offset]
        buffer.replace(at: offset, with: (low & ~(registerMax << shift)) | (value << shift))
        if shift > 2 {
            let high = buffer.span[offset + 1]
            buffer.replace(at: offset + 1, with: (high & ~(registerMax >> (8 - shift))) | (value >> (8 - shift)))
        }
        return true
    }

    /// Whether `element` would raise a register of a dense value.
    package static func isNews(_ element: Span<UInt8>, toDense bytes: Span<UInt8>) -> Bool {
        let (index, value) = place(of: element)
        return value > denseRegister(index, of: bytes)
    }

    /// Adds `element` to a dense value in the memory it lies in; its cached count is stale when a register grew.
    package static func add(_ element: Span<UInt8>, toDense memory: inout MutableSpan<UInt8>) {
        let (index, value) = place(of: element)
        unsafe memory.withUnsafeMutableBufferPointer { target in
            guard let start = target.baseAddress else { return }
            // Registers are replaced, never inserted: the borrowed memory always suffices.
            var buffer = unsafe ByteBuffer(borrowing: start, count: target.count, capacity: target.count)
            if raiseDense(index, to: value, in: &buffer) { invalidateCache(of: &buffer) }
        }
    }

    /// Turns a sparse value dense, cached count and all. False when it was dense already.
    package static func makeDense(_ buffer: inout ByteBuffer) throws(Fault) -> Bool {
        guard try encoding(of: buffer.span) == .sparse else { return false }
        var registers = Registers()
        try registers.merge(buffer.span)
        registers.storeDense(in: &buffer)
        return true
    }

    /// The 48 bits of eight packed registers, one per byte.
    @inline(__always)
    static func spread(_ packed: SIMD4<UInt64>) -> SIMD4<UInt64> {
        var lanes = (packed & 0x0000_0000_00ff_ffff) | ((packed & 0x0000_ffff_ff00_0000) &<< 8)
        lanes = (lanes & 0x0000_0fff_0000_0fff) | ((lanes & 0x00ff_f000_00ff_f000) &<< 4)
        return (lanes & 0x003f_003f_003f_003f) | ((lanes & 0x0fc0_0fc0_0fc0_0fc0) &<< 2)
    }

    /// The inverse of `spread`.
    @inline(__always)
    static func pack(_ bytes: SIMD4<UInt64>) -> SIMD4<UInt64> {
        var lanes = (bytes & 0x003f_003f_003f_003f) | ((bytes & 0x3f00_3f00_3f00_3f00) &>> 2)
        lanes = (lanes & 0x0000_0fff_0000_0fff) | ((lanes & 0x0fff_0000_0fff_0000) &>> 4)
        return (lanes & 0x0000_0000_00ff_ffff) | ((lanes & 0x00ff_ffff_0000_0000) &>> 8)
    }

    /// The larger of each two bytes, all below 128: the guard bit of a byte survives the subtraction where left wins.
    @inline(__always)
    static func maximum(_ left: SIMD4<UInt64>, _ right: SIMD4<UInt64>) -> SIMD4<UInt64> {
        let wins = ((left | 0x8080_8080_8080_8080) &- right) & 0x8080_8080_8080_8080
        let mask = wins &- (wins &>> 7)
        return (left & mask) | (right & ~mask)
    }

    /// 32 registers per step from 24 bytes; `body` gets them as four words of eight, and the first one's index.
    @unsafe @inline(__always)
    static func forEachDenseGroup(_ start: UnsafeRawPointer, _ body: (Int, SIMD4<UInt64>) -> Void) {
        // A word is read whole although 6 bytes count; the last one would end behind the value, so it is put together.
        let groupCount = registerCount / 32
        for group in 0..<groupCount {
            let place = unsafe start + group &* 24
            let last =
                group == groupCount - 1
                ? unsafe place.loadUnaligned(fromByteOffset: 16, as: UInt64.self) >> 16
                : unsafe place.loadUnaligned(fromByteOffset: 18, as: UInt64.self)
            let packed = unsafe SIMD4<UInt64>(
                place.loadUnaligned(as: UInt64.self),
                place.loadUnaligned(fromByteOffset: 6, as: UInt64.self),
                place.loadUnaligned(fromByteOffset: 12, as: UInt64.self),
                last)
            body(group &* 32, spread(packed))
        }
    }
}
