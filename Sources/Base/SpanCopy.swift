// SpanCopy.swift - copying bytes out of spans into raw memory and arrays. The one place that pairs a span with memcpy.
internal import CLinux

extension Span where Element == UInt8 {
    /// Copies all bytes to `target`, which must have room for `count`.
    @unsafe @inline(__always)
    package func copyBytes(to target: UnsafeMutablePointer<UInt8>) {
        unsafe withUnsafeBufferPointer { source in
            if let base = source.baseAddress { unsafe memcpy(target, base, source.count) }
        }
    }

}
