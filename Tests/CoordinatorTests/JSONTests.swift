// JSONTests.swift - what is written parses, whatever bytes it is made of; what clients give is checked to the letter.
import Base
import Testing

@testable import Coordinator

struct JSONTests {
    private func quoted(_ bytes: [UInt8]) -> String {
        var buffer = ByteBuffer()
        JSONText.append(bytes.span, to: &buffer)
        return buffer.span.text
    }

    private func isValid(_ text: String) -> Bool { JSONCheck.isValid(Array(text.utf8).span) }

    @Test func stringsAreEscaped() {
        #expect(quoted(Array(#"a"b\c/d"#.utf8)) == #""a\"b\\c/d""#)
        #expect(quoted([8, 9, 10, 12, 13, 0, 31, 127]) == "\"\\b\\t\\n\\f\\r\\u0000\\u001f\u{7F}\"")
        #expect(quoted(Array("grün €😀".utf8)) == "\"grün €😀\"")
        #expect(quoted([0xFF, 65, 0xC0, 0x80, 0xED, 0xA0, 0x80]) == #""\ufffdA\ufffd\ufffd\ufffd\ufffd\ufffd""#)
    }

    @Test func randomBytesMakeValidJSON() {
        var random = RandomGenerator(seed: 11)
        for _ in 0..<2000 {
            let bytes = (0..<random.below(40)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            var object = JSONObject()
            object.add("text", bytes.span)
            object.add("number", decimal: -7)
            object.add("share", double: 0.25)
            object.add("nothing", double: .nan)
            object.add("yes", boolean: true)
            let text = object.finish()
            let isValid = JSONCheck.isValid(text.span)
            #expect(isValid, "\(bytes)")
        }
    }

    @Test(arguments: [
        "{}", "[]", "0", "-0", "-1.5e+10", "1E5", "true", "null", #""""#, #""\u00e9\n""#, " { \"a\" : [ 1 , {} ] } ",
        #"{"a":{"b":[true,false,null,1.0]}}"#, "\"grün\"",
    ])
    func validOnes(text: String) { #expect(isValid(text)) }

    @Test(arguments: [
        "", " ", "{", "}", "[1,]", "{\"a\":1,}", "{a:1}", "01", "1.", ".5", "+1", "1e", "tru", "nul", "'a'", "\"a",
        "\"\\x\"", "\"\\u12g4\"", "\"a\u{1}\"", "1 2", "[1]]", "{\"a\" 1}", "-", "NaN", "Infinity",
    ])
    func invalidOnes(text: String) { #expect(!isValid(text)) }

    @Test func brokenTextAndDepthAreRefused() {
        let broken: [UInt8] = [0x22, 0xFF, 0x22]
        let isBrokenValid = JSONCheck.isValid(broken.span)
        #expect(!isBrokenValid)
        #expect(isValid(String(repeating: "[", count: 60) + String(repeating: "]", count: 60)))
        #expect(!isValid(String(repeating: "[", count: 70) + String(repeating: "]", count: 70)))
        #expect(!isValid(String(repeating: "[", count: 100_000)))
    }
}
