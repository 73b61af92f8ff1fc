// Arguments.swift - a command's arguments as views of the read buffer: no copies. `ArgumentSlice` is what a parser
// stores (address and length); `Arguments` is what a handler sees, and the compiler forbids it to keep it: both the
// list and the spans taken out of it are non-escapable. Valid while the round that parsed the command runs.
internal import Base

/// One argument in memory. Made by the parser, turned into spans by `Arguments`.
@safe package struct ArgumentSlice {
    @unsafe package let base: UnsafePointer<UInt8>
    package let count: Int

    @unsafe @inline(__always)
    package init(base: UnsafePointer<UInt8>, count: Int) {
        unsafe self.base = base
        self.count = count
    }
}

@safe package struct Arguments: ~Escapable {
    private let base: UnsafePointer<ArgumentSlice>
    /// Number of arguments, the command's name included.
    package let count: Int

    /// The caller promises that the slices and the bytes they point to outlive every use of this value.
    @unsafe @_lifetime(immortal) @inline(__always)
    package init(unchecked base: UnsafePointer<ArgumentSlice>, count: Int) {
        unsafe self.base = base
        self.count = count
    }

    /// The bytes of argument `index`; 0 is the command's name.
    package subscript(index: Int) -> Span<UInt8> {
        @_lifetime(copy self) @inline(__always) get {
            precondition(index >= 0 && index < count, "a handler reads only arguments that its arity promises")
            let slice = unsafe base[index]
            let view = unsafe Span(_unsafeStart: slice.base, count: slice.count)
            return unsafe _overrideLifetime(view, copying: self)
        }
    }

    /// Bytes from the first argument's start to the last one's end: the request's size, protocol included, when it lies
    /// in one piece; a huge or meaningless number otherwise, never a small one for a large request.
    package var extent: Int {
        @inline(__always) get {
            guard count > 0 else { return 0 }
            let last = unsafe base[count &- 1]
            let distance = unsafe UnsafePointer(last.base) + last.count - base[0].base
            return distance >= 0 ? distance : Int.max
        }
    }

    /// The arguments from `start` on, as a list of their own.
    @_lifetime(copy self)
    package func dropFirst(_ start: Int) -> Arguments {
        precondition(start >= 0 && start <= count, "cannot drop more arguments than there are")
        return unsafe _overrideLifetime(Arguments(unchecked: base + start, count: count - start), copying: self)
    }

    /// The raw slices, for the engine when it copies a command that must be kept (suspension, MULTI).
    @unsafe package var slices: UnsafeBufferPointer<ArgumentSlice> {
        unsafe UnsafeBufferPointer(start: base, count: count)
    }
}
