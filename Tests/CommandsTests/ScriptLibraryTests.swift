// ScriptLibraryTests.swift - cjson, cmsgpack and struct against input that nobody meant: random and mutated bytes must
// give a value or an error, never anything else. Round trips must give back what went in. The seed is printed.
import Base
import TestKit
import Testing

struct ScriptLibraryTests {
    private static let roundCount = 600

    private static let decoders = [
        "cjson.decode(ARGV[1])", "cmsgpack.unpack(ARGV[1])", "cmsgpack.unpack_limit(ARGV[1],3,1)",
        "struct.unpack(ARGV[2],ARGV[1])", "struct.unpack(ARGV[2],ARGV[1],#ARGV[1])", "struct.size(ARGV[2])",
        "struct.pack(ARGV[2],1,2,3,4,ARGV[1],ARGV[1])", "cjson.encode({ARGV[1],[ARGV[2]]=1})",
        "cmsgpack.pack({ARGV[1],[ARGV[2]]={ARGV[1]}})", "string.find(ARGV[1],ARGV[2])",
        "string.gsub(ARGV[1],ARGV[2],'%0%1')", "loadstring(ARGV[1])",
    ]

    /// Seeds of the mutations: valid JSON, MessagePack, formats and patterns.
    private static let inputs: [[UInt8]] = [
        Array(#"{"a":[1,2.5e3,"x\u00e9\ud83d\ude00",null,true,{}],"b":{"c":[[[]]]}}"#.utf8),
        [
            0x85, 0xA1, 0x61, 0x93, 0x01, 0xC0, 0xC3, 0xDC, 0x00, 0x02, 0xCB, 0x40, 0x09, 0x21, 0xFB, 0, 0, 0, 0, 0xDA,
            0, 1, 0x78,
        ],
        Array("return function(a, ...) local t = {a = 1, [2] = 'x'} for k, v in pairs(t) do return k end end".utf8),
    ]
    private static let formats: [[UInt8]] = [
        Array(">i4<I2!8bhLs c3c0fdxT".utf8), Array("^(%a+)-[%w_]*()%1.?%b()$".utf8), Array("c2147483647i16!16".utf8),
    ]

    @Test func malformedInputIsAnErrorAtMost() throws {
        let seed = UInt64.random(in: 1...UInt64.max)
        var random = RandomGenerator(seed: seed)
        let session = try TestSession()
        for round in 0..<ScriptLibraryTests.roundCount {
            let input = mutated(ScriptLibraryTests.inputs, &random)
            let format = mutated(ScriptLibraryTests.formats, &random)
            let call = ScriptLibraryTests.decoders[round % ScriptLibraryTests.decoders.count]
            let script = "pcall(function() return \(call) end) return 'alive'"
            let words = [Array("EVAL".utf8), Array(script.utf8), [48], input, format]
            let reply = "\(try session.client.run(arguments: words))"
            #expect(reply == #""alive""#, "seed \(seed), round \(round): \(call) answered \(reply)")
        }
    }

    /// A copy of one of the inputs with a few bytes changed, cut or doubled.
    private func mutated(_ inputs: [[UInt8]], _ random: inout RandomGenerator) -> [UInt8] {
        var bytes = inputs[Int(random.next() % UInt64(inputs.count))]
        for _ in 0..<(random.next() % 6) where !bytes.isEmpty {
            let place = Int(random.next() % UInt64(bytes.count))
            switch random.next() % 4 {
            case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes.removeSubrange(place...)
            case 2: bytes.insert(contentsOf: bytes[place...].prefix(16), at: place)
            default: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
            }
        }
        return bytes
    }

    @Test func valuesComeBack() throws {
        let session = try TestSession()
        let value = "{1,2.5,-3,'x',true,false,{a={b={}}},string.rep('y',300),2^40,-2^33}"
        for (pack, unpack) in [("cjson.encode", "cjson.decode"), ("cmsgpack.pack", "cmsgpack.unpack")] {
            let text = "\(pack)(\(unpack)(\(pack)(\(value)))) == \(pack)(\(value))"
            try session.run([("EVAL \"return \(text)\" 0", "(integer) 1")])
        }
        try session.run([
            ("EVAL \"return {struct.unpack('<i2>I4dsb', struct.pack('<i2>I4dsb', -5, 7, 1.5, 'abc', -1))}\" 0",
             #"[-5, 7, 1, "abc", -1, 20]"#),
        ])
    }
}
