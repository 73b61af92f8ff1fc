// FuzzParser.swift - libFuzzer on the RESP parser. The first bytes of an input choose the limits and where the stream
// is cut; the rest is what a client sends. Cut or whole, the parser must find the same commands and the same error.
// Built by Tests/Fuzz/run.sh only; SwiftPM gives executables a main of their own, so libFuzzer is called as a library.
import ParserRun

@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@main enum FuzzParser {
    static func main() {
        var count = CommandLine.argc
        var arguments = unsafe CommandLine.unsafeArgv
        _ = unsafe runFuzzer(&count, &arguments) { unsafe fuzzOneInput($0, $1) }
    }
}

/// The name that libFuzzer's own main, linked along with it, refers to.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard count > 4, let start = unsafe start else { return 0 }
    let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    let isAuthenticated = bytes[0] & 1 == 0
    let limit = bytes[0] & 2 == 0 ? 1 << 29 : 64
    let input = Array(bytes[4...])
    let whole = ParserRun(input, isAuthenticated: isAuthenticated, bulkByteCountMax: limit)
    var pieces = bytes[1..<4].map { Int($0) }
    if bytes[0] & 4 != 0 { pieces = Array(repeating: 1, count: min(input.count, 512)) }
    let cut = ParserRun(input, pieces: pieces, isAuthenticated: isAuthenticated, bulkByteCountMax: limit)
    precondition(whole == cut, "a stream means the same however it arrives")
    return 0
}
