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

    /// The names of what the hand is: S3-FIFO's order, which is what allkeys-lru means here, and the one that counts
    /// uses, which is what allkeys-lfu means.
    @Test(arguments: TestVariant.protocols)
    func namesOfTheHand(variant: TestVariant) throws {
        let session = try TestSession(variant)
        try session.run([
            ("CONFIG SET maxmemory-policy allkeys-s3fifo", "OK"), ("SET key value", "OK"),
            ("CONFIG GET maxmemory-policy", "(matches) *allkeys-s3fifo*"), ("OBJECT IDLETIME key", "0"),
            ("OBJECT FREQ key", "(matches) (error) ERR An LFU maxmemory policy is not selected*"),
            ("CONFIG SET maxmemory-policy ALLKEYS-TinyLFU", "OK"),
            ("CONFIG GET maxmemory-policy", "(matches) *allkeys-tinylfu*"),
            ("OBJECT IDLETIME key", "(matches) (error) ERR An LFU maxmemory policy is selected*"),
        ])
        for _ in 0..<100 { try session.run([("GET key", #""value""#)]) }
        let uses = try session.client.run("OBJECT FREQ key").integer ?? 0
        // Recency alone needs no more than three.
        #expect(uses > 3, "\(uses)")
        let memory = try session.client.run("INFO memory").text ?? ""
        #expect(memory.contains("maxmemory_policy:allkeys-tinylfu"))
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
        // Before the next command, without the clock's help.
        #expect(try evictedCount(observer) == 1)
        let answer = try small.run("PING").text
        #expect(answer == "PONG")
        #expect(throws: (any Error).self) { try fat.run("PING") }
    }

    /// What a client queues, watches, listens to and tracks is counted before each of its commands.
    @Test(arguments: [1, 4])
    func whoeverGrowsIsCutBetweenTwoCommands(loopCount: Int) throws {
        let server = try TestServer(loopCount: loopCount)
        let observer = try server.connect()
        try observer.run("CLIENT NO-EVICT ON")
        try observer.run("CONFIG SET maxmemory-clients 200kb")
        let growths: [(Int) -> String] = [
            { "WATCH key:\($0)" }, { "SUBSCRIBE channel:\($0)" }, { "PSUBSCRIBE pattern:\($0)" },
            { "CLIENT TRACKING ON BCAST PREFIX prefix:\($0 + 100_000)" },
        ]
        for (number, growth) in growths.enumerated() {
            let client = try server.connect()
            // Messages of tracking need RESP3, and subscriptions allow few commands to RESP2.
            try client.run("HELLO 3")
            var count = 0
            #expect(throws: (any Error).self) {
                while count < 5000 {
                    try client.run(growth(count))
                    count += 1
                }
            }
            #expect(count > 500, "\(growth(0))")
            #expect(try evictedCount(observer) == number + 1, "\(growth(0))")
        }
    }

    /// A command that is still arriving is counted as it arrives, and nobody has to send another one.
    @Test(arguments: [1, 4])
    func whatHasNotArrivedCompletelyCounts(loopCount: Int) throws {
        let server = try TestServer(loopCount: loopCount)
        let observer = try server.connect()
        try observer.run("CLIENT NO-EVICT ON")
        try observer.run("CONFIG SET maxmemory-clients 1mb")
        let patient = try server.connect()
        try patient.send(raw: "*2\r\n$4\r\nECHO\r\n$500000\r\n" + String(repeating: "v", count: 400_000))
        let greedy = try server.connect()
        try greedy.send(raw: "*2\r\n$4\r\nECHO\r\n$700000\r\n" + String(repeating: "v", count: 700_000))
        #expect(try greedy.receiveUntilClosed().isEmpty)
        #expect(try evictedCount(observer) == 1)
        try patient.send(raw: String(repeating: "w", count: 100_000) + "\r\n")
        #expect(try patient.reply().text?.utf8.count == 500_000)
        // What was given back counts no more.
        for _ in 0..<8 { #expect(try patient.run("ECHO \(String(repeating: "v", count: 600_000))").text != nil) }
        #expect(try evictedCount(observer) == 1)
    }

    /// Nobody may go: the server serves on, and whoever may go again goes at once.
    @Test func nobodyIsLeftToGo() throws {
        let server = try TestServer()
        let observer = try server.connect()
        try observer.run("CLIENT NO-EVICT ON")
        let fat = try server.connect()
        try fat.run("CLIENT NO-EVICT ON")
        try fat.run("MULTI")
        for _ in 0..<20 { try fat.run("SET key \(String(repeating: "v", count: 20_000))") }
        try observer.run("CONFIG SET maxmemory-clients 200kb")
        for _ in 0..<10 { #expect(try observer.run("PING").text == "PONG") }
        #expect(try evictedCount(observer) == 0)
        try fat.run("EXEC")
        try fat.run("CLIENT NO-EVICT OFF")
        #expect(try fat.run("PING").text == "PONG")
        #expect(try evictedCount(observer) == 0)
    }

    private func evictedCount(_ observer: TestClient) throws -> Int {
        let text = try observer.run("INFO stats").text ?? ""
        let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("evicted_clients:") } ?? ""
        return Int(line.dropFirst("evicted_clients:".count)) ?? -1
    }
}
