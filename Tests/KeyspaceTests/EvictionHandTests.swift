// EvictionHandTests.swift - what the hand takes and what it leaves, on a keyspace of its own: as many bytes as asked
// for, used keys last, only keys with an expiry where only these may go, the soonest first.
internal import Base
internal import Keyspace
internal import Structures
internal import Testing

@Suite("Eviction")
struct EvictionHandTests {
    private final class Box {
        var keyspace = Keyspace(databaseCount: 2)
        var hand = EvictionHand()
        var generator = RandomGenerator(seed: 5)

        func set(_ name: String, database: Int = 0, expiry: Int64? = nil) {
            let key = Array(name.utf8)
            let hash = keyspace[database].table.hash(key.span)
            let value = [UInt8](repeating: UInt8(ascii: "v"), count: 200)
            let slot = keyspace.find(key.span, hash: hash, in: database)
            keyspace.setString(key.span, hash: hash, in: database, slot: slot, value: value.span, expiry: expiry)
        }

        func use(_ name: String) {
            let key = Array(name.utf8)
            let hash = keyspace[0].table.hash(key.span)
            guard let slot = keyspace.find(key.span, hash: hash, in: 0) else { return }
            keyspace.noteAccess(slot.entry, silently: false)
        }

        func has(_ name: String) -> Bool {
            let key = Array(name.utf8)
            return keyspace.find(key.span, hash: keyspace[0].table.hash(key.span), in: 0) != nil
        }

        var byteCount: Int { keyspace[0].byteCount + keyspace[1].byteCount }

        /// Evicts until at most `limit` bytes are held; false when a hundred steps found nothing.
        func shrink(to limit: Int, _ policy: EvictionPolicy) -> Bool {
            var fruitless = 0
            while byteCount > limit {
                let evicted = hand.step(&keyspace, policy, excess: byteCount - limit) { generator.next() }
                fruitless = evicted == 0 ? fruitless + 1 : 0
                if fruitless > 100 { return false }
            }
            return true
        }
    }

    private static let orders: [EvictionPolicy.Order] = [.unused, .random, .soonestExpiry]

    @Test("keys go until there is room, in every order", arguments: orders)
    func makesRoom(order: EvictionPolicy.Order) {
        let box = Box()
        for index in 0..<2000 { box.set("key:\(index)", database: index % 2, expiry: 1_900_000_000_000) }
        let before = box.byteCount
        let isRoom = box.shrink(to: before / 2, EvictionPolicy(order: order, onlyVolatile: true))
        #expect(isRoom)
        let kept = box.keyspace.count
        #expect(kept > 700 && kept < 1300, "\(kept) of 2000 keys are left")
        #expect(box.shrink(to: 1 << 10, EvictionPolicy(order: order, onlyVolatile: false)))
    }

    @Test("what is used stays while unused keys come and go")
    func keepsWhatIsUsed() {
        let box = Box()
        for index in 0..<100 { box.set("hot:\(index)") }
        let limit = box.byteCount * 4
        for index in 0..<5000 {
            box.set("cold:\(index)")
            box.use("hot:\(index % 100)")
            #expect(box.shrink(to: limit, EvictionPolicy(order: .unused, onlyVolatile: false)))
        }
        let kept = (0..<100).count { box.has("hot:\($0)") }
        #expect(kept >= 95, "\(kept) of 100 used keys stayed")
    }

    @Test("only keys with an expiry go, when only these may", arguments: orders)
    func sparesOthers(order: EvictionPolicy.Order) {
        let box = Box()
        for index in 0..<500 { box.set("stays:\(index)") }
        for index in 0..<500 { box.set("goes:\(index)", expiry: 1_900_000_000_000) }
        let policy = EvictionPolicy(order: order, onlyVolatile: true)
        #expect(!box.shrink(to: 0, policy))
        #expect((0..<500).allSatisfy { box.has("stays:\($0)") })
        #expect(box.keyspace.count == 500)
        let mayEvict = EvictionHand.mayEvict(box.keyspace, policy)
        #expect(!mayEvict)
    }

    @Test("what expires soonest goes first")
    func soonestFirst() {
        let box = Box()
        for index in 0..<200 { box.set("late:\(index)", expiry: 1_990_000_000_000) }
        for index in 0..<1000 { box.set("soon:\(index)", expiry: 1_900_000_000_000 + Int64(index)) }
        #expect(box.shrink(to: box.byteCount / 2, EvictionPolicy(order: .soonestExpiry, onlyVolatile: true)))
        let kept = (0..<200).count { box.has("late:\($0)") }
        #expect(kept >= 190, "\(kept) of 200 late keys stayed")
    }

    @Test("keys that expire go in order, within a few per cent of all", arguments: [300, 20_000])
    func soonestInOrder(count: Int) {
        let box = Box()
        var order = Array(0..<count)
        order.shuffle(using: &box.generator)
        for index in order { box.set("key:\(index)", database: index % 2, expiry: 1_900_000_000_000 + Int64(index)) }
        #expect(box.shrink(to: box.byteCount * 6 / 10, EvictionPolicy(order: .soonestExpiry, onlyVolatile: true)))
        let gone = count - box.keyspace.count
        // What of the soonest is still there, and stands in the place of what went too early.
        let early = (0..<gone).count { index in
            let key = Array("key:\(index)".utf8)
            let table = index % 2
            return box.keyspace.find(key.span, hash: box.keyspace[table].table.hash(key.span), in: table) != nil
        }
        #expect(gone > count / 4 && early <= max(2, count / 50), "\(early) of \(gone) went before sooner ones")
    }

    @Test("under LRM reads keep no key, writes do")
    func onlyWritesCount() {
        let box = Box()
        box.keyspace.setUseCounting(.modified)
        for index in 0..<50 { box.set("read:\(index)") }
        for index in 0..<50 { box.set("written:\(index)") }
        let limit = box.byteCount * 3
        for index in 0..<20_000 {
            box.set("cold:\(index)")
            box.use("read:\(index % 50)")
            let name = Array("written:\(index % 50)".utf8)
            let hash = box.keyspace[0].table.hash(name.span)
            if let slot = box.keyspace.find(name.span, hash: hash, in: 0) {
                box.keyspace.noteModification(slot.entry)
            }
            #expect(box.shrink(to: limit, EvictionPolicy(order: .unused, onlyVolatile: false)))
        }
        let written = (0..<50).count { box.has("written:\($0)") }
        let read = (0..<50).count { box.has("read:\($0)") }
        #expect(written >= 45 && read <= 20, "\(written) written and \(read) read keys stayed")
    }

    @Test("evictions are told to whoever listens")
    func isRecorded() {
        let box = Box()
        box.keyspace.removals.isRecorded = true
        for index in 0..<10 { box.set("key:\(index)") }
        let evicted = box.hand.step(
            &box.keyspace, EvictionPolicy(order: .unused, onlyVolatile: false), excess: 1) { 1 }
        // What else is due in a bucket of eight goes with the first.
        #expect(evicted >= 1 && evicted <= 8)
        var told = 0
        box.keyspace.removals.drain { reason, database, _ in
            if reason == .evicted && database == 0 { told += 1 }
        }
        #expect(told == evicted)
    }
}
