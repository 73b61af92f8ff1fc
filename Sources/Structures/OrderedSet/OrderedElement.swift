// OrderedElement.swift - one member of a large sorted set: a single allocation that holds its score and its bytes.
// The member table and the ordered tree both point to it; neither copies it. Whoever owns the sorted set frees it
// (the tree only ever forgets it). Touched under the engine's turn only. Layout, little endian:
//   0   score, Double
//   8   member length when below 255; 255 says that eight bytes of length follow at 9
//   9   (or 17) the member's bytes
// A 16-byte member costs one 32-byte allocation; up to 7 bytes cost 16. Never hold a member's span across a free.
internal import CAllocator
internal import CLinux
internal import Base

@safe package struct OrderedElement: Equatable {
    /// Where the element lies; what the member table stores.
    package let address: UnsafeMutableRawPointer

    private static let lengthOffset = 8
    private static let longLengthMark: UInt8 = 255
    private static let shortHeaderByteCount = 9
    private static let longHeaderByteCount = 17

    /// Views an element that `allocate` made and that was not freed yet.
    @unsafe @inline(__always)
    package init(address: UnsafeMutableRawPointer) { unsafe self.address = address }

    /// Same element, not same contents.
    @inline(__always)
    package static func == (left: OrderedElement, right: OrderedElement) -> Bool {
        unsafe left.address == right.address
    }

    /// A new element with a copy of `member`; the caller owns it.
    package static func allocate(score: Double, member: Span<UInt8>) -> OrderedElement {
        let length = member.count
        let isShort = length < Int(longLengthMark)
        let header = isShort ? shortHeaderByteCount : longHeaderByteCount
        guard let memory = unsafe malloc(header + length) else { outOfMemory(byteCount: header + length) }
        unsafe memory.storeBytes(of: score, as: Double.self)
        if isShort {
            unsafe memory.storeBytes(of: UInt8(length), toByteOffset: lengthOffset, as: UInt8.self)
        } else {
            unsafe memory.storeBytes(of: longLengthMark, toByteOffset: lengthOffset, as: UInt8.self)
            unsafe memory.storeBytes(of: length, toByteOffset: lengthOffset + 1, as: Int.self)
        }
        unsafe member.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress, length > 0 else { return }
            unsafe memcpy(memory + header, start, length)
        }
        return unsafe OrderedElement(address: memory)
    }

    /// Gives the memory back; no tree and no table may point here any more.
    package func free() {
        unsafe CLinux.free(address)
    }

    /// Bytes the allocator set aside for this element.
    package var allocatedBytes: Int { unsafe fog_allocated_size(address) }

    /// The score. Setting it directly is only right while the element is in no tree; see `OrderedSet.update`.
    package var score: Double {
        @inline(__always) get { unsafe address.load(as: Double.self) }
        @inline(__always) nonmutating set { unsafe address.storeBytes(of: newValue, as: Double.self) }
    }

    /// The member's bytes, valid until the element is freed.
    package var member: Span<UInt8> {
        @_lifetime(borrow self) @inline(__always) get {
            let view = unsafe Span(_unsafeStart: memberStart, count: memberLength)
            return unsafe _overrideLifetime(view, borrowing: self)
        }
    }

    /// Length of the member in bytes.
    package var memberLength: Int {
        @inline(__always) get {
            let short = unsafe address.load(fromByteOffset: OrderedElement.lengthOffset, as: UInt8.self)
            if short != OrderedElement.longLengthMark { return Int(short) }
            return unsafe address.loadUnaligned(fromByteOffset: OrderedElement.lengthOffset + 1, as: Int.self)
        }
    }

    /// First byte of the member.
    @unsafe package var memberStart: UnsafePointer<UInt8> {
        @inline(__always) get {
            let short = unsafe address.load(fromByteOffset: OrderedElement.lengthOffset, as: UInt8.self)
            let header = short != OrderedElement.longLengthMark
                ? OrderedElement.shortHeaderByteCount : OrderedElement.longHeaderByteCount
            return unsafe UnsafePointer((address + header).assumingMemoryBound(to: UInt8.self))
        }
    }

    /// memcmp, then length: negative when this member sorts before `bytes`.
    @unsafe @inline(__always)
    func compareMember(_ bytes: UnsafePointer<UInt8>, count: Int) -> Int {
        let length = memberLength
        let order = unsafe memcmp(memberStart, bytes, min(length, count))
        return order != 0 ? Int(order) : length &- count
    }

    /// memcmp, then length, against another element's member.
    @inline(__always)
    func compareMember(_ other: OrderedElement) -> Int {
        unsafe compareMember(other.memberStart, count: other.memberLength)
    }

    /// Starts loading the element's first cache line.
    @inline(__always)
    package func prefetch() { unsafe fog_prefetch(address) }
}
