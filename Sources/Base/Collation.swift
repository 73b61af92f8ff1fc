// Collation.swift - `locale-collate`: in which order texts that people read are sorted. The C library knows one order
// for the whole process, which SORT ALPHA and scripts (Lua compares by it) ask for under the engine's turn; so it is
// changed under the turn, or before there are threads. In the locale C, and those that order as it does, bytes decide.
internal import CLinux
internal import Synchronization

package enum Collation {
    private static let comparesBytes = Atomic<Bool>(true)

    /// Whether texts come in the order of their bytes.
    package static var isBytewise: Bool { comparesBytes.load(ordering: .relaxed) }

    /// Orders as in the locale `name`, in the environment's when it is empty. False when the system has no such locale.
    package static func use(_ name: String) -> Bool {
        let isKnown = unsafe fog_set_collation(name) != 0
        // An environment that names a locale which is not installed is no reason not to start.
        guard isKnown || name.isEmpty, let current = unsafe fog_collation() else { return false }
        let locale = unsafe String(cString: current)
        comparesBytes.store(["C", "POSIX", "C.UTF-8", "C.utf8"].contains(locale), ordering: .relaxed)
        return true
    }

    /// Appends bytes by whose order `text` is sorted. As in the C library a text ends at its first zero.
    package static func appendKey(of text: Span<UInt8>, to buffer: inout ByteBuffer) {
        var source = ByteBuffer(capacity: text.count + 1)
        source.append(text)
        source.append(0)
        guard let terminated = unsafe UnsafePointer(fog_as_char(source.pointer)) else { return buffer.append(text) }
        let count = unsafe strxfrm(nil, terminated, 0)
        guard count < Int.max else { return buffer.append(text) }
        unsafe buffer.append(count: count + 1) { unsafe strxfrm(fog_as_char($0), terminated, count + 1) }
        buffer.truncate(to: buffer.count - 1)
    }
}
