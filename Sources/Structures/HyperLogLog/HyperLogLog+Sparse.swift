// HyperLogLog+Sparse.swift - the run-length form: 00xxxxxx is 1...64 zeros, 01xxxxxx yyyyyyyy is 1...16384 zeros, and
// 1vvvvvxx is a value of 1...32 repeated 1...4 times. Raising one register rewrites one run into up to three and then
// joins equal neighbours exactly as Redis does, because the bytes are compared. Part of `HyperLogLog`: pure, engine's
// turn. The runs are untrusted: every read is bounded by the buffer, every fault is thrown.
internal import CLinux
internal import Base

/// One run, decoded.
struct SparseRun {
    enum Kind { case zeros, manyZeros, value }

    let kind: Kind
    /// Registers covered.
    let length: Int
    /// Their value; 0 for zeros.
    let value: UInt8

    var byteCount: Int { kind == .manyZeros ? 2 : 1 }

    /// Nil when the run's second byte is missing.
    init?(at offset: Int, of bytes: Span<UInt8>) {
        let code = bytes[offset]
        if code & 0x80 != 0 {
            kind = .value
            length = Int(code & 3) + 1
            value = ((code >> 2) & 31) + 1
        } else if code & 0x40 == 0 {
            kind = .zeros
            length = Int(code) + 1
            value = 0
        } else {
            guard offset + 1 < bytes.count else { return nil }
            kind = .manyZeros
            length = (Int(code & 63) << 8 | Int(bytes[offset + 1])) + 1
            value = 0
        }
    }
}

/// Where a walk over ascending registers may start instead of at the first run.
struct SparseHint {
    var offset = HyperLogLog.headerByteCount
    var register = 0
}

/// The run that covers a register.
private struct SparsePlace {
    var offset: Int
    /// First register of the run.
    var register: Int
    /// The run in front of it, nil for the first one.
    var previous: SparseHint?
}

extension HyperLogLog {
    static let sparseValueMax: UInt8 = 32
    private static let shortZerosMax = 64
    private static let valueRunMax = 4
    /// Redis looks at so many runs when it joins equal neighbours.
    private static let joinScanMax = 5

    /// Value and length of every run; the runs must cover all registers exactly.
    @inline(__always)
    static func forEachRun(of bytes: Span<UInt8>, _ body: (UInt8, Int) -> Void) throws(Fault) {
        var offset = headerByteCount
        var covered = 0
        while offset < bytes.count {
            guard let run = SparseRun(at: offset, of: bytes) else { throw .corrupted }
            covered += run.length
            guard covered <= registerCount else { throw .corrupted }
            body(run.value, run.length)
            offset += run.byteCount
        }
        guard covered == registerCount else { throw .corrupted }
    }

    /// Sets a register to `value` if that is more than it holds. True when it was. `hint` speeds up ascending calls.
    static func raiseSparse(
        _ index: Int, to value: UInt8, in buffer: inout ByteBuffer, sparseBytesMax: Int, _ hint: inout SparseHint
    ) throws(Fault) -> Bool {
        guard value <= sparseValueMax else { return try promote(index, to: value, in: &buffer) }
        let place = try find(index, in: buffer.span, from: hint)
        guard let run = SparseRun(at: place.offset, of: buffer.span) else { throw .corrupted }
        if run.kind == .value && run.value >= value { return false }
        if run.length == 1 && run.kind != .manyZeros {
            buffer.replace(at: place.offset, with: valueCode(value, length: 1))
        } else {
            let split = Split(run, first: place.register, index: index, value: value)
            let growth = split.count - run.byteCount
            if growth > 0 && buffer.count + growth > sparseBytesMax {
                return try promote(index, to: value, in: &buffer)
            }
            buffer.makeRoom(at: place.offset..<(place.offset + run.byteCount), byteCount: split.count)
            for position in 0..<split.count {
                buffer.replace(at: place.offset + position, with: split.codes[position])
            }
        }
        joinNeighbours(in: &buffer, from: place.previous?.offset ?? headerByteCount)
        hint = place.previous ?? SparseHint()
        invalidateCache(of: &buffer)
        return true
    }

    /// The dense form always takes the value: a register that needs promotion is one that grows.
    private static func promote(_ index: Int, to value: UInt8, in buffer: inout ByteBuffer) throws(Fault) -> Bool {
        _ = try makeDense(&buffer)
        return raiseDense(index, to: value, in: &buffer)
    }

