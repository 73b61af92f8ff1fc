// RedisBytesTests.swift - the compact forms against bytes that a stock Redis wrote: what is built must be equal byte
// for byte, and what Redis built must validate and read back.
import Base
import Structures
import Testing

@Suite struct RedisBytesTests {
    @Test func listpacksAreBuiltByteForByte() throws {
        for (elements, expected) in RedisGoldenBytes.listpacks {
            let texts = elements.map { bytes(hexadecimal: $0) }
            let golden = bytes(hexadecimal: expected)
            var appended = Listpack()
            for text in texts { appended.append(text.span) }
            verify(appended.span.array() == golden)
            var prepended = Listpack()
            for text in texts.reversed() { prepended.prepend(text.span) }
            verify(prepended.span.array() == golden)
            verify(Listpack(validating: golden.span) != nil)
            let span = golden.span
            let view = ListpackView(span)
            var offset = view.startOffset
            var index = 0
            while let element = view.next(&offset) {
                let text = texts[index]
                verify(element.equals(text.span))
                index += 1
            }
            verify(index == texts.count)
        }
    }

    @Test func longTextsAreBuiltByteForByte() {
        for (length, byteCount, head, tail) in RedisGoldenBytes.longTexts {
            var list = Listpack()
            list.append([UInt8](repeating: UInt8(ascii: "x"), count: length).span)
            list.append(Array("y".utf8).span)
            let built = list.span.array()
            verify(built.count == byteCount, "\(length)")
            verify(Array(built.prefix(16)) == bytes(hexadecimal: head), "\(length)")
            verify(Array(built.suffix(9)) == bytes(hexadecimal: tail), "\(length)")
            verify(Listpack.validate(built.span))
            verify(list.view.element(ofIndex: -2)?.textByteCount == length)
        }
    }
}
