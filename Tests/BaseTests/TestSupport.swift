// TestSupport.swift - what every test of Base shares: bytes from text, text from what a printer appended, and a
// random generator whose seed is printed when a test fails. Set FOG_TEST_SEED to run a failing sequence again.
import Base
import CLinux
import Testing

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// The text that `body` appends to an empty buffer.
func appended(_ body: (inout ByteBuffer) -> Void) -> String {
    var buffer = ByteBuffer()
    body(&buffer)
    return buffer.span.text
}

/// A seed from the environment or from the system; tests print it with every failure.
let testSeed: UInt64 = {
    if let text = unsafe getenv("FOG_TEST_SEED"), let seed = unsafe UInt64(String(cString: text)) { return seed }
    return UInt64.random(in: 1 ... .max)
}()

extension RandomGenerator {
    mutating func bytes(countMax: Int, alphabet: [UInt8]) -> [UInt8] {
        (0..<below(countMax + 1)).map { _ in alphabet[below(alphabet.count)] }
    }
}

/// printf's "%.Nf".
func fixedText(_ value: Double, decimals: Int32) -> String {
    unsafe withVaList([decimals, value]) { arguments in
        var buffer = [UInt8](repeating: 0, count: 512)
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe vsnprintf($0.bindMemory(to: CChar.self).baseAddress, 512, "%.*f", arguments)
        }
        return String(decoding: buffer[..<Int(count)], as: UTF8.self)
    }
}

/// Collects what went wrong in a long random run, so that a fault prints five lines instead of a hundred thousand.
struct Mismatches {
    private var shown: [String] = []
    private var count = 0

    mutating func check(_ isRight: Bool, _ description: @autoclosure () -> String) {
        if isRight { return }
        count += 1
        if shown.count < 5 { shown.append(description()) }
    }

    func expectNone() {
        #expect(count == 0, "seed \(testSeed), \(count) mismatches: \(shown.joined(separator: " | "))")
    }
}
