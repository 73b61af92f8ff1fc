// MemoryLimit.swift - how much memory this process may take before the system ends it: the smallest limit of its
// control group and of those above it (version 2, or version 1's memory controller), else what the machine has.
// `maxmemory auto` follows it. Reads a handful of small files; never on the data path.
internal import Base
internal import Keyspace

enum MemoryLimit {
    /// What the process needs beside its data, and the share of the rest that data may take: resident memory stays
    /// under 1.15 times `maxmemory` and 10 MB, which must fit.
    private static let reserveByteCount = 16 << 20
    private static let sharePercent = 85

    /// What `maxmemory auto` means now.
    static var automatic: Int { maxmemory(forLimit: min(ofGroup(root: "") ?? .max, ProcessFacts.systemByteCount)) }

    static func maxmemory(forLimit limit: Int) -> Int {
        max(limit / 2, (limit - reserveByteCount) / 100 * sharePercent)
    }

    /// The control group's limit; nil when there is none. `root` stands before every path, for tests.
    static func ofGroup(root: String) -> Int? {
        var limit: Int?
        for line in ProcessFacts.read(root + "/proc/self/cgroup").split(separator: "\n") {
            // "0::/path" is version 2, "7:cpu,memory:/path" version 1.
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let found: Int?
            if fields[0] == "0" && fields[1].isEmpty {
                found = smallest(root + "/sys/fs/cgroup", String(fields[2]), "memory.max")
            } else if fields[1].split(separator: ",").contains("memory") {
                found = smallest(root + "/sys/fs/cgroup/memory", String(fields[2]), "memory.limit_in_bytes")
            } else {
                continue
            }
            if let found { limit = min(limit ?? .max, found) }
        }
        return limit
    }

    /// The smallest limit from the group at `path` up to the mount point. In a container the path may be the host's
    /// and not be there; the mount point is the container's own group then.
    private static func smallest(_ mount: String, _ path: String, _ file: String) -> Int? {
        var limit: Int?
        var parts = path.split(separator: "/").map(String.init)
        while true {
            let directory = ([mount] + parts).joined(separator: "/")
            if let found = number(ProcessFacts.read(directory + "/" + file)) { limit = min(limit ?? .max, found) }
            if parts.isEmpty { return limit }
            parts.removeLast()
        }
    }

    /// Version 2 says "max" where there is no limit, version 1 a number that no machine has.
    private static func number(_ text: String) -> Int? {
        let digits = text.prefix { $0.isNumber }
        guard let value = Int(digits), value > 0, value < 1 << 60 else { return nil }
        return value
    }
}

extension Engine {
    /// How often the limit is read again: a container may get more or less memory while it runs.
    private static var limitPeriodMilliseconds: Int64 { 5000 }

    /// The timer's share: `maxmemory auto` follows its group.
    mutating func followMemoryLimit() {
        guard settings.maxmemoryIsAuto, keyspace.now - cron.lastLimit >= Engine.limitPeriodMilliseconds else { return }
        cron.lastLimit = keyspace.now
        let limit = MemoryLimit.automatic
        guard limit != settings.maxmemory else { return }
        Log.shared.notice("The memory limit of this process changed: maxmemory is \(limit) bytes now")
        settingsChanged()
    }
}