    private static func valueCode(_ value: UInt8, length: Int) -> UInt8 {
        0x80 | ((value - 1) << 2) | UInt8(length - 1)
    }

    /// One run with one register changed: at most XZERO, VAL, XZERO.
    private struct Split {
        var codes: InlineArray<5, UInt8> = .init(repeating: 0)
        var count = 0

        init(_ run: SparseRun, first: Int, index: Int, value: UInt8) {
            appendRest(of: run, length: index - first)
            append(HyperLogLog.valueCode(value, length: 1))
            appendRest(of: run, length: first + run.length - 1 - index)
        }

        private mutating func append(_ code: UInt8) {
            codes[count] = code
            count += 1
        }

        private mutating func appendRest(of run: SparseRun, length: Int) {
            guard length > 0 else { return }
            if run.kind == .value {
                append(HyperLogLog.valueCode(run.value, length: length))
            } else if length > HyperLogLog.shortZerosMax {
                append(0x40 | UInt8((length - 1) >> 8))
                append(UInt8((length - 1) & 0xff))
            } else {
                append(UInt8(length - 1))
            }
        }
    }

    /// The run that covers `index`, with the run in front of it.
    private static func find(
        _ index: Int, in bytes: Span<UInt8>, from hint: SparseHint
    ) throws(Fault) -> SparsePlace {
        let place = try scan(index, in: bytes, from: hint)
        // The hinted run itself: what is in front of it is not known, and joining needs it.
        if place.previous == nil && place.offset != headerByteCount {
            return try scan(index, in: bytes, from: SparseHint())
        }
        return place
    }

    private static func scan(
        _ index: Int, in bytes: Span<UInt8>, from hint: SparseHint
    ) throws(Fault) -> SparsePlace {
        var place = SparsePlace(offset: hint.offset, register: hint.register, previous: nil)
        while place.offset < bytes.count {
            unsafe bytes.withUnsafeBytes { raw in unsafe skipWords(index, raw, &place) }
            guard place.offset < bytes.count else { break }
            guard let run = SparseRun(at: place.offset, of: bytes) else { throw .corrupted }
            if index < place.register + run.length { return place }
            place.previous = SparseHint(offset: place.offset, register: place.register)
            place.offset += run.byteCount
            place.register += run.length
        }
        throw .corrupted
    }

    /// Passes eight runs at a time while all of them take one byte and end in front of `index`.
    @unsafe @inline(__always)
    private static func skipWords(_ index: Int, _ raw: UnsafeRawBufferPointer, _ place: inout SparsePlace) {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let evenBytes: UInt64 = 0x00ff_00ff_00ff_00ff
        while place.offset <= raw.count - 8 {
            let codes = unsafe raw.loadUnaligned(fromByteOffset: place.offset, as: UInt64.self)
            let values = (codes >> 7) & ones
            if (codes >> 6) & ~values & ones != 0 { return }
            // Zeros keep six bits of length, values two; both store the length less one.
            let lengths = codes & ((ones &* 0x3f) ^ (values &* 0x3c))
            let pairs = (lengths & evenBytes) &+ ((lengths >> 8) & evenBytes)
            let covered = Int((pairs &* 0x0001_0001_0001_0001) >> 48) + 8
            if place.register + covered > index { return }
            let lastLength = Int(lengths >> 56) + 1
            place.register += covered
            place.offset += 8
            place.previous = SparseHint(offset: place.offset - 1, register: place.register - lastLength)
        }
    }

    /// Joins equal value runs among the next few from `start`, the first fit again and again: Redis' order.
    private static func joinNeighbours(in buffer: inout ByteBuffer, from start: Int) {
        var offset = start
        var scans = joinScanMax
        while offset < buffer.count && scans > 0 {
            scans -= 1
            guard let run = SparseRun(at: offset, of: buffer.span) else { return }
            let next = offset + 1
            if run.kind == .value, next < buffer.count, let other = SparseRun(at: next, of: buffer.span),
                other.kind == .value, other.value == run.value, run.length + other.length <= valueRunMax {
                buffer.makeRoom(at: offset..<next, byteCount: 0)
                buffer.replace(at: offset, with: valueCode(run.value, length: run.length + other.length))
                continue
            }
            offset += run.byteCount
        }
    }
}
