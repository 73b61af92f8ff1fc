// BalancingStructureTests.swift - the structures under the balancer against naive models: sets, heaps, deadlines,
// heartbeat order, MD5, weighted round robin.
import Base
import Engine
import Testing

@testable import Coordinator

struct BalancingStructureTests {
    static let seeds = [UInt64(1), 2, UInt64.random(in: 3...UInt64.max)]

    @Test(arguments: seeds)
    func nodeSetIsASet(seed: UInt64) {
        var random = TestRandom(seed)
        var set = NodeSet()
        var model: Set<Int> = []
        for step in 0..<6000 {
            // Grows beyond the list, shrinks to nothing, grows again.
            let grows = step / 2000 != 1
            let number = random.below(700)
            if random.below(10) < (grows ? 7 : 2) {
                #expect(set.insert(number) == model.insert(number).inserted, "seed \(seed)")
            } else {
                #expect(set.remove(number) == (model.remove(number) != nil), "seed \(seed)")
            }
            guard step % 50 == 0 else { continue }
            var members: [Int] = []
            var at = set.first(from: 0)
            while let number = at {
                members.append(number)
                at = set.first(from: number + 1)
            }
            #expect(members == model.sorted() && set.count == model.count, "seed \(seed)")
        }
    }

    @Test(arguments: seeds)
    func heapFindsTheSmallest(seed: UInt64) {
        var random = TestRandom(seed)
        var heap = NodeHeap()
        var model: [Int: (key: Double, serial: UInt64)] = [:]
        for step in 0..<4000 {
            let number = random.below(200)
            if random.below(3) == 0 {
                heap.remove(number)
                model[number] = nil
            } else {
                let key = Double(random.below(20))
                heap.set(number, key: key, serial: UInt64(step))
                model[number] = (key, UInt64(step))
            }
            let excluded = Set((0..<random.below(6)).map { _ in random.below(200) })
            let best = model.filter { !excluded.contains($0.key) }
                .min { ($0.value.key, $0.value.serial) < ($1.value.key, $1.value.serial) }
            let found = heap.first { !excluded.contains($0) }
            #expect(found.map { Int($0.number) } == best?.key, "seed \(seed)")
        }
    }

    @Test(arguments: seeds)
    func deadlinesComeInTime(seed: UInt64) {
        var random = TestRandom(seed)
        var deadlines = LazyDeadlines()
        var real: [Int: Int64] = [:]
        var now: Int64 = 0
        for _ in 0..<5000 {
            let number = random.below(50)
            let time = now + Int64(random.below(1000)) + 1
            real[number] = time
            deadlines.note(number, time)
            if random.below(5) == 0 {
                now += Int64(random.below(200))
                while let due = deadlines.popDue(now) {
                    guard let time = real[due] else { continue }
                    if time > now { deadlines.note(due, time) } else { real[due] = nil }
                }
                #expect(real.values.allSatisfy { $0 > now }, "seed \(seed)")
            }
        }
    }

    @Test(arguments: seeds)
    func heartbeatsStayInOrder(seed: UInt64) {
        var random = TestRandom(seed)
        var order = HeartbeatOrder()
        var model: [Int: Int64] = [:]
        for step in 0..<3000 {
            let number = random.below(300)
            switch random.below(10) {
            case 0:
                order.remove(number)
                model[number] = nil
            case 1:
                let time = Int64(random.below(step + 1))
                order.set(number, time)
                model[number] = time
            default:
                order.set(number, Int64(step))
                model[number] = Int64(step)
            }
            guard step % 100 == 99 else { continue }
            var times: [Int64] = []
            var numbers: Set<Int> = []
            order.forEachOldest { number, time in
                times.append(time)
                numbers.insert(number)
                return true
            }
            #expect(times == model.values.sorted() && numbers == Set(model.keys), "seed \(seed)")
            var newest: [Int64] = []
            order.forEachNewest { _, time in
                newest.append(time)
                return true
            }
            #expect(newest == times.reversed(), "seed \(seed)")
        }
    }

