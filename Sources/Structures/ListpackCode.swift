// ListpackCode.swift - the byte layout of one listpack entry, exactly as Redis writes it to RDB files and DUMP
// payloads: code byte(s), payload, then the length of both once more, readable from behind. Used by the listpack
// types only; any thread. Nothing here checks bounds: every pointer must lie in a listpack that was validated or built
// by `Listpack`. Layout of the whole: 4 bytes total size, 2 bytes count (65535 = not known), entries, 0xff.
internal import CLinux

enum ListpackCode {
    /// Total size and count.
    static let headerByteCount = 6
    /// A listpack without entries: the header and the end mark.
    static let emptyByteCount = 7
    static let endMark: UInt8 = 0xff
    /// What the count field says when the true count does not fit into it.
    static let countUnknown = 0xffff
    /// No listpack grows beyond this, as in Redis; the size field alone would allow 4 GiB.
    static let byteCountMax = 1 << 30
    /// The longest code, the longest back length.
    static let overheadByteCountMax = 10

    // MARK: Little-endian fields at any address

    @unsafe @inline(__always)
    static func load16(_ pointer: UnsafePointer<UInt8>) -> Int {
        unsafe Int(UInt16(littleEndian: UnsafeRawPointer(pointer).loadUnaligned(as: UInt16.self)))
    }

    @unsafe @inline(__always)
    static func load32(_ pointer: UnsafePointer<UInt8>) -> Int {
        unsafe Int(UInt32(littleEndian: UnsafeRawPointer(pointer).loadUnaligned(as: UInt32.self)))
    }

    @unsafe @inline(__always)
    static func store16(_ value: Int, _ pointer: UnsafeMutablePointer<UInt8>) {
        unsafe UnsafeMutableRawPointer(pointer).storeBytes(
            of: UInt16(truncatingIfNeeded: value).littleEndian, as: UInt16.self)
    }

    @unsafe @inline(__always)
    static func store32(_ value: Int, _ pointer: UnsafeMutablePointer<UInt8>) {
        unsafe UnsafeMutableRawPointer(pointer).storeBytes(
            of: UInt32(truncatingIfNeeded: value).littleEndian, as: UInt32.self)
    }

    /// Writes size and count; a count that does not fit is written as not known.
    @unsafe @inline(__always)
    static func storeHeader(byteCount: Int, count: Int, _ pointer: UnsafeMutablePointer<UInt8>) {
        unsafe store32(byteCount, pointer)
        unsafe store16(min(count, countUnknown), pointer + 4)
    }

    // MARK: Sizes

    /// Bytes of code and payload of the entry at `pointer`, without the back length.
    @unsafe @inline(__always)
    static func codeByteCount(_ pointer: UnsafePointer<UInt8>) -> Int {
        let first = unsafe pointer[0]
        if first < 0x80 { return 1 }
        if first < 0xc0 { return 1 &+ Int(first & 0x3f) }
        return unsafe longCodeByteCount(pointer)
    }

    /// `codeByteCount` for the codes from 0xc0 on.
    @unsafe
    static func longCodeByteCount(_ pointer: UnsafePointer<UInt8>) -> Int {
        let first = unsafe pointer[0]
        if first < 0xe0 { return 2 }
        if first < 0xf0 { return unsafe 2 &+ (Int(first & 0x0f) << 8 | Int(pointer[1])) }
        switch first {
        case 0xf0: return unsafe 5 &+ load32(pointer + 1)
        case 0xf1: return 3
        case 0xf2: return 4
        case 0xf3: return 5
        case 0xf4: return 9
        default: preconditionFailure("a listpack holds a code that was never written")
        }
    }

    /// Bytes that the back length of an entry takes. Redis' limits are one short of what the digits could hold.
    @inline(__always)
    static func backByteCount(_ codeByteCount: Int) -> Int {
        if codeByteCount <= 127 { return 1 }
        if codeByteCount < 16383 { return 2 }
        if codeByteCount < 2_097_151 { return 3 }
        return codeByteCount < 268_435_455 ? 4 : 5
    }

