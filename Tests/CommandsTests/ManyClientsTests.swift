// ManyClientsTests.swift - rounds with many clients: replies and messages that go to the kernel together reach each
// client whole and in order, also one that reads late and one that has left.
import Base
import Engine
import TestKit
import Testing

struct ManyClientsTests {
    private static let clientCount = 150

    /// Values of 1 byte to 1 MB: the largest are more than a socket takes at once.
    private static func value(_ number: Int) -> String {
        let letter = String(UnicodeScalar(UInt8(97 + number % 26)))
        return String(repeating: letter, count: 1 << (number % 21))
    }

    @Test(arguments: [1, 4])
    func repliesOfOneRound(loopCount: Int) throws {
        let server = try TestServer(loopCount: loopCount, configuration: "enable-debug-command yes")
        let first = try server.connect()
        for number in 0..<42 {
            _ = try first.run(arguments: ["SET", "k\(number)", ManyClientsTests.value(number)].map { Array($0.utf8) })
        }
        let clients = try (0..<ManyClientsTests.clientCount).map { _ in try server.connect() }
        for round in 0..<3 {
            // While the server sleeps, all of them write, so that they are answered in one round.
            try first.send("DEBUG SLEEP 0.1")
            for (number, client) in clients.enumerated() {
                try client.send(raw: "GET k\((number + round) % 42)\r\nECHO \(number)\r\n")
            }
            if round == 2 { for number in stride(from: 0, to: clients.count, by: 10) { clients[number].close() } }
            #expect(try first.reply().text == "OK")
            for (number, client) in clients.enumerated().reversed() where round < 2 || number % 10 != 0 {
                let isRight = try client.reply().text == ManyClientsTests.value((number + round) % 42)
                #expect(isRight, "client \(number), round \(round)")
                #expect(try client.reply().text == "\(number)")
            }
        }
        #expect(try first.run("PING").text == "PONG")
    }

    @Test(arguments: [1, 4])
    func messagesToManySubscribers(loopCount: Int) throws {
        let server = try TestServer(
            loopCount: loopCount, configuration: "client-output-buffer-limit pubsub 0 0 0")
        let publisher = try server.connect()
        let listeners = try (0..<ManyClientsTests.clientCount).map { _ in try server.connect() }
        for listener in listeners { _ = try listener.run("SUBSCRIBE c") }
        let late = listeners[7]
        for round in 0..<30 {
            let message = Array(ManyClientsTests.value(round).utf8)
            let reached = try publisher.run(arguments: [Array("PUBLISH".utf8), Array("c".utf8), message])
            #expect(reached.integer == Int64(ManyClientsTests.clientCount))
            for (number, listener) in listeners.enumerated() where number != 7 {
                let isRight = try listener.reply().elements?.last?.text == ManyClientsTests.value(round)
                #expect(isRight, "listener \(number), message \(round)")
            }
        }
        for round in 0..<30 {
            let isRight = try late.reply().elements?.last?.text == ManyClientsTests.value(round)
            #expect(isRight, "the late listener, message \(round)")
        }
        for listener in listeners[20..<120] { listener.close() }
        var reached: Int64?
        for _ in 0..<1000 where reached != 50 { reached = try publisher.run("PUBLISH c last").integer }
        #expect(reached == 50, "those that have left are gone")
        #expect(try listeners[0].reply().elements?.last?.text == "last")
    }

    /// Under `appendfsync always` the replies of many pipelines wait for the disk, several of each connection, some
    /// with large replies of reads between them.
    @Test(arguments: [1, 4])
    func repliesThatWaitForTheDisk(loopCount: Int) throws {
        let directory = try TemporaryDirectory()
        let server = try TestServer(
            loopCount: loopCount,
            configuration: "appendonly yes\nappendfsync always\nenable-debug-command yes",
            directory: directory.path)
        let first = try server.connect()
        _ = try first.run(arguments: ["SET", "large", ManyClientsTests.value(19)].map { Array($0.utf8) })
        #expect(try first.run("DEBUG AOF-FLUSH-SLEEP 2000").text == "OK")
        let clients = try (0..<40).map { _ in try server.connect() }
        let isLarge = { (number: Int, step: Int) in number % 8 == 3 && step % 10 == 5 }
        for step in 0..<60 {
            // Piece by piece, so that a connection's replies come to wait in several rounds.
            for (number, client) in clients.enumerated() {
                try client.send(raw: "INCR c\(number)\r\n" + (isLarge(number, step) ? "GET large\r\n" : ""))
            }
        }
        for (number, client) in clients.enumerated() {
            for step in 0..<60 {
                #expect(try client.reply().integer == Int64(step + 1), "client \(number)")
                guard isLarge(number, step) else { continue }
                let isRight = try client.reply().text == ManyClientsTests.value(19)
                #expect(isRight, "client \(number), step \(step)")
            }
        }
    }
}
