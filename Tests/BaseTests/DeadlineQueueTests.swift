// DeadlineQueueTests.swift - the queue against a plain list, with cancellation, handle reuse and sweeping.
import Base
import Testing

struct DeadlineQueueTests {
    @Test func deadlinesFireInOrder() {
        var queue = DeadlineQueue()
        #expect(queue.nextDeadline() == nil)
        #expect(queue.popExpired(now: .max) == nil)
        queue.insert(deadlineNanoseconds: 30, token: 3)
        queue.insert(deadlineNanoseconds: 10, token: 1)
        queue.insert(deadlineNanoseconds: 20, token: 2)
        #expect(queue.count == 3)
        #expect(queue.nextDeadline() == 10)
        #expect(queue.popExpired(now: 9) == nil)
        #expect(queue.popExpired(now: 10) == 1)
        #expect(queue.popExpired(now: 100) == 2)
        #expect(queue.popExpired(now: 100) == 3)
        #expect(queue.popExpired(now: 100) == nil)
        let isEmpty = queue.isEmpty
        #expect(isEmpty)
    }

    @Test func aHandleNamesOneLifeOnly() {
        var queue = DeadlineQueue()
        let first = queue.insert(deadlineNanoseconds: 1, token: 1)
        #expect(queue.isAlive(first) == true)
        #expect(queue.cancel(first) == true)
        #expect(queue.isAlive(first) == false)
        #expect(queue.cancel(first) == false)
        let second = queue.insert(deadlineNanoseconds: 2, token: 2)
        #expect(first != second)
        #expect(queue.cancel(first) == false)
        #expect(queue.nextDeadline() == 2)
        #expect(queue.popExpired(now: 2) == 2)
        #expect(queue.cancel(second) == false)
        #expect(queue.count == 0)
    }

    @Test func randomOperationsAgreeWithAList() {
        var random = RandomGenerator(seed: testSeed)
        var queue = DeadlineQueue()
        var model: [(deadline: Int64, token: UInt64, handle: DeadlineQueue.Handle)] = []
        var retired: [DeadlineQueue.Handle] = []
        var now: Int64 = 0
        var mismatches = Mismatches()
        for token in 0..<60_000 as Range<UInt64> {
            switch random.below(10) {
            case 0..<5:
                let deadline = now + Int64(random.below(1000)) - 10
                let handle = queue.insert(deadlineNanoseconds: deadline, token: token)
                model.append((deadline, token, handle))
            case 5..<8 where !model.isEmpty:
                let victim = model.remove(at: random.below(model.count))
                mismatches.check(queue.cancel(victim.handle), "cancel \(victim.token)")
                retired.append(victim.handle)
            default:
                now += Int64(random.below(20))
                while let fired = queue.popExpired(now: now) {
                    let earliest = model.map(\.deadline).min()
                    let index = model.firstIndex { $0.token == fired && $0.deadline == earliest }
                    mismatches.check(index != nil, "fired \(fired)")
                    if let index { retired.append(model.remove(at: index).handle) }
                }
                mismatches.check(model.allSatisfy { $0.deadline > now }, "late at \(now)")
            }
            mismatches.check(queue.count == model.count, "count at \(token)")
            mismatches.check(queue.nextDeadline() == model.map(\.deadline).min(), "next at \(token)")
        }
        #expect(retired.count > 1000)
        for handle in retired { mismatches.check(!queue.isAlive(handle), "\(handle) lives again") }
        mismatches.expectNone()
    }

    @Test func cancellingKeepsTheQueueSmall() {
        var queue = DeadlineQueue()
        let kept = queue.insert(deadlineNanoseconds: 1_000_000, token: 7)
        for round in 0..<100_000 as Range<Int64> {
            let handle = queue.insert(deadlineNanoseconds: 2_000_000 + round, token: 8)
            queue.cancel(handle)
        }
        #expect(queue.count == 1)
        #expect(queue.isAlive(kept) == true)
        #expect(queue.entryCount < 200)
        #expect(queue.popExpired(now: .max) == 7)
    }
}
