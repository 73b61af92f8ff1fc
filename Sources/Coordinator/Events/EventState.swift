// EventState.swift - what there is of events beyond the message itself: the log, the names of the last seconds, low
// events that wait, counts and times. Nothing of it survives the process: sequence numbers belong to an epoch. Under
// the turn.
internal import Base

final class EventState {
    /// A low event on its way out.
    struct Queued {
        let type: [UInt8]
        let payload: [UInt8]
        let startNanoseconds: Int64
    }

    var log = EventLog()
    var names = EventNames()
    var origin = EventOrigin()
    /// The settings that `origin` and the log's bounds were made from.
    var settingsVersion = -1

    private var queue: [Queued] = []
    private var queueHead = 0
    /// Low events sent since `windowStart`.
    private var windowCount = 0
    private var windowStart: Int64 = 0

    var processed = 0
    var deduplicated = 0
    /// Keys that went because of events and FOG.INVALIDATE.
    var invalidations = 0
    var lastNanoseconds: Int64?
    /// From the moment an event came in to its place in the subscribers' output.
    var propagation = Histogram()
    /// From the moment an event or FOG.INVALIDATE came in until the last of its keys was gone.
    var invalidation = Histogram()
    /// The payload under way; kept, so that publishing takes no memory for it.
    var payload = ByteBuffer()

    // MARK: low events

    /// More low events than this in a hundredth of a second wait, so that a flood of them leaves room for others.
    private static let windowCountMax = 32
    private static let windowNanoseconds: Int64 = 10_000_000
    /// Low events that wait; more drop the oldest, which stay in the log for whoever replays it.
    private static let queueCountMax = 100_000
    /// Sent by one tick.
    static let drainedCount = 2000

    var queuedCount: Int { queue.count - queueHead }

    /// Whether a low event has to wait now.
    func mustWait(_ now: Int64) -> Bool {
        if now - windowStart > EventState.windowNanoseconds {
            windowStart = now
            windowCount = 0
        }
        if queuedCount > 0 { return true }
        windowCount += 1
        return windowCount > EventState.windowCountMax
    }

    func enqueue(_ event: Queued) {
        if queuedCount >= EventState.queueCountMax { _ = dequeue() }
        queue.append(event)
    }

    func dequeue() -> Queued? {
        guard queueHead < queue.count else { return nil }
        let event = queue[queueHead]
        queueHead += 1
        if queueHead == queue.count {
            queue.removeAll(keepingCapacity: queue.count <= 4096)
            queueHead = 0
        } else if queueHead >= 4096 && queueHead * 2 > queue.count {
            queue.removeFirst(queueHead)
            queueHead = 0
        }
        return event
    }

    // MARK: statistics

    func resetStatistics() {
        processed = 0
        deduplicated = 0
        invalidations = 0
        propagation = Histogram()
        invalidation = Histogram()
    }
}