    @Test(arguments: [
        ("", "d41d8cd98f00b204e9800998ecf8427e"), ("abc", "900150983cd24fb0d6963f7d28e17f72"),
        ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        ("12345678901234567890123456789012345678901234567890123456789012345678901234567890",
            "57edf4a22be3c955ac49da2e2107b67a"),
    ])
    func md5IsTheStandards(text: String, digest: String) {
        let bytes = Array(text.utf8)
        let words = MD5(bytes.span).words
        var hex = ""
        for word in 0..<4 {
            for shift in [0, 8, 16, 24] as [UInt32] {
                let byte = UInt8(truncatingIfNeeded: words[word] >> shift)
                hex += String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
            }
        }
        #expect(hex == digest)
    }

    @Test(arguments: seeds)
    func weightedRoundRobinIsExactOverACycle(seed: UInt64) {
        var random = TestRandom(seed)
        for _ in 0..<20 {
            let weights = (0..<(2 + random.below(12))).map { _ in 1 + random.below(9) }
            let group = BalancingGroup(NodeFilter())
            group.begin(.weightedRoundRobin)
            for (number, weight) in weights.enumerated() {
                var node = Node()
                node.serial = UInt64(number)
                group.update(number, node, isAvailable: true, weight: Double(weight))
            }
            let cycle = weights.reduce(0, +)
            for _ in 0..<5 {
                var counts = [Int](repeating: 0, count: weights.count)
                for step in 1...cycle {
                    guard let number = group.choice(.weightedRoundRobin, { _ in true }) else {
                        Issue.record("nothing chosen")
                        return
                    }
                    counts[number] += 1
                    // Smooth: never two turns ahead of or behind its share.
                    for (number, weight) in weights.enumerated() {
                        let share = Double(step * weight) / Double(cycle)
                        #expect(abs(Double(counts[number]) - share) < 2, "seed \(seed) \(weights)")
                    }
                }
                #expect(counts == weights, "seed \(seed)")
            }
        }
    }

    @Test func calendar() {
        #expect(CalendarTime.text(milliseconds: 0) == "1970-01-01T00:00:00.000Z")
        #expect(CalendarTime.text(milliseconds: 951_827_696_789) == "2000-02-29T12:34:56.789Z")
        #expect(CalendarTime.text(milliseconds: 1_761_091_200_000) == "2025-10-22T00:00:00.000Z")
    }

    @Test func advice() {
        let settings = FogSettings()
        func advice(_ count: Int, _ cpu: Double) -> ScaleAdvice {
            var load = NodeLoad()
            for _ in 0..<count { load.add(cpu, 1) }
            return AutoScaler.advice(load, settings)
        }
        #expect(advice(10, 85).action == .up)
        #expect(advice(10, 85).reason == "High CPU usage (85.0% > 80.0%)")
        #expect(advice(10, 85).nodeCount == 10 && advice(10, 85).averageCPU == 85)
        #expect(advice(10, 20).action == .down)
        #expect(advice(10, 20).reason == "Low CPU usage (20.0% < 30.0%)")
        #expect(advice(10, 50).action == .none && advice(10, 80).action == .none && advice(10, 30).action == .none)
        #expect(advice(1, 20).action == .none && advice(0, 0).action == .none)
    }

    @Test func recommendationsDoNotFlap() {
        var scaler = AutoScaler()
        var count = 0
        for second in 0..<60 {
            let action: ScaleAction = second % 2 == 0 ? .up : .none
            let advice = ScaleAdvice(action: action, reason: "", nodeCount: 10, averageCPU: 81)
            if scaler.note(advice, pool: [], now: Int64(second) * 1000 + 1, cooldownSeconds: 60) { count += 1 }
        }
        #expect(count == 1 && scaler.history.count == 1)
    }
}
