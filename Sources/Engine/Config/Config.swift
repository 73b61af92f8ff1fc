// Config.swift - the whole configuration: one value per directive, and `settings`, the copy that hot paths read.
// A value type owned by the engine; changed only by the loader at start, by `set` (Config+Set.swift) and by the engine
// itself through `assign` when a command moves a directive (REPLICAOF). A loop that needs a setting gets a copy of
// `settings` or the whole `Config`; there is no shared mutable configuration.

/// The configuration.
package struct Config: Sendable, Equatable {
    /// Every directive with a runtime meaning, as plain integers and flags.
    package private(set) var settings = Settings()
    /// By the index of `DirectiveTable.all`.
    private var values: [ConfigValue]
    /// What `io-threads` is when nobody sets it, because it depends on the machine.
    private var ioThreadsDefault: Int
    private let coreCount: Int

    /// Most event loops that are started without being asked for.
    package static let ioThreadsDefaultMax = 8

    /// All defaults. `directory` is the working directory, as CONFIG GET dir shows it.
    package init(coreCount: Int = 1, directory: [UInt8] = []) {
        self.coreCount = coreCount
        ioThreadsDefault = max(1, min(coreCount, Config.ioThreadsDefaultMax))
        values = DirectiveTable.all.map(\.defaultValue)
        for (index, directive) in DirectiveTable.all.enumerated() { directive.store?(&settings, values[index]) }
        assign("io-threads", .number(Int64(ioThreadsDefault)))
        assign("dir", .text(directory))
    }

    func value(at index: Int) -> ConfigValue { values[index] }

    /// The value of an absent directive.
    func standardValue(at index: Int) -> ConfigValue {
        let directive = DirectiveTable.all[index]
        return directive.name == "io-threads" ? .number(Int64(ioThreadsDefault)) : directive.defaultValue
    }

    mutating func replace(at index: Int, with value: ConfigValue) {
        values[index] = value
        DirectiveTable.all[index].store?(&settings, value)
    }

    /// The smallest replication backlog that is worth keeping.
    static let replBacklogSizeMin = 16 << 10

    /// `hz` and `repl-backlog-size` are wishes: values out of range are accepted and moved to the nearest sensible one.
    mutating func normalise() {
        assign("hz", .number(Int64(max(1, min(settings.hz, 500)))))
        assign("repl-backlog-size", .number(Int64(max(settings.replBacklogSize, Config.replBacklogSizeMin))))
    }

    /// Under `appendfsync always` every reply to a write waits for the thread that writes the file. It gets a core of
    /// its own, one that an event loop would have had: with 50 writers and two cores shared with the load two loops
    /// reach 0.79 of Valkey's throughput and one 0.96 to 1.13. For a start that does not ask for a number of loops.
    mutating func leaveCoreToFileWriter() {
        guard settings.appendOnly, settings.appendFsync == .always else { return }
        ioThreadsDefault = max(1, min(coreCount - 1, Config.ioThreadsDefaultMax))
        assign("io-threads", .number(Int64(ioThreadsDefault)))
    }

    /// Sets a directive without validation or hooks: for the engine's own changes. The name must exist.
    package mutating func assign(_ name: String, _ value: ConfigValue) {
        guard let index = DirectiveTable.index(of: name) else { preconditionFailure("no directive named \(name)") }
        replace(at: index, with: value)
    }

    /// The value of a directive by name, in the text form of CONFIG GET. The name must exist.
    package func text(_ name: String) -> [UInt8] {
        guard let index = DirectiveTable.index(of: name) else { preconditionFailure("no directive named \(name)") }
        return DirectiveTable.all[index].text(of: values[index])
    }

    /// The same as a string, for directives that hold no arbitrary bytes.
    package func string(_ name: String) -> String { ConfigText.string(text(name)) }

    private func value(_ name: String) -> ConfigValue {
        guard let index = DirectiveTable.index(of: name) else { preconditionFailure("no directive named \(name)") }
        return values[index]
    }
}

// Directives that are not numbers, typed.
extension Config {
    /// One `save` pair: a snapshot after `seconds` when at least `changes` writes happened.
    package struct SavePoint: Equatable, Sendable {
        /// At least this long after the last snapshot.
        package let seconds: Int
        /// At least this many changes since.
        package let changes: Int
    }

    /// When to take a snapshot; any of the points is enough.
    package var savePoints: [SavePoint] {
        let numbers = value("save").numbers
        return stride(from: 0, to: numbers.count - 1, by: 2).map {
            SavePoint(seconds: Int(numbers[$0]), changes: Int(numbers[$0 + 1]))
        }
    }

    /// Addresses to listen on; a leading `-` means that failing to bind it is fine, `*` every interface.
    package var bindAddresses: [String] { value("bind").texts.map { ConfigText.string($0) } }

    /// The password of the default user, empty for none.
    package var requirePass: [UInt8] { value("requirepass").text }

    /// Where this server replicates from.
    package var replicaOf: (host: String, port: Int)? {
        let texts = value("replicaof").texts
        guard texts.count == 2, let port = Int(ConfigText.string(texts[1])) else { return nil }
        return (ConfigText.string(texts[0]), port)
    }

    /// What REPLICAOF does to the configuration; nil makes this server a primary.
    package mutating func setReplicaOf(_ primary: (host: String, port: Int)?) {
        let texts = primary.map { [Array($0.host.utf8), Array(String($0.port).utf8)] }
        assign("replicaof", .texts(texts ?? []))
    }

    /// Which percentiles INFO latencystats shows.
    package var latencyTrackingPercentiles: [Double] { value("latency-tracking-info-percentiles").reals }

    /// `oom_score_adj` of a primary, a replica and a background child.
    package var oomScoreAdjustments: [Int] { value("oom-score-adj-values").numbers.map { Int($0) } }

    /// The process's `oom_score_adj` as `oom-score-adj` wants it, given what it is without; nil: as it is.
    package func oomScore(of own: Int) -> Int? {
        let score = oomScoreAdjustments.first ?? 0
        switch value("oom-score-adj").number {
        case 0: return nil
        case 1: return own + score
        default: return score
        }
    }

    /// The process title: `proc-title-template` with its variables filled in by `variable`.
    package func processTitle(_ variable: (String) -> String?) -> String? {
        DirectiveCheck.expand(value("proc-title-template").text, variable).map { ConfigText.string($0) }
    }
}

// CONFIG GET.
extension Config {
    /// The directives that any of the patterns names, each name once. A plain name is looked up and answered as it was
    /// typed, hidden directives included; a glob matches every visible name and alias.
    package func get(_ patterns: [[UInt8]]) -> [(name: [UInt8], value: [UInt8])] {
        var seen: Set<[UInt8]> = []
        var result: [(name: [UInt8], value: [UInt8])] = []
        for pattern in patterns {
            if ConfigPattern.isPlain(pattern) {
                guard let index = DirectiveTable.index(of: pattern) else { continue }
                if seen.insert(ConfigText.lowercased(pattern)).inserted {
                    result.append((pattern, DirectiveTable.all[index].text(of: values[index])))
                }
                continue
            }
            for (name, index) in DirectiveTable.names where !DirectiveTable.all[index].flags.contains(.hidden) {
                let bytes = Array(name.utf8)
                guard ConfigPattern.matches(pattern, bytes, ignoringCase: true), seen.insert(bytes).inserted else {
                    continue
                }
                result.append((bytes, DirectiveTable.all[index].text(of: values[index])))
            }
        }
        return result
    }
}
