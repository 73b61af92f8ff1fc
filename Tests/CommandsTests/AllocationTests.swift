// AllocationTests.swift - the data path takes no memory once it is warm: a GET, and a SET of a value of the same size,
// cost no allocation. An engine and a batch are driven without sockets on the test's own thread, and the allocator
// tells how many bytes that thread was given. Holds in debug builds too, where nothing is optimised away.
import Base
import CAllocator
import Commands
import Engine
import RESP
import TestKit
import Testing

struct AllocationTests {
    @Test(arguments: [
        ("GET key:1", #"SET key:1 "a value of 40 bytes, kept in its entry!""#),
        ("GET missing", "PING"),
        (
            #"SET key:1 "another value of forty bytes, in an entry""#,
            #"SET key:1 "a value of 40 bytes, kept in its entry!!""#
        ),
        ("INCR counter", "SET counter 100000"),
        ("PING", "PING"),
        ("PUBLISH channel message", "PING"),
        ("SPUBLISH channel message", "PING"),
    ])
    func costNothing(line: String, preparation: String) throws {
        // A run that the machine interrupts for ten milliseconds enters the slow log, which takes memory: a command
        // that takes memory itself does so in every attempt.
        var byteCount: UInt64 = 0
        var fixed: UInt64 = 0
        for _ in 0..<5 {
            let attempt = try measure(line, preparation)
            #expect(!attempt.reply.hasPrefix("-"), "\(line): \(attempt.reply)")
            (byteCount, fixed) = (attempt.byteCount, attempt.fixed)
            if byteCount == fixed { break }
        }
        #expect(byteCount == fixed, "\(byteCount) bytes for 2001 times, \(fixed) for once: \(line)")
    }

    /// The count is not blind: a command that makes arrays is seen.
    @Test func theCountSees() throws {
        let (byteCount, fixed, reply) = try measure("CONFIG GET maxmemory*", "PING")
        #expect(byteCount > fixed && reply.hasPrefix("*"))
    }

    /// Bytes taken by 2001 runs and by one, and the replies of the last batch.
    private func measure(
        _ line: String, _ preparation: String
    ) throws -> (byteCount: UInt64, fixed: UInt64, reply: String) {
        var bench = EngineBench()
        bench.run(try arguments(preparation), count: 1)
        let arguments = try arguments(line)
        bench.run(arguments, count: 500)
        let start = fog_thread_allocated_bytes()
        bench.run(arguments, count: 1)
        // What preparing the input costs, however often the command runs.
        let fixed = fog_thread_allocated_bytes() - start
        bench.run(arguments, count: 2001)
        let byteCount = fog_thread_allocated_bytes() - start - fixed
        #expect(start > 0, "the allocator counts")
        return (byteCount, fixed, bench.replies)
    }

    private func arguments(_ line: String) throws -> [[UInt8]] {
        let arguments = ArgumentText.split(Array(line.utf8).span)
        return try #require(arguments)
    }
}

/// An engine with one client, fed with parsed commands.
struct EngineBench: ~Copyable {
    private var engine: Engine
    private var batch: Batch
    private var parser = CommandParser()
    private var ranges = ArgumentRanges()
    private let session: SessionReference

    init() {
        let table = CommandTable(AllCommands.list)
        engine = Engine(config: Config(), commands: table, identity: ServerIdentity())
        batch = Batch(commands: table)
        session = engine.connect(
            id: 1, loop: 0, connection: 1, address: "127.0.0.1:1", localAddress: "127.0.0.1:2", isUnixSocket: false,
            descriptor: 0)
    }

    /// The last batch's replies.
    var replies: String { batch.output.span.text }

    /// Runs a command `count` times, sixteen a batch.
    mutating func run(_ arguments: [[UInt8]], count: Int) {
        let input = TestClient.multibulk(arguments)
        let limits = CommandParser.Limits(bulkByteCountMax: 1 << 29, isAuthenticated: true)
        var left = count
        while left > 0 {
            batch.removeAll()
            batch.beginSegment(session, connection: 1)
            for _ in 0..<min(left, 16) {
                ranges.removeAll()
                guard case .command(let end) = parser.parse(input.span, from: 0, limits: limits, into: &ranges) else {
                    return
                }
                unsafe input.withUnsafeBufferPointer { buffer in
                    guard let base = buffer.baseAddress else { return }
                    unsafe batch.add(ranges, bytes: base, unquoted: base, end: end)
                }
            }
            while !batch.isFinished { batch.run(&engine) }
            left -= 16
        }
    }
}
