// TrackingTableTests.swift - who read which key, against a dictionary. The seed is printed when a run fails.
import Base
import Engine
import Testing

struct TrackingTableTests {
    @Test(arguments: [1, 2, 3] as [UInt64])
    func remembersWhatADictionaryDoes(seed: UInt64) {
        var random = RandomGenerator(seed: seed)
        var table = TrackingTable()
        var model: [[UInt8]: Set<UInt64>] = [:]
        for step in 0..<20_000 {
            let key = Array("k\(random.next() % 50)".utf8)
            switch random.next() % 8 {
            case 0...5:
                let client = random.next() % 20 + 1
                table.remember(key.span, client)
                model[key, default: []].insert(client)
            case 6:
                let taken = table.take(key.span)
                #expect(taken == (model.removeValue(forKey: key) ?? []).sorted(), "seed \(seed), step \(step)")
            default:
                guard step % 5 == 0, let (some, clients) = table.takeAny() else { continue }
                #expect(clients == model.removeValue(forKey: some)?.sorted(), "seed \(seed), step \(step)")
            }
            #expect(table.keyCount == model.count, "seed \(seed), step \(step)")
            #expect(table.itemCount == model.values.reduce(0) { $0 + $1.count }, "seed \(seed), step \(step)")
        }
        while let (key, clients) = table.takeAny() {
            #expect(clients == model.removeValue(forKey: key)?.sorted(), "seed \(seed)")
        }
        #expect(model.isEmpty && table.itemCount == 0 && table.keyCount == 0)
    }
}
