// FleetInvariantTests.swift - what must hold whatever happens, after random commands: counters of calls are never
// negative and add up, no GPU is booked twice at a time, a cluster's plan moves all slots and no more.
import TestKit
import Testing

@testable import Coordinator

struct FleetInvariantTests {
    static let seeds = [UInt64(1), 2, UInt64.random(in: 3...UInt64.max)]

    @Test(arguments: seeds)
    func counters(seed: UInt64) throws {
        var random = TestRandom(seed)
        let session = try TestSession(configuration: "fog-breaker-failures 3\nfog-heartbeat-timeout 0")
        let client = session.client
        let algorithms = ["round_robin", "least_connections", "weighted_round_robin", "response_time"]
        for step in 0..<1200 {
            let node = "n\(random.below(8))"
            switch random.below(14) {
            case 0: _ = try client.run("FOG.NODE REGISTER \(node) CAP \(random.below(4)) CPU \(random.below(100))")
            case 1: _ = try client.run("FOG.NODE DEL \(node)")
            case 2: _ = try client.run("DEL fog:node:\(node)")
            case 3: _ = try client.run("RENAME fog:node:\(node) fog:node:n\(random.below(8))")
            case 4: _ = try client.run("FOG.LB BEGIN \(node) REQ r\(random.below(20))")
            case 5: _ = try client.run("FOG.LB END \(node) FAIL REQ r\(random.below(20))")
            case 6: _ = try client.run("FOG.LB END \(node) \(random.below(2) == 0 ? "OK" : "FAIL") RT 5")
            case 7: _ = try client.run("FOG.ROUTE t\(step) ALGO \(algorithms[random.below(4)])")
            case 8: _ = try client.run("FOG.LB RESETSTAT")
            case 9 where step % 60 == 9: _ = try client.run("FLUSHDB")
            case 10: _ = try client.run("FOG.BREAKER \(random.below(2) == 0 ? "TRIP" : "RESET") \(node)")
            default: _ = try client.run("FOG.LB SELECT ALGO \(algorithms[random.below(4)]) BEGIN")
            }
            guard step % 20 == 19 else { continue }
            let place = "seed \(seed), step \(step)"
            var total = 0
            for row in try client.run("FOG.LB STATS").items.all {
                let items = row.items
                let (selected, active) = (Int(items[3].integer ?? -1), Int(items[5].integer ?? -1))
                #expect(selected >= 0 && active >= 0 && (items[13].integer ?? -1) >= 0, "\(place)")
                total += active
            }
            let statistics = try client.run("FOG.STATS LB").items
            #expect(statistics[3].integer.map { Int($0) } == total, "\(place)")
            let circuits = statistics[7].items
            let open = try client.run("FOG.BREAKER LIST STATE CIRCUIT_OPEN").items.count
            let half = try client.run("FOG.BREAKER LIST STATE HALF_OPEN").items.count
            let counted = Int(circuits[3].integer ?? -1)
            #expect(counted >= 0 && (counted == open || counted == open + half), "\(place)")
        }
    }

