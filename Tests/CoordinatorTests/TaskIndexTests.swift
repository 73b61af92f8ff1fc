// TaskIndexTests.swift - the index of tasks against a naive one after random changes, and its order of service.
import Base
import Testing

@testable import Coordinator

struct TaskIndexTests {
    private struct Model {
        var items: [String: TaskItem] = [:]

        func gauges(_ queue: Int32) -> TaskGauges {
            var gauges = TaskGauges()
            var workers = Set<Int32>()
            for item in items.values where item.queue == queue {
                gauges.note(item, by: 1)
                if item.holdsLease { workers.insert(item.worker) }
            }
            gauges.workers = workers.count
            return gauges
        }

        /// Whom `next` must name: by rank, then by order.
        func next(_ queue: Int32, now: Int64, aging: Int64) -> String? {
            let waiting = items.filter {
                $0.value.queue == queue && $0.value.status.isWaiting && $0.value.readyAt <= now
            }
            func rank(_ item: TaskItem) -> (Int64, Int64, Int64) {
                let level = Int64(item.priority.rawValue)
                return aging > 0 ? (item.readyAt + level * aging, item.order, 0) : (level, item.readyAt, item.order)
            }
            return waiting.min { rank($0.value) < rank($1.value) }?.key
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func followsRandomChanges(seed: UInt64) {
        var random = TestRandom(seed)
        var index = TaskIndex()
        var model = Model()
        var now: Int64 = 1000
        let queues = (0..<3).map { index.queue(Array("q\($0)".utf8).span) }
        for step in 0..<4000 {
            now += Int64(random.below(20))
            let id = "t\(random.below(60))"
            if random.below(5) == 0 {
                index.remove(Array(id.utf8).span)
                model.items[id] = nil
            } else {
                var item = TaskItem()
                item.status = TaskStatus.allCases[random.below(6)]
                item.priority = Priority.allCases[random.below(4)]
                item.queue = random.below(8) == 0 ? -1 : queues[random.below(3)]
                item.readyAt = now + Int64(random.below(200)) - 100
                item.order = Int64(step)
                if random.below(2) == 0 { item.node = index.hold(Array("n\(random.below(5))".utf8).span) }
                if random.below(3) == 0 { item.job = index.hold(Array("j\(random.below(5))".utf8).span) }
                if item.status == .running {
                    item.leaseUntil = now + Int64(random.below(100))
                    item.worker = index.hold(Array("w\(random.below(4))".utf8).span)
                }
                index.set(Array(id.utf8).span, item, now: now)
                model.items[id] = item
            }
            index.promote(now: now)
            check(index, model, queues, now, seed, step)
        }
        for id in Array(model.items.keys) { index.remove(Array(id.utf8).span) }
        #expect(index.count == 0)
        #expect(index.names.count == 0, "no name is held when no task is left")
    }

    private func check(
        _ index: borrowing TaskIndex, _ model: Model, _ queues: [Int32], _ now: Int64, _ seed: UInt64, _ step: Int
    ) {
        let place = "seed \(seed), step \(step)"
        for queue in queues {
            let gauges = index.gauges(queue)
            #expect(gauges == model.gauges(queue), "\(place)")
            for level in 0..<4 { #expect(gauges.waiting[level] >= 0, "\(place)") }
        }
        let due = model.items.values.filter { $0.holdsLease && $0.leaseUntil <= now }.map(\.leaseUntil).min()
        let found = index.expiredLease(now: now).map { index[$0].leaseUntil }
        #expect(found == due, "\(place)")
        guard step % 50 == 0 else { return }
        for status in [nil] + TaskStatus.allCases.map(Optional.some) {
            let node = index.findName(Array("n1".utf8).span)
            var listed: [String] = []
            index.forEach(status: status, node: node, job: nil) { number in
                listed.append(String(decoding: index.identifier(number), as: UTF8.self))
                return true
            }
            let wanted = model.items.filter {
                (status == nil || $0.value.status == status) && (node == nil || $0.value.node == node)
            }.map(\.key)
            #expect(listed.sorted() == wanted.sorted(), "\(place)")
        }
    }

    @Test(arguments: [0, 50, 1000] as [Int64])
    func servesInOrder(aging: Int64) {
        var random = TestRandom(UInt64(aging) + 9)
        var index = TaskIndex()
        var model = Model()
        let queue = index.queue(Array("q".utf8).span)
        for number in 0..<500 {
            var item = TaskItem()
            item.priority = Priority.allCases[random.below(4)]
            item.queue = queue
            item.readyAt = Int64(random.below(400))
            item.order = Int64(number)
            index.set(Array("t\(number)".utf8).span, item, now: 0)
            model.items["t\(number)"] = item
        }
        for _ in 0..<500 {
            let found = index.next(in: queue, now: 400, agingMilliseconds: aging)
            guard let found else { break }
            let id = String(decoding: index.identifier(found), as: UTF8.self)
            #expect(id == model.next(queue, now: 400, aging: aging), "aging \(aging)")
            index.remove(Array(id.utf8).span)
            model.items[id] = nil
        }
        #expect(model.items.isEmpty)
    }

    @Test func idleQueuesAreForgotten() {
        var index = TaskIndex()
        for number in 0..<5000 {
            let queue = index.queue(Array("q\(number)".utf8).span)
            var item = TaskItem()
            item.queue = queue
            index.set(Array("t".utf8).span, item, now: 0)
            index.remove(Array("t".utf8).span)
            _ = index.takeSignals()
        }
        var count = 0
        index.forEachQueue { _, _ in count += 1 }
        #expect(count <= 2100, "\(count) queues remembered")
    }
}
