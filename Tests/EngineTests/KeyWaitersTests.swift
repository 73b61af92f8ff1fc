// KeyWaitersTests.swift - the lines of waiting sessions against plain arrays: joining (again), leaving, who is next,
// and which keys are ready in which order. The seed is printed when something differs.
import Base
import Keyspace
import Testing

@testable import Engine

struct KeyWaitersTests {
    private static func key(_ number: Int) -> KeyIdentity {
        let bytes = Array("k\(number / 2)".utf8)
        // Few hashes, so that lines share them; the same name in two databases.
        return KeyIdentity(hash: UInt64(number % 3), database: number % 2, bytes: bytes)
    }

    private static func session(_ id: UInt64) -> SessionReference {
        SessionReference(
            Session(
                id: id, loop: 0, connection: id, address: "", localAddress: "", isUnixSocket: false, descriptor: -1,
                account: ACLAccount(ACLUser(name: [], commandCount: 0, startsWithAllChannels: false)), now: 0))
    }

    @Test func linesFollowAModel() {
        let seed = UInt64.random(in: 1...UInt64.max)
        var random = RandomGenerator(seed: seed)
        var waiters = KeyWaiters()
        var model: [Int: [UInt64]] = [:]
        var ready: [Int] = []
        /// Keys that need not be made ready again; a new line begins without.
        var marked: Set<Int> = []
        var gone: [(key: Int, order: UInt64)] = []
        let session = KeyWaitersTests.session(1)
        defer { session.deallocate() }
        func below(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }
        for round in 1...20000 {
            let number = below(6)
            let key = KeyWaitersTests.key(number)
            let line = model[number] ?? []
            switch below(10) {
            case 0...3:
                // Now and then somebody comes back to the place he left.
                let back = gone.popLast()
                let place = below(2) == 0 ? back?.key ?? number : number
                let order = place == back?.key ? back?.order ?? UInt64(round) : UInt64(round)
                let waiter = KeyWaiter(session: session, order: order, type: .list, wakesWithoutKey: order % 5 == 0)
                let isNew = waiters.add(waiter, KeyWaitersTests.key(place))
                #expect(isNew == !(model[place] ?? []).contains(order), "seed \(seed)")
                if isNew { model[place] = ((model[place] ?? []) + [order]).sorted() }
            case 4...6:
                guard !line.isEmpty else { continue }
                let order = line[below(2) == 0 ? 0 : below(line.count)]
                waiters.remove(order, key)
                gone.append((number, order))
                model[number] = line.filter { $0 != order }
                if model[number]?.isEmpty == true {
                    model[number] = nil
                    marked.remove(number)
                }
            case 7:
                waiters.noteChange(of: key.bytes.span, hash: key.hash, database: key.database)
                if !line.isEmpty, marked.insert(number).inserted { ready.append(number) }
            case 8:
                let taken = waiters.takeReady()
                #expect(taken == ready.first.map { KeyWaitersTests.key($0) }, "seed \(seed), round \(round)")
                if taken != nil { marked.remove(ready.removeFirst()) }
            default:
                let after = UInt64(below(round))
                let next = waiters.next(for: key, after: after)?.order
                #expect(next == line.first { $0 > after }, "seed \(seed), round \(round)")
            }
            let counts = [waiters.keyCount, waiters.keyCountWithoutKey]
            let withoutKey = model.values.count { $0.contains { $0 % 5 == 0 } }
            #expect(counts == [model.count, withoutKey], "seed \(seed)")
        }
    }

    @Test func theFilterCounts() {
        var filter = KeyFilter()
        filter.insert(5)
        filter.insert(5 + 1024)
        let found = [5, 5 + 2048, 6].map { filter.mayHave($0) }
        #expect(found == [true, true, false])
        filter.remove(5)
        let isStillThere = filter.mayHave(5)
        filter.remove(5 + 1024)
        let isGone = !filter.mayHave(5)
        #expect(isStillThere && isGone)
    }
}
