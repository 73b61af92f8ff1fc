// ByteSpanTests.swift - comparisons of byte views against the array operations of the standard library, around every
// length where the implementation changes its method.
import Base
import Testing

struct ByteSpanTests {
    @Test func equalityAtEveryLengthAndEveryDifferingByte() {
        for count in 0...140 {
            let left = (0..<count).map { UInt8($0 & 0xff) }
            #expect(left.span.equals((left + []).span) == true)
            #expect(left.span.equals((left + [0]).span) == false)
            for index in 0..<count {
                var right = left
                right[index] ^= 0x80
                #expect(left.span.equals(right.span) == false, "count \(count), byte \(index)")
                #expect(left.span.starts(with: Array(left[..<index]).span) == true)
                #expect(right.span.starts(with: Array(left[...index]).span) == false)
            }
        }
    }

    @Test func literals() {
        #expect(bytes("GET").span.equals("GET") == true)
        #expect(bytes("get").span.equals("GET") == false)
        #expect(bytes("GETX").span.equals("GET") == false)
        #expect(bytes("").span.equals("") == true)
        #expect(bytes("gEt").span.equalsIgnoringCase("GET") == true)
        #expect(bytes("GET").span.equalsIgnoringCase("get") == true)
        #expect(bytes("G[T").span.equalsIgnoringCase("G{T") == false)
        #expect(bytes("G\u{0}T").span.equalsIgnoringCase("G T") == false)
        #expect(bytes("a").span.equalsIgnoringCase("b") == false)
        #expect(bytes("Key-1").span.equalsIgnoringCase(bytes("kEY-1").span) == true)
        #expect(bytes("slot:").span.starts(with: "slo") == true)
        #expect(bytes("sl").span.starts(with: "slo") == false)
        #expect(bytes("a").span.starts(with: "") == true)
    }

    @Test func firstByteAndCopies() {
        #expect(bytes("").span.firstByte == nil)
        #expect(bytes("ab").span.firstByte == 97)
        #expect(bytes("ab").span.array == [97, 98])
        #expect(bytes("h\u{e9}").span.text == "h\u{e9}")
        #expect(([0x61, 0xff] as [UInt8]).span.text == "a\u{fffd}")
    }

    @Test func orderIsThatOfUnsignedBytes() {
        var random = RandomGenerator(seed: testSeed)
        var mismatches = Mismatches()
        for _ in 0..<20_000 {
            let left = random.bytes(countMax: 6, alphabet: [0, 1, 0x7f, 0x80, 0xff])
            let right = random.bytes(countMax: 6, alphabet: [0, 1, 0x7f, 0x80, 0xff])
            let order = left.span.compare(right.span)
            mismatches.check((order < 0) == left.lexicographicallyPrecedes(right), "\(left) \(right)")
            mismatches.check((order == 0) == (left == right), "\(left) \(right)")
            mismatches.check(left.span.equals(right.span) == (left == right), "\(left) \(right)")
        }
        mismatches.expectNone()
    }
}
