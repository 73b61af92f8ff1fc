// HashRingTests.swift - the ring against a naive one (all points in a sorted list) after random changes and sweeps,
// what moves when a node goes, and that it is made in slices: by commands that wait, and within a transaction at once.
import Base
import TestKit
import Testing

@testable import Coordinator

struct HashRingTests {
    private static func name(_ number: Int) -> [UInt8] { Array("node-\(number)".utf8) }

    private static func owner(_ ring: HashRing, _ hash: UInt32, _ isWanted: (Int) -> Bool = { _ in true }) -> Int {
        if case .node(let number) = ring.first(from: hash, isWanted) { return number }
        return -1
    }

    @Test func aNodeThatGoesMovesOnlyItsOwnSessions() {
        var ring = HashRing(nodeCount: 10, points: 256)
        for number in 0..<10 { ring.add(number, name: HashRingTests.name(number), points: 256) }
        let sessions = (0..<5000).map { Array("session-\($0)".utf8) }
        func owners() -> [Int] { sessions.map { HashRingTests.owner(ring, HashRing.hash($0.span)) } }
        let before = owners()
        for number in 0..<10 { #expect(before.count { $0 == number } > 300) }
        ring.remove(3)
        let after = owners()
        #expect(zip(before, after).allSatisfy { $0 == $1 || $0 == 3 })
        #expect(!after.contains(3))
        ring.add(3, name: HashRingTests.name(3), points: 256)
        #expect(owners() == before)
        // The same as a ring without the nodes that are not wanted.
        let filtered = sessions.map { HashRingTests.owner(ring, HashRing.hash($0.span)) { $0 != 3 } }
        #expect(filtered == after)
        let nobody = ring.first(from: 7) { _ in false }
        let given = ring.first(from: 7, pointCountMax: 100) { _ in false }
        #expect(nobody == .nobody && given == .tooFar)
    }

    /// Whom a ring of the names in `members` must name for `hash`: the next point's node, the lower number of two.
    private static func expected(_ members: [Int: [UInt8]], _ hash: UInt32, points: Int) -> Int {
        var all: [(hash: UInt32, number: Int)] = []
        for (number, name) in members {
            for part in 0..<(points / 4) {
                let text = name + Array("-\(part)".utf8)
                let digest = MD5(text.span)
                for lane in 0..<4 { all.append((digest.words[lane], number)) }
            }
        }
        all.sort { ($0.hash, $0.number) < ($1.hash, $1.number) }
        return (all.first { $0.hash >= hash } ?? all.first)?.number ?? -1
    }

    @Test(arguments: [UInt64(1), 2, UInt64.random(in: 3...UInt64.max)])
    func isANaiveRing(seed: UInt64) {
        var random = TestRandom(seed)
        // Made for few nodes, so that its stretches hold many points.
        var ring = HashRing(nodeCount: 2, points: 8)
        var members: [Int: [UInt8]] = [:]
        for step in 0..<3000 {
            let number = random.below(400)
            if members[number] == nil && random.below(3) > 0 {
                let name = HashRingTests.name(random.below(10_000))
                ring.add(number, name: name, points: 8)
                members[number] = name
            } else {
                ring.remove(number)
                members[number] = nil
            }
            if random.below(4) == 0 {
                var left = random.below(3)
                _ = ring.sweep {
                    left -= 1
                    return left < 0
                }
            }
            guard step % 60 == 0 else { continue }
            let hash = UInt32(truncatingIfNeeded: random.next())
            let found = HashRingTests.owner(ring, hash)
            let wanted = HashRingTests.expected(members, hash, points: 8)
            #expect(found == wanted, "seed \(seed), step \(step)")
        }
        while ring.needsSweep { _ = ring.sweep { false } }
        let bound = (members.count * 2 + 70) * 8
        let pointCount = ring.pointCount
        #expect(pointCount <= bound, "seed \(seed): points of nodes that left are taken away")
    }

    /// A thousand nodes are more than one slice: whoever asks waits until all are on the ring, and pipelined commands
    /// keep their order.
    @Test func askersWaitForAllNodes() throws {
        let session = try TestSession(configuration: "fog-default-ttl 0\nfog-heartbeat-timeout 0")
        var line = "FOG.NODE MREGISTER 1000"
        for number in 0..<1000 { line += " node-\(number) 0" }
        try session.run([
            (line, "1000"), ("MULTI", "OK"), ("FOG.LB RING first", "QUEUED"), ("EXEC", "(any)"),
            ("CONFIG SET fog-lb-vnodes 128", "OK"),
        ])
        var members: [Int: [UInt8]] = [:]
        for number in 0..<1000 { members[number] = HashRingTests.name(number) }
        for text in ["first", "second"] {
            let hash = HashRing.hash(Array(text.utf8).span)
            let wanted = HashRingTests.expected(members, hash, points: 128)
            let found = try session.client.run("FOG.LB SELECT ALGO consistent_hash SESSION \(text)").text
            #expect(found == "node-\(wanted)")
        }
        let route = try session.client.run("FOG.ROUTE task ALGO consistent_hash SESSION first").items
        let ring = try session.client.run("FOG.LB RING first").text
        #expect(route[1].text == ring)
    }

    /// A session keeps its node unless that node may not be chosen any more, or one came that it belongs to.
    @Test(arguments: [UInt64(1), UInt64.random(in: 3...UInt64.max)])
    func sessionsMoveOnlyWhenTheyMust(seed: UInt64) throws {
        var random = TestRandom(seed)
        let session = try TestSession(configuration: "fog-lb-vnodes 32")
        let client = session.client
        var active: Set<String> = []
        var owners: [String?] = [String?](repeating: nil, count: 40)
        for step in 0..<150 {
            let id = "n\(random.below(15))"
            var came: String?
            switch random.below(4) {
            case 0:
                _ = try client.run("FOG.NODE DEL \(id)")
                active.remove(id)
            case 1:
                _ = try client.run("FOG.BREAKER TRIP \(id)")
                active.remove(id)
            default:
                _ = try client.run("FOG.NODE REGISTER \(id) STATUS active")
                _ = try client.run("FOG.BREAKER RESET \(id)")
                if active.insert(id).inserted { came = id }
            }
            for number in owners.indices {
                let now = try client.run("FOG.LB SELECT ALGO consistent_hash SESSION s\(number)").text
                let place = "seed \(seed), step \(step), session \(number)"
                if let now { #expect(active.contains(now), "\(place)") } else { #expect(active.isEmpty, "\(place)") }
                if let before = owners[number], now != before {
                    #expect(!active.contains(before) || now == came, "\(place): \(before) to \(now ?? "nobody")")
                }
                owners[number] = now
            }
        }
    }
}
