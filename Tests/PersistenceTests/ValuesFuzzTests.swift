// ValuesFuzzTests.swift - a short, seeded version of the fuzz target: seeds, whole and damaged, are read, used and
// written again. What must not happen traps in ValuesRun.
import Base
import Testing
import ValuesRun

struct ValuesFuzzTests {
    /// Payloads of the first types, each with the byte that says what it is (see ValuesRun).
    private static let seeds: [[UInt8]] = [
        [0, 0, 5] + Array("plain".utf8),
        [0, 1, 2, 1, 97, 1, 98],
        [0, 2, 2, 1, 97, 1, 98],
        [0, 4, 1, 1, 102, 1, 118],
        [0, 5, 1, 1, 109, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F],
        [0, 11, 12, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 2, 0],
        [1, 22, 1, 1, 102, 1, 118, 255, 255, 255, 255, 255, 255, 255, 255],
        [8] + Array("#TS:1700000000\r\n*1\r\n$5\r\nMULTI\r\n*2\r\n$3\r\nDEL\r\n$1\r\na\r\n*1\r\n$4\r\nEXEC\r\n".utf8),
        [8] + Array("#FOG+2a310d0a24\r\n#FOG.310d0a610d0a\r\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\n".utf8),
        [24] + Array("file a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type i\n".utf8),
    ]

    @Test func seedsAreValues() {
        for seed in ValuesFuzzTests.seeds { #expect(ValuesRun.run(seed), "\(seed)") }
    }

    @Test func damagedSeedsNeverTrap() {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for round in 0..<3000 {
            var input = ValuesFuzzTests.seeds[round % ValuesFuzzTests.seeds.count]
            for _ in 0...next(3) {
                let place = 1 + next(input.count - 1)
                switch next(3) {
                case 0: input[place] ^= UInt8(1 << next(8))
                case 1: input[place] = [0, 0x40, 0x7F, 0x80, 0x81, 0xC3, 0xFF][next(7)]
                default: input = Array(input[..<place]) + [0x81, 0x7F, 255, 255, 255, 255, 255, 255, 255]
                }
            }
            ValuesRun.run(input)
        }
    }
}
