// ClassMatcherTests.swift - which class a key falls in, against trying every pattern; a ledger against a dictionary.
internal import Base
internal import CLinux
@testable internal import Engine
internal import Testing

@Suite("Classes of data")
struct ClassMatcherTests {
    @Test("the matcher answers what trying every pattern in order would", arguments: [UInt64(1), 2, 3, 4])
    func matches(seed: UInt64) {
        var generator = RandomGenerator(seed: seed)
        func text(_ letters: String, _ length: Int) -> [UInt8] {
            let bytes = Array(letters.utf8)
            return (0..<length).map { _ in bytes[generator.below(bytes.count)] }
        }
        for _ in 0..<40 {
            var classes: [DataClass] = []
            for number in 0..<generator.below(30) {
                var pattern = text("ab", generator.below(5))
                if generator.below(3) > 0 { pattern += text("ab*?", generator.below(3)) }
                if generator.below(3) > 0 { pattern.append(UInt8(ascii: "*")) }
                if pattern.isEmpty { pattern = Array("*".utf8) }
                var item = DataClass(name: Array("\(number)".utf8), pattern: pattern)
                item.priority = generator.below(3)
                classes.append(item)
            }
            let sorted = ClassSpace.ordered(classes)
            let matcher = ClassMatcher(sorted)
            for _ in 0..<200 {
                let key = text("abc", 1 + generator.below(7))
                let wanted = sorted.firstIndex { Glob.matches(pattern: $0.pattern.span, text: key.span) } ?? -1
                #expect(matcher.find(key.span) == wanted, "seed \(seed), key \(key), \(sorted.map(\.pattern))")
            }
        }
    }

    @Test("a ledger counts as a dictionary does, and its hand meets every key", arguments: [UInt64(5), 6])
    func ledger(seed: UInt64) {
        var generator = RandomGenerator(seed: seed)
        var ledger = ClassLedger()
        var model: [UInt64: Int] = [:]
        var expiring: Set<UInt64> = []
        let hashes = (0..<3000).map { _ in generator.next() }
        for _ in 0..<30_000 {
            let hash = hashes[generator.below(hashes.count)]
            if generator.below(3) == 0 {
                let wasThere = ledger.remove(hash)
                #expect(wasThere == (model.removeValue(forKey: hash) != nil))
                expiring.remove(hash)
            } else {
                let bytes = generator.below(1000) * 8
                let isVolatile = generator.below(5) == 0
                ledger.charge(hash, bytes, isVolatile: isVolatile)
                model[hash] = bytes
                if isVolatile { expiring.insert(hash) } else { expiring.remove(hash) }
            }
        }
        #expect(ledger.count == model.count)
        #expect(ledger.chargedByteCount == model.values.reduce(0, +), "seed \(seed)")
        var met: Set<UInt64> = []
        for _ in 0..<ledger.count { if let hash = ledger.next() { met.insert(hash) } }
        #expect(met == Set(model.keys))
        #expect(ledger.volatileCount == expiring.count && !expiring.isEmpty, "seed \(seed)")
        ledger.moveHand(generator.next())
        met = []
        for _ in 0..<ledger.volatileCount { if let hash = ledger.next(onlyVolatile: true) { met.insert(hash) } }
        #expect(met == expiring)
        // In steps of a few places it meets the same ones.
        met = []
        for _ in 0..<20_000 { if let hash = ledger.next(onlyVolatile: true, placesMax: 2) { met.insert(hash) } }
        #expect(met == expiring)
        for hash in expiring { ledger.charge(hash, 0) }
        #expect(ledger.next(onlyVolatile: true) == nil && ledger.next() != nil)
        // The greatest charge does not reach into the mark of what expires.
        ledger.removeAll()
        ledger.charge(1, .max)
        #expect(ledger.volatileCount == 0 && ledger.chargedByteCount == (1 << 31 - 1) << 3)
        ledger.charge(1, .max, isVolatile: true)
        #expect(ledger.volatileCount == 1 && ledger.chargedByteCount == (1 << 31 - 1) << 3)
    }

    @Test("of many keys offered the soonest are taken, in order", arguments: [UInt64(7), 8])
    func soonest(seed: UInt64) {
        var generator = RandomGenerator(seed: seed)
        var kept = SoonestKeys()
        var model: [UInt64: Int64] = [:]
        for _ in 0..<2000 {
            if generator.below(4) == 0 {
                let first = model.values.min()
                let taken = kept.take()
                #expect(taken?.expiry == first, "seed \(seed)")
                if let taken { model[taken.hash] = nil }
                continue
            }
            // Some are known already, with this time to live or another.
            let (hash, expiry) = (UInt64(generator.below(40)), Int64(generator.below(1000)))
            kept.offer(hash, expiry: expiry)
            model[hash] = expiry
            while model.count > SoonestKeys.countMax, let latest = model.max(by: { $0.value < $1.value }) {
                // Of two that expire together either may stay.
                let isKept = kept.keys.contains { $0.hash == latest.key }
                let other = model.first { item in
                    item.value == latest.value && !kept.keys.contains { $0.hash == item.key }
                }
                model[isKept ? other?.key ?? latest.key : latest.key] = nil
            }
            let expiries = kept.keys.map(\.expiry)
            #expect(Set(kept.keys.map(\.hash)) == Set(model.keys) && expiries == expiries.sorted(by: >))
        }
    }

    @Test("the limit of a control group, versions 2 and 1, and what auto makes of it")
    func groups() {
        #expect(MemoryLimit.maxmemory(forLimit: 512 << 20) * 115 / 100 + 10_000_000 < 512 << 20)
        #expect(MemoryLimit.maxmemory(forLimit: 64 << 20) * 115 / 100 + 10_000_000 < 64 << 20)
        #expect(MemoryLimit.maxmemory(forLimit: 8 << 20) == 4 << 20)
        let root = "/tmp/fog-groups-\(getpid())"
        let files = [
            ("/proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/old/one\n0::/slice/unit\n"),
            ("/sys/fs/cgroup/slice/unit/memory.max", "max\n"), ("/sys/fs/cgroup/slice/memory.max", "300000000\n"),
            ("/sys/fs/cgroup/memory/old/one/memory.limit_in_bytes", "9223372036854771712\n"),
            ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "400000000\n"),
        ]
        for (path, text) in files { write(root + path, text) }
        #expect(MemoryLimit.ofGroup(root: root) == 300_000_000)
        write(root + "/sys/fs/cgroup/slice/memory.max", "max\n")
        #expect(MemoryLimit.ofGroup(root: root) == 400_000_000)
        write(root + "/proc/self/cgroup", "0::/elsewhere\n")
        #expect(MemoryLimit.ofGroup(root: root) == nil)
    }

    /// Makes a small file and the directories above it.
    private func write(_ path: String, _ text: String) {
        var directory = ""
        for part in path.split(separator: "/").dropLast() {
            directory += "/" + part
            _ = unsafe mkdir(directory, 0o755)
        }
        let file = unsafe fog_openat_create(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        defer { close(file) }
        let count = unsafe CLinux.write(file, text, text.utf8.count)
        #expect(count == text.utf8.count)
    }
}
