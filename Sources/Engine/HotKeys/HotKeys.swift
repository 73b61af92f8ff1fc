// HotKeys.swift - one session of HOTKEYS: which keys take the most processor time and network bytes between START and
// STOP. Made by START and kept until RESET. A command's time and bytes are shared evenly by its keys; what a script
// calls is the script's, what EXEC runs counts by itself. Memory is bounded by the summaries: counters are a small
// multiple of the keys asked for, and keys with absurd names are counted in the totals only. Engine's turn.
internal import Base
package import Structures

package struct HotKeys {
    /// What START asked for.
    package struct Request: Sendable {
        package var countsTime = false
        package var countsBytes = false
        /// How many keys are shown for each metric.
        package var count = 10
        /// 0: until STOP.
        package var durationMilliseconds: Int64 = 0
        /// One command out of so many is looked at.
        package var sampleRatio = 1
        package init() {}
    }

    package let request: Request
    package let startMilliseconds: Int64
    /// When it was stopped; nil while it runs.
    package private(set) var endMilliseconds: Int64?
    /// The process's processor seconds at START.
    package let processorAtStart: (user: Double, system: Double)
    /// Of all commands with keys, looked at or not.
    package private(set) var ticks: UInt64 = 0
    package private(set) var byteCount: UInt64 = 0
    package private(set) var byTicks: HeavyHitters
    package private(set) var byBytes: HeavyHitters

    /// Counters for each key that is shown: what is shown is then wrong by less than a sixteenth of an even share.
    private static let countersPerKey = 16
    /// So that the 1024 counters of COUNT 64 hold 4 MiB of names at most.
    private static let keyByteCountMax = 4096

    init(_ request: Request, now: Int64) {
        self.request = request
        startMilliseconds = now
        processorAtStart = ProcessFacts.processorSeconds()
        byTicks = HeavyHitters(capacity: request.count * HotKeys.countersPerKey)
        byBytes = HeavyHitters(capacity: request.count * HotKeys.countersPerKey)
    }

    package var isActive: Bool { endMilliseconds == nil }

    /// When it ends by itself.
    var deadline: Int64? {
        request.durationMilliseconds > 0 ? startMilliseconds + request.durationMilliseconds : nil
    }

    mutating func stop(at time: Int64) { endMilliseconds = min(time, deadline ?? time) }

    /// A command with keys ran.
    mutating func note(ticks: UInt64, byteCount: Int) {
        self.ticks &+= ticks
        self.byteCount &+= UInt64(byteCount)
    }

    /// One of the keys of a command that is looked at, and its share.
    mutating func note(_ key: Span<UInt8>, ticks: UInt64, byteCount: Int) {
        guard key.count <= HotKeys.keyByteCountMax else { return }
        if request.countsTime { byTicks.add(key, weight: ticks) }
        if request.countsBytes { byBytes.add(key, weight: UInt64(byteCount)) }
    }
}