    @Test(arguments: seeds)
    func noGPUIsBookedTwice(seed: UInt64) throws {
        var random = TestRandom(seed)
        let session = try TestSession()
        let client = session.client
        for number in 0..<4 { _ = try client.run("FOG.GPU SET g\(number) TYPE t REGION r PRICE 1") }
        func now() throws -> Int {
            let time = try client.run("TIME").items
            return (Int(time[0].text ?? "") ?? 0) * 1000
        }
        for step in 0..<600 {
            let (booking, gpu) = ("b\(random.below(60))", "g\(random.below(4))")
            switch random.below(12) {
            case 0...4:
                let start = try now() + random.below(100) * 1000
                let end = start + (1 + random.below(30)) * 1000
                let window = random.below(3) == 0 ? "" : " START \(start) END \(end)"
                _ = try client.run("FOG.BOOK CREATE \(booking)-\(step) \(gpu) u\(random.below(3))\(window)")
            case 5: _ = try client.run("FOG.BOOK CANCEL \(booking)-\(random.below(step + 1))")
            case 6: _ = try client.run("FOG.GPU STATUS \(gpu) \(random.below(2) == 0 ? "available" : "busy")")
            case 7: session.server.advanceClock(milliseconds: Int64(random.below(8000)))
            case 8: _ = try client.run("FOG.GPU SET \(gpu) PRICE 2")
            case 9:
                let all = try client.run("FOG.BOOK LIST GPU \(gpu) STATUS active").items
                if all.count > 0 { _ = try client.run("FOG.BOOK COMPLETE \(all[0].items[1].text ?? "")") }
            default: _ = try client.run("FOG.BOOK LIST GPU \(gpu)")
            }
            guard step % 10 == 9 else { continue }
            for number in 0..<4 {
                var windows: [(start: Int, end: Int)] = []
                for status in ["active", "scheduled"] {
                    for row in try client.run("FOG.BOOK LIST GPU g\(number) STATUS \(status)").items.all {
                        let words = row.items.map { $0.text ?? "" }
                        func field(_ name: String) -> Int {
                            guard let index = words.firstIndex(of: name) else { return 0 }
                            return Int(words[index + 1]) ?? 0
                        }
                        let end = field("end_ms")
                        windows.append((field("start_ms"), end == 0 ? Int.max : end))
                    }
                }
                windows.sort { $0.start < $1.start }
                let overlaps = zip(windows, windows.dropFirst()).contains { $0.end > $1.start }
                #expect(!overlaps, "seed \(seed), step \(step), g\(number): \(windows)")
            }
        }
    }

    @Test(arguments: seeds)
    func plansShareAllSlots(seed: UInt64) {
        var random = TestRandom(seed)
        for _ in 0..<200 {
            var left = ScalePlan.slotCount
            var slots: [String: Int] = [:]
            let count = 1 + random.below(12)
            for number in 0..<count {
                let own = number == count - 1 ? left : random.below(left + 1)
                slots["p\(number)"] = own
                left -= own
            }
            let holders = slots.keys.sorted().map { ScalePlan.Holder(name: Array($0.utf8), slots: slots[$0] ?? 0) }
            let pairs = 1 + random.below(4)
            var replicas = 0
            for step in ScalePlan(holders, pairCount: pairs).steps {
                let node = String(decoding: step.node, as: UTF8.self)
                switch step.action {
                case .addPrimary: slots[node] = 0
                case .addReplica(let primary):
                    replicas += 1
                    #expect(slots[String(decoding: primary, as: UTF8.self)] != nil)
                case .moveSlots(let holder, let moved):
                    #expect(moved > 0)
                    slots[String(decoding: holder, as: UTF8.self), default: 0] -= moved
                    slots[node, default: 0] += moved
                }
            }
            let share = ScalePlan.slotCount / (count + pairs)
            #expect(replicas == pairs && slots.values.reduce(0, +) == ScalePlan.slotCount, "seed \(seed)")
            let new = slots.filter { !$0.key.hasPrefix("p") || $0.key.hasPrefix("primary") }
            #expect(new.values.allSatisfy { $0 == share } && slots.values.allSatisfy { $0 >= 0 }, "seed \(seed)")
        }
    }

    @Test func growthByPairs() throws {
        let session = try TestSession()
        try session.run([
            ("FOG.SCALE PLAN", "[]"),
            ("FOG.SCALE PLAN PAIRS 1",
                #"[["action", "add_primary", "node", "primary-2", "peer", (nil), "slots", 8192], "#
                    + #"["action", "add_replica", "node", "replica-2", "peer", "primary-2", "slots", 0], "#
                    + #"["action", "move_slots", "node", "primary-2", "peer", "coordinator-1", "slots", 8192]]"#),
            ("FOG.NODE REGISTER a TYPE primary CPU 95 FIELD slots 10000", "OK"),
            ("FOG.NODE REGISTER b TYPE primary CPU 95", "OK"),
            ("FOG.SCALE PLAN", "(matches) *add_primary*5461*add_replica*move_slots*a*4539*move_slots*b*922*"),
            ("FOG.SCALE PLAN PAIRS 0", "(error) ERR PAIRS is 1 to 64"), ("FOG.SCHEMA VERSION", "1"),
        ])
    }
}