    /// Bytes of the whole entry at `pointer`.
    @unsafe @inline(__always)
    static func entryByteCount(_ pointer: UnsafePointer<UInt8>) -> Int {
        let first = unsafe pointer[0]
        if first < 0x80 { return 2 }
        if first < 0xc0 { return 2 &+ Int(first & 0x3f) }
        let code = unsafe longCodeByteCount(pointer)
        return code &+ backByteCount(code)
    }

    /// Bytes of the whole entry that ends just before `end`.
    @unsafe @inline(__always)
    static func entryByteCount(endingAt end: UnsafePointer<UInt8>) -> Int {
        var position = unsafe end - 1
        var digits = unsafe Int(position[0] & 0x7f)
        var shift = 7
        while unsafe position[0] & 0x80 != 0, shift <= 28 {
            unsafe position -= 1
            unsafe digits |= Int(position[0] & 0x7f) << shift
            shift &+= 7
        }
        return digits &+ backByteCount(digits)
    }

    // MARK: Reading one entry

    /// A decoded entry: a text (`text` is not nil) or an integer.
    @safe struct Entry {
        var text: UnsafePointer<UInt8>?
        var textByteCount: Int
        var integer: Int64
        /// Bytes of the whole entry.
        var byteCount: Int
    }

    @unsafe @inline(__always)
    static func decode(_ pointer: UnsafePointer<UInt8>) -> Entry {
        let first = unsafe pointer[0]
        if first < 0x80 {
            return unsafe Entry(text: nil, textByteCount: 0, integer: Int64(first), byteCount: 2)
        }
        if first < 0xc0 {
            let length = Int(first & 0x3f)
            return unsafe Entry(text: pointer + 1, textByteCount: length, integer: 0, byteCount: length &+ 2)
        }
        return unsafe decodeLong(pointer)
    }

    /// `decode` for the codes from 0xc0 on.
    @unsafe
    static func decodeLong(_ pointer: UnsafePointer<UInt8>) -> Entry {
        let code = unsafe longCodeByteCount(pointer)
        let byteCount = code &+ backByteCount(code)
        let first = unsafe pointer[0]
        if first >= 0xe0 && first < 0xf0 {
            return unsafe Entry(text: pointer + 2, textByteCount: code &- 2, integer: 0, byteCount: byteCount)
        }
        if first == 0xf0 {
            return unsafe Entry(text: pointer + 5, textByteCount: code &- 5, integer: 0, byteCount: byteCount)
        }
        return unsafe Entry(text: nil, textByteCount: 0, integer: longInteger(pointer), byteCount: byteCount)
    }

    /// The value of an integer code from 0xc0 on.
    @unsafe
    private static func longInteger(_ pointer: UnsafePointer<UInt8>) -> Int64 {
        let first = unsafe pointer[0]
        if first < 0xe0 {
            let bits = unsafe Int64(first & 0x1f) << 8 | Int64(pointer[1])
            return bits >= 1 << 12 ? bits &- 1 << 13 : bits
        }
        switch first {
        case 0xf1: return unsafe Int64(Int16(truncatingIfNeeded: load16(pointer + 1)))
        case 0xf2:
            let bits = unsafe Int32(truncatingIfNeeded: load16(pointer + 1) | Int(pointer[3]) << 16)
            return Int64((bits << 8) >> 8)
        case 0xf3: return unsafe Int64(Int32(truncatingIfNeeded: load32(pointer + 1)))
        case 0xf4:
            return unsafe Int64(littleEndian: UnsafeRawPointer(pointer + 1).loadUnaligned(as: Int64.self))
        default: preconditionFailure("a listpack holds a code that was never written")
        }
    }

    // MARK: Writing one entry

    /// How an element will be written: as an integer when its text is the canonical spelling of one.
    struct Form {
        var isInteger: Bool
        var integer: Int64
        /// Bytes of code and payload.
        var codeByteCount: Int
        /// Bytes of the whole entry.
        var byteCount: Int
    }

    @unsafe @inline(__always)
    static func form(_ text: UnsafePointer<UInt8>, count: Int) -> Form {
        if let integer = unsafe ListpackNumber.parse(text, count: count) { return form(integer) }
        let code = count &+ (count < 64 ? 1 : count < 4096 ? 2 : 5)
        return Form(isInteger: false, integer: 0, codeByteCount: code, byteCount: code &+ backByteCount(code))
    }

