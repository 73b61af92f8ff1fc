// EventLoop+Timekeeping.swift - what loops do by the clock. The first loop is the timekeeper: it drives the engine's
// ticks and the deadlines of suspended commands. Every loop leaves its connections' sizes for CLIENT LIST once a second
// and closes clients that were idle for longer than `timeout`.
internal import Base
internal import Engine
internal import Reactor
internal import Synchronization

extension EventLoop {
    private var isTimekeeper: Bool { index == 0 }
    /// How often sizes are left: once a second, which is enough to look at, ten times while clients may be evicted.
    private var gaugePeriodMilliseconds: Int64 { settings.maxmemoryClients == 0 ? 1000 : 100 }

    /// Longest sleep until the next duty.
    func waitMilliseconds() -> Int {
        var until = min(nextIdleCheck, acceptsAgainAt)
        if isTimekeeper { until = min(until, nextTick, shared.nextDeadline.load(ordering: .relaxed)) }
        return Int(max(0, min(1000, (until - now + 999_999) / 1_000_000)))
    }

    mutating func runTimers() {
        if isTimekeeper && now >= min(nextTick, shared.nextDeadline.load(ordering: .relaxed)) { keepTime() }
        if now >= acceptsAgainAt { resumeAccepting() }
        if now >= nextIdleCheck {
            nextIdleCheck = now + gaugePeriodMilliseconds * 1_000_000
            checkConnections()
        }
    }

    private mutating func keepTime() {
        let isTickDue = now >= nextTick
        var next: Int64?
        var pauseMilliseconds = 0
        // A slow script's slices follow each other at once.
        shared.turn.giveWay()
        shared.turn.take { engine in
            let start = engine.turnStart
            if isTickDue { pauseMilliseconds = engine.tick() }
            shared.nextDeadline.store(.max, ordering: .relaxed)
            next = engine.resumeExpired()
            if let next { shared.nextDeadline.store(next, ordering: .relaxed) }
            engine.takeDeliveries(for: index, into: &mailBefore)
            refreshSettings(engine)
            engine.noteTurn(since: start)
        }
        if isTickDue { nextTick = now + Int64(pauseMilliseconds) * 1_000_000 }
        deliverMailBefore()
    }

    /// Leaves gauges, drops idle clients and slow readers past their soft limit.
    private mutating func checkConnections() {
        let tokens = connections.tokens
        guard !tokens.isEmpty else { return }
        publishGauges(tokens)
        for token in tokens {
            guard let connection = unsafe connections.find(token) else { continue }
            if unsafe isIdle(connection) {
                Log.shared.verbose("Closing idle client")
                close(token)
            } else if unsafe connection.pointee.pendingOutput > 0 {
                unsafe outputGrew(connection)
            }
        }
    }

    @unsafe private func isIdle(_ connection: UnsafeMutablePointer<Connection>) -> Bool {
        let timeout = Int64(settings.timeoutSeconds) * 1_000_000_000
        return unsafe timeout > 0 && !connection.pointee.isSuspended && !connection.pointee.isExemptFromTimeout
            && now - connection.pointee.lastActivity > timeout
    }

    private func publishGauges(_ tokens: [UInt64]) {
        shared.turn.take { engine in
            for token in tokens {
                guard let connection = unsafe connections.find(token) else { continue }
                let gauges = unsafe connection.pointee.gauges
                let session = unsafe connection.pointee.session
                unsafe connection.pointee.reportedByteCount = connection.pointee.bufferByteCount
                engine.updateGauges(gauges, of: session)
                unsafe connection.pointee.isExemptFromTimeout =
                    session.session.gates.contains(.monitor) || session.session.isSubscriber
                unsafe connection.pointee.isSubscriber = session.session.isSubscriber
            }
        }
    }
}
