// MappedBuffer.swift - pages straight from the system, for a buffer that lives as long as its thread: as with a stack,
// only pages that were written to are resident. The allocator does not know them, so they are no used memory, and
// `maxmemory` is not about them.
package import Base
internal import CLinux

@safe package struct MappedBuffer: ~Copyable {
    /// The bytes, zeros at first.
    @unsafe package let pointer: UnsafeMutablePointer<UInt8>
    private let byteCount: Int

    /// `byteCount` is rounded up to whole pages by the system.
    package init(byteCount: Int) throws(SystemError) {
        precondition(byteCount > 0, "a buffer has bytes")
        let mapped = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped = unsafe mapped, unsafe mapped != UnsafeMutableRawPointer(bitPattern: -1) else {
            throw SystemError(operation: "mmap a buffer")
        }
        unsafe pointer = mapped.bindMemory(to: UInt8.self, capacity: byteCount)
        self.byteCount = byteCount
    }

    deinit { unsafe munmap(pointer, byteCount) }
}
