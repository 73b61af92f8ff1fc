// AppendOnlyTests.swift - the append only file as clients see it: when replies leave, what is said while it is being
// switched on. Crashes, full disks and stock servers on the same directory are Conformance/aof_crash.py's.
import Base
import Engine
import TestKit
import Testing

struct AppendOnlyTests {
    private static let configuration = "enable-debug-command yes\nappendonly yes\nauto-aof-rewrite-percentage 0\n"

    private static func recorded(_ directory: TemporaryDirectory) -> String {
        String(decoding: directory.read("appendonlydir/appendonly.aof.1.incr.aof"), as: UTF8.self)
    }

    /// The end of the process alone does not lose what was answered, unless writes follow each other closely.
    @Test(arguments: ["everysec", "no", "always"])
    func repliesLeaveWhenTheSystemHasTheWrite(policy: String) throws {
        let directory = try TemporaryDirectory()
        let server = try TestServer(
            configuration: AppendOnlyTests.configuration + "appendfsync \(policy)", directory: directory.path)
        let (writer, reader) = (try server.connect(), try server.connect())
        #expect(try writer.run("DEBUG AOF-FLUSH-SLEEP 1000000").text == "OK")
        // The writer has begun to wait.
        Clock.sleep(nanoseconds: 200_000_000)
        try writer.send("SET late value")
        // Readers do not wait.
        while try reader.run("GET late").text != "value" {}
        #expect(!AppendOnlyTests.recorded(directory).contains("late"))
        #expect(try writer.reply().text == "OK")
        #expect(AppendOnlyTests.recorded(directory).contains("late"))
    }

    @Test func switchingOnIsARewriteFromTheSameMomentOn() throws {
        let directory = try TemporaryDirectory()
        let server = try TestServer(configuration: "enable-debug-command yes", directory: directory.path)
        let client = try server.connect()
        for round in 0..<5 {
            _ = try client.run("SET round \(round)")
            // What is left of an earlier round is not what is loaded.
            try client.send("CONFIG SET appendonly yes")
            try client.send("INFO persistence")
            try client.send("DEBUG LOADAOF")
            try client.send("GET round")
            #expect(try client.reply().text == "OK")
            let information = try client.reply().text ?? ""
            #expect(information.contains("aof_rewrite_in_progress:1"), "round \(round)")
            #expect(try client.reply().text == "OK")
            #expect(try client.reply().text == "\(round)")
            #expect(try client.run("CONFIG SET appendonly no").text == "OK")
        }
    }
}
