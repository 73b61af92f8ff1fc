// FuzzParser.swift - libFuzzer's entry to the RESP parser. The first bytes of an input choose the limits and where the
// stream is cut; the rest is what a client sends. Cut or whole, the parser must find the same commands and the same
// error. Built by Tests/Fuzz/run.sh only.
import ParserRun

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard count > 4, let start = unsafe start else { return 0 }
    let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    let isAuthenticated = bytes[0] & 1 == 0
    let bulkByteCountMax = bytes[0] & 2 == 0 ? 1 << 29 : 64
    let input = Array(bytes[4...])
    let whole = ParserRun(input, isAuthenticated: isAuthenticated, bulkByteCountMax: bulkByteCountMax)
    var pieces = bytes[1..<4].map { Int($0) }
    if bytes[0] & 4 != 0 { pieces = Array(repeating: 1, count: min(input.count, 512)) }
    let cut = ParserRun(input, pieces: pieces, isAuthenticated: isAuthenticated, bulkByteCountMax: bulkByteCountMax)
    precondition(whole == cut, "a stream means the same however it arrives")
    return 0
}
