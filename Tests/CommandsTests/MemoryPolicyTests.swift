// MemoryPolicyTests.swift - what is configured of memory beside its limit: policies by name, maxmemory auto, and
// clients that are disconnected for the memory of their buffers.
import Engine
import TestKit
import Testing

struct MemoryPolicyTests {
    @Test(arguments: TestVariant.protocols)
    func policiesAndAuto(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("CONFIG SET maxmemory-policy allkeys-lrm", "OK"), ("CONFIG SET maxmemory-policy volatile-lrm", "OK"),
            ("CONFIG GET maxmemory-policy", "(matches) *volatile-lrm*"),
            ("CONFIG SET maxmemory auto", "OK"), ("CONFIG GET maxmemory", "(matches) *auto*"),
            ("SET key value", "OK"), ("CONFIG SET maxmemory auto0", "(matches) (error)*argument must be a memory value*"),
            ("CONFIG SET maxmemory 512mb", "OK"), ("CONFIG GET maxmemory", "(matches) *536870912*"),
            ("CONFIG SET maxmemory 0", "OK"),
        ])
        let memory = try session.client.run("INFO memory").text ?? ""
        #expect(memory.split(whereSeparator: \.isNewline).contains("maxmemory:0"))
        try session.run([("CONFIG SET maxmemory AUTO", "OK")])
        let limited = try session.client.run("INFO memory").text ?? ""
        let line = limited.split(whereSeparator: \.isNewline).first { $0.hasPrefix("maxmemory:") } ?? ""
        #expect((Int(line.dropFirst("maxmemory:".count)) ?? 0) > 1 << 20, "\(line)")
    }

    @Test(arguments: [1, 4])
    func theFattestClientGoes(loopCount: Int) throws {
        let server = try TestServer(loopCount: loopCount)
        let observer = try server.connect()
        try observer.run("CLIENT NO-EVICT ON")
        let small = try server.connect()
        try small.run("PING")
        let fat = try server.connect()
        try fat.run("MULTI")
        for _ in 0..<64 { try fat.run("SET key \(String(repeating: "v", count: 20_000))") }
        try observer.run("CONFIG SET maxmemory-clients 600kb")
        // Sizes are left by the clients' loops, at first up to a second later.
        var evicted = false
        for _ in 0..<300 where !evicted {
            server.advanceClock(milliseconds: 100)
            let text = try observer.run("INFO stats").text ?? ""
            evicted = text.split(whereSeparator: \.isNewline).contains("evicted_clients:1")
        }
        #expect(evicted)
        let answer = try small.run("PING").text
        #expect(answer == "PONG")
        #expect(throws: (any Error).self) { try fat.run("PING") }
    }
}