    @inline(__always)
    static func form(_ integer: Int64) -> Form {
        let code: Int
        if integer >= 0 && integer < 128 {
            code = 1
        } else if integer >= -4096 && integer < 4096 {
            code = 2
        } else if integer == Int64(Int16(truncatingIfNeeded: integer)) {
            code = 3
        } else if integer >= -(1 << 23) && integer < 1 << 23 {
            code = 4
        } else {
            code = integer == Int64(Int32(truncatingIfNeeded: integer)) ? 5 : 9
        }
        return Form(isInteger: true, integer: integer, codeByteCount: code, byteCount: code &+ 1)
    }

    /// Writes the entry `form` describes; `text` is read when it is not an integer. `form.byteCount` bytes must fit.
    @unsafe @inline(__always)
    static func write(
        _ form: Form, text: UnsafePointer<UInt8>, count: Int, to target: UnsafeMutablePointer<UInt8>
    ) {
        if form.isInteger {
            unsafe writeInteger(form, to: target)
        } else {
            let head = form.codeByteCount &- count
            if head == 1 {
                unsafe target[0] = 0x80 | UInt8(truncatingIfNeeded: count)
            } else if head == 2 {
                unsafe target[0] = 0xe0 | UInt8(truncatingIfNeeded: count >> 8)
                unsafe target[1] = UInt8(truncatingIfNeeded: count)
            } else {
                unsafe target[0] = 0xf0
                unsafe store32(count, target + 1)
            }
            unsafe memcpy(target + head, text, count)
        }
        unsafe writeBack(form.codeByteCount, to: target + form.codeByteCount)
    }

    @unsafe @inline(__always)
    private static func writeInteger(_ form: Form, to target: UnsafeMutablePointer<UInt8>) {
        let value = form.integer
        switch form.codeByteCount {
        case 1: unsafe target[0] = UInt8(truncatingIfNeeded: value)
        case 2:
            unsafe target[0] = 0xc0 | UInt8(truncatingIfNeeded: (value >> 8) & 0x1f)
            unsafe target[1] = UInt8(truncatingIfNeeded: value)
        case 3:
            unsafe target[0] = 0xf1
            unsafe store16(Int(truncatingIfNeeded: value), target + 1)
        case 4:
            unsafe target[0] = 0xf2
            unsafe store16(Int(truncatingIfNeeded: value), target + 1)
            unsafe target[3] = UInt8(truncatingIfNeeded: value >> 16)
        case 5:
            unsafe target[0] = 0xf3
            unsafe store32(Int(truncatingIfNeeded: value), target + 1)
        default:
            unsafe target[0] = 0xf4
            unsafe UnsafeMutableRawPointer(target + 1).storeBytes(of: value.littleEndian, as: Int64.self)
        }
    }

    /// Writes the back length: seven bits a byte, the highest first; every byte but the first carries the high bit.
    @unsafe @inline(__always)
    static func writeBack(_ codeByteCount: Int, to target: UnsafeMutablePointer<UInt8>) {
        if codeByteCount <= 127 {
            unsafe target[0] = UInt8(truncatingIfNeeded: codeByteCount)
        } else {
            unsafe writeLongBack(codeByteCount, to: target)
        }
    }

    @unsafe
    private static func writeLongBack(_ codeByteCount: Int, to target: UnsafeMutablePointer<UInt8>) {
        var index = backByteCount(codeByteCount) &- 1
        var rest = codeByteCount
        while index > 0 {
            unsafe target[index] = UInt8(truncatingIfNeeded: rest & 0x7f) | 0x80
            rest >>= 7
            index &-= 1
        }
        unsafe target[0] = UInt8(truncatingIfNeeded: rest)
    }

    /// The first byte of `bytes`; an address that is never read when there is none.
    @unsafe @inline(__always)
    static func address(of bytes: Span<UInt8>) -> UnsafePointer<UInt8> {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe buffer.baseAddress ?? UnsafePointer(bitPattern: 16).unsafelyUnwrapped
        }
    }
}
