// FuzzStructures.swift - libFuzzer on the pure data structures: see StructuresRun for what an input means. Built by
// Tests/Fuzz/run.sh only, under AddressSanitizer; SwiftPM gives executables a main of their own, so libFuzzer is called
// as a library.
import StructuresRun

@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@main enum FuzzStructures {
    static func main() {
        var count = CommandLine.argc
        var arguments = unsafe CommandLine.unsafeArgv
        _ = unsafe runFuzzer(&count, &arguments) { unsafe fuzzOneInput($0, $1) }
    }
}

/// The name that libFuzzer's own main, linked along with it, refers to.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard count > 1, let start = unsafe start else { return 0 }
    StructuresRun.run(unsafe Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}
