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
        let hashes = (0..<3000).map { _ in generator.next() }
        for _ in 0..<30_000 {
            let hash = hashes[generator.below(hashes.count)]
            if generator.below(3) == 0 {
                let wasThere = ledger.remove(hash)
                #expect(wasThere == (model.removeValue(forKey: hash) != nil))
            } else {
                let bytes = generator.below(1000) * 8
                ledger.charge(hash, bytes)
                model[hash] = bytes
            }
        }
        #expect(ledger.count == model.count)
        #expect(ledger.chargedByteCount == model.values.reduce(0, +), "seed \(seed)")
        var met: Set<UInt64> = []
        for _ in 0..<ledger.count { if let hash = ledger.next() { met.insert(hash) } }
        #expect(met == Set(model.keys))
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
